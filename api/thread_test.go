package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestThreadIsShownWhole(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.must(202, "POST", "/v1/events", `{"type":"hello","attr":{"user":"a/b 小明","big":9007199254740993}}`)
	g := n.must(200, "GET", "/v1/activities/first/threads/a%2Fb%20%E5%B0%8F%E6%98%8E", "")
	want := map[string]any{"activity": json.Number("1"), "activity_name": "first", "domain_id": "a/b 小明", "definition": "wait", "version": "1", "status": "waiting",
		"action": "waiting", "reason": "", "run": json.Number("1"), "visit": json.Number("1"), "created_at": "2023-11-14T22:13:20.000Z", "updated_at": "2023-11-14T22:13:20.000Z", "ended_at": nil}
	for k, v := range want {
		if have, there := g.json[k]; !there || have != v {
			t.Errorf("%s: expected %v, got %v", k, v, have)
		}
	}
	if vars := g.json["vars"].(map[string]any); vars["big"] != "9007199254740993" || vars["user"] != "a/b 小明" {
		t.Errorf("expected the variables, an integer beyond 2^53 as a text, got %v", vars)
	}
	if !strings.Contains(g.text, `"vars":{"big":`) {
		t.Errorf("expected the variables in the order in which they were set, got %s", g.text)
	}

	if g := n.must(200, "POST", "/v1/clock/advance", `{"by":"2d"}`); g.json["now"] != "2023-11-16T22:13:20.000Z" || g.json["fired"] != json.Number("1") {
		t.Errorf("expected the clock two days on and one alarm, got %s", g.text)
	}
	g = n.must(200, "GET", "/v1/activities/1/threads/a%2Fb%20%E5%B0%8F%E6%98%8E", "")
	if g.json["status"] != "failed" || g.json["reason"] != "nobody came" || g.json["ended_at"] != "2023-11-16T22:13:20.000Z" {
		t.Errorf("expected the ended run, got %s", g.text)
	}
	n.must(202, "POST", "/v1/events", `{"type":"hello","attr":{"user":"a/b 小明"}}`)
	now := n.must(200, "GET", "/v1/activities/1/threads/a%2Fb%20%E5%B0%8F%E6%98%8E", "")
	if now.json["status"] != "waiting" || now.json["run"] == g.json["run"] {
		t.Errorf("expected the live run, got %s", now.text)
	}
	old := n.must(200, "GET", "/v1/activities/1/threads/a%2Fb%20%E5%B0%8F%E6%98%8E?run=1", "")
	if old.text != g.text {
		t.Errorf("expected run 1 as it ended, got %s", old.text)
	}
	counters := n.must(200, "GET", "/v1/activities/first", "").text
	for _, part := range []string{`{"version":"1","action":"waiting","status":"waiting","count":1}`, `{"version":"1","action":"waiting","status":"failed","count":1}`, `"config":{"limit":5}`} {
		if !strings.Contains(counters, part) {
			t.Errorf("expected %s in %s", part, counters)
		}
	}
}

func TestThreadsArePaged(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	const all = 57
	for i := range all {
		n.hello(fmt.Sprintf("u%d", i))
	}
	seen, pages, cursor := map[string]bool{}, 0, ""
	for {
		g := n.must(200, "GET", "/v1/activities/first/threads?limit=10&cursor="+cursor, "")
		list := g.json["items"].([]any)
		if len(list) > 10 {
			t.Fatalf("expected at most 10 threads a page, got %d", len(list))
		}
		for _, item := range list {
			id := item.(map[string]any)["domain_id"].(string)
			if seen[id] {
				t.Errorf("%s is listed twice", id)
			}
			seen[id] = true
		}
		pages++
		next, more := g.json["next_cursor"].(string)
		if !more {
			break
		}
		cursor = next
	}
	if len(seen) != all || pages < 6 {
		t.Errorf("expected %d threads on 6 pages or more, got %d on %d", all, len(seen), pages)
	}
}

func TestDeadLettersSayWhy(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	flow := strings.NewReplacer("name: wait\n", "name: strict\n", `eventAttr("big", 0)`, `eventAttr("big")`).Replace(waitFlow)
	n.must(201, "POST", "/v1/definitions?version=1", flow)
	n.must(201, "POST", "/v1/activities", `{"name":"strict","definition":"strict"}`)
	n.hello("u1")
	list := n.must(200, "GET", "/v1/dead-letters?limit=5", "").json["items"].([]any)
	if len(list) != 1 {
		t.Fatalf("expected one dead letter, got %v", list)
	}
	d := list[0].(map[string]any)
	line := 1 + strings.Count(flow[:strings.Index(flow, "big:")], "\n")
	if d["reason"] != "trigger" || d["activity_name"] != "strict" || d["domain_id"] != "u1" || d["time"] != "2023-11-14T22:13:20.000Z" || !strings.Contains(d["error"].(string), fmt.Sprintf("%d:", line)) {
		t.Errorf("expected reason, activity, domain id, time and line %d, got %v", line, d)
	}
	if m, _ := d["message"].(map[string]any); m["type"] != "hello" {
		t.Errorf("expected the message itself, got %v", d["message"])
	}
}

