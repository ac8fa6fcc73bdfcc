package bustest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

func testPositions(t *testing.T, open Factory) {
	s := open(t)
	want := bodies("a", 0, 6)
	s.Post(want...)
	if s.Reopen == nil {
		got := pollN(t, s.Consumer, len(want))
		for i, r := range got {
			if r.Position != 0 {
				t.Errorf("record %d: expected position 0 from a bus without positions, got %d", i, r.Position)
			}
		}
		answer(got, messagebus.Answer{})
		return
	}
	positions := func(records []messagebus.Record, first uint64) {
		t.Helper()
		for i, r := range records {
			if r.Position != first+uint64(i) {
				t.Fatalf("record %d: expected position %d, got %d", i, first+uint64(i), r.Position)
			}
		}
	}
	got := pollN(t, s.Consumer, len(want))
	positions(got, 1)
	if err := s.Consumer.Commit(7); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	for _, again := range []messagebus.Consumer{s.Consumer, s.Reopen()} { // Commit is informative: reading again is Seek's alone
		for _, next := range []uint64{4, 1, 7} {
			if err := again.Seek(next); err != nil {
				t.Fatalf("Seek(%d): %v", next, err)
			}
			if next == 7 {
				if records := poll(t, again, 10, all); len(records) != 0 {
					t.Fatalf("at the end: expected no records, got %d", len(records))
				}
				continue
			}
			records := pollN(t, again, int(7-next))
			positions(records, next)
			check(t, again, records, want[next-1:])
		}
	}
	s.Post(body("a", 6))
	positions(pollN(t, s.Consumer, 1), 7)
}

func testClose(t *testing.T, open Factory) {
	s := open(t)
	s.Post(body("a", 0))
	if err := s.Consumer.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if records, _ := s.Consumer.Poll(10, all); len(records) != 0 {
		t.Errorf("a closed consumer: expected no records, got %d", len(records))
	}
	if err := s.Consumer.Close(); err != nil {
		t.Errorf("a second Close: expected no error, got %v", err)
	}
}

func testCloseAnswers(t *testing.T, open Factory) {
	s := open(t)
	taken := s.Post(body("a", 0))
	if !s.hasAnswers(taken) {
		t.Skip("the bus has no answers")
	}
	got := pollN(t, s.Consumer, 1)
	left := s.Post(bodies("a", 1, 3)...)
	if err := s.Consumer.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	wait(t, "an answer for what was not polled", left.Done)
	if left.Err() == nil {
		t.Error("what was not polled before Close: expected its sender to be told to repeat it")
	}
	late := s.Post(body("a", 3))
	wait(t, "an answer to a post after Close", late.Done)
	if late.Err() == nil {
		t.Error("a post after Close: expected it to be refused")
	}
	answer(got, messagebus.Answer{}) // what was polled is still answered by the one who took it
	wait(t, "an answer for what was polled before Close", taken.Done)
	if err := taken.Err(); err != nil {
		t.Errorf("what was polled and applied: expected a good answer, got %v", err)
	}
}

// testConcurrency posts from many senders while one goroutine polls: each message comes once, and each sender's in its order.
func testConcurrency(t *testing.T, open Factory) {
	const senders, each = 8, 50
	s := open(t)
	var group sync.WaitGroup
	failed := make(chan error, senders)
	for sender := range senders {
		group.Go(func() {
			for i := 0; i < each; i += 2 {
				p := s.Post(bodies(fmt.Sprint(sender), i, i+2)...)
				if !s.hasAnswers(p) {
					continue
				}
				<-p.Done
				if err := p.Err(); err != nil {
					failed <- fmt.Errorf("sender %d, message %d: %w", sender, i, err)
					return
				}
			}
		})
	}
	next := map[string]int64{}
	for n := 0; n < senders*each; {
		records := poll(t, s.Consumer, 16, all)
		if len(records) == 0 {
			select {
			case err := <-failed:
				t.Fatal(err)
			default:
				wait(t, "Ready before all messages came", s.Consumer.Ready())
			}
		}
		for _, r := range records {
			e := r.Incoming.Event
			if e == nil || e.Attrs["n"] != next[e.Sender] {
				t.Fatalf("expected message %d of sender %s, got %s", next[e.Sender], e.Sender, r.Raw)
			}
			next[e.Sender]++
		}
		n += len(records)
		answer(records, messagebus.Answer{})
	}
	group.Wait()
	if more := poll(t, s.Consumer, 10, all); len(more) != 0 {
		t.Errorf("expected each message once, %d came again", len(more))
	}
}
