package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestIfMatchKeepsTwoWritersApart: what was changed since it was read is not changed again by who did not see it.
func TestIfMatchKeepsTwoWritersApart(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	for _, c := range []struct{ get, method, path, body string }{
		{"/v1/activities/first/config", "PUT", "/v1/activities/first/config/limit", `{"value":%d}`},
		{"/v1/activities/first", "PATCH", "/v1/activities/first/config", `{"limit":1%d}`},
		{"/v1/strategies/by_user", "PUT", "/v1/strategies/by_user", `{"when":"%d == 1","domain_id":"eventAttr(\"user\")"}`},
		{"/v1/services/mail", "PUT", "/v1/services/mail", `{"url":"http://127.0.0.1:%d/"}`},
		{"/v1/definitions/wait/versions/1", "PUT", "/v1/definitions/wait/versions/1", waitFlow + "# %d"},
	} {
		tag := n.must(200, "GET", c.get, "").header.Get("ETag")
		if len(tag) < 3 || tag[0] != '"' {
			t.Fatalf("GET %s: expected an ETag, got %q", c.get, tag)
		}
		g := n.do(c.method, c.path, fmt.Sprintf(c.body, 7), "If-Match", tag)
		if g.status != 200 {
			t.Fatalf("%s %s with the ETag: expected 200, got %d %s", c.method, c.path, g.status, g.text)
		}
		next := n.must(200, "GET", c.get, "").header.Get("ETag")
		if next == tag || g.header.Get("ETag") != next {
			t.Errorf("%s: expected the change to answer with a new ETag, got %q after %q, and %q from GET", c.path, g.header.Get("ETag"), tag, next)
		}
		checkProblem(t, c.path+" with the old ETag", n.do(c.method, c.path, fmt.Sprintf(c.body, 8), "If-Match", tag), 412, "precondition_failed")
		if again := n.must(200, "GET", c.get, "").header.Get("ETag"); again != next {
			t.Errorf("%s: expected nothing to change by the refused request, the ETag went from %q to %q", c.path, next, again)
		}
		for _, never := range []string{"W/" + next, `"zzz"`, `"-1"`, `"18446744073709551615"`, `""`} { // RFC 9110, 13.1.1: well formed, and no match
			checkProblem(t, c.path+" with "+never, n.do(c.method, c.path, fmt.Sprintf(c.body, 8), "If-Match", never), 412, "precondition_failed")
		}
		for _, bad := range []string{"zzz", next[1:], `"1", ` + next, next + "x"} {
			checkProblem(t, c.path+" with "+bad, n.do(c.method, c.path, fmt.Sprintf(c.body, 8), "If-Match", bad), 400, "invalid_header")
		}
	}
	tag := n.must(200, "GET", "/v1/activities/first", "").header.Get("ETag")
	n.must(200, "POST", "/v1/activities/first/pause", "")
	checkProblem(t, "a command with the old ETag", n.do("POST", "/v1/activities/first/resume", "", "If-Match", tag), 412, "precondition_failed")
	checkProblem(t, "a delete with an old ETag", n.do("DELETE", "/v1/services/mail", "", "If-Match", `"1"`), 412, "precondition_failed")
	checkProblem(t, "a put of what is not there, with an ETag", n.do("PUT", "/v1/services/nosuch", `{"url":"http://x"}`, "If-Match", `"1"`), 412, "precondition_failed")
}

func TestConfigOfAnActivity(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	const path = "/v1/activities/first/config"
	show := func(g got) string { b, _ := json.Marshal(g.json["overrides"]); return string(b) }
	if g := n.must(200, "GET", path, ""); show(g) != `{"limit":5}` || g.json["version"] != "1" || !strings.Contains(g.text, `"effective":{"huge":"9007199254740993","limit":5}`) {
		t.Fatalf("expected the override over the definition's items, got %s", g.text)
	}
	for _, c := range []struct{ body, want string }{
		{`{"value":"7","type":"int"}`, `7`},
		{`{"value":"7","type":"str"}`, `"7"`},
		{`{"value":"7","type":"double"}`, `7.0`},
		{`{"value":"7.50","type":"decimal"}`, `7.50`},
		{`{"value":7,"type":"decimal"}`, `7`},
		{`{"value":"true","type":"bool"}`, `true`},
		{`{"value":"[1,{\"a\":2}]","type":"list"}`, `[1,{"a":2}]`},
		{`{"value":"{\"a\":2}","type":"map"}`, `{"a":2}`},
		{`{"value":"[null]","type":"json"}`, `[null]`},
		{`{"value":{"a":2}}`, `{"a":2}`},
		{`{"value":"plain"}`, `"plain"`},
	} {
		if g := n.must(200, "PUT", path+"/limit", c.body); show(g) != `{"limit":`+c.want+`}` {
			t.Errorf("%s: expected the override %s, got %s", c.body, c.want, show(g))
		}
	}
	for _, body := range []string{`{"value":"1.5","type":"int"}`, `{"value":[],"type":"map"}`, `{"value":"x","type":"bool"}`, `{"value":5,"type":"str"}`, `{"value":"5","type":"date"}`, `{"value":"{","type":"json"}`} {
		g := n.do("PUT", path+"/limit", body)
		checkProblem(t, body, g, 400, "invalid_body")
		if !strings.Contains(g.text, "type") {
			t.Errorf("%s: expected a problem that names the type, got %s", body, g.text)
		}
	}
	if g := n.must(200, "PATCH", path, `{"limit":null,"$retention":"2d","titel":"x"}`); show(g) != `{"$retention":"2d","titel":"x"}` || !strings.Contains(g.text, "WB2251") {
		t.Errorf("a patch: expected two overrides and a warning of the unknown one, got %s", g.text)
	}
	if g := n.must(200, "DELETE", path+"/titel", ""); show(g) != `{"$retention":"2d"}` {
		t.Errorf("an item removed: expected one to be left, got %s", g.text)
	}
	if g := n.must(200, "PUT", path, ""); show(g) != `{}` {
		t.Errorf("an empty body: expected no overrides, got %s", g.text)
	}
}

