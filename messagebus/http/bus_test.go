package http

import (
	"encoding/json"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

func TestEventsAnswer(t *testing.T) {
	b := newBus(Options{})
	c := postTo(b, "/v1/events", `[{"type":"a","id":"e1"},{"type":"b"},{"type":"c","id":"e3"},{"type":"d","id":4}]`)
	records := pollSome(t, b, 4)
	for i, r := range records {
		if r.Source != "http/default" || r.Position != 0 || r.TimeMs != nowMs || r.Incoming.Event.TimeMs != nowMs || r.BodyHash == 0 {
			t.Errorf("record %d: got %+v", i, r)
		}
	}
	records[2].Answer(messagebus.Answer{Conflict: true})
	records[0].Answer(messagebus.Answer{})
	records[3].Answer(messagebus.Answer{Duplicate: true})
	records[1].Answer(messagebus.Answer{Verdicts: []messagebus.Verdict{{Strategy: "s"}}})
	r := get(t, c)
	a := r.accepted(t)
	if a.Accepted != 2 || a.Duplicates != 1 || len(a.Results) != 4 {
		t.Fatalf("expected 2 accepted, 1 duplicate, 4 results, got %s", r.body)
	}
	if a.Results[0].ID != "e1" || a.Results[3].ID != "4" || !a.Results[3].Duplicate || a.Results[0].Duplicate || a.Results[0].Error != nil {
		t.Errorf("expected results in order with their ids, got %s", r.body)
	}
	if e := a.Results[2].Error; e == nil || e.Code != "idempotency_conflict" || e.Status != 422 {
		t.Errorf("expected the third result to carry the conflict, got %s", r.body)
	}
	if !strings.Contains(r.body, `{"duplicate":false},`) || strings.Contains(r.body, "verdicts") {
		t.Errorf("expected a result without id to have none, and no verdicts unasked, got %s", r.body)
	}
}

func TestSingle(t *testing.T) {
	b := newBus(Options{})
	c := postTo(b, "/v1/events", `{"type":"a","id":"e1"}`)
	answerAll(pollSome(t, b, 1), messagebus.Answer{Duplicate: true})
	if r := get(t, c); r.body != `{"accepted":0,"duplicates":1,"results":[{"id":"e1","duplicate":true}]}`+"\n" || r.status != 202 {
		t.Errorf("duplicate: got %d %s", r.status, r.body)
	}
	c = postTo(b, "/v1/events", `{"type":"a","id":"e1"}`)
	answerAll(pollSome(t, b, 1), messagebus.Answer{Conflict: true})
	if p := get(t, c).problem(t, 422, "idempotency_conflict"); p.Retryable {
		t.Error("a conflict is not retryable")
	}
	if r := get(t, postTo(b, "/v1/events", ` [] `)); r.body != `{"accepted":0,"duplicates":0,"results":[]}`+"\n" || r.status != 202 {
		t.Errorf("empty array: expected 202 with nothing accepted, got %d %s", r.status, r.body)
	}
}

func TestKeys(t *testing.T) {
	b := newBus(Options{})
	for header, want := range map[string][]string{"": {"", "e2", ""}, "req-1": {"req-1#0", "e2", "req-1#2"}} {
		c := postTo(b, "/v1/events", `[{"type":"a"},{"type":"a","id":"e2"},{"type":"a","id":""}]`, "Idempotency-Key", header)
		records := pollSome(t, b, 3)
		for i, r := range records {
			if r.Key != want[i] {
				t.Errorf("header %q, event %d: expected the key %q, got %q", header, i, want[i], r.Key)
			}
		}
		if records[0].BodyHash == records[1].BodyHash {
			t.Error("expected different bodies to have different hashes")
		}
		answerAll(records, messagebus.Answer{})
		get(t, c).accepted(t)
	}
}

func TestVerdicts(t *testing.T) {
	b := newBus(Options{})
	full := messagebus.Verdict{Strategy: "by_user", Activity: 7, ActivityName: "coupon", DomainID: "u\"1", Verdict: activity.Verdict{Kind: activity.VerdictTaken, Action: "wait", Status: activity.Waiting}}
	c := postTo(b, "/v1/events?wait=processed", `[{"type":"a"},{"type":"b"}]`)
	records := pollSome(t, b, 2)
	records[0].Answer(messagebus.Answer{Verdicts: []messagebus.Verdict{full, {Strategy: "x", Verdict: activity.Verdict{Kind: activity.VerdictError, Error: "line 1: no"}}}})
	records[1].Answer(messagebus.Answer{})
	a := get(t, c).accepted(t)
	want := `[{"action":"wait","activity":7,"activity_name":"coupon","domain_id":"u\"1","status":"waiting","strategy":"by_user","verdict":"taken"},{"error":"line 1: no","strategy":"x","verdict":"error"}]`
	if got, _ := json.Marshal(a.Results[0].Verdicts); string(got) != want {
		t.Errorf("expected %s\ngot %s", want, got)
	}
	if a.Results[1].Verdicts == nil || len(a.Results[1].Verdicts) != 0 {
		t.Errorf("expected an empty list of verdicts, got %v", a.Results[1].Verdicts)
	}
	get(t, postTo(b, "/v1/events?wait=forever", `{"type":"a"}`)).problem(t, 400, "invalid_parameter")
}

func TestBusMixed(t *testing.T) {
	b := newBus(Options{})
	body := `[{"type":"a"},{"type":"res","attr":{"request_id":"r1"}},{"type":"SYSTEM","attr":{"activity":1,"domain":"d","command":"kill"}}]`
	c := postTo(b, "/v1/buses/default", body)
	records := pollSome(t, b, 3)
	if records[0].Incoming.Event == nil || records[1].Incoming.Reply == nil || records[2].Incoming.Command == nil {
		t.Fatalf("expected an event, an answer and a command, got %+v", records)
	}
	late := messagebus.Answer{Verdicts: []messagebus.Verdict{{Verdict: activity.Verdict{Kind: activity.VerdictLate}}}}
	records[0].Answer(messagebus.Answer{})
	records[1].Answer(late)
	records[2].Answer(messagebus.Answer{})
	a := get(t, c).accepted(t)
	if v := a.Results[1].Verdicts; len(v) != 1 || v[0]["verdict"] != "late" || a.Results[0].Verdicts != nil {
		t.Errorf("expected the late answer's result alone to say so, got %v", a.Results)
	}
	for _, c := range []struct{ body, part string }{
		{`[{"type":"a"},{"type":"res","attr":{"request_id":"r1"}}]`, "message 1 is an answer"}, {`[{"type":"a"},{"type":"SYSTEM","attr":{"activity":1,"domain":"d","command":"kill"}}]`, "message 1 is a command"},
	} {
		p := get(t, postTo(b, "/v1/events", c.body)).problem(t, 400, "not_an_event")
		if !strings.Contains(p.Detail, c.part) || !strings.Contains(p.Detail, "/v1/buses/") || len(p.Errors) != 1 || p.Errors[0].Index == nil || *p.Errors[0].Index != 1 {
			t.Errorf("expected index 1, %q and the right route, got %+v", c.part, p)
		}
	}
	if records, _ := b.Poll(10, 1<<30); len(records) != 0 {
		t.Errorf("a refused array: expected nothing of it to be queued, got %d records", len(records))
	}
}

func TestRouteNamesBus(t *testing.T) {
	b := newBus(Options{Name: "orders"})
	server := serveBus(t, b)
	r := send(t, server, "/v1/buses/other", strings.NewReader(`{"type":"a"}`))
	r.problem(t, 404, "bus_not_found")
	done := make(chan result, 1)
	go func() { done <- send(t, server, "/v1/buses/orders", strings.NewReader(`{"type":"a"}`)) }()
	answerAll(pollSome(t, b, 1), messagebus.Answer{})
	get(t, done).accepted(t)
	if b.Name() != "http/orders" {
		t.Errorf("expected the source http/orders, got %s", b.Name())
	}
}

func TestRefusedRequests(t *testing.T) {
	b := newBus(Options{})
	for _, c := range []struct {
		header []string
		status int
		code   string
	}{
		{[]string{"Content-Type", "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"}, {[]string{"Content-Type", "Multipart/Mixed"}, 415, "unsupported_media_type"},
		{[]string{"Content-Encoding", "gzip"}, 415, "unsupported_encoding"}, {[]string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, "invalid_idempotency_key"}, {[]string{"Idempotency-Key", "a\x01"}, 400, "invalid_idempotency_key"},
		{[]string{"Content-Type", "text/plain", "Content-Encoding", "Identity", "Idempotency-Key", "k"}, 202, ""},
	} {
		got := get(t, postTo(b, "/v1/events", "[]", c.header...))
		if c.status == 202 {
			got.accepted(t)
			continue
		}
		got.problem(t, c.status, c.code)
	}
	w := httptest.NewRecorder()
	b.ServeEvents(w, httptest.NewRequest(nethttp.MethodGet, "/v1/events", nil))
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: expected 405 with Allow: POST, got %d %v", w.Code, w.Header())
	}
}

func TestUndecodable(t *testing.T) {
	b := newBus(Options{})
	p := get(t, postTo(b, "/v1/events", "[{\"type\":\"a\"},\n{\"type\":\"b\",\"attr\":{\"x\":1,\"x\":2}}]")).problem(t, 400, "invalid_body")
	if len(p.Errors) != 1 || p.Errors[0].Index == nil || *p.Errors[0].Index != 1 || p.Errors[0].Line != 2 || !strings.Contains(p.Detail, "twice") || p.Retryable {
		t.Errorf("expected index 1, line 2 and the reason, got %+v", p)
	}
	p = get(t, postTo(b, "/v1/events", `{"type":""}`)).problem(t, 400, "invalid_body")
	if len(p.Errors) != 1 || p.Errors[0].Index != nil {
		t.Errorf("a single object: expected no index, got %+v", p.Errors)
	}
	if records, _ := b.Poll(10, 1<<30); len(records) != 0 {
		t.Errorf("expected nothing to be queued, got %d records", len(records))
	}
}

func TestQueueFull(t *testing.T) {
	b := newBus(Options{MaxQueueMessages: 3})
	first := postTo(b, "/v1/events", `[{"type":"a"},{"type":"b"}]`)
	records := pollSome(t, b, 1) // leaves one waiting
	p := get(t, postTo(b, "/v1/events", `[{"type":"c"},{"type":"d"},{"type":"e"}]`))
	if after, err := strconv.Atoi(p.header.Get("Retry-After")); err != nil || after < 1 || after > 3 {
		t.Errorf("expected Retry-After of 1 to 3 seconds, got %q", p.header.Get("Retry-After"))
	}
	if !p.problem(t, 429, "queue_full").Retryable {
		t.Error("a full queue is retryable")
	}
	get(t, postTo(b, "/v1/events", `[{"type":"c"},{"type":"d"},{"type":"e"},{"type":"f"}]`)).problem(t, 413, "body_too_large")
	second := postTo(b, "/v1/events", `[{"type":"c"},{"type":"d"}]`)
	records = append(records, pollSome(t, b, 3)...)
	answerAll(records, messagebus.Answer{})
	get(t, first).accepted(t)
	get(t, second).accepted(t)
}

func TestQueueBytes(t *testing.T) {
	b := newBus(Options{MaxQueueBytes: 4000, LowQueueBytes: 3000})
	event := `{"type":"a","attr":{"k":"` + strings.Repeat("x", 800) + `"}}` // twice 800 and the values' own room
	first := postTo(b, "/v1/events", event)
	<-b.Ready()
	get(t, postTo(b, "/v1/events", event)).problem(t, 429, "queue_full")
	get(t, postTo(b, "/v1/events", "["+event+","+event+","+event+"]")).problem(t, 413, "body_too_large")
	answerAll(pollSome(t, b, 1), messagebus.Answer{})
	get(t, first).accepted(t)
	small := `{"type":"a","attr":{"k":"` + strings.Repeat("x", 200) + `"}}`
	for range 5 { // room comes back, also when a post is polled in parts
		c := postTo(b, "/v1/events", "["+small+","+small+"]")
		for range 2 {
			answerAll(pollSome(t, b, 1), messagebus.Answer{})
		}
		get(t, c).accepted(t)
	}
}

func TestStopping(t *testing.T) {
	b := newBus(Options{})
	polled := postTo(b, "/v1/events", `[{"type":"a"},{"type":"b"}]`)
	records := pollSome(t, b, 2)
	for len(b.Ready()) > 0 {
		<-b.Ready()
	}
	waiting := postTo(b, "/v1/events", `{"type":"c"}`)
	<-b.Ready()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	for _, r := range []result{get(t, waiting), get(t, postTo(b, "/v1/events", `{"type":"d"}`))} {
		if !r.problem(t, 503, "stopping").Retryable || r.header.Get("Retry-After") == "" {
			t.Errorf("expected 503 to be retryable with Retry-After, got %v %s", r.header, r.body)
		}
	}
	records[0].Answer(messagebus.Answer{})
	records[1].Answer(messagebus.Answer{Err: errors.New("the engine stops")})
	if p := get(t, polled).problem(t, 503, "stopping"); !strings.Contains(p.Detail, "the engine stops") {
		t.Errorf("expected the reason, got %s", p.Detail)
	}
}

func TestProblemDefaults(t *testing.T) {
	w := httptest.NewRecorder()
	p := &Problem{RetryAfter: 7, Errors: []ProblemError{{Code: "WB1203", Line: 3, Message: "m"}}}
	WriteProblem(w, httptest.NewRequest(nethttp.MethodPost, "/v1/x%20y?q=1", nil), p)
	want := `{"type":"about:blank","title":"Internal Server Error","status":500,"code":"","instance":"/v1/x%20y","retryable":false,"errors":[{"code":"WB1203","line":3,"message":"m"}]}`
	if w.Code != 500 || w.Body.String() != want || w.Header().Get("Retry-After") != "7" || p.Type != "" {
		t.Errorf("expected %s\ngot %d %s", want, w.Code, w.Body)
	}
	if got := fmt.Sprint((&Problem{Title: "t", Detail: "d"}).Error(), (&Problem{Title: "t"}).Error()); got != "t: dt" {
		t.Errorf("Error: got %q", got)
	}
}
