package api

import (
	"net/http"
	"strings"
)

// operation is one row of the table: what is reachable under which address, and who answers.
type operation struct {
	method  string
	pattern string // of net/http's mux, without the method
	name    string // of metrics, logs and the list at /v1
	summary string
	query   []string // the query parameters it knows; nil: it checks them itself

	handle func(*Server, *call) (*reply, error) // JSON in, JSON out
	serve  func(*Server) http.Handler           // or anything
}

var none = []string{}

// operations returns everything that the HTTP port answers.
func operations() []operation {
	return []operation{
		{method: "POST", pattern: "/v1/strategies", name: "strategies.create", summary: "store a strategy: which events concern a thread, and its domain id", query: none, handle: strategies.post},
		{method: "GET", pattern: "/v1/strategies", name: "strategies.list", summary: "all strategies", query: none, handle: strategies.list},
		{method: "GET", pattern: "/v1/strategies/{name}", name: "strategies.get", summary: "one strategy", query: none, handle: strategies.get},
		{method: "PUT", pattern: "/v1/strategies/{name}", name: "strategies.put", summary: "store or replace a strategy", query: none, handle: strategies.replace},
		{method: "DELETE", pattern: "/v1/strategies/{name}", name: "strategies.delete", summary: "delete a strategy that no definition names; ?force any", query: []string{"force"}, handle: strategies.delete},
		{method: "POST", pattern: "/v1/services", name: "services.create", summary: "register a service: an action type with a URL", query: none, handle: services.post},
		{method: "GET", pattern: "/v1/services", name: "services.list", summary: "all services", query: none, handle: services.list},
		{method: "GET", pattern: "/v1/services/{name}", name: "services.get", summary: "one service", query: none, handle: services.get},
		{method: "PUT", pattern: "/v1/services/{name}", name: "services.put", summary: "register a service or replace its URL", query: none, handle: services.replace},
		{method: "DELETE", pattern: "/v1/services/{name}", name: "services.delete", summary: "delete a service that no definition asks; ?force any", query: []string{"force"}, handle: services.delete},
		{method: "POST", pattern: "/v1/definitions", name: "definitions.create", summary: "check and store a version of a definition; the body is YAML", query: []string{"version", "dry_run"}, handle: (*Server).postDefinition},
		{method: "GET", pattern: "/v1/definitions", name: "definitions.list", summary: "all definitions with their versions", query: none, handle: (*Server).listDefinitions},
		{method: "GET", pattern: "/v1/definitions/{name}", name: "definitions.get", summary: "one definition with its versions", query: none, handle: (*Server).getDefinition},
		{method: "GET", pattern: "/v1/definitions/{name}/versions/{version}", name: "definitions.version", summary: "one version with its text and problems", query: none, handle: (*Server).getVersion},
		{method: "GET", pattern: "/v1/definitions/{name}/versions", name: "definitions.versions", summary: "the versions of a definition, oldest first", query: none, handle: (*Server).listVersions},
		{method: "PUT", pattern: "/v1/definitions/{name}/versions/{version}", name: "definitions.put", summary: "store a version; with If-Match modify it in place; the body is YAML", query: none, handle: (*Server).putVersion},
		{method: "DELETE", pattern: "/v1/definitions/{name}/versions/{version}", name: "definitions.delete", summary: "delete a version that nothing lives by; ?force any", query: []string{"force"}, handle: (*Server).deleteVersion},
		{method: "POST", pattern: "/v1/definitions/{name}/versions/{version}/enable", name: "definitions.enable", summary: "let a version give birth to threads and run them", query: none, handle: enable(true)},
		{method: "POST", pattern: "/v1/definitions/{name}/versions/{version}/disable", name: "definitions.disable", summary: "no more births; its threads fail with def_not_enable at their next message", query: none, handle: enable(false)},
		{method: "POST", pattern: "/v1/activities", name: "activities.create", summary: "start an activity of a definition", query: none, handle: (*Server).postActivity},
		{method: "GET", pattern: "/v1/activities", name: "activities.list", summary: "all activities; ?state= and ?definition= some", query: []string{"state", "definition"}, handle: (*Server).listActivities},
		{method: "GET", pattern: "/v1/activities/{activity}", name: "activities.get", summary: "one activity, by number or name, with its counters", query: none, handle: (*Server).getActivity},
		{method: "POST", pattern: "/v1/activities/{activity}/pause", name: "activities.pause", summary: "let all threads of an activity stand still: their mail and alarms wait", query: none, handle: activityCommand("pause")},
		{method: "POST", pattern: "/v1/activities/{activity}/resume", name: "activities.resume", summary: "let a paused activity go on", query: none, handle: activityCommand("resume")},
		{method: "POST", pattern: "/v1/activities/{activity}/continue", name: "activities.continue", summary: "the same as resume", query: none, handle: activityCommand("resume")},
		{method: "POST", pattern: "/v1/activities/{activity}/kill", name: "activities.kill", summary: "end an activity for ever; its threads are ended in the background", query: none, handle: activityCommand("kill")},
		{method: "GET", pattern: "/v1/activities/{activity}/config", name: "activities.config", summary: "the overrides of an activity, and the config that follows", query: none, handle: (*Server).getConfig},
		{method: "PUT", pattern: "/v1/activities/{activity}/config", name: "activities.config.put", summary: "replace all overrides", query: none, handle: (*Server).putConfig},
		{method: "PATCH", pattern: "/v1/activities/{activity}/config", name: "activities.config.patch", summary: "set some overrides; null removes one", query: none, handle: (*Server).patchConfig},
		{method: "PUT", pattern: "/v1/activities/{activity}/config/{item}", name: "activities.config.put_item", summary: `set one override: {"value":5}, or {"value":"5","type":"int"}`, query: none, handle: (*Server).putConfigItem},
		{method: "DELETE", pattern: "/v1/activities/{activity}/config/{item}", name: "activities.config.delete_item", summary: "remove one override: the definition's item holds again", query: none, handle: (*Server).deleteConfigItem},
		{method: "GET", pattern: "/v1/activities/{activity}/stats", name: "activities.stats", summary: "where its threads stand and what became of its messages, by version, action and clause", query: none, handle: (*Server).getStats},
		{method: "GET", pattern: "/v1/activities/{activity}/threads", name: "threads.list", summary: "the threads of an activity that a filter chooses, by default all live ones", query: append([]string{"limit", "cursor"}, filterKeys...), handle: (*Server).listThreads},
		{method: "GET", pattern: "/v1/activities/{activity}/threads/{domainId}", name: "threads.get", summary: "the live thread of a domain id, else its last ended run; ?run= another run", query: []string{"run"}, handle: (*Server).getThread},
		{method: "GET", pattern: "/v1/activities/{activity}/threads/{domainId}/explain", name: "threads.explain", summary: "a thread's story in sentences; ?lang= en or zh, ?run= another run", query: []string{"run", "lang"}, handle: (*Server).explain},
		{method: "GET", pattern: "/v1/activities/{activity}/threads/{domainId}/verdicts", name: "threads.verdicts", summary: "what became of a run's last messages, where $verdicts is on", query: []string{"run"}, handle: (*Server).listVerdicts},
		{method: "POST", pattern: "/v1/activities/{activity}/threads/{domainId}/pause", name: "threads.pause", summary: "pause a thread: its mail is kept", query: none, handle: command("pause")},
		{method: "POST", pattern: "/v1/activities/{activity}/threads/{domainId}/resume", name: "threads.resume", summary: "let a paused thread go on", query: none, handle: command("resume")},
		{method: "POST", pattern: "/v1/activities/{activity}/threads/{domainId}/continue", name: "threads.continue", summary: "the same as resume", query: none, handle: command("resume")},
		{method: "POST", pattern: "/v1/activities/{activity}/threads/{domainId}/repair", name: "threads.repair", summary: "let a thread go on that waits for repair: ctrl retry, waiting or goto", query: none, handle: command("repair")},
		{method: "POST", pattern: "/v1/activities/{activity}/threads/{domainId}/kill", name: "threads.kill", summary: "end a thread", query: none, handle: command("kill")},
		{method: "GET", pattern: "/v1/activities/{activity}/alarms", name: "alarms.list", summary: "the alarms that an activity's threads wait for, with the filter of threads", query: append([]string{"limit", "cursor"}, filterKeys...), handle: (*Server).listAlarms},
		{method: "POST", pattern: "/v1/batch-operations", name: "batch_operations.create", summary: "do something with all threads that a filter chooses, as a job that survives crashes", query: none, handle: (*Server).postJob},
		{method: "GET", pattern: "/v1/batch-operations", name: "batch_operations.list", summary: "the batch operations, newest first", query: none, handle: (*Server).listJobs},
		{method: "GET", pattern: "/v1/batch-operations/{id}", name: "batch_operations.get", summary: "one batch operation with its progress", query: none, handle: (*Server).getJob},
		{method: "POST", pattern: "/v1/batch-operations/{id}/stop", name: "batch_operations.stop", summary: "stop a batch operation for good", query: none, handle: (*Server).stopJob},
		{method: "GET", pattern: "/v1/dead-letters", name: "dead_letters.list", summary: "messages that could not be taken, newest first, with the reason", query: []string{"reason", "activity", "domain", "from", "limit", "cursor"}, handle: (*Server).listDeadLetters},
		{method: "DELETE", pattern: "/v1/dead-letters", name: "dead_letters.delete_many", summary: "delete the dead letters that a filter takes, the oldest first, at most 1000", query: []string{"reason", "activity", "domain", "from", "limit", "cursor"}, handle: (*Server).deleteDeadLetters},
		{method: "POST", pattern: "/v1/dead-letters/replay", name: "dead_letters.replay_many", summary: "give the messages that a filter takes to their threads again, the oldest first, at most 1000", query: []string{"reason", "activity", "domain", "from", "limit", "cursor"}, handle: (*Server).replayDeadLetters},
		{method: "GET", pattern: "/v1/dead-letters/{id}", name: "dead_letters.get", summary: "one dead letter, whole", query: none, handle: (*Server).getDeadLetter},
		{method: "DELETE", pattern: "/v1/dead-letters/{id}", name: "dead_letters.delete", summary: "delete a dead letter", query: none, handle: (*Server).deleteDeadLetter},
		{method: "POST", pattern: "/v1/dead-letters/{id}/replay", name: "dead_letters.replay", summary: "give a message to its thread again", query: none, handle: (*Server).replayDeadLetter},
		{method: "GET", pattern: "/v1/clock", name: "clock.get", summary: "the engine's time", query: none, handle: (*Server).getClock},
		{method: "POST", pattern: "/v1/clock/advance", name: "clock.advance", summary: `turn a manual clock forward: {"by":"48h"}`, query: none, handle: (*Server).advanceClock},
		{method: "POST", pattern: "/v1/events", name: "events.post", summary: "post one event or an array of them; answered after the commit", serve: func(s *Server) http.Handler { return s.o.Events }},
		{method: "POST", pattern: "/v1/buses/{name}", name: "buses.post", summary: "post replies of services, commands and events; answered after the commit", serve: func(s *Server) http.Handler { return s.o.Bus }},
		{method: "GET", pattern: "/v1", name: "operations.list", summary: "this list", query: none, handle: (*Server).listOperations},
		{method: "GET", pattern: "/healthz", name: "healthz", summary: "the process is alive", query: []string{"verbose"}, handle: (*Server).getHealth},
		{method: "GET", pattern: "/readyz", name: "readyz", summary: "the node takes requests; ?verbose says what was checked", query: []string{"verbose"}, handle: (*Server).getReady},
		{method: "GET", pattern: "/version", name: "version", summary: "what this program is", query: none, handle: (*Server).getVersionInfo},
		{method: "GET", pattern: "/metrics", name: "metrics", summary: "counters in the text form of Prometheus", serve: func(s *Server) http.Handler { return s.metrics.handler() }},
	}
}

// admin reports whether the admin port answers the operation too.
func (o *operation) admin() bool { return !strings.HasPrefix(o.pattern, "/v1") }

type operationView struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Name    string   `json:"name"`
	Query   []string `json:"query,omitempty"`
	Summary string   `json:"summary"`
}

func (s *Server) listOperations(*call) (*reply, error) {
	var items []operationView
	for _, o := range operations() {
		items = append(items, operationView{o.method, o.pattern, o.name, o.query, o.summary})
	}
	return ok(list[operationView]{Items: items}), nil
}