// TestThreadsSeeAChangedActivityAtOnce: what a 2xx says holds for the next message.
func TestThreadsSeeAChangedActivityAtOnce(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.hello("u1")
	n.must(200, "POST", "/v1/activities/first/pause", "")
	g := n.must(202, "POST", "/v1/events?wait=processed", `{"type":"bye","attr":{"user":"u1"}}`)
	if !strings.Contains(g.text, `"parked"`) {
		t.Errorf("an event for a paused activity: expected it to be parked, got %s", g.text)
	}
	if g = n.must(200, "GET", "/v1/activities/first/threads/u1", ""); g.json["parked"] != json.Number("1") {
		t.Errorf("the thread: expected it to say that one message waits, got %s", g.text)
	}
	n.must(200, "POST", "/v1/activities/first/resume", "")
	n.must(200, "POST", "/v1/clock/advance", `{"by":"1s"}`)
	if g = n.must(200, "GET", "/v1/activities/first/threads/u1", ""); g.json["status"] != "finished" {
		t.Errorf("after the resume: expected the mail to have finished the thread, got %s", g.text)
	}
	n.hello("u2")
	checkProblem(t, "the only version, with a thread", n.do("DELETE", "/v1/definitions/wait/versions/1", ""), 409, "in_use")
	n.must(200, "POST", "/v1/activities/first/kill", "")
	n.must(200, "POST", "/v1/clock/advance", `{"by":"1s"}`)
	if g = n.must(200, "GET", "/v1/activities/first/threads/u2", ""); g.json["status"] != "killed" {
		t.Errorf("after the kill of the activity: expected its thread to be killed, got %s", g.text)
	}
	n.must(201, "POST", "/v1/activities", `{"name":"first","definition":"wait"}`)
	if g = n.must(200, "GET", "/v1/activities/first", ""); g.json["state"] != "running" || g.json["number"] != json.Number("2") {
		t.Errorf("another activity of the killed one's name: expected number 2, running, got %s", g.text)
	}
	if g = n.must(200, "GET", "/v1/activities?state=killed", ""); !strings.Contains(g.text, `"number":1`) || strings.Contains(g.text, `"number":2`) {
		t.Errorf("?state=killed: expected activity 1 only, got %s", g.text)
	}
}

// TestAMonitorThatIsNoServiceIsTold: a definition with it is refused, an activity's config is taken with a warning, as a service may come and go.
func TestAMonitorThatIsNoServiceIsTold(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	const path = "/v1/activities/first/config"
	for _, c := range []struct{ body, want string }{
		{`{"$monitors":[{"service":"mial"}]}`, `"code":"WB2252","severity":"warning","path":"/config/$monitors","message":"there is no service \"mial\": nobody is told until it is registered","hint":"did you mean \"mail\"?"`},
		{`{"$monitors":null,"$schedule.monitor":"nobody_at_all"}`, `"path":"/config/$schedule.monitor"`},
	} {
		if g := n.do("PATCH", path, c.body); g.status != 200 || !strings.Contains(g.text, c.want) {
			t.Errorf("PATCH %s: expected 200 and %s, got %d %s", c.body, c.want, g.status, g.text)
		}
	}
	if g := n.do("PUT", path, `{"$monitors":[{"service":"mail"}]}`); g.status != 200 || strings.Contains(g.text, "WB2252") {
		t.Errorf("expected a monitor that is registered to be taken without a warning, got %d %s", g.status, g.text)
	}
}
