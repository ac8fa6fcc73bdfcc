package api_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestHostileBodies throws bodies at every route that takes one, while other clients' events must all be acknowledged.
func TestHostileBodies(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.hello("victim")
	stop := make(chan struct{})
	var clients sync.WaitGroup
	var sent [2]int
	for client := range sent {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for {
				id := fmt.Sprintf("%d-%d", client, sent[client])
				response, err := http.Post(n.url+"/v1/events", "application/json", strings.NewReader(`{"type":"hello","id":"`+id+`","attr":{"user":"good`+id+`"}}`))
				if err != nil {
					t.Errorf("event %s: %v", id, err)
					return
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode != 202 {
					t.Errorf("event %s: expected 202 while others misbehave, got %d", id, response.StatusCode)
				}
				sent[client]++
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
	}
	for _, route := range []struct{ path, part string }{
		{"/v1/strategies", `{"name":"x","when":"`}, {"/v1/services", `{"name":"x","url":"`}, {"/v1/definitions", "activity:\n  name: \""}, {"/v1/activities", `{"name":"x","config":{"a":"`},
		{"/v1/events", `{"type":"x","attr":{"a":"`}, {"/v1/buses/default", `[{"type":"x","attr":{"a":"`}, {"/v1/clock/advance", `{"by":"`},
		{"/v1/activities/first/threads/victim/pause", `{"args":"`}, {"/v1/activities/first/threads/victim/resume", `{"args":"`},
		{"/v1/activities/first/threads/victim/continue", `{"args":"`}, {"/v1/activities/first/threads/victim/kill", `{"args":"`},
	} {
		for name, body := range hostile(route.part) {
			n.throw(route.path, name, body)
		}
	}
	close(stop)
	clients.Wait()
	g := n.must(200, "GET", "/metrics", "")
	if want := fmt.Sprintf("weftbox_spawned_total %d\n", 1+sent[0]+sent[1]); !strings.Contains(g.text, want) {
		t.Errorf("expected every acknowledged event of the good clients to be applied: %s", want)
	}
	if g := n.must(200, "GET", "/v1/activities/first/threads/victim", ""); g.json["status"] != "waiting" {
		t.Errorf("expected the hostile commands to change nothing, got %s", g.text)
	}
}

func hostile(part string) map[string]string {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	return map[string]string{
		"10 MB":          part + strings.Repeat("x", 10<<20) + `"}`,
		"invalid UTF-8":  part + "\xff\xfe\x80" + `"}`,
		"cut short":      part + "abc",
		"YAML bomb":      bomb,
		"1 MB garbage":   strings.Repeat("\x01\x9f}{][\"&*%!\n:- ", 70_000)[:1<<20],
		"deep brackets":  strings.Repeat("[", 100_000),
		"deep braces":    strings.Repeat(`{"a":`, 100_000),
		"half a million": "[" + strings.Repeat("{},", 300_000) + "{}]",
		"a number":       "1e999999999",
		"NULs":           strings.Repeat("\x00", 1000),
		"BOM":            "\xef\xbb\xbf" + part,
	}
}

// countingBody is a body that knows how much of it was read.
type countingBody struct {
	io.Reader
	read int
}

func (c *countingBody) Read(b []byte) (int, error) {
	k, err := c.Reader.Read(b)
	c.read += k
	return k, err
}

// throw posts a body with and without its length being known.
func (n *testNode) throw(path, name, text string) {
	for _, length := range []int64{int64(len(text)), -1} {
		what := fmt.Sprintf("%s, %s, length %d", path, name, length)
		body := &countingBody{Reader: strings.NewReader(text)}
		r := httptest.NewRequest("POST", path, nil)
		r.Body, r.ContentLength = io.NopCloser(body), length
		w := httptest.NewRecorder()
		n.handler.ServeHTTP(w, r)
		g := takeApart(w.Code, w.Header(), w.Body.Bytes())
		if g.status != 400 && g.status != 413 && g.status != 422 {
			n.t.Errorf("%s: expected 400, 413 or 422, got %d %.300s", what, g.status, g.text)
			continue
		}
		code, _ := g.json["code"].(string)
		checkProblem(n.t, what, g, g.status, code)
		if name == "10 MB" && g.status != 413 {
			n.t.Errorf("%s: expected 413, got %d", what, g.status)
		}
		if body.read > 5<<20 {
			n.t.Errorf("%s: expected at most 5 MB to be read, %d were", what, body.read)
		}
		if len(g.text) > 64<<10 {
			n.t.Errorf("%s: expected a short answer, got %d bytes", what, len(g.text))
		}
	}
}

// TestHostileExpressions posts what a parser could choke on; each must be refused at once, with a place.
func TestHostileExpressions(t *testing.T) {
	n := startNode(t, nodeOptions{})
	var all []string
	for _, depth := range []int{200, 1000, 2000} {
		for _, pair := range []struct{ open, close string }{{"(", ")"}, {"[", "]"}, {"{", "}"}, {"NOT ", ""}, {"-", ""}, {"!", ""}, {"list(", ")"}, {"1 + (", ")"}, {"true ? (", ") : 1"}, {`str("`, `")`}} {
			all = append(all, strings.Repeat(pair.open, depth)+"1"+strings.Repeat(pair.close, depth), strings.Repeat(pair.open, depth))
		}
	}
	for _, e := range []string{"", " ", "(", ")", "1 +", "+ 1 +", "a b", `"open`, "'open", `"\`, "1..2..3", "0x", "99999999999999999999999999 +", "nosuch()", "eventAttr()", "eventAttr(1,2,3,4)",
		"system.exit(0)", "T(java.lang.Runtime).getRuntime()", "new Object()", "x = 1", "x := 1", "let x = 1; x", "#this", "@bean", "1 ? 2", "true ?: ", "\x00", "\u202e true", "true; true", "true // x",
		"eventAttr(\"a\").getClass()", "{}.x.y.z(", "a[b[c[", "\"a\" matches \"(\"", "..", "?.", "?:", "$env", "_", "map(1, {#})", "filter([1], {true})", "all([1], # > 1)", "now() +"} {
		all = append(all, e)
	}
	if len(all) < 100 {
		t.Fatalf("expected 100 expressions, have %d", len(all))
	}
	for _, e := range all {
		text := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", `\u0000`).Replace(e)
		g := n.do("POST", "/v1/strategies", `{"name":"s","when":"`+text+`","domain_id":"\"x\""}`)
		if g.status != 422 && g.status != 400 {
			t.Errorf("%.80q: expected a refusal, got %d %.200s", e, g.status, g.text)
			continue
		}
		if errors, _ := g.json["errors"].([]any); len(errors) == 0 || len(g.text) > 64<<10 {
			t.Errorf("%.80q: expected a short problem that says what is wrong, got %.300s", e, g.text)
		}
	}
	if g := n.must(200, "GET", "/v1/strategies", ""); g.text != "{\"items\":[]}\n" {
		t.Errorf("expected none of them to be stored, got %s", g.text)
	}
}

// TestCrookedPathsAndCutBodies are answered by problems, not by redirects to other routes, and alike on all routes.
func TestCrookedPathsAndCutBodies(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	send := func(request string) string {
		conn, err := net.Dial("tcp", strings.TrimPrefix(n.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s", strings.ReplaceAll(request, "\n", "\r\n"))
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(conn) // what came until the node hangs up
		return string(text)
	}
	for _, path := range []string{"/v1//activities", "/v1/activities/../services", "/v1/./activities", "/v1/activities/first/threads//pause", "//v1/activities", "/v1/activities/.."} {
		if got := send("GET " + path + " HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n"); !strings.HasPrefix(got, "HTTP/1.1 404") || !strings.Contains(got, `"code":"unknown_path"`) {
			t.Errorf("GET %s: expected 404 unknown_path, got %s", path, got)
		}
	}
	if got := send("GET /v1/activities/first/threads/a%2F%2Fb HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n"); !strings.Contains(got, `"code":"thread_not_found"`) {
		t.Errorf("expected a domain id with escaped slashes to be one, got %s", got)
	}
	for _, path := range []string{"/v1/events", "/v1/definitions", "/v1/services"} {
		got := send("POST " + path + " HTTP/1.1\nHost: 127.0.0.1\nConnection: close\nContent-Length: 100\n\n{\"name\":")
		if !strings.HasPrefix(got, "HTTP/1.1 400") || !strings.Contains(got, `"code":"body_cut_short"`) || !strings.Contains(got, "send the request again") || !strings.Contains(got, `"retryable":true`) {
			t.Errorf("POST %s with a body that is cut short: expected 400 body_cut_short that may be repeated, got %s", path, got)
		}
	}
}
