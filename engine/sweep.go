package engine

import (
	"maps"
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/metadata"
	"github.com/weftbox/weftbox/slots"
)

// sweepThreads is how many threads of swept activities a turn looks at, at most.
const sweepThreads = 256

// sweeper goes through the threads of activities whose state has changed: those of a killed one are killed, those of a resumed one that stood
// still go on, and so do those that stalled for want of a version that is there again. How far it is lies in the store (row w), a bounded number of
// threads is looked at in a turn, and no list of them is held. A state is told from an earlier one by the revision of its change, so that a node
// that was down while it came about, or that dies on the way, sweeps too.
type sweeper struct {
	snap *metadata.Snapshot // the last one looked at
	todo []*sweep           // ascending by activity
}

// sweep is the work on one activity.
type sweep struct {
	activity uint32
	row      store.Sweep
}

// pending reports whether something is left to be swept.
func (s *sweeper) pending() bool { return len(s.todo) > 0 }

// countSweeps reads how far the sweeps are.
func (e *Engine) countSweeps() error {
	e.sweeper.snap = nil
	return e.lookForSweeps(e.o.Metadata())
}

// lookForSweeps compares a snapshot with the last one. The store is asked about activities only whose state ever changed.
func (e *Engine) lookForSweeps(snap *metadata.Snapshot) error {
	s := &e.sweeper
	last := s.snap
	if last == snap {
		return nil
	}
	s.snap = snap
	for _, number := range slices.Sorted(maps.Keys(snap.Activities)) {
		a := snap.Activities[number]
		var before *activity.Activity
		if last != nil {
			before = last.Activities[number]
		}
		if before == a {
			continue
		}
		if a.StateAt != 0 && (before == nil || before.StateAt != a.StateAt) {
			row, _, err := e.store.Sweep(number)
			if err != nil {
				return err
			}
			if row.StateAt != a.StateAt {
				s.begin(number, a.StateAt)
			} else if !row.Done {
				s.put(&sweep{number, row})
			}
			continue
		}
		if before != nil && releases(before, a) {
			s.begin(number, a.StateAt)
		}
	}
	return nil
}

// releases reports whether threads that stood still may go on with a: a version that could not be loaded can be, or a setting lets threads of a
// paused activity go on.
func releases(before, a *activity.Activity) bool {
	for version, b := range a.Versions {
		old := before.Versions[version]
		if old == nil || a.State == activity.ActivityPaused && b.Settings.PauseContinueOld && !old.Settings.PauseContinueOld {
			return true
		}
	}
	return false
}

func (s *sweeper) begin(number uint32, stateAt uint64) {
	s.put(&sweep{number, store.Sweep{StateAt: stateAt}})
}

// put adds a sweep, or begins that of the activity anew.
func (s *sweeper) put(w *sweep) {
	i, found := slices.BinarySearchFunc(s.todo, w.activity, func(x *sweep, n uint32) int { return int(int64(x.activity) - int64(n)) })
	if found {
		s.todo[i] = w
		return
	}
	s.todo = slices.Insert(s.todo, i, w)
}

// sweep looks at some more threads of swept activities and gives those a message that need one.
func (t *turn) sweep() error {
	e := t.e
	if err := e.lookForSweeps(t.snap); err != nil {
		return err
	}
	for left := sweepThreads; left > 0 && e.sweeper.pending(); {
		w := e.sweeper.todo[0]
		n, err := t.sweepSome(w, left)
		if err != nil {
			return err
		}
		left -= n
		t.swept = append(t.swept, *w)
		if w.row.Done {
			e.sweeper.todo = e.sweeper.todo[1:]
		}
	}
	return nil
}

// sweepSome goes on with one sweep by at most left threads or sweepThreads slots, and returns how much of that it took.
func (t *turn) sweepSome(w *sweep, left int) (took int, err error) {
	e := t.e
	a := t.snap.Activities[w.activity]
	for took < left {
		if a == nil || int(w.row.Slot) >= len(e.slots) {
			w.row.Done, w.row.Slot, w.row.After = true, 0, ""
			return took, nil
		}
		domains, err := e.store.Members(w.row.Slot, w.activity, w.row.After, left-took)
		if err != nil {
			return took, err
		}
		for _, domain := range domains {
			if err := t.sweepThread(a, activity.ID{Activity: w.activity, Domain: domain}); err != nil {
				return took, err
			}
			w.row.After = domain
		}
		if len(domains) < left-took {
			w.row.Slot, w.row.After = w.row.Slot+1, ""
		}
		took += max(1, len(domains))
	}
	return took, nil
}

// sweepThread gives a thread what its activity's state asks for. It is looked at past the cache: a sweep must not drive hot threads out of it.
func (t *turn) sweepThread(a *activity.Activity, id activity.ID) error {
	slot := slots.Of(id.Domain, uint16(len(t.e.slots)))
	if a.State == activity.ActivityKilled {
		t.slot(slot).send(id, &activity.Command{Name: "kill", TimeMs: t.nowMs}, nil)
		return nil
	}
	th, err := t.e.store.Thread(slot, id)
	if err != nil || !activity.NeedsWake(a, &th) {
		return err
	}
	t.slot(slot).send(id, &activity.Wake{}, nil)
	return nil
}

// writeSweeps notes how far the sweeps are, in the node's group: after a death between the slots and it the same threads are looked at again.
func (t *turn) writeSweeps() {
	for i := range t.swept {
		t.batch.PutSweep(t.swept[i].activity, t.swept[i].row)
	}
}

// wake lets a thread go on before it is given anything new, if what held it is over; its mail comes first.
func (l *lane) wake(w *slotWork, tw *threadWork) error {
	if !activity.NeedsWake(tw.activity, &tw.now) {
		return nil
	}
	l.stepOne(w, tw, delivery{number: l.t.number(w.slot), message: &activity.Wake{}})
	return l.unpark(w, tw)
}
