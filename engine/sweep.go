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
// threads is looked at in a turn, and no list of them is held. What changed is told by its revision, so that a node that was
// down while it came about, or that dies on the way, sweeps too.
type sweeper struct {
	snap  *metadata.Snapshot // the last one looked at
	todo  []*sweep           // ascending by activity
	notes []sweep            // to be written with the next commit
}

// sweep is the work on one activity.
type sweep struct {
	activity uint32 // lackers: the stalled threads of all
	row      store.Sweep
}

// lackers is the number of the sweep through all activities for threads that stalled for want of a service. Its row says, too, up to which revision
// of the metadata every change was looked at whose sweeps are in their rows.
const lackers = 0

// pending reports whether something is left to be swept.
func (s *sweeper) pending() bool { return len(s.todo) > 0 }

// countSweeps reads how far the sweeps are, and begins those for what changed since the metadata was last looked at.
func (e *Engine) countSweeps() error {
	s, snap := &e.sweeper, e.o.Metadata()
	rows, err := e.store.Sweeps()
	if err != nil {
		return err
	}
	seen, ok := rows[lackers]
	if !ok { // by an older program, or never
		seen = store.Sweep{StateAt: snap.Revision, Done: true}
	}
	named := seen.StateAt > snap.Revision || changedNames(snap, seen.StateAt)
	for i := range snap.Records.Activities {
		a := &snap.Records.Activities[i]
		row, ok := rows[a.Number]
		switch {
		case snap.Activities[a.Number] == nil:
		case a.StateAt != 0 && row.StateAt != a.StateAt, named, a.Revision > seen.StateAt, changedVersion(snap, a.Definition, seen.StateAt):
			s.begin(a.Number, a.StateAt)
		case ok && !row.Done:
			s.put(&sweep{a.Number, row})
		}
	}
	if !seen.Done {
		s.put(&sweep{lackers, seen})
	}
	s.look(snap)
	return nil
}

// changedNames reports whether a service or strategy was put or changed after a revision: versions that name it may be loadable now.
func changedNames(snap *metadata.Snapshot, since uint64) bool {
	return slices.ContainsFunc(snap.Records.Services, func(s metadata.Service) bool { return s.Revision > since }) ||
		slices.ContainsFunc(snap.Records.Strategies, func(s metadata.Strategy) bool { return s.Revision > since })
}

func changedVersion(snap *metadata.Snapshot, definition string, since uint64) bool {
	return slices.ContainsFunc(snap.Definitions[definition], func(v *metadata.Version) bool { return v.Definition.Revision > since })
}

// lookForSweeps compares a snapshot with the last one. The store is asked about activities only whose state has changed.
func (e *Engine) lookForSweeps(snap *metadata.Snapshot) error {
	s := &e.sweeper
	last := s.snap
	if last == snap {
		return nil
	}
	for _, number := range slices.Sorted(maps.Keys(snap.Activities)) {
		a, before := snap.Activities[number], last.Activities[number]
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
	for name := range snap.Services {
		if _, known := last.Services[name]; !known {
			s.put(&sweep{activity: lackers})
			break
		}
	}
	s.look(snap)
	return nil
}

// look notes that a snapshot was looked at. That goes to disk with, and not before, the rows of all sweeps that began by it.
func (s *sweeper) look(snap *metadata.Snapshot) {
	s.snap = snap
	row := store.Sweep{StateAt: snap.Revision, Done: true}
	if len(s.todo) > 0 && s.todo[0].activity == lackers {
		s.todo[0].row.StateAt = snap.Revision
		row = s.todo[0].row
	}
	s.notes = append(s.notes, sweep{lackers, row})
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
	w := &sweep{number, store.Sweep{StateAt: stateAt}}
	s.put(w)
	s.notes = append(s.notes, *w)
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
		some := t.sweepSome
		if w.activity == lackers {
			some = t.sweepLackers
		}
		n, err := some(w, left)
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
	a := t.snap.Activities[w.activity]
	for took < left {
		if a == nil || int(w.row.Slot) >= len(t.e.slots) {
			w.row.Done, w.row.Slot, w.row.After = true, 0, ""
			return took, nil
		}
		n, err := t.sweepMembers(a, &w.row, left-took)
		if err != nil {
			return took, err
		}
		took += n
	}
	return took, nil
}

// sweepMembers looks at some more threads of an activity in the row's slot; behind the last of them the row goes to the next slot.
func (t *turn) sweepMembers(a *activity.Activity, row *store.Sweep, left int) (took int, err error) {
	domains, err := t.e.store.Members(row.Slot, a.Number, row.After, left)
	if err != nil {
		return 0, err
	}
	for _, domain := range domains {
		if err := t.sweepThread(a, activity.ID{Activity: a.Number, Domain: domain}); err != nil {
			return 0, err
		}
		row.After = domain
	}
	if len(domains) < left {
		row.Slot, row.After = row.Slot+1, ""
	}
	return max(1, len(domains)), nil
}

// sweepLackers goes on with the sweep through all activities: where one has stalled threads in a slot its threads there are looked at.
func (t *turn) sweepLackers(w *sweep, left int) (took int, err error) {
	row, numbers := &w.row, slices.Sorted(maps.Keys(t.snap.Activities))
	at, here := slices.BinarySearch(numbers, row.Activity)
	if !here {
		row.Slot, row.After = 0, ""
	}
	for took < left {
		if at < len(numbers) && int(row.Slot) >= len(t.e.slots) {
			at, row.Slot, row.After = at+1, 0, ""
		}
		if at == len(numbers) {
			*row = store.Sweep{StateAt: row.StateAt, Done: true}
			return took, nil
		}
		row.Activity = numbers[at]
		stalled, err := t.e.store.Stalled(row.Slot, row.Activity)
		if err != nil {
			return took, err
		}
		if stalled <= 0 {
			row.Slot, row.After = row.Slot+1, ""
			took++
			continue
		}
		n, err := t.sweepMembers(t.snap.Activities[row.Activity], row, left-took)
		if err != nil {
			return took, err
		}
		took += n
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
	s := &t.e.sweeper
	for i := range s.notes {
		t.batch.PutSweep(s.notes[i].activity, s.notes[i].row)
	}
	s.notes = s.notes[:0]
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
