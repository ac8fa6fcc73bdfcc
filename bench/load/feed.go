package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// feed is a bus without a network. Its senders behave as HTTP clients do: each sends an array, waits until every event of it is answered, and
// sends the next one at once. The events are made when the engine polls, so that none waits in memory.
type feed struct {
	w     *workload
	ready chan struct{}

	mu      sync.Mutex // all below
	array   int
	again   bool // an answered sender sends again
	idle    []*sender
	left    int // events not yet handed out in this phase
	waiting int // handed out and not yet answered
	phase   *phase
	failed  error
	began   time.Time
	done    chan struct{}
	hits    []hit
	stamp   []uint32 // by user: the poll that had an event for it last
	polls   uint32
}

// sender is one client: its array under way.
type sender struct {
	f      *feed
	unsent int
	size   int
	left   atomic.Int64 // of its array, not yet answered
	failed atomic.Pointer[error]
	since  time.Time
	answer func(messagebus.Answer)
}

func newFeed(w *workload) *feed {
	return &feed{w: w, ready: make(chan struct{}, 1), stamp: make([]uint32, len(w.sent))}
}

// Name names the source.
func (f *feed) Name() string { return "bench" }

// Seek does nothing: there are no positions.
func (f *feed) Seek(uint64) error { return nil }

// Commit does nothing: senders are told by the answers.
func (f *feed) Commit(uint64) error { return nil }

// Ready receives a value when a sender has something to send.
func (f *feed) Ready() <-chan struct{} { return f.ready }

// Close does nothing: the engine is stopped after the last answer.
func (f *feed) Close() error { return nil }

func (f *feed) signal() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// drive sends events through the engine and returns when each is answered. After limit, or with ctx, nothing more is sent.
func (f *feed) drive(ctx context.Context, t traffic) (*phase, error) {
	p := &phase{}
	f.mu.Lock()
	f.phase, f.left, f.array, f.again, f.failed, f.done = p, t.events, t.array, t.rate == 0, nil, make(chan struct{})
	f.began = time.Now()
	f.idle = f.idle[:0]
	if f.again {
		for range t.connections {
			f.idle = append(f.idle, f.newSender(f.began))
		}
	}
	done := f.done
	f.mu.Unlock()
	f.signal()
	stop := make(chan struct{})
	if t.rate > 0 {
		go f.pace(t, stop)
	}
	limit := time.NewTimer(t.limit)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		f.cut()
		<-done
	case <-ctx.Done():
		f.cut()
		<-done
	}
	close(stop)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return nil, f.failed
	}
	return p, ctx.Err()
}

func (f *feed) newSender(since time.Time) *sender {
	s := &sender{f: f, since: since}
	s.answer = s.answered
	return s
}

// pace offers arrays by the clock, whatever the answers.
func (f *feed) pace(t traffic, stop chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for k := 0; k*t.array < t.events; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		f.mu.Lock()
		for ; k*t.array < t.events; k++ {
			due := f.began.Add(arrival(k, t))
			if due.After(time.Now()) {
				break
			}
			f.idle = append(f.idle, f.newSender(due))
		}
		f.mu.Unlock()
		f.signal()
	}
}

// arrival is when the kth array is offered.
func arrival(k int, t traffic) time.Duration {
	return time.Duration(float64(k) * float64(t.array) / float64(t.rate) * float64(time.Second))
}

// cut lets nothing more be sent; what is under way is answered.
func (f *feed) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = 0
	f.finishIfDone()
}

func (f *feed) finishIfDone() {
	if f.left == 0 && f.waiting == 0 && f.done != nil {
		f.phase.took = time.Since(f.began)
		close(f.done)
		f.done = nil
	}
}

// Poll hands out what the senders have to send now.
func (f *feed) Poll(most, _ int) ([]messagebus.Record, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var records []messagebus.Record
	f.polls++
	distinct, at := 0, 0
	for at < len(f.idle) && len(records) < most {
		s := f.idle[at]
		if s.unsent == 0 {
			if f.left == 0 {
				break
			}
			s.unsent = min(f.array, f.left)
			s.size = s.unsent
			s.left.Store(int64(s.unsent))
			f.left -= s.unsent
			f.waiting += s.unsent
		}
		n := min(s.unsent, most-len(records))
		f.hits = f.w.take(f.hits[:0], n)
		if records == nil {
			records = make([]messagebus.Record, 0, min(most, f.array*len(f.idle)))
		}
		for _, h := range f.hits {
			if f.stamp[h.user] != f.polls {
				f.stamp[h.user] = f.polls
				distinct++
			}
			records = append(records, messagebus.Record{Source: "bench", Incoming: messagebus.Incoming{Event: f.w.s.event(f.w, h)}, Answer: s.answer})
		}
		if s.unsent -= n; s.unsent == 0 {
			at++
		}
	}
	f.idle = append(f.idle[:0], f.idle[at:]...)
	if len(records) > 0 {
		f.phase.turns = append(f.phase.turns, turn{len(records), distinct})
		f.phase.sent += len(records)
	}
	return records, nil
}

// answered takes the answer to one event; only the last one of an array has more to do.
func (s *sender) answered(a messagebus.Answer) {
	if a.Err != nil {
		s.failed.CompareAndSwap(nil, &a.Err)
	}
	if s.left.Add(-1) > 0 {
		return
	}
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := s.failed.Load(); err != nil && f.failed == nil {
		f.failed = fmt.Errorf("the engine did not take an event: %w", *err)
	}
	f.waiting -= s.size
	now := time.Now()
	f.phase.waits = append(f.phase.waits, now.Sub(s.since))
	s.since = now
	if f.again && f.left > 0 {
		f.idle = append(f.idle, s)
		f.signal()
	}
	f.finishIfDone()
}
