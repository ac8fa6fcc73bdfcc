package http

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// TestWatermarks: once the queue is full, nothing is taken before it is down to the low watermark.
func TestWatermarks(t *testing.T) {
	b := newBus(Options{MaxQueueMessages: 10, LowQueueMessages: 4})
	var waiting []<-chan result
	for i := range 10 {
		waiting = append(waiting, postTo(b, "/v1/events", `{"type":"a"}`))
		untilQueued(t, b, i+1)
	}
	refused := func(when string) {
		t.Helper()
		r := get(t, postTo(b, "/v1/events", `{"type":"b"}`))
		r.problem(t, 429, "queue_full")
		if after, err := strconv.Atoi(r.header.Get("Retry-After")); err != nil || after < 1 {
			t.Errorf("%s: expected Retry-After, got %q", when, r.header.Get("Retry-After"))
		}
	}
	refused("full")
	records := pollSome(t, b, 5)
	refused("half full") // 5 are left
	records = append(records, pollSome(t, b, 1)...)
	waiting = append(waiting, postTo(b, "/v1/events", `{"type":"c"}`)) // 4 are left
	records = append(records, pollSome(t, b, 5)...)
	answerAll(records, messagebus.Answer{})
	for _, w := range waiting {
		get(t, w).accepted(t)
	}
	if s := b.Stats(); s.Refused["queue_full"] != 2 || s.QueueMessages != 0 || s.QueueBytes != 0 || s.BodyBytes != 0 || s.Requests != 0 {
		t.Errorf("expected 2 refusals and nothing held, got %+v", s)
	}
}

// TestRetryAfterFollowsTheDrainRate: the fuller and the slower, the later.
func TestRetryAfterFollowsTheDrainRate(t *testing.T) {
	o := Options{MaxQueueMessages: 10_000, LowQueueMessages: 1000}.withDefaults()
	q := newQueue(&o)
	now := time.Unix(1000, 0)
	q.now = func() time.Time { return now }
	fill := func(n int) {
		if err := q.put(make([]messagebus.Record, n), make([]int, n)); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when string, want int) {
		t.Helper()
		if got := q.drainSeconds(); got != want {
			t.Errorf("%s: expected %d s, got %d", when, want, got)
		}
	}
	expect("empty", 1)
	now = now.Add(time.Hour) // idle time says nothing
	fill(10_000)
	expect("nothing is known yet", 1)
	now = now.Add(time.Second)
	q.take(500, 1<<30) // 500 a second, 8500 above the low watermark
	expect("slow", 17)
	for range 20 {
		now = now.Add(time.Second)
		q.take(100, 1<<30)
		fill(100)
	}
	expect("slower", 30)
	for range 30 {
		now = now.Add(time.Second)
		q.take(8500, 1<<30)
		fill(8500)
	}
	expect("fast", 2)
	now = now.Add(12 * time.Second)
	expect("standing still", 12)
}

// TestDrain: a draining bus refuses what comes and answers what it has.
func TestDrain(t *testing.T) {
	b := newBus(Options{})
	before := postTo(b, "/v1/events", `{"type":"a"}`)
	untilQueued(t, b, 1)
	b.Drain()
	p := get(t, postTo(b, "/v1/events", `{"type":"b"}`)).problem(t, 503, "stopping")
	if !p.Retryable || !strings.Contains(p.Detail, "nothing of this request was taken") {
		t.Errorf("expected to be told that nothing was taken, got %+v", p)
	}
	answerAll(pollSome(t, b, 1), messagebus.Answer{})
	get(t, before).accepted(t)
}

func TestRequestsBounded(t *testing.T) {
	b := newBus(Options{MaxRequests: 2})
	one, two := postTo(b, "/v1/events", `{"type":"a"}`), postTo(b, "/v1/events", `{"type":"b"}`)
	untilQueued(t, b, 2)
	r := get(t, postTo(b, "/v1/events", `{"type":"c"}`))
	r.problem(t, 429, "too_many_requests")
	if r.header.Get("Retry-After") == "" {
		t.Error("expected Retry-After")
	}
	answerAll(pollSome(t, b, 2), messagebus.Answer{})
	get(t, one).accepted(t)
	get(t, two).accepted(t)
	three := postTo(b, "/v1/events", `{"type":"c"}`)
	answerAll(pollSome(t, b, 1), messagebus.Answer{})
	get(t, three).accepted(t)
}

// TestEndedRequestIsNoAcknowledgement: when the server ends a request's context, a client that is still there must not read an empty 200.
func TestEndedRequestIsNoAcknowledgement(t *testing.T) {
	b := newBus(Options{})
	for _, kind := range []string{"application/json", ndjson} {
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequest(nethttp.MethodPost, "/v1/events", strings.NewReader(`{"type":"a"}`)).WithContext(ctx)
		r.Header.Set("Content-Type", kind)
		w, done := httptest.NewRecorder(), make(chan struct{})
		go func() { b.ServeEvents(w, r); close(done) }()
		records := pollSome(t, b, 1)
		cancel()
		<-done
		if w.Code != 503 || !strings.Contains(w.Body.String(), "not known") {
			t.Errorf("%s: expected 503 and that the outcome is not known, got %d %s", kind, w.Code, w.Body)
		}
		answerAll(records, messagebus.Answer{})
	}
}

// TestSlowBody: a body that does not come ends with 408, and its room is given back.
func TestSlowBody(t *testing.T) {
	b := newBus(Options{BodyTimeout: 20 * time.Millisecond})
	server := serveBus(t, b)
	for _, kind := range []string{"application/json", ndjson} {
		for _, length := range []int{100, 8 << 20} {
			if kind != ndjson && length > 4<<20 {
				continue // refused by its length
			}
			c, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(c, "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n{\"type\":", kind, length)
			response, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatalf("%s of %d bytes: expected an answer: %v", kind, length, err)
			}
			text, _ := io.ReadAll(response.Body)
			_ = c.Close()
			result{status: response.StatusCode, header: response.Header, body: string(text)}.problem(t, 408, "body_timeout")
		}
	}
	nothingReserved(t, b)
	done := make(chan result, 1) // waiting for the answer is not the body's time
	go func() { done <- send(t, server, "/v1/events", strings.NewReader(`{"type":"a"}`)) }()
	records := pollSome(t, b, 1)
	<-time.After(60 * time.Millisecond) // three times the body's
	answerAll(records, messagebus.Answer{})
	get(t, done).accepted(t)
}

// TestConnectionsBounded: one connection too many is told 503 before it asks, and there is room again when one is closed.
func TestConnectionsBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(inner, 2)
	server := &nethttp.Server{Handler: nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) { w.WriteHeader(204) })}
	go server.Serve(l)
	t.Cleanup(func() { _ = server.Close() })
	ask := func() (net.Conn, int) {
		t.Helper()
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		r, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("expected an answer: %v", err)
		}
		if r.StatusCode == 503 && (r.Header.Get("Retry-After") == "" || r.Header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("expected a problem with Retry-After, got %v", r.Header)
		}
		return c, r.StatusCode
	}
	first, code := ask()
	_, other := ask()
	for range 3 {
		if _, third := ask(); code != 204 || other != 204 || third != 503 {
			t.Fatalf("expected 204, 204 and then 503, got %d, %d and %d", code, other, third)
		}
	}
	if l.Open() != 2 || l.Refused() != 3 {
		t.Errorf("expected 2 open and 3 refused, got %d and %d", l.Open(), l.Refused())
	}
	_ = first.Close()
	for deadline := time.Now().Add(grace); ; {
		if _, code = ask(); code == 204 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("expected room after a connection was closed")
		}
	}
}
