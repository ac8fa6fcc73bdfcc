package mem

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/bustest"
)

const timeMs = int64(1_700_000_000_000)

func TestConsumerConformance(t *testing.T) {
	bustest.Run(t, func(t *testing.T) *bustest.Source {
		l := NewLog()
		c := l.Consumer("orders")
		t.Cleanup(func() { _ = c.Close() })
		return &bustest.Source{
			Consumer: c,
			Post: func(bodies ...[]byte) bustest.Posted {
				for _, b := range bodies {
					l.Append(b, timeMs)
				}
				return bustest.Posted{}
			},
			Reopen: func() messagebus.Consumer { return l.Consumer("orders") },
		}
	})
}

func TestProducerConformance(t *testing.T) {
	bustest.RunProducer(t, func(t *testing.T, s bustest.Service) *bustest.Sink {
		return &bustest.Sink{Producer: NewProducer(func(_ context.Context, _ messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
			replies, err := s(bodies)
			if err != nil {
				return nil, err
			}
			var out []messagebus.Incoming
			for _, r := range replies {
				items, _, _, err := messagebus.DecodeJSON(r, timeMs, messagebus.Limits{})
				if err != nil {
					items = []messagebus.Incoming{{Bad: &messagebus.Undecoded{Raw: r, Err: err}}}
				}
				out = append(out, items...)
			}
			return out, nil
		})}
	})
}

func TestTrim(t *testing.T) {
	l := NewLog()
	for _, name := range []string{"a", "b", "c", "d"} {
		l.Append([]byte(`{"type":"`+name+`"}`), timeMs)
	}
	slow, c := l.Consumer("slow"), l.Consumer("c")
	if records, err := slow.Poll(1, 1000); err != nil || len(records) != 1 {
		t.Fatalf("expected one record, got %d, %v", len(records), err)
	}
	l.Trim(4)
	l.Trim(2) // what is gone stays gone
	for _, lost := range []*Consumer{slow, c} {
		for range 2 { // the error stays until somebody decides
			if records, err := lost.Poll(10, 1000); err == nil || len(records) != 0 || !strings.Contains(err.Error(), "now begins at 4") {
				t.Fatalf("%s: expected an error that names position 4, got %d records, %v", lost.Name(), len(records), err)
			}
		}
	}
	if err := c.Seek(4); err != nil {
		t.Fatal(err)
	}
	records, err := c.Poll(10, 1000)
	if err != nil || len(records) != 1 || records[0].Position != 4 || records[0].Incoming.Event.Type != "d" {
		t.Fatalf("after Seek(4): expected the record d, got %v, %v", records, err)
	}
	l.Trim(100)
	if p := l.Append([]byte(`{"type":"e"}`), timeMs); p != 5 {
		t.Errorf("positions go on after everything was trimmed: expected 5, got %d", p)
	}
}

func TestSeekRefuses(t *testing.T) {
	l := NewLog()
	c := l.Consumer("c")
	if err := c.Seek(0); err == nil {
		t.Error("Seek(0): expected an error, positions begin at 1")
	}
	if err := c.Seek(3); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Poll(1, 1); err == nil || !strings.Contains(err.Error(), "beyond the end") {
		t.Errorf("a position the log never had: expected an error, got %v", err)
	}
}

func TestRecords(t *testing.T) {
	l := NewLog()
	body := []byte(`{"type":"a","id":"e1"}`)
	l.Append(body, timeMs)
	body[9] = 'X' // the log keeps a copy
	l.Append([]byte(`[{"type":"a"}]`), timeMs)
	l.Append([]byte("\xff"), timeMs)
	c := l.Consumer("c")
	records, err := c.Poll(10, 1000)
	if err != nil || len(records) != 3 {
		t.Fatalf("expected 3 records, got %d, %v", len(records), err)
	}
	if r := records[0]; r.Incoming.Event == nil || r.Incoming.Event.Type != "a" || r.Incoming.Event.TimeMs != timeMs || r.TimeMs != timeMs || r.Key != "" || r.BodyHash == 0 {
		t.Errorf("expected the event a of %d without a key, got %+v", timeMs, r)
	}
	for i, part := range map[int]string{1: "is an array", 2: "position 3"} {
		if r := records[i]; r.Err == nil || !strings.Contains(r.Err.Error(), part) {
			t.Errorf("record %d: expected an error with %q, got %v", i, part, r.Err)
		}
	}
	var d *messagebus.DecodeError
	if !errors.As(records[2].Err, &d) {
		t.Errorf("expected a *DecodeError within, got %T", records[2].Err)
	}
	if err := c.Commit(4); err != nil || c.Committed() != 4 {
		t.Errorf("expected Committed 4, got %d, %v", c.Committed(), err)
	}
}

func TestProducerKeeps(t *testing.T) {
	p := NewProducer(nil)
	d := messagebus.Destination{Name: "mail", Number: 3}
	body := []byte("one")
	if _, err := p.Publish(t.Context(), d, [][]byte{body, []byte("two")}); err != nil {
		t.Fatal(err)
	}
	body[0] = 'X'
	if _, err := p.Publish(t.Context(), d, nil); err != nil {
		t.Fatal(err)
	}
	got := p.Batches()
	if len(got) != 1 || got[0].Destination != d || len(got[0].Bodies) != 2 || string(got[0].Bodies[0]) != "one" {
		t.Errorf("expected one batch of one and two for mail, got %+v", got)
	}
	if more := p.Batches(); len(more) != 0 {
		t.Errorf("expected batches to be handed out once, got %d again", len(more))
	}
}
