package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

// lines returns n events as NDJSON, of users that no other body of the same size names.
func lines(n, from int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"type":"hit","attr":{"user":"u%08d"}}`+"\n", from+i)
	}
	return text.String()
}

// TestMemoryOfAnUnansweredPostIsLeftAlone: a client may go away while the engine holds its messages. They stay as they are whatever is posted
// meanwhile, and a late answer to them is nobody else's.
func TestMemoryOfAnUnansweredPostIsLeftAlone(t *testing.T) {
	for _, kind := range []string{ndjson, "application/json"} {
		b := newBus(Options{})
		ctx, cancel := context.WithCancel(context.Background())
		text := lines(20, 0)
		if kind != ndjson {
			text = "[" + strings.ReplaceAll(strings.TrimSpace(text), "\n", ",") + "]"
		}
		r := httptest.NewRequestWithContext(ctx, nethttp.MethodPost, "/v1/events", strings.NewReader(text))
		r.Header.Set("Content-Type", kind)
		gone := make(chan int, 1)
		go func() {
			w := httptest.NewRecorder()
			b.ServeEvents(w, r)
			gone <- w.Code
		}()
		held := pollSome(t, b, 20)
		cancel()
		if code := <-gone; code != nethttp.StatusServiceUnavailable {
			t.Fatalf("%s: expected 503 for a request that ended early, got %d", kind, code)
		}
		var last []messagebus.Record
		for k := range 20 {
			answer := postTo(b, "/v1/events", lines(20, 1000*(k+1)), "Content-Type", ndjson)
			last = pollSome(t, b, 20)
			if k == 19 { // the late answers come while another post waits
				answerAll(held, messagebus.Answer{Duplicate: true})
			}
			answerAll(last, messagebus.Answer{})
			if a := get(t, answer).accepted(t); a.Accepted != 20 {
				t.Errorf("%s: expected post %d to be answered for itself, 20 accepted, got %+v", kind, k, a)
			}
		}
		for i, record := range held {
			user := fmt.Sprintf("u%08d", i)
			if want := `{"type":"hit","attr":{"user":"` + user + `"}}`; string(record.Raw) != want {
				t.Errorf("%s: record %d: expected it to stay %s, got %s", kind, i, want, record.Raw)
			}
			if got := record.Incoming.Event.Attrs["user"]; got != user {
				t.Errorf("%s: event %d: expected its user to stay %s, got %v", kind, i, user, got)
			}
		}
		if b.posts.used != 0 {
			t.Errorf("%s: expected all room of bodies to be given back, %d bytes are still taken", kind, b.posts.used)
		}
	}
}

// TestEventsOutliveTheirPost: what the engine keeps of an answered event is not used again.
func TestEventsOutliveTheirPost(t *testing.T) {
	b := newBus(Options{})
	var kept []messagebus.Incoming
	for k := range 20 {
		answer := postTo(b, "/v1/events", lines(10, 10*k), "Content-Type", ndjson)
		records := pollSome(t, b, 10)
		for i := range records {
			kept = append(kept, records[i].Incoming)
		}
		answerAll(records, messagebus.Answer{})
		get(t, answer).accepted(t)
	}
	for i, in := range kept {
		if want := fmt.Sprintf("u%08d", i); in.Event.Attrs["user"] != want || in.Event.Type != "hit" {
			t.Errorf("event %d: expected it to stay a hit of %s, got %+v", i, want, in.Event)
		}
	}
}

// TestMemoryOfAnEvent: what one event of an array takes on its way, its attributes included: a map of its own (320 bytes in two pieces), a text
// (two pieces), its answer.
func TestMemoryOfAnEvent(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector takes memory of its own and empties pools at random")
	}
	b := newBus(Options{})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-b.Ready():
				records, _ := b.Poll(16_000, 16<<20)
				answerAll(records, messagebus.Answer{})
			case <-stop:
				return
			}
		}
	}()
	const runs, each = 200, 100
	bodies := make([]string, runs)
	for i := range bodies {
		bodies[i] = lines(each, each*i)
	}
	var before, after runtime.MemStats
	for i, body := range bodies {
		if i == runs/2 { // what is used again is there by now
			runtime.ReadMemStats(&before)
		}
		r := httptest.NewRequest(nethttp.MethodPost, "/v1/events", strings.NewReader(body))
		r.Header.Set("Content-Type", ndjson)
		w := httptest.NewRecorder()
		b.ServeEvents(w, r)
		if w.Code != nethttp.StatusAccepted {
			t.Fatalf("expected 202, got %d %s", w.Code, w.Body)
		}
	}
	runtime.ReadMemStats(&after)
	close(stop)
	<-stopped
	pieces := float64(after.Mallocs-before.Mallocs) / (runs / 2 * each)
	bytes := float64(after.TotalAlloc-before.TotalAlloc) / (runs / 2 * each)
	t.Logf("%.2f allocations of %.0f bytes together for an event, the test's own request and recorder included", pieces, bytes)
	if pieces > 6 || bytes > 640 {
		t.Errorf("expected at most 6 allocations of 640 bytes together for an event, got %.2f of %.0f bytes", pieces, bytes)
	}
}

// TestMemoryOfAnotherBusDoesNotRaiseTheLimit: a bus may begin a body in memory that another one, with a higher limit, has used.
func TestMemoryOfAnotherBusDoesNotRaiseTheLimit(t *testing.T) {
	text := func(size int) string {
		const head, tail = `{"type":"hit","attr":{"pad":"`, `"}}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	large, small := newBus(Options{}), newBus(Options{MaxBodyBytes: 100})
	for range 20 { // the pool may forget
		posted := postTo(large, "/v1/events", text(150))
		answerAll(pollSome(t, large, 1), messagebus.Answer{})
		get(t, posted).accepted(t)
		r := httptest.NewRequest(nethttp.MethodPost, "/v1/events", strings.NewReader(text(130)))
		r.ContentLength = -1 // as with chunks
		w := httptest.NewRecorder()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			small.ServeEvents(w, r.WithContext(ctx))
		}()
		select {
		case <-done:
		case <-small.Ready():
			t.Error("a body of 130 bytes was taken by a bus whose limit is 100")
		}
		cancel()
		<-done
		if w.Code != nethttp.StatusRequestEntityTooLarge {
			t.Fatalf("expected 413 for a body of 130 bytes where 100 are the limit, got %d", w.Code)
		}
	}
}

