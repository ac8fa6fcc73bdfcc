package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestStatuses asks every operation for every status that it has.
func TestStatuses(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.hello("u1")
	n.hello("u2")
	n.hello("u3")
	n.must(202, "POST", "/v1/events", `{"type":"bye","attr":{"user":"u3"}}`)
	used := map[string]bool{}
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string // of a problem
	}{
		{"POST", "/v1/strategies", `{"name":"s2","when":"true","domain_id":"\"x\""}`, 201, ""},
		{"POST", "/v1/strategies", `{"name":"s2","when":"true","domain_id":"\"x\""}`, 200, ""},
		{"POST", "/v1/strategies", `{"name":"s2","when":"false","domain_id":"\"x\""}`, 409, "conflict"},
		{"POST", "/v1/strategies", `{"name":"s3","when":"nosuch(1)","domain_id":"\"x\""}`, 422, "strategy_invalid"},
		{"POST", "/v1/strategies", `{"name":"s3","whn":"true","domain_id":"\"x\""}`, 400, "invalid_body"},
		{"POST", "/v1/strategies?dry_run=true", `{"name":"s3","when":"true","domain_id":"\"x\""}`, 400, "invalid_query"},
		{"GET", "/v1/strategies/s3", "", 404, "strategy_not_found"}, // none of the refused ones left anything
		{"GET", "/v1/strategies/s2", "", 200, ""},
		{"GET", "/v1/strategies", "", 200, ""},
		{"POST", "/v1/services", `{"name":"push","url":"http://127.0.0.1:2/"}`, 201, ""},
		{"POST", "/v1/services", `{"name":"push","url":"http://127.0.0.1:2/"}`, 200, ""},
		{"POST", "/v1/services", `{"name":"push","url":"http://127.0.0.1:3/"}`, 409, "conflict"},
		{"POST", "/v1/services", `{"name":"receive","url":"http://127.0.0.1:3/"}`, 422, "service_invalid"},
		{"POST", "/v1/services", `{"name":"push","url":7}`, 400, "invalid_body"},
		{"GET", "/v1/services/push", "", 200, ""},
		{"GET", "/v1/services/pusch", "", 404, "service_not_found"},
		{"GET", "/v1/services", "", 200, ""},
		{"POST", "/v1/definitions?version=2&dry_run=true", waitFlow + "# other", 200, ""},
		{"GET", "/v1/definitions/wait/versions/2", "", 404, "version_not_found"}, // a dry run writes nothing
		{"POST", "/v1/definitions?version=1&dry_run=true", waitFlow + "# other", 409, "conflict"},
		{"POST", "/v1/definitions?version=1", waitFlow, 200, ""},
		{"POST", "/v1/definitions", waitFlow, 200, ""}, // the next number only when the text changed
		{"POST", "/v1/definitions?version=1", waitFlow + "# other", 409, "conflict"},
		{"POST", "/v1/definitions", waitFlow + "# other", 201, ""},
		{"POST", "/v1/definitions?version=3", strings.Replace(waitFlow, "finish()", `call("nowhere")`, 1), 422, "definition_invalid"},
		{"POST", "/v1/definitions?version=3&dry_run=1", "activity: [", 422, "definition_invalid"},
		{"POST", "/v1/definitions?version=a/b", waitFlow, 422, "definition_invalid"},
		{"POST", "/v1/definitions?dry_run=perhaps", waitFlow, 400, "invalid_query"},
		{"POST", "/v1/definitions", "", 400, "invalid_body"},
		{"GET", "/v1/definitions", "", 200, ""},
		{"GET", "/v1/definitions/wait", "", 200, ""},
		{"GET", "/v1/definitions/weit", "", 404, "definition_not_found"},
		{"GET", "/v1/definitions/wait/versions/2", "", 200, ""},
		{"POST", "/v1/activities", `{"name":"second","definition":"wait"}`, 201, ""},
		{"POST", "/v1/activities", `{"name":"second","definition":"wait","config":{}}`, 200, ""},
		{"POST", "/v1/activities", `{"name":"second","definition":"wait","config":{"limit":1}}`, 409, "conflict"},
		{"POST", "/v1/activities", `{"name":"third","definition":"weit"}`, 422, "activity_invalid"},
		{"POST", "/v1/activities", `{"name":"third","definition":"wait","config":[]}`, 400, "invalid_body"},
		{"GET", "/v1/activities", "", 200, ""},
		{"GET", "/v1/activities/first/stats", "", 200, ""},
		{"GET", "/v1/activities/first/alarms", "", 200, ""},
		{"GET", "/v1/activities/first/threads/u1/explain?lang=zh", "", 200, ""},
		{"GET", "/v1/activities/first/threads/u1/explain?lang=fr", "", 400, "invalid_query"},
		{"GET", "/v1/activities/first/threads/u1/explain?run=x", "", 400, "invalid_query"},
		{"GET", "/v1/activities/first/threads/nosuch/explain", "", 404, "thread_not_found"},
		{"GET", "/v1/activities/first/threads/u1/verdicts", "", 200, ""},
		{"GET", "/v1/activities/first/threads/nosuch/verdicts", "", 404, "thread_not_found"},
		{"GET", "/v1/activities/first/alarms?status=finished", "", 400, "invalid_filter"},
		{"GET", "/v1/activities/first/threads?status=waiting,paused&action=waiting&version=1&idle=1s&where=true&alarm_from=1&alarm_before=2030-01-01T00:00:00Z", "", 200, ""},
		{"GET", "/v1/activities/first/threads?status=wating", "", 400, "invalid_filter"},
		{"GET", "/v1/activities/first/threads?status=waiting,failed", "", 400, "invalid_filter"},
		{"GET", "/v1/activities/first/threads?idle=soon", "", 400, "invalid_filter"},
		{"GET", "/v1/activities/first/threads?where=nosuch(1)", "", 400, "invalid_filter"},
		{"GET", "/v1/activities/first/threads?alarm_from=soon", "", 400, "invalid_filter"},
		{"POST", "/v1/batch-operations", `{"operation":"kill","activity":"first","filter":{"action":"nowhere"},"rate":10,"limit":1,"dry_run":true}`, 202, ""},
		{"POST", "/v1/batch-operations", `{"operation":"repair","activity":"first"}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations", `{"operation":"repair","activity":"first","args":{"ctrl":"fly"}}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations", `{"operation":"repair","activity":"first","args":{"ctrl":"goto"}}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations", `{"operation":"pause","activity":"first","args":{"ctrl":"retry"}}`, 400, "invalid_body"},
		{"POST", "/v1/activities/first/threads/u1/repair", `{"ctrl":"fly"}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations", `{"operation":"explode","activity":"first"}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations", `{"operation":"kill","activity":"frist"}`, 404, "activity_not_found"},
		{"POST", "/v1/batch-operations", `{"operation":"kill","activity":"first","filter":{"statsu":"waiting"}}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations", `{"operation":"kill","activity":"first","rate":-1}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations", `{"operation":"kill","activity":"first","dry_run":1}`, 400, "invalid_body"},
		{"GET", "/v1/batch-operations", "", 200, ""},
		{"GET", "/v1/batch-operations/1", "", 200, ""},
		{"GET", "/v1/batch-operations/99", "", 404, "batch_operation_not_found"},
		{"GET", "/v1/batch-operations/x", "", 404, "batch_operation_not_found"},
		{"POST", "/v1/batch-operations/1/stop", "", 202, ""},
		{"POST", "/v1/batch-operations/1/stop", `{"x":1}`, 400, "invalid_body"},
		{"POST", "/v1/batch-operations/99/stop", "", 404, "batch_operation_not_found"},
		{"GET", "/v1/activities/nosuch/stats", "", 404, "activity_not_found"},
		{"GET", "/v1/activities/1", "", 200, ""},
		{"GET", "/v1/activities/second", "", 200, ""},
		{"GET", "/v1/activities/99", "", 404, "activity_not_found"},
		{"GET", "/v1/activities/first/threads", "", 200, ""},
		{"GET", "/v1/activities/first/threads?limit=0", "", 400, "invalid_query"},
		{"GET", "/v1/activities/first/threads?limit=1001", "", 400, "invalid_query"},
		{"GET", "/v1/activities/first/threads?cursor=%21", "", 400, "invalid_query"},
		{"GET", "/v1/activities/first/threads?curser=x", "", 400, "invalid_query"},
		{"GET", "/v1/activities/first/threads?limit=%zz", "", 400, "invalid_query"},
		{"GET", "/v1/activities/nope/threads", "", 404, "activity_not_found"},
		{"GET", "/v1/activities/1/threads/u1", "", 200, ""},
		{"GET", "/v1/activities/first/threads/u3", "", 200, ""}, // it has ended
		{"GET", "/v1/activities/first/threads/u4", "", 404, "thread_not_found"},
		{"GET", "/v1/activities/first/threads/u1?run=99", "", 404, "thread_not_found"},
		{"GET", "/v1/activities/first/threads/u1?run=x", "", 400, "invalid_query"},
		{"GET", "/v1/activities/first/threads/%ff", "", 400, "invalid_domain_id"},
		{"GET", "/v1/activities/first/threads/a%00b", "", 400, "invalid_domain_id"},
		{"POST", "/v1/activities/first/threads/u1/pause", "", 202, ""},
		{"POST", "/v1/activities/first/threads/u1/pause", "", 409, "invalid_status"},
		{"POST", "/v1/activities/first/threads/u1/resume", "{}", 202, ""},
		{"POST", "/v1/activities/first/threads/u1/resume", "", 409, "invalid_status"},
		{"POST", "/v1/activities/first/threads/u1/pause", "", 202, ""},
		{"POST", "/v1/activities/first/threads/u1/continue", "", 202, ""},
		{"POST", "/v1/activities/first/threads/u1/continue", `{"why":1}`, 400, "invalid_body"},
		{"POST", "/v1/activities/first/threads/u1/repair", `{"ctrl":"retry"}`, 409, "invalid_status"},
		{"POST", "/v1/activities/first/threads/u1/repair", `{"ctrl":"goto"}`, 400, "invalid_body"},
		{"POST", "/v1/activities/first/threads/u4/repair", `{"ctrl":"retry"}`, 404, "thread_not_found"},
		{"POST", "/v1/activities/first/threads/u1/kill", "", 202, ""},
		{"POST", "/v1/activities/first/threads/u1/kill", "", 409, "invalid_status"},
		{"POST", "/v1/activities/first/threads/u4/kill", "", 404, "thread_not_found"},
		{"POST", "/v1/activities/nope/threads/u4/kill", "", 404, "activity_not_found"},
		{"GET", "/v1/dead-letters", "", 200, ""},
		{"GET", "/v1/dead-letters?limit=x", "", 400, "invalid_query"},
		{"GET", "/v1/dead-letters?activity=first&domain=u1&reason=panic&from=2026-01-31T12:00:00Z", "", 200, ""},
		{"GET", "/v1/dead-letters?activity=nope", "", 404, "activity_not_found"},
		{"GET", "/v1/dead-letters?from=yesterday", "", 400, "invalid_query"},
		{"GET", "/v1/dead-letters?domain=%00", "", 400, "invalid_query"},
		{"GET", "/v1/dead-letters?cursor=%21", "", 400, "invalid_query"},
		{"GET", "/v1/dead-letters?cause=panic", "", 400, "invalid_query"},
		{"GET", "/v1/dead-letters/nope", "", 404, "dead_letter_not_found"},
		{"GET", "/v1/dead-letters/AAAAAAAAAAAAAAAAAAAAAAAA", "", 404, "dead_letter_not_found"},
		{"DELETE", "/v1/dead-letters/AAAAAAAAAAAAAAAAAAAAAAAA", "", 404, "dead_letter_not_found"},
		{"DELETE", "/v1/dead-letters/nope", "", 404, "dead_letter_not_found"},
		{"POST", "/v1/dead-letters/AAAAAAAAAAAAAAAAAAAAAAAA/replay", "", 404, "dead_letter_not_found"},
		{"POST", "/v1/dead-letters/AAAAAAAAAAAAAAAAAAAAAAAA/replay", `{"x":1}`, 400, "invalid_body"},
		{"POST", "/v1/dead-letters/replay", "", 200, ""},
		{"POST", "/v1/dead-letters/replay?limit=5000", "", 400, "invalid_query"},
		{"POST", "/v1/dead-letters/replay?cursor=AAAA", "", 400, "invalid_query"},
		{"DELETE", "/v1/dead-letters?reason=panic", "", 200, ""},
		{"GET", "/v1/clock", "", 200, ""},
		{"POST", "/v1/clock/advance", `{"by":"1h"}`, 200, ""},
		{"POST", "/v1/clock/advance", `{"by":"1"}`, 400, "invalid_body"},
		{"POST", "/v1/clock/advance", `{"by":"106751991167d"}`, 400, "invalid_body"},
		{"POST", "/v1/events", `{"type":"x"}`, 202, ""},
		{"POST", "/v1/events", `{"type":`, 400, "invalid_body"},
		{"POST", "/v1/buses/default", `{"type":"x"}`, 202, ""},
		{"POST", "/v1/buses/other", `{"type":"x"}`, 404, "bus_not_found"},
		{"GET", "/v1", "", 200, ""},
		{"GET", "/healthz", "", 200, ""},
		{"GET", "/readyz?verbose", "", 200, ""},
		{"GET", "/version", "", 200, ""},
		{"GET", "/metrics", "", 200, ""},
		{"PUT", "/v1/strategies/by_order", `{"when":"true","domain_id":"eventAttr(\"order\")"}`, 201, ""},
		{"PUT", "/v1/strategies/by_order", `{"when":"false","domain_id":"eventAttr(\"order\")"}`, 200, ""},
		{"PUT", "/v1/strategies/by_order", `{"name":"x","when":"false","domain_id":"eventAttr(\"order\")"}`, 400, "invalid_body"},
		{"PUT", "/v1/strategies/by_order", `{"when":"(","domain_id":"1"}`, 422, "strategy_invalid"},
		{"DELETE", "/v1/strategies/by_user", "", 409, "in_use"},
		{"DELETE", "/v1/strategies/by_order?forec", "", 400, "invalid_query"},
		{"DELETE", "/v1/strategies/by_order", "", 200, ""},
		{"DELETE", "/v1/strategies/by_order", "", 404, "strategy_not_found"},
		{"PUT", "/v1/services/letter", `{"url":"http://127.0.0.1:1/"}`, 201, ""},
		{"PUT", "/v1/services/letter", `{"url":"http://127.0.0.1:2/"}`, 200, ""},
		{"PUT", "/v1/services/letter", `{"url":"ftp://x"}`, 422, "service_invalid"},
		{"DELETE", "/v1/services/letter", "", 200, ""},
		{"DELETE", "/v1/services/letter", "", 404, "service_not_found"},
		{"GET", "/v1/definitions/wait/versions", "", 200, ""},
		{"GET", "/v1/definitions/none/versions", "", 404, "definition_not_found"},
		{"PUT", "/v1/definitions/wait/versions/7", waitFlow, 201, ""},
		{"PUT", "/v1/definitions/wait/versions/7", waitFlow, 200, ""},
		{"PUT", "/v1/definitions/wait/versions/7", waitFlow + "# other", 409, "conflict"},
		{"PUT", "/v1/definitions/other/versions/7", waitFlow, 400, "invalid_body"},
		{"PUT", "/v1/definitions/wait/versions/8", "activity:", 422, "definition_invalid"},
		{"POST", "/v1/definitions/wait/versions/7/disable", "", 200, ""},
		{"POST", "/v1/definitions/wait/versions/7/disable", "{}", 200, ""},
		{"POST", "/v1/definitions/wait/versions/7/enable", "", 200, ""},
		{"POST", "/v1/definitions/wait/versions/99/enable", "", 404, "version_not_found"},
		{"DELETE", "/v1/definitions/wait/versions/7?force=perhaps", "", 400, "invalid_query"},
		{"DELETE", "/v1/definitions/wait/versions/7", "", 200, ""},
		{"DELETE", "/v1/definitions/wait/versions/7", "", 404, "version_not_found"},
		{"DELETE", "/v1/definitions/none/versions/7", "", 404, "definition_not_found"},
		{"DELETE", "/v1/definitions/wait/versions/1", "", 409, "in_use"},
		{"GET", "/v1/activities?state=running&definition=wait", "", 200, ""},
		{"GET", "/v1/activities?state=asleep", "", 400, "invalid_query"},
		{"GET", "/v1/activities/second/config", "", 200, ""},
		{"GET", "/v1/activities/nope/config", "", 404, "activity_not_found"},
		{"PUT", "/v1/activities/second/config", `{"limit":7}`, 200, ""},
		{"PUT", "/v1/activities/second/config", `{"$keep_sleep":"yes"}`, 422, "activity_invalid"},
		{"PATCH", "/v1/activities/second/config", `{"limit":null,"$keep_sleep":true}`, 200, ""},
		{"PATCH", "/v1/activities/second/config", `[]`, 400, "invalid_body"},
		{"PUT", "/v1/activities/second/config/limit", `{"value":"8","type":"int"}`, 200, ""},
		{"PUT", "/v1/activities/second/config/limit", `{"value":"eight","type":"int"}`, 400, "invalid_body"},
		{"PUT", "/v1/activities/second/config/limit", `{"type":"int"}`, 400, "invalid_body"},
		{"DELETE", "/v1/activities/second/config/limit", "", 200, ""},
		{"DELETE", "/v1/activities/second/config/limit", "", 404, "config_item_not_found"},
		{"POST", "/v1/activities/second/resume", "", 409, "invalid_status"},
		{"POST", "/v1/activities/second/pause", "", 200, ""},
		{"POST", "/v1/activities/second/pause", "", 409, "invalid_status"},
		{"POST", "/v1/activities/second/continue", "{}", 200, ""},
		{"POST", "/v1/activities/second/pause", `{"x":1}`, 400, "invalid_body"},
		{"POST", "/v1/activities/second/pause", "", 200, ""},
		{"POST", "/v1/activities/second/resume", "", 200, ""},
		{"POST", "/v1/activities/second/kill", "", 200, ""},
		{"POST", "/v1/activities/second/kill", "", 409, "invalid_status"},
		{"POST", "/v1/activities/second/resume", "", 409, "invalid_status"},
		{"PUT", "/v1/activities/second/config", `{}`, 409, "invalid_status"},
		{"POST", "/v1/activities/nope/kill", "", 404, "activity_not_found"},
		{"GET", "/", "", 404, "unknown_path"},
		{"GET", "/v2/activities", "", 404, "unknown_path"},
		{"POST", "/v1/activities/first/threads/u1/paus", "", 404, "unknown_path"},
		{"PATCH", "/v1/services/push", "", 405, "method_not_allowed"},
		{"PUT", "/v1/definitions", "", 405, "method_not_allowed"},
		{"GET", "/v1/events", "", 405, "method_not_allowed"},
	} {
		what := c.method + " " + c.path + " " + c.body
		g := n.do(c.method, c.path, c.body)
		if c.code != "" {
			checkProblem(t, what, g, c.status, c.code)
		} else if g.status != c.status {
			t.Errorf("%s: expected %d, got %d %s", what, c.status, g.status, g.text)
		}
		if c.status == 405 && g.header.Get("Allow") == "" {
			t.Errorf("%s: expected the header Allow", what)
		}
		if c.status == 201 && c.method == "POST" {
			if at := g.header.Get("Location"); n.do("GET", at, "").status != 200 {
				t.Errorf("%s: expected Location to lead to what was created, it is %q", what, at)
			}
		}
		used[c.method+" "+strings.Split(c.path, "?")[0]] = true
	}
	for _, item := range n.do("GET", "/v1", "").json["items"].([]any) {
		o := item.(map[string]any)
		if !covered(used, o["method"].(string), o["path"].(string)) {
			t.Errorf("%s %s: expected this table to ask every operation", o["method"], o["path"])
		}
	}
}

func covered(used map[string]bool, method, pattern string) bool {
	want := strings.Split(pattern, "/")
next:
	for u := range used {
		m, path, _ := strings.Cut(u, " ")
		have := strings.Split(path, "/")
		if m != method || len(have) != len(want) {
			continue
		}
		for i := range want {
			if want[i] != have[i] && !strings.HasPrefix(want[i], "{") {
				continue next
			}
		}
		return true
	}
	return false
}

func TestProblemsSayWhatIsWrong(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	for _, c := range []struct{ method, path, body, part string }{
		{"POST", "/v1/strategies", `{"name":"s","whn":"true","domain_id":"\"x\""}`, `did you mean \"when\"?`},
		{"POST", "/v1/strategies", `{"name":"s","when":"true","when":"false"}`, "twice"},
		{"POST", "/v1/strategies", `{"name":"s","when":"true","domain_id":"\"x\""} {}`, "after the end"},
		{"POST", "/v1/strategies", `["s"]`, "one JSON object"},
		{"POST", "/v1/strategies", `{"name":"s","when":true,"domain_id":"\"x\""}`, `\"when\" must be a text`},
		{"POST", "/v1/strategies", `{}`, `\"name\" is missing`},
		{"POST", "/v1/strategies", `{"name":"by_user","when":"true","domain_id":"eventAttr(\"user\")"}`, "stored: eventAttr"},
		{"POST", "/v1/definitions?version=1", waitFlow + "#", "sha256"},
		{"POST", "/v1/definitions?versoin=1", waitFlow, `did you mean \"version\"?`},
		{"POST", "/v1/definitions?version=9", strings.Replace(waitFlow, "finish()", `call("waitin")`, 1), `did you mean \"waiting\"?`},
		{"POST", "/v1/activities", `{"name":"first","definition":"wait","config":{"limit":6}}`, `{\"limit\":5}`},
		{"GET", "/v1/activities/frist", "", `did you mean \"first\"?`},
		{"GET", "/v1/services/mial", "", `did you mean \"mail\"?`},
		{"POST", "/v1/clock/advance", `{"by":"2 weeks"}`, "48h"},
		{"GET", "/v1/nothing", "", "GET /v1 lists the paths"},
	} {
		if g := n.do(c.method, c.path, c.body); !strings.Contains(g.text, c.part) || g.status < 400 || g.status >= 500 {
			t.Errorf("%s %s %s: expected a problem with %q, got %d %s", c.method, c.path, c.body, c.part, g.status, g.text)
		}
	}
	g := n.do("POST", "/v1/definitions?version=9", strings.NewReplacer("finish()", `call("a")`, `"bye"`, `"bye`).Replace(waitFlow))
	errors, _ := g.json["errors"].([]any)
	if len(errors) < 2 {
		t.Fatalf("expected all problems at once, got %s", g.text)
	}
	for _, e := range errors {
		item := e.(map[string]any)
		if item["line"] == nil || item["column"] == nil || item["message"] == "" || !strings.HasPrefix(item["code"].(string), "WB") {
			t.Errorf("expected line, column, message and a code, got %v", item)
		}
	}
}

func TestGuard(t *testing.T) {
	n := startNode(t, nodeOptions{loopback: true, allowHosts: []string{"box.lan"}})
	for host, status := range map[string]int{"localhost:8420": 200, "LOCALHOST": 200, "127.0.0.1:1": 200, "[::1]:8420": 200, "box.lan": 200, "box.lan:80": 200,
		"evil.example": 403, "localhost.evil.example": 403, "10.0.0.1:8420": 403} {
		g := n.do("GET", "/v1/clock", "", "Host", host)
		if status == 403 {
			checkProblem(t, host, g, 403, "host_not_allowed")
		} else if g.status != status {
			t.Errorf("Host %s: expected %d, got %d %s", host, status, g.status, g.text)
		}
	}
	body := `{"name":"mail","url":"http://127.0.0.1:1/"}`
	checkProblem(t, "a page of another site", n.do("POST", "/v1/services", body, "Sec-Fetch-Site", "cross-site"), 403, "cross_origin")
	checkProblem(t, "a page of another origin", n.do("POST", "/v1/events", `{"type":"x"}`, "Origin", "http://evil.example"), 403, "cross_origin")
	checkProblem(t, "a form upload", n.do("POST", "/v1/services", body, "Content-Type", "multipart/form-data; boundary=x"), 415, "unsupported_media_type")
	checkProblem(t, "a compressed body", n.do("POST", "/v1/services", body, "Content-Encoding", "gzip"), 415, "unsupported_encoding")
	for _, kind := range []string{"application/x-www-form-urlencoded", "text/plain", "application/json", "nonsense"} {
		if g := n.do("POST", "/v1/services", body, "Content-Type", kind); g.status != 200 && g.status != 201 {
			t.Errorf("Content-Type %s: expected the body to be read, got %d %s", kind, g.status, g.text)
		}
	}
	if g := n.do("GET", "/nope", "", "X-Request-Id", "mine-7"); g.header.Get("X-Request-Id") != "mine-7" || g.json["request_id"] != "mine-7" {
		t.Errorf("expected the caller's request id in header and body, got %v %s", g.header, g.text)
	}
	if g := n.do("GET", "/nope", "", "X-Request-Id", "with space"); g.json["request_id"] == "with space" || g.json["request_id"] == "" {
		t.Errorf("expected a request id of the node's own, got %s", g.text)
	}
}

func TestAdminSide(t *testing.T) {
	n := startNode(t, nodeOptions{})
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/version": 200, "/metrics": 200, "/debug/pprof/": 200, "/v1/clock": 404, "/v1/events": 404} {
		w := httptest.NewRecorder()
		n.admin.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != status {
			t.Errorf("admin %s: expected %d, got %d", path, status, w.Code)
		}
	}
	if g := n.do("GET", "/debug/pprof/", ""); g.status != 404 {
		t.Errorf("expected no profiles on the HTTP port, got %d", g.status)
	}
}
