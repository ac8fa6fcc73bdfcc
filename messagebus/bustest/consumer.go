// Package bustest owns the conformance suites of bus drivers: what every consumer and every producer must do. A driver's tests run
// them with a factory of their own.
//
// Room: seam.
package bustest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// Posted is one delivery to a bus on its way.
type Posted struct {
	Done <-chan struct{} // closed when the sender has its answer; nil for a bus without answers
	Err  func() error    // valid after Done: why the sender must repeat or mend it; nil when it was taken. Nil for a bus without answers
}

// Source is a bus as the suite sees it.
type Source struct {
	Consumer messagebus.Consumer

	// Post puts messages into the bus as one delivery. It returns as soon as they can be polled, or were refused; it does not wait
	// for their answers. It is called by many goroutines.
	Post func(bodies ...[]byte) Posted

	// Reopen returns a new consumer of what was posted so far. Nil for a bus without positions.
	Reopen func() messagebus.Consumer
}

func (s *Source) hasAnswers(p Posted) bool { return p.Done != nil }

// Factory opens a fresh bus and cleans it up with t.Cleanup.
type Factory func(t *testing.T) *Source

const (
	all   = 1 << 30
	grace = 30 * time.Second // how long what must come may take before the test fails
)

// Run runs the suite of consumers.
func Run(t *testing.T, open Factory) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Factory)
	}{
		{"order", testOrder}, {"max", testMax}, {"bytes", testBytes}, {"ready", testReady}, {"answers", testAnswers}, {"answer error", testAnswerError},
		{"bad message", testBad}, {"positions", testPositions}, {"close", testClose}, {"close answers", testCloseAnswers}, {"concurrency", testConcurrency},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}

// body is event i of a sender.
func body(sender string, i int) []byte {
	return fmt.Appendf(nil, `{"type":"test","sender":%q,"attr":{"n":%d}}`, sender, i)
}

func bodies(sender string, from, to int) (out [][]byte) {
	for i := from; i < to; i++ {
		out = append(out, body(sender, i))
	}
	return out
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(grace):
		t.Fatalf("expected %s, nothing came in %v", what, grace)
	}
}

func poll(t *testing.T, c messagebus.Consumer, max, maxBytes int) []messagebus.Record {
	t.Helper()
	records, err := c.Poll(max, maxBytes)
	if err != nil {
		t.Fatalf("Poll: %v", err)
	}
	return slices.Clone(records) // the list is valid until the next Poll only
}

// pollN polls until n records came, each announced by Ready.
func pollN(t *testing.T, c messagebus.Consumer, n int) (out []messagebus.Record) {
	t.Helper()
	for len(out) < n {
		more := poll(t, c, n-len(out), all)
		if len(more) == 0 {
			wait(t, "Ready before the records are complete", c.Ready())
		}
		out = append(out, more...)
	}
	return out
}

func answer(records []messagebus.Record, a messagebus.Answer) {
	for _, r := range records {
		if r.Answer != nil {
			r.Answer(a)
		}
	}
}

// check compares records with the bodies they came as.
func check(t *testing.T, c messagebus.Consumer, records []messagebus.Record, want [][]byte) {
	t.Helper()
	if len(records) != len(want) {
		t.Fatalf("expected %d records, got %d", len(want), len(records))
	}
	for i, r := range records {
		if r.Err != nil || r.Incoming.Event == nil || r.Incoming.Reply != nil || r.Incoming.Command != nil {
			t.Fatalf("record %d: expected an event, got %+v, error %v", i, r.Incoming, r.Err)
		}
		if !bytes.Equal(r.Raw, want[i]) {
			t.Errorf("record %d: expected raw %s, got %s", i, want[i], r.Raw)
		}
		if r.Source != c.Name() || r.Source == "" {
			t.Errorf("record %d: expected the source %q, got %q", i, c.Name(), r.Source)
		}
	}
}

func testOrder(t *testing.T, open Factory) {
	s := open(t)
	want := bodies("a", 0, 20)
	s.Post(want[0])
	s.Post(want[1:10]...)
	s.Post(want[10:]...)
	got := pollN(t, s.Consumer, len(want))
	check(t, s.Consumer, got, want)
	if n, ok := got[7].Incoming.Event.Attrs["n"].(int64); !ok || n != 7 {
		t.Errorf("expected attribute n = int64 7, got %v", got[7].Incoming.Event.Attrs["n"])
	}
	if more := poll(t, s.Consumer, 10, all); len(more) != 0 {
		t.Errorf("expected each record once, %d came again", len(more))
	}
	answer(got, messagebus.Answer{})
}

