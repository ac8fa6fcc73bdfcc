package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// verbs are what a step can be; each step has exactly one.
var verbs = []string{"event", "events", "play", "advance", "expect", "reply", "command", "after_crash", "deploy", "manage"}

var resultStatuses = []string{"ok", "fail", "timeout", "ignore"}

// step is one step of a scenario; which fields count follows from its verb.
type step struct {
	verb     string
	node     *yaml.Node // the verb's key: where a failure points
	activity string     // "" = the scenario's
	domain   string

	posts     [][]byte // event, events, play: one request each
	times     int
	everyMs   int64
	advanceMs int64
	expect    *expectation
	reply     *handReply
	command   string
	args      map[string]any // of the command
	flow      flow           // deploy
	version   string
	manage    *management
}

// handReply is an answer that the scenario gives itself.
type handReply struct {
	service   string
	nth       int // from 1; 0: the last
	result    expr.Result
	withoutID bool
}

func (l *loader) scenario(n *yaml.Node, base setting) *scenario {
	f, ok := l.fields(n, "a scenario", "name", "domain", "activity", "activities", "flow", "definition", "strategies", "config", "services", "start", "steps")
	if !ok {
		return nil
	}
	s := &scenario{setting: base, node: f.node}
	if v := l.need(f, "name"); v != nil {
		s.name, s.node = l.text(v, "name"), v
	}
	if v := f.found["domain"]; v != nil {
		s.domain = l.text(v, "domain")
	}
	if v := f.found["activity"]; v != nil {
		s.activity = l.text(v, "activity")
	}
	l.flows(f, &s.setting)
	s.ownFlow = f.found["flow"] != nil || f.found["definition"] != nil
	l.setting(f, &s.setting)
	if v := f.found["activities"]; v != nil {
		for _, item := range l.list(v, "activities") {
			s.activities = append(s.activities, l.activitySpec(item))
		}
	}
	if len(s.flows) == 0 && !s.unread {
		l.report(s.node, codeMissing, "the scenario has no flow", `add "flow: FILE" or "definition: |" at the top of the file or to the scenario`)
	}
	if v := l.need(f, "steps"); v != nil {
		for _, item := range l.list(v, "steps") {
			if st, ok := l.step(item); ok {
				s.steps = append(s.steps, st)
			}
		}
		if len(deref(v).Content) == 0 && deref(v).Kind == yaml.SequenceNode {
			l.report(v, codeValue, "the scenario has no steps", "add what happens and what must follow")
		}
	}
	return s
}

func (l *loader) activitySpec(n *yaml.Node) (a activitySpec) {
	f, ok := l.fields(n, "an activity", "name", "definition", "config")
	if !ok {
		return a
	}
	a.node = f.node
	if v := l.need(f, "name"); v != nil {
		a.name = l.text(v, "name")
	}
	if v := f.found["definition"]; v != nil {
		a.definition = l.text(v, "definition")
	}
	if v := f.found["config"]; v != nil {
		a.config = l.object(v, "config")
	}
	return a
}

func (l *loader) step(n *yaml.Node) (s step, ok bool) {
	f, ok := l.fields(n, "a step", append(slices.Clone(verbs), "times", "every", "domain", "activity")...)
	if !ok {
		return s, false
	}
	for _, verb := range verbs {
		key := f.keys[verb]
		switch {
		case key == nil:
		case s.node != nil:
			l.report(key, codeKey, fmt.Sprintf("a step is one thing, this one is %s and %s", s.verb, verb), "make two steps of it")
		default:
			s.verb, s.node = verb, key
		}
	}
	if s.node == nil && f.slips > 0 {
		return s, false
	}
	if s.node == nil {
		l.report(f.node, codeMissing, "the step says nothing that happens", "write one of "+strings.Join(verbs, ", "))
		return s, false
	}
	l.address(f, &s)
	l.repeat(f, &s)
	v := f.found[s.verb]
	switch s.verb {
	case "event", "events":
		s.posts = l.events(v, s.verb == "events")
	case "play":
		s.posts = l.play(v)
	case "advance":
		s.advanceMs = l.duration(v, "advance")
	case "expect":
		s.expect = l.expectation(v)
	case "reply":
		s.reply = l.reply(v)
	case "command":
		if deref(v).Kind == yaml.MappingNode {
			l.repair(v, &s)
			break
		}
		s.command = l.oneOf(v, "command", append(activity.Commands(), "continue"))
	case "after_crash":
		if !l.boolean(v, "after_crash") {
			return s, false
		}
	case "deploy":
		l.deploy(v, &s)
	case "manage":
		s.manage = l.manage(v)
	}
	return s, true
}

func (l *loader) address(f fields, s *step) {
	if v := f.found["domain"]; v != nil {
		s.domain = l.text(v, "domain")
	}
	if v := f.found["activity"]; v != nil {
		s.activity = l.text(v, "activity")
	}
	if !slices.Contains([]string{"expect", "reply", "command", "manage"}, s.verb) {
		for _, key := range []string{"domain", "activity"} {
			if k := f.keys[key]; k != nil {
				l.report(k, codeKey, fmt.Sprintf("%s is for expect, reply, command and manage; this step is %s", key, s.verb), "the strategies say which threads an event is for")
			}
		}
	}
}