// keptWriter is a client that went away while its answer was being written. That of HTTP/2 returns an error while a goroutine may still read the bytes.
type keptWriter struct {
	*httptest.ResponseRecorder
	kept, was []byte
}

func (w *keptWriter) Write(p []byte) (int, error) {
	w.kept, w.was = p, bytes.Clone(p)
	return 0, errors.New("the stream is closed")
}

// TestAnswerThatCouldNotBeWrittenIsLeftAlone: its memory may still be on its way to the client that went away.
func TestAnswerThatCouldNotBeWrittenIsLeftAlone(t *testing.T) {
	b := newBus(Options{})
	left := &keptWriter{ResponseRecorder: httptest.NewRecorder()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.ServeEvents(left, httptest.NewRequest(nethttp.MethodPost, "/v1/events", strings.NewReader(`{"type":"hit","id":"mine"}`)))
	}()
	answerAll(pollSome(t, b, 1), messagebus.Answer{})
	<-done
	for range 20 {
		posted := postTo(b, "/v1/events", `{"type":"hit","id":"theirs"}`)
		answerAll(pollSome(t, b, 1), messagebus.Answer{})
		get(t, posted).accepted(t)
	}
	if len(left.was) == 0 || !bytes.Equal(left.kept, left.was) {
		t.Errorf("expected the answer to stay %s, it became %s", left.was, left.kept)
	}
}
