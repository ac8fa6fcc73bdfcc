package engine

import (
	"fmt"
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// maxLines is how many lines of a run are kept while "$verdicts" is on, maxLineText how much of an error's text a line holds.
const (
	maxLines    = 32
	maxLineText = 500
)

// tally is a verdict counter of a turn.
type tally struct {
	number uint32
	count  store.VerdictCount // N is the sum so far
}

// tallies adds up verdict counters. Few differ in one slot and turn: they are looked for one by one until they are many.
type tallies struct {
	list  []tally
	index map[tally]int // made when the list is long; its keys have N 0
}

const fewTallies = 32

func (s *tallies) add(number uint32, c store.VerdictCount) {
	n := c.N
	c.N = 0
	if len(s.list) <= fewTallies {
		for i := range s.list {
			if x := &s.list[i]; x.number == number && x.count.Clause == c.Clause && x.count.Sort == c.Sort && x.count.Verdict == c.Verdict &&
				x.count.Action == c.Action && x.count.Version == c.Version {
				x.count.N += n
				return
			}
		}
	} else {
		if s.index == nil {
			s.index = map[tally]int{}
			for i, x := range s.list {
				x.count.N = 0
				s.index[x] = i
			}
		}
		if i, ok := s.index[tally{number, c}]; ok {
			s.list[i].count.N += n
			return
		}
		s.index[tally{number, c}] = len(s.list)
	}
	c.N = n
	s.list = append(s.list, tally{number, c})
}

func (s *tallies) reset() {
	clear(s.list)
	s.list, s.index = s.list[:0], nil
}

// slotVerdicts are the verdicts of a turn in a slot.
type slotVerdicts struct {
	counts   tallies // of messages that reached a thread: written in the slot's group
	unheard  tallies // of messages that reached none and changed nothing: see loose
	lines    []runLine
	forgets  []runName // runs whose lines go
	overflow []uint64  // scratch
}

type runName struct {
	id  activity.ID
	run uint64
}

type runLine struct {
	runName
	line store.Line
}

func (v *slotVerdicts) reset() {
	v.counts.reset()
	v.unheard.reset()
	clear(v.lines)
	clear(v.forgets)
	v.lines, v.forgets = v.lines[:0], v.forgets[:0]
}

// sortOf says what a message is, and its name for people.
func sortOf(m activity.Message) (sort store.MessageSort, name, eventID string) {
	switch m := m.(type) {
	case activity.Carried:
		return store.SortEvent, m.Type, m.ID
	case *activity.Reply:
		return store.SortReply, m.Action, ""
	case *activity.Alarm:
		return store.SortAlarm, alarmNames[m.Kind], ""
	case *activity.Command:
		return store.SortCommand, m.Name, ""
	}
	return store.SortOther, "", ""
}

// hidden reports whether a verdict is the engine's own affair: that a thread yielded, and when its alarm row is moved, shows nowhere.
func hidden(m activity.Message, kind activity.VerdictKind) bool {
	a, ok := m.(*activity.Alarm)
	return ok && (a.Kind == activity.AlarmYield || kind == activity.VerdictParked)
}

// note counts what became of a message that a thread was given, before is the thread as the message found it, and writes a line where "$verdicts" is on.
func (l *lane) note(w *slotWork, a *activity.Activity, tw *threadWork, before *activity.Thread, d *delivery, v *activity.Verdict) {
	if v.Kind == "" || l.e.uncounted || hidden(d.message, v.Kind) {
		return
	}
	sort, name, eventID := sortOf(d.message)
	c := store.VerdictCount{Version: before.Version, Action: before.Action, Sort: sort, Clause: int16(v.Clause), Verdict: v.Kind, N: 1}
	run := before.Run
	if !before.Status.Live() {
		c.Action, c.Version = "", ""
		if v.Kind == activity.VerdictSpawned {
			c.Version, run = tw.now.Version, tw.now.Run
		} else if a.Latest != nil {
			c.Version = a.Latest.Version
		}
	}
	if v.Kind == activity.VerdictNoTrigger || v.Kind == activity.VerdictError {
		w.said.unheard.add(tw.id.Activity, c)
		return
	}
	w.said.counts.add(tw.id.Activity, c)
	if b := a.Versions[c.Version]; run != 0 && b != nil && b.Settings.Verdicts {
		w.said.lines = append(w.said.lines, runLine{runName{tw.id, run}, store.Line{Seq: d.number, TimeMs: l.t.nowMs, Sort: sort, Name: name, EventID: eventID,
			Verdict: v.Kind, Clause: c.Clause, From: c.Action, To: v.Action, Status: v.Status, Error: v.Error[:min(len(v.Error), maxLineText)]}})
	}
}

// unheard counts an event at a strategy, or at none where strategy is "": it concerned no thread.
func unheard(s *tallies, strategy string, kind activity.VerdictKind) {
	s.add(0, store.VerdictCount{Action: strategy, Sort: store.SortEvent, Clause: -1, Verdict: kind, N: 1})
}

// forgetLines has the lines of a run go with it.
func (l *lane) forgetLines(w *slotWork, id activity.ID, run uint64) {
	if l.e.lined[w.slot] || len(w.said.lines) > 0 {
		w.said.forgets = append(w.said.forgets, runName{id, run})
	}
}

// writeVerdicts writes the counters and lines of a slot into its group.
func (l *lane) writeVerdicts(w *slotWork) error {
	for i := range w.said.counts.list {
		l.batch.AddVerdict(w.said.counts.list[i].number, w.said.counts.list[i].count)
	}
	for _, gone := range w.said.forgets {
		w.said.lines = slices.DeleteFunc(w.said.lines, func(r runLine) bool { return r.runName == gone })
		old, err := l.oldLines(w, gone)
		if err != nil {
			return err
		}
		for _, seq := range old {
			l.batch.DeleteLine(gone.id, gone.run, seq)
		}
	}
	for all := w.said.lines; len(all) > 0; { // those of a thread lie together: threads have their mail one after another
		n := 1
		for n < len(all) && all[n].runName == all[0].runName {
			n++
		}
		if err := l.writeLines(w, all[0].runName, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// writeLines adds lines to those of a run and deletes the oldest above the bound.
func (l *lane) writeLines(w *slotWork, of runName, lines []runLine) error {
	lines = lines[max(0, len(lines)-maxLines):]
	old, err := l.oldLines(w, of)
	if err != nil {
		return err
	}
	for i := range max(0, len(old)+len(lines)-maxLines) {
		l.batch.DeleteLine(of.id, of.run, old[i])
	}
	for i := range lines {
		l.batch.PutLine(of.id, of.run, &lines[i].line)
	}
	l.e.lined[w.slot] = true
	w.numbers = true
	return nil
}

func (l *lane) oldLines(w *slotWork, of runName) ([]uint64, error) {
	if !l.e.lined[w.slot] {
		return nil, nil
	}
	return l.e.store.LineNumbers(w.slot, of.id, of.run)
}

// loose are the counts of events that concerned no thread. They change nothing in a slot, so no commit is made for them: they go into the
// node's rows with the next commit, or after looseMs. A death may lose them, as it may lose that such an event ever came.
type loose struct {
	tallies
	sinceMs int64 // when the first of them was counted
}

// looseMs is how long counts may wait for a commit, of the engine's time.
const looseMs = 1000

func (l *loose) due(nowMs int64) bool {
	return len(l.list) > 0 && nowMs >= l.sinceMs+looseMs
}

// gatherLoose adds up what the slots of the turn counted.
func (t *turn) gatherLoose() {
	l := &t.e.loose
	was := len(l.list)
	for _, slot := range t.touched {
		u := &t.work[slot].said.unheard
		for i := range u.list {
			l.add(u.list[i].number, u.list[i].count)
		}
	}
	for i := range t.unrouted.list {
		l.add(t.unrouted.list[i].number, t.unrouted.list[i].count)
	}
	if was == 0 && len(l.list) > 0 {
		l.sinceMs = t.nowMs
	}
}

// saveLoose writes them when the loop has ended.
func (e *Engine) saveLoose() {
	if len(e.loose.list) == 0 || e.failed.Load() {
		return
	}
	b := e.store.NewBatch()
	defer b.Close()
	b.Begin(store.NodeSlot)
	for i := range e.loose.list {
		b.AddVerdict(e.loose.list[i].number, e.loose.list[i].count)
	}
	e.loose.reset()
	if err := b.Commit(); err != nil {
		e.o.Fatal(fmt.Errorf("counters could not be committed: %w", err))
	}
}

// writeLoose writes them into the node's slot, which must be the batch's.
func (t *turn) writeLoose() {
	l := &t.e.loose
	for i := range l.list {
		t.batch.AddVerdict(l.list[i].number, l.list[i].count)
	}
	l.reset()
}
