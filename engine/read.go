package engine

import (
	"errors"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/slots"
)

// Thread reads a thread: the live run, else the last ended one; with run another one. An unknown one has Status Absent. Safe for concurrent
// use; only synced state is seen.
func (e *Engine) Thread(id activity.ID, run uint64) (activity.Thread, error) {
	t, err := e.readThread(id, run)
	if err == nil {
		err = e.shown()
	}
	return t, err
}

func (e *Engine) readThread(id activity.ID, run uint64) (activity.Thread, error) {
	slot := slots.Of(id.Domain, uint16(len(e.slots)))
	if run == 0 {
		t, err := e.store.Thread(slot, id)
		if err != nil || t.Status != activity.Absent {
			return t, err
		}
		return e.store.Ended(slot, id, 0)
	}
	t, err := e.store.Thread(slot, id)
	if err != nil || t.Status != activity.Absent && t.Run == run {
		return t, err
	}
	return e.store.Ended(slot, id, run)
}

// Cursor says where a listing of threads goes on; the zero value is the start.
type Cursor struct {
	Slot   uint16
	Domain string // the last one listed
}

// Threads lists up to limit live threads of an activity, and where to go on; done is true after the last one.
func (e *Engine) Threads(number uint32, from Cursor, limit int) (threads []activity.Thread, next Cursor, done bool, err error) {
	defer func() { err = errors.Join(err, e.shown()) }()
	next = from
	for int(next.Slot) < len(e.slots) {
		domains, err := e.store.Members(next.Slot, number, next.Domain, limit-len(threads))
		if err != nil {
			return nil, from, false, err
		}
		for _, domain := range domains {
			t, err := e.store.Thread(next.Slot, activity.ID{Activity: number, Domain: domain})
			if err != nil {
				return nil, from, false, err
			}
			next.Domain = domain
			if t.Status != activity.Absent { // it may have ended between the two reads
				threads = append(threads, t)
			}
		}
		if len(threads) >= limit {
			return threads, next, false, nil
		}
		if len(domains) == 0 {
			next = Cursor{Slot: next.Slot + 1}
		}
	}
	return threads, next, true, nil
}

// Counters returns the counters of an activity: for live statuses how many threads stand at an action now, for ended ones how many have ended there.
func (e *Engine) Counters(number uint32) ([]store.Counter, error) {
	counters, err := e.store.Counters(number)
	return counters, errors.Join(err, e.shown())
}

// Verdicts returns the verdict counters of an activity, or with number 0 those of strategies (their name is in Action; "" of events that no
// strategy took). Those of messages that reached a thread are exact, in the batch of their turn; the others may be a second behind.
func (e *Engine) Verdicts(number uint32) ([]store.VerdictCount, error) {
	counts, err := e.store.Verdicts(number)
	return counts, errors.Join(err, e.store.Barrier())
}

// DeadLetters lists the newest dead letters.
func (e *Engine) DeadLetters(limit int) ([]store.DeadLetter, error) {
	letters, err := e.store.DeadLetters(limit)
	return letters, errors.Join(err, e.shown())
}

// Usage returns what the store takes.
func (e *Engine) Usage() store.Usage { return e.store.Usage() }

// NowMs returns the engine's time.
func (e *Engine) NowMs() int64 { return max(e.nodes.FloorMs, e.o.Clock.NowMs()) }
