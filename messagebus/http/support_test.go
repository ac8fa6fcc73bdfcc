package http

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/bustest"
)

const nowMs = int64(1_700_000_000_123)

const grace = 30 * time.Second

func newBus(o Options) *Bus {
	o.NowMs = func() int64 { return nowMs }
	return New(o)
}

// serveBus serves a bus on loopback. At the end it checks that no goroutine of a handler is left.
func serveBus(t *testing.T, b *Bus) *httptest.Server {
	t.Helper()
	mux := nethttp.NewServeMux()
	mux.HandleFunc("/v1/events", b.ServeEvents)
	mux.HandleFunc("/v1/buses/{name}", b.ServeBus)
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		_ = b.Close()
		server.CloseClientConnections()
		server.Close() // waits for its handlers
		noHandlerLeft(t)
	})
	return server
}

// noHandlerLeft looks for goroutines that stand in this package's handlers.
func noHandlerLeft(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if n := strings.Count(string(stacks), "messagebus/http.(*Bus).serve("); n != 0 {
		t.Errorf("expected no handler to be left, %d are:\n%s", n, stacks)
	}
}

// result is an answer to a post.
type result struct {
	status int
	header nethttp.Header
	body   string
	err    error
}

type accepted struct {
	Accepted   int
	Duplicates int
	Results    []struct {
		ID        string
		Duplicate bool
		Error     *Problem
		Verdicts  []map[string]any
	}
}

func (r result) accepted(t *testing.T) (a accepted) {
	t.Helper()
	if r.status != nethttp.StatusAccepted {
		t.Fatalf("expected 202, got %d %s %v", r.status, r.body, r.err)
	}
	if err := json.Unmarshal([]byte(r.body), &a); err != nil {
		t.Fatalf("the answer is no JSON: %v: %s", err, r.body)
	}
	return a
}

// problem checks that the answer is the problem with a status and code.
func (r result) problem(t *testing.T, status int, code string) (p Problem) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("expected a problem %d %s, got %d %s %v", status, code, r.status, r.body, r.err)
	}
	if r.status != status || p.Status != status || p.Code != code || r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("expected a problem %d %s, got %d %s (%s)", status, code, r.status, r.body, r.header.Get("Content-Type"))
	}
	if p.Title == "" || p.Type != "/problems/"+strings.ReplaceAll(code, "_", "-") || p.Instance == "" {
		t.Errorf("expected a problem with title, type and instance, got %+v", p)
	}
	return p
}

// postTo calls a handler without a network, in a goroutine of its own; the answer comes over the channel.
func postTo(b *Bus, path, body string, header ...string) <-chan result {
	r := httptest.NewRequest(nethttp.MethodPost, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := make(chan result, 1)
	go func() {
		w := httptest.NewRecorder()
		if strings.HasPrefix(path, "/v1/buses/") {
			b.ServeBus(w, r)
		} else {
			b.ServeEvents(w, r)
		}
		out <- result{status: w.Code, header: w.Header(), body: w.Body.String()}
	}()
	return out
}

func get(t *testing.T, c <-chan result) result {
	t.Helper()
	select {
	case r := <-c:
		return r
	case <-time.After(grace):
		t.Fatal("expected an answer, none came")
		return result{}
	}
}

// pollSome waits for n records.
func pollSome(t *testing.T, b *Bus, n int) (out []messagebus.Record) {
	t.Helper()
	for len(out) < n {
		records, err := b.Poll(n-len(out), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, records...); len(records) == 0 {
			select {
			case <-b.Ready():
			case <-time.After(grace):
				t.Fatalf("expected %d records, got %d", n, len(out))
			}
		}
	}
	return out
}

func answerAll(records []messagebus.Record, a messagebus.Answer) {
	for _, r := range records {
		r.Answer(a)
	}
}

func TestConsumerConformance(t *testing.T) {
	bustest.Run(t, func(t *testing.T) *bustest.Source {
		b := newBus(Options{})
		t.Cleanup(func() { _ = b.Close() })
		return &bustest.Source{Consumer: b, Post: func(bodies ...[]byte) bustest.Posted { return postConformance(b, bodies) }}
	})
}

// postConformance posts and returns when the records are queued or the answer is there.
func postConformance(b *Bus, bodies [][]byte) bustest.Posted {
	text := string(join(bodies))
	r := httptest.NewRequest(nethttp.MethodPost, "/v1/events", strings.NewReader(text))
	w := httptest.NewRecorder()
	queued, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		p, problem := b.receive(w, r, true) // as serve does, with a stop between
		close(queued)
		if problem != nil {
			WriteProblem(w, r, problem)
			return
		}
		<-p.done
		p.write(w)
	}()
	<-queued
	return bustest.Posted{Done: done, Err: func() error {
		if w.Code != nethttp.StatusAccepted {
			return fmt.Errorf("%d %s", w.Code, w.Body)
		}
		return nil
	}}
}
