package http

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

const ndjson = "application/x-ndjson"

// eventLines are lines of events with the ids e<first> to e<first+n-1>, each of at least size bytes.
func eventLines(first, n, size int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"type":"a","id":"e%d","attr":{"k":"%s"}}`+"\n", first+i, strings.Repeat("x", size))
	}
	return b.String()
}

// streamed is the answer of a stream.
type streamed struct {
	Accepted, Duplicates, Conflicts, Messages int
	LeftOut                                   int `json:"results_left_out"`
	Results                                   []struct {
		Index int
		ID    string
		Error *Problem
	}
}

func (r result) streamed(t *testing.T) (s streamed) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), &s); r.status != 202 || err != nil {
		t.Fatalf("expected 202 and a stream's answer, got %d %s %v", r.status, r.body, err)
	}
	return s
}

// untilQueued waits until n messages are in the queue.
func untilQueued(t *testing.T, b *Bus, n int) {
	t.Helper()
	for deadline := time.Now().Add(grace); b.Stats().QueueMessages != n; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("expected %d messages in the queue, there are %d", n, b.Stats().QueueMessages)
		}
	}
}

func TestLinesAsArray(t *testing.T) {
	b := newBus(Options{})
	for _, kind := range []string{ndjson, "application/jsonl", "Application/X-NDJSON; charset=utf-8", "application/ndjson"} {
		c := postTo(b, "/v1/events?wait=processed", "\n{\"type\":\"a\",\"id\":\"e1\"}\n\n{\"type\":\"b\"}", "Content-Type", kind, "Idempotency-Key", "k")
		records := pollSome(t, b, 2)
		if records[0].Key != "e1" || records[1].Key != "k#1" || string(records[1].Raw) != `{"type":"b"}` || records[0].TimeMs != nowMs {
			t.Errorf("%s: expected keys e1 and k#1 and the message as it came, got %+v", kind, records)
		}
		answerAll(records, messagebus.Answer{Duplicate: true})
		a := get(t, c).accepted(t)
		if a.Duplicates != 2 || len(a.Results) != 2 || a.Results[0].ID != "e1" || a.Results[0].Verdicts == nil {
			t.Errorf("%s: expected the answer of an array, got %+v", kind, a)
		}
	}
	if r := get(t, postTo(b, "/v1/events", " \n\n", "Content-Type", ndjson)); r.body != `{"accepted":0,"duplicates":0,"results":[]}`+"\n" {
		t.Errorf("no message at all: expected an empty answer, got %d %s", r.status, r.body)
	}
	p := get(t, postTo(b, "/v1/events", "{\"type\":\"a\"}\n\n{\"type\":\"b\",\"x\":1,\"x\":2}\n", "Content-Type", ndjson)).problem(t, 400, "invalid_body")
	if len(p.Errors) != 1 || p.Errors[0].Line != 3 || *p.Errors[0].Index != 1 || !strings.Contains(p.Detail, "line 3") || !strings.Contains(p.Detail, "nothing of this request was taken") || p.Progress != nil {
		t.Errorf("expected line 3, message 1 and nothing taken, got %+v", p)
	}
	p = get(t, postTo(b, "/v1/events", "{\"type\":\"a\"}\n{\"type\":\"SYSTEM\",\"attr\":{\"activity\":1,\"domain\":\"d\",\"command\":\"kill\"}}\n", "Content-Type", ndjson)).problem(t, 400, "not_an_event")
	if *p.Errors[0].Index != 1 {
		t.Errorf("expected message 1 to be named, got %+v", p)
	}
	if records, _ := b.Poll(10, 1<<30); len(records) != 0 {
		t.Errorf("expected nothing of refused lines to be queued, got %d", len(records))
	}
	nothingReserved(t, b)
}

// TestStream: a large body is taken part by part, each only after the one before it is answered for; the answer counts.
func TestStream(t *testing.T) {
	b := newBus(Options{MaxBodyBytes: 10_000, MaxQueueMessages: 100})
	server := serveBus(t, b)
	const n = 1000
	for _, hidden := range []bool{false, true} {
		var body io.Reader = strings.NewReader(eventLines(0, n, 50))
		if hidden {
			body = io.MultiReader(body) // hides the length
		}
		answer := make(chan result, 1)
		go func() { answer <- send(t, server, "/v1/events", body, "Content-Type", ndjson) }()
		parts := 0
		for seen := 0; seen < n; parts++ {
			records := pollSome(t, b, 1)
			rest, _ := b.Poll(1<<30, 1<<30)
			if records = append(records, rest...); len(records) > 100 {
				t.Fatalf("expected at most what the queue holds in one part, got %d", len(records))
			}
			if more, _ := b.Poll(10, 1<<30); len(more) != 0 {
				t.Fatalf("expected nothing more before the part is answered, got %d", len(more))
			}
			for _, r := range records {
				if want := fmt.Sprintf("e%d", seen); r.Key != want {
					t.Fatalf("expected %s next, got %s", want, r.Key)
				}
				r.Answer(messagebus.Answer{Duplicate: seen%10 == 0, Conflict: seen%4 == 1})
				seen++
			}
		}
		a := get(t, answer).streamed(t)
		if a.Accepted != 650 || a.Duplicates != 100 || a.Conflicts != 250 || a.Messages != n || parts < 10 {
			t.Errorf("length hidden %v: expected 650, 100, 250 of 1000 in 10 parts or more, got %+v in %d", hidden, a, parts)
		}
		if len(a.Results) != maxListed || a.LeftOut != 150 || a.Results[1].Index != 5 || a.Results[1].ID != "e5" || a.Results[1].Error.Code != "idempotency_conflict" {
			t.Errorf("expected the first %d conflicts to be listed with their index, got %+v", maxListed, a)
		}
	}
	nothingReserved(t, b)
}

// TestManyLines: more messages than an array may have are a stream, whatever their size.
func TestManyLines(t *testing.T) {
	b := newBus(Options{})
	c := postTo(b, "/v1/events", strings.Repeat("{\"type\":\"a\"}\n", 10_500), "Content-Type", ndjson, "Idempotency-Key", "k")
	for part := range 11 {
		records := pollSome(t, b, min(1000, 10_500-part*1000))
		if want := fmt.Sprintf("k#%d", part*1000); records[0].Key != want {
			t.Errorf("part %d: expected the key %s, got %s", part, want, records[0].Key)
		}
		answerAll(records, messagebus.Answer{})
	}
	if a := get(t, c).streamed(t); a.Accepted != 10_500 || a.Messages != 10_500 || len(a.Results) != 0 {
		t.Errorf("expected 10500 accepted, got %+v", a)
	}
	get(t, postTo(b, "/v1/events?wait=processed", strings.Repeat("{\"type\":\"a\"}\n", 10_001), "Content-Type", ndjson)).problem(t, 413, "body_too_large")
	nothingReserved(t, b)
}

// TestStreamEndsEarly: what is committed stays, and the answer says where to go on.
// TestStreamOfHeavyLines: lines that take far more memory than their text, in parts that a small queue can hold.
func TestStreamOfHeavyLines(t *testing.T) {
	line := `{"type":"a","attr":{"b":[` + strings.Repeat(`{"a":{}},`, 100) + "1]}}\n"
	one, _, err := messagebus.DecodeLines([]byte(line), &messagebus.Place{}, true, 0, messagebus.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	const lines = 60
	b := newBus(Options{MaxQueueBytes: 10 * (one.HeapBytes[0] + len(line)), MaxPostBytes: 64 << 20})
	c := postTo(b, "/v1/events", strings.Repeat(line, lines), "Content-Type", ndjson)
	for taken := 0; taken < lines; {
		records := pollSome(t, b, 1)
		taken += len(records)
		for _, r := range records {
			r.Answer(messagebus.Answer{})
		}
	}
	if s := (<-c).streamed(t); s.Accepted != lines {
		t.Errorf("expected %d lines to be accepted, got %+v", lines, s)
	}
}

func TestStreamEndsEarly(t *testing.T) {
	for name, c := range map[string]struct {
		after  string // the lines after 100 good ones
		key    string
		fail   error // of the second part
		status int
		code   string
		parts  []string
	}{
		"bad line":      {"{\"type\":\"a\"}\nx\n", "", nil, 400, "invalid_body", []string{"line 102", "before line 101 are committed", "go on with line 101"}},
		"with a key":    {"x\n", "k", nil, 400, "invalid_body", []string{"line 101", "repeat the whole body with the same Idempotency-Key"}},
		"no event":      {"{\"type\":\"res\",\"attr\":{\"request_id\":\"r\"}}\n", "", nil, 400, "not_an_event", []string{"message 100", "go on with line 101"}},
		"engine stops":  {"{\"type\":\"a\"}\n", "", errors.New("the engine stops"), 503, "stopping", []string{"the engine stops", "from there on is not known"}},
		"long line":     {eventLines(0, 1, 300_000), "", nil, 413, "body_too_large", []string{"larger than 262144 bytes", "go on with line 101"}},
		"larger stream": {eventLines(0, 100, 12_000), "", nil, 413, "body_too_large", []string{"1200000 bytes", "are committed"}},
	} {
		b := newBus(Options{MaxBodyBytes: 1000, MaxStreamBytes: 1_200_000, MaxQueueMessages: 100})
		r := postTo(b, "/v1/events", eventLines(0, 100, 20)+c.after, "Content-Type", ndjson, "Idempotency-Key", c.key)
		if name == "larger stream" { // known from its length: nothing is taken
			if p := get(t, r).problem(t, 413, "body_too_large"); p.Progress != nil || !strings.Contains(p.Detail, c.parts[0]) {
				t.Errorf("%s: expected it to be refused at once, got %+v", name, p)
			}
			continue
		}
		answerAll(pollSome(t, b, 100), messagebus.Answer{})
		if c.fail != nil {
			answerAll(pollSome(t, b, 1), messagebus.Answer{Err: c.fail})
		}
		p := get(t, r).problem(t, c.status, c.code)
		if p.Progress == nil || *p.Progress != (Progress{Messages: 100, Accepted: 100, NextLine: 101}) {
			t.Errorf("%s: expected 100 accepted and line 101 next, got %+v", name, p.Progress)
		}
		for _, part := range c.parts {
			if !strings.Contains(p.Detail, part) || strings.Contains(p.Detail, "nothing of this request") {
				t.Errorf("%s: expected %q, got %s", name, part, p.Detail)
			}
		}
		nothingReserved(t, b)
		if got := b.Stats(); got.Streams != 0 || got.Requests != 0 || got.Refused[c.code] != 1 {
			t.Errorf("%s: expected nothing to be under way and one refusal, got %+v", name, got)
		}
	}
}

// TestStreamWaitsForRoom: a stream under way is not refused when the queue is full; its client waits.
func TestStreamWaitsForRoom(t *testing.T) {
	b := newBus(Options{MaxBodyBytes: 8000, MaxQueueMessages: 100, MaxStreams: 1})
	stream := postTo(b, "/v1/events", eventLines(0, 200, 20), "Content-Type", ndjson)
	part := pollSome(t, b, 100)
	get(t, postTo(b, "/v1/events", eventLines(0, 200, 20), "Content-Type", ndjson)).problem(t, 429, "too_many_requests")
	array := "[" + strings.TrimSuffix(strings.ReplaceAll(eventLines(1000, 100, 1), "\n", ","), ",") + "]"
	full := postTo(b, "/v1/events", array)
	untilQueued(t, b, 100)
	answerAll(part, messagebus.Answer{}) // now the stream finds no room
	others := pollSome(t, b, 100)
	if others[0].Key != "e1000" {
		t.Fatalf("expected the array first, got %s", others[0].Key)
	}
	part = pollSome(t, b, 100)
	if part[0].Key != "e100" {
		t.Errorf("expected the stream's second part, got %s", part[0].Key)
	}
	answerAll(append(part, others...), messagebus.Answer{})
	if a := get(t, stream).streamed(t); a.Accepted != 200 {
		t.Errorf("expected 200 accepted, got %+v", a)
	}
	get(t, full).accepted(t)

	stream = postTo(b, "/v1/events", eventLines(0, 200, 20), "Content-Type", ndjson)
	part = pollSome(t, b, 100)
	full = postTo(b, "/v1/events", array)
	untilQueued(t, b, 100)
	b.Drain() // ends the wait of the second part, also when it waits already
	answerAll(part, messagebus.Answer{})
	if p := get(t, stream).problem(t, 503, "stopping"); p.Progress == nil || p.Progress.NextLine != 101 {
		t.Errorf("expected to go on with line 101, got %+v", p)
	}
	answerAll(pollSome(t, b, 100), messagebus.Answer{})
	get(t, full).accepted(t) // what was taken before is answered
	nothingReserved(t, b)
}
