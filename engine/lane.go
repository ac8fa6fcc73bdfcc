package engine

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// maxLanes is into how many lanes the slots are divided at most: more than there are workers, so that none is left with nothing to do while
// another has a lane with more work.
const maxLanes = 16

// lane is a fixed range of slots with all that their evaluation needs and leaves behind. One worker at a time is in a lane, and lanes share
// nothing that changes: what a turn becomes does not depend on how many workers there are, nor on which of them takes which lane.
type lane struct {
	e     *Engine
	cache *threadCache
	scope activity.Scope

	t       *turn        // the turn at work
	work    []*slotWork  // its slots of the lane, ascending
	batch   *store.Batch // where the lane writes: the turn's batch, or its own
	own     *store.Batch // for when several workers are at it; nil until then
	printed []string
	logged  []logLine
	sends   []backlog
	err     error

	observed []observation
	verdicts []messagebus.Verdict // not yet given to records
	wanted   []wanted             // scratch of load
	to       []*activity.Activity // scratch of addressees
	keys     []counterKey         // scratch of writeCounters
}

func newLanes(e *Engine) []*lane {
	lanes := make([]*lane, min(maxLanes, len(e.slots)))
	for i := range lanes {
		lanes[i] = &lane{e: e, cache: newThreadCache(e.o.CacheBytes / int64(len(lanes)))}
		lanes[i].scope.Zone = e.o.Zone
	}
	return lanes
}

func (e *Engine) laneOf(slot uint16) *lane {
	return e.lanes[int(slot)*len(e.lanes)/len(e.slots)]
}

// messagesAWorker is from how many messages of a turn on one more worker pays.
const messagesAWorker = 16

// evaluate gives the threads of all touched slots their mail and puts what follows into the batch, slot by slot in ascending order.
func (t *turn) evaluate() error {
	slices.Sort(t.touched)
	t.busy = t.busy[:0]
	messages := len(t.records)
	for _, slot := range t.touched {
		w := t.work[slot]
		if len(w.lane.work) == 0 {
			t.busy = append(t.busy, w.lane)
		}
		w.lane.work = append(w.lane.work, w)
		messages += len(w.alarms)
	}
	workers := min(t.e.o.Workers, len(t.busy), 1+messages/messagesAWorker)
	for _, l := range t.busy {
		l.begin(t, workers > 1)
	}
	if workers > 1 {
		stepTogether(t.busy, workers)
	} else {
		for _, l := range t.busy {
			l.step()
		}
	}
	var failed error
	for _, l := range t.busy {
		failed = cmp.Or(failed, l.end())
	}
	return failed
}

// stepTogether lets workers, of which the caller is one, take lane after lane.
func stepTogether(busy []*lane, workers int) {
	var taken atomic.Int32
	var all sync.WaitGroup
	work := func() {
		for i := taken.Add(1); int(i) <= len(busy); i = taken.Add(1) {
			busy[i-1].step()
		}
	}
	for range workers - 1 {
		all.Go(work)
	}
	work()
	all.Wait()
}

// begin prepares the lane for a turn. Where it is not alone it writes into a batch of its own.
func (l *lane) begin(t *turn, apart bool) {
	l.t, l.batch = t, t.batch
	if apart {
		if l.own == nil {
			l.own = l.e.store.NewBatch()
		}
		l.batch = l.own
	}
}

func (l *lane) step() {
	for _, w := range l.work {
		if l.err = l.stepSlot(w); l.err != nil {
			return
		}
	}
}

// end hands over to the turn what the lane leaves behind.
func (l *lane) end() error {
	t := l.t
	if l.batch != t.batch {
		t.batch.Join(l.batch)
	}
	t.printed = append(t.printed, l.printed...)
	t.logged = append(t.logged, l.logged...)
	t.sends = append(t.sends, l.sends...)
	l.showObserved()
	clear(l.work)
	clear(l.printed)
	clear(l.logged)
	l.t, l.batch, l.work, l.printed, l.logged, l.sends = nil, nil, l.work[:0], l.printed[:0], l.logged[:0], l.sends[:0]
	return l.err
}