func TestWallClockIsNotTurned(t *testing.T) {
	n := startNode(t, nodeOptions{wall: true})
	checkProblem(t, "advance", n.do("POST", "/v1/clock/advance", `{"by":"1h"}`), 409, "wall_clock")
	if g := n.must(200, "GET", "/v1/clock", ""); g.json["mode"] != "wall" {
		t.Errorf("expected the wall clock, got %s", g.text)
	}
}

func TestStoppedNodeSaysSo(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.hello("u1")
	n.server.Stopping()
	if g := n.do("GET", "/readyz?verbose", ""); g.status != 503 || g.json["status"] != "stopping" {
		t.Errorf("expected readyz to say stopping, got %d %s", g.status, g.text)
	}
	if g := n.do("GET", "/healthz", ""); g.status != 200 || g.text != "ok\n" {
		t.Errorf("expected healthz to stay ok, got %d %s", g.status, g.text)
	}
	n.stop()
	g := n.do("POST", "/v1/activities/first/threads/u1/pause", "")
	checkProblem(t, "a command to a stopped engine", g, 503, "stopping")
	if g.json["retryable"] != true || g.header.Get("Retry-After") == "" {
		t.Errorf("expected a retryable problem with Retry-After, got %s", g.text)
	}
}

func TestOwnFaultsStayInTheLog(t *testing.T) {
	n := startNode(t, nodeOptions{events: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret of the stack") })})
	n.story()
	g := n.do("POST", "/v1/events", `{"type":"x"}`)
	checkProblem(t, "a panic", g, 500, "internal")
	n.stop()
	n.state.Close()
	g2 := n.do("GET", "/v1/activities/first/threads/u1", "")
	checkProblem(t, "a closed store", g2, 500, "internal")
	if strings.Contains(g.text, "secret") || strings.Contains(g2.text, "store:") {
		t.Errorf("expected no inner text in the answers, got %s %s", g.text, g2.text)
	}
	if log := n.log.String(); !strings.Contains(log, "secret of the stack") || !strings.Contains(log, g.json["request_id"].(string)) {
		t.Errorf("expected the log to hold the panic and its request id, got %s", log)
	}
}

func TestMetrics(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.hello("somebody")
	n.do("GET", "/v1/activities/first/threads/somebody", "")
	n.do("GET", "/v1/activities/first/threads/missing-one", "")
	text := n.must(200, "GET", "/metrics", "").text
	for _, line := range []string{
		`weftbox_events_total 1`, `weftbox_spawned_total 1`, `weftbox_activity_threads{action="waiting",activity="first",status="waiting"} 1`,
		`weftbox_http_requests_total{code="404",operation="threads.get"} 1`, `weftbox_http_requests_total{code="202",operation="events.post"} 1`,
		`weftbox_http_request_seconds_count{operation="events.post"} 1`, `weftbox_metadata_revision 4`, `weftbox_clock_seconds 1.7e+09`, `weftbox_store_disk_bytes `,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("expected %q among the metrics:\n%s", line, text)
		}
	}
	if strings.Contains(text, "somebody") || strings.Contains(text, "missing-one") {
		t.Error("expected no domain id among the metrics")
	}
}

// TestWhatIsMissingIsNamed holds that a 404 says what is not there: the run, not the thread that is; the version of a definition.
func TestWhatIsMissingIsNamed(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.must(202, "POST", "/v1/events", `{"type":"hello","attr":{"user":"u1"}}`)
	for path, want := range map[string]string{
		"/v1/activities/first/threads/u1?run=99":         `thread \"u1\" of activity \"first\" has no run 99`,
		"/v1/activities/first/threads/u1/explain?run=99": `thread \"u1\" of activity \"first\" has no run 99`,
		"/v1/activities/first/threads/nobody":            `there is no thread \"nobody\"`,
		"/v1/definitions/wait/versions/7":                `definition \"wait\" has no version \"7\": known: 1`,
	} {
		if g := n.do("GET", path, ""); g.status != 404 || !strings.Contains(g.text, want) {
			t.Errorf("GET %s: expected 404 and %s, got %d %s", path, want, g.status, g.text)
		}
	}
	if g := n.do("PATCH", "/v1/activities/first/config", "[1]"); g.status != 400 || !strings.Contains(g.text, "{\\\"key\\\": value, …}; this is a list") {
		t.Errorf("expected to be told that a list is no object, got %d %s", g.status, g.text)
	}
}