func testMax(t *testing.T, open Factory) {
	s := open(t)
	want := bodies("a", 0, 10)
	s.Post(want...)
	var got []messagebus.Record
	for _, n := range []int{3, 3, 3, 1, 0} {
		records := poll(t, s.Consumer, 3, all)
		if len(records) != n {
			t.Fatalf("Poll(3): expected %d records, got %d", n, len(records))
		}
		got = append(got, records...)
	}
	check(t, s.Consumer, got, want)
	answer(got, messagebus.Answer{})
}

func testBytes(t *testing.T, open Factory) {
	s := open(t)
	want := bodies("a", 0, 4)
	s.Post(want...)
	one := len(want[0])
	first := poll(t, s.Consumer, 10, one*2+one/2)
	if len(first) != 2 {
		t.Fatalf("room for two and a half records: expected 2, got %d", len(first))
	}
	second := poll(t, s.Consumer, 10, 1)
	if len(second) != 1 {
		t.Fatalf("a record larger than the bound: expected it alone, got %d records", len(second))
	}
	got := append(append(first, second...), pollN(t, s.Consumer, 1)...)
	check(t, s.Consumer, got, want)
	answer(got, messagebus.Answer{})
}

func testReady(t *testing.T, open Factory) {
	s := open(t)
	for round := range 3 {
		want := bodies("a", round*2, round*2+2)
		s.Post(want...)
		wait(t, "Ready after a post", s.Consumer.Ready())
		got := poll(t, s.Consumer, 1, all)
		if len(got) == 1 {
			wait(t, "Ready after a Poll that left a record", s.Consumer.Ready())
		}
		got = append(got, pollN(t, s.Consumer, 2-len(got))...)
		check(t, s.Consumer, got, want)
		answer(got, messagebus.Answer{})
		for more := true; more; { // a value too many is allowed, a closed channel is not
			select {
			case _, open := <-s.Consumer.Ready():
				if !open {
					t.Fatal("Ready is closed while the consumer is open")
				}
			default:
				more = false
			}
		}
	}
}

func testAnswers(t *testing.T, open Factory) {
	s := open(t)
	posted := s.Post(bodies("a", 0, 3)...)
	got := pollN(t, s.Consumer, 3)
	if !s.hasAnswers(posted) {
		for i, r := range got {
			if r.Answer != nil {
				t.Errorf("record %d has an Answer, the bus has none", i)
			}
		}
		return
	}
	for i, r := range got {
		if r.Answer == nil {
			t.Fatalf("record %d: expected an Answer", i)
		}
		select {
		case <-posted.Done:
			t.Fatalf("the sender was answered after %d of 3 records", i)
		default:
		}
		r.Answer(messagebus.Answer{Verdicts: []messagebus.Verdict{{Strategy: "s", Verdict: activity.Verdict{Kind: activity.VerdictTaken}}}})
		if i < 2 {
			r.Answer(messagebus.Answer{Err: errors.New("a second answer must change nothing")})
		}
	}
	wait(t, "the sender's answer after the last record's", posted.Done)
	if err := posted.Err(); err != nil {
		t.Errorf("expected the sender to be told that all is well, got %v", err)
	}
}

func testAnswerError(t *testing.T, open Factory) {
	s := open(t)
	posted := s.Post(bodies("a", 0, 2)...)
	got := pollN(t, s.Consumer, 2)
	if !s.hasAnswers(posted) {
		t.Skip("the bus has no answers")
	}
	got[0].Answer(messagebus.Answer{})
	got[1].Answer(messagebus.Answer{Err: errors.New("stopping")})
	wait(t, "the sender's answer", posted.Done)
	if posted.Err() == nil {
		t.Error("one record was not taken: expected the sender to be told so, it was told that all is well")
	}
}

// testBad: what cannot be decoded is refused at the door or comes as a record with Err; what comes after it is not held up.
func testBad(t *testing.T, open Factory) {
	s := open(t)
	bad := []byte(`{"type":"test","attr":{"k":1,"k":2}}`)
	posted := s.Post(bad)
	var got []messagebus.Record
	if !s.hasAnswers(posted) {
		got = pollN(t, s.Consumer, 1)
		if r := got[0]; r.Err == nil || r.Incoming != (messagebus.Incoming{}) || !bytes.Equal(r.Raw, bad) {
			t.Errorf("expected a record with Err, the raw bytes and no message, got %+v", r)
		}
	} else {
		wait(t, "a refusal", posted.Done)
		if posted.Err() == nil {
			t.Error("expected the sender to be told that the message cannot be read")
		}
	}
	s.Post(body("a", 1))
	good := pollN(t, s.Consumer, 1)
	check(t, s.Consumer, good, [][]byte{body("a", 1)})
	answer(good, messagebus.Answer{})
}