func (l *loader) repeat(f fields, s *step) {
	s.times = 1
	if v := f.found["times"]; v != nil {
		s.times = l.count(v, "times", 1)
	}
	if v := f.found["every"]; v != nil {
		s.everyMs = l.duration(v, "every")
	}
	for _, key := range []string{"times", "every"} {
		if k := f.keys[key]; k != nil && s.verb != "event" && s.verb != "events" {
			l.report(k, codeKey, fmt.Sprintf("%s is for event and events; this step is %s", key, s.verb), "")
		}
	}
}

// events reads one event, or a list that is posted in one request.
func (l *loader) events(n *yaml.Node, several bool) [][]byte {
	if !several {
		return [][]byte{l.event(n)}
	}
	body := []byte{'['}
	for i, item := range l.list(n, "events") {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, l.event(item)...)
	}
	return [][]byte{append(body, ']')}
}

func (l *loader) event(n *yaml.Node) []byte {
	f, ok := l.fields(n, "an event", "type", "attr", "id", "time", "timestamp", "sender", "receiver")
	if !ok || l.need(f, "type") == nil {
		return []byte("{}")
	}
	before := len(l.problems)
	body := l.json(nil, f.node)
	if _, _, _, err := messagebus.DecodeJSON(body, 0, messagebus.Limits{}); err != nil && len(l.problems) == before {
		l.report(f.node, codeValue, "the event can not be read: "+err.Error(), "")
	}
	return body
}

// play reads the events of a file, JSON or one JSON object a line; each is posted by itself.
func (l *loader) play(n *yaml.Node) (posts [][]byte) {
	path := filepath.Join(l.dir, l.text(n, "play"))
	text, err := os.ReadFile(path)
	if err != nil {
		l.report(deref(n), codeFlow, "the events can not be read: "+err.Error(), "the path is that from the scenario file's folder")
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text)) // cuts the file into documents; what they hold is read by messagebus
	for {
		var document json.RawMessage
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			l.report(deref(n), codeFlow, path+" is not JSON: "+err.Error(), "")
			return nil
		}
		items, raws, _, err := messagebus.DecodeJSON(document, 0, messagebus.Limits{})
		if err != nil {
			l.report(deref(n), codeFlow, path+": "+err.Error(), "")
			return nil
		}
		for i := range items {
			if items[i].Event == nil {
				l.report(deref(n), codeFlow, path+" holds a message that is no event", "answers and commands are steps of their own")
				return nil
			}
			posts = append(posts, raws[i])
		}
	}
	return posts
}

func (l *loader) reply(n *yaml.Node) *handReply {
	f, ok := l.fields(n, "reply", "service", "nth", "status", "error_code", "message", "data", "without_id")
	if !ok {
		return nil
	}
	r := &handReply{result: l.result(f, "data")}
	if v := l.need(f, "service"); v != nil {
		r.service = l.text(v, "service")
	}
	if v := f.found["nth"]; v != nil {
		r.nth = l.count(v, "nth", 1)
	}
	if v := f.found["without_id"]; v != nil {
		r.withoutID = l.boolean(v, "without_id")
	}
	return r
}

// repair reads {repair: {ctrl, goto, context_vars}}, the one command with arguments.
func (l *loader) repair(n *yaml.Node, s *step) {
	f, ok := l.fields(n, "command", "repair")
	if !ok {
		return
	}
	v := l.need(f, "repair")
	if v == nil {
		return
	}
	if _, ok := l.fields(v, "repair", "ctrl", "goto", "context_vars"); ok {
		s.command, s.args = "repair", l.object(v, "repair")
	}
}

// result reads status, error_code, message and the data under its key.
func (l *loader) result(f fields, data string) (r expr.Result) {
	if v := f.found["status"]; v != nil {
		if i := slices.Index(resultStatuses, l.oneOf(v, "status", resultStatuses)); i >= 0 {
			r.Status = expr.ResultStatus(i)
		}
	}
	if v := f.found["error_code"]; v != nil {
		r.ErrorCode = l.text(v, "error_code")
	}
	if v := f.found["message"]; v != nil {
		r.Message = l.text(v, "message")
	}
	if v := f.found[data]; v != nil {
		r.Data = l.object(v, data)
	}
	return r
}

// deploy reads a new version of a flow: a path, or {flow or definition, version}.
func (l *loader) deploy(n *yaml.Node, s *step) {
	if n = deref(n); n.Kind == yaml.ScalarNode {
		s.flow, _ = l.flowFile(n)
		return
	}
	f, ok := l.fields(n, "deploy", "flow", "definition", "version")
	if !ok {
		return
	}
	if v := f.found["version"]; v != nil {
		s.version = l.text(v, "version")
	}
	var to setting
	l.flows(f, &to)
	if len(to.flows) != 1 {
		l.report(f.node, codeValue, "deploy posts one flow", `write "deploy: FILE" or "deploy: {definition: …}"`)
		return
	}
	s.flow = to.flows[0]
}
