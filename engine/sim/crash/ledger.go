package crash

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// target is one event at one thread.
type target struct {
	event int64
	id    activity.ID
}

// request names a request as the engine numbers it.
type request struct {
	slot uint16
	seq  uint64
}

// asked is a request that a committed turn made.
type asked struct {
	service string
	args    [3]int64
	id      activity.ID
	closed  bool
	inBody  bool   // its service answered in the body of the last delivery that went well
	body    string // as the service got it first, "" before
}

type ending struct {
	activity uint32
	action   string
	status   activity.Status
}

// group is what one turn did in its slots, not yet known to be on disk.
type group struct {
	turn  int
	slots map[uint16]*slotGroup
}

// claim is the event that a key stands for, since a turn of the present life; 0: an earlier life.
type claim struct {
	event int64
	turn  int
}

type slotGroup struct {
	threads map[activity.ID]thread
	facts   []idFact
}

type idFact struct {
	id activity.ID
	fact
}

// ledger is the model of the whole node: what the turns that are on disk have done, and what those under way would add.
type ledger struct {
	now      map[activity.ID]thread // with all turns
	kept     map[activity.ID]thread // with the turns on disk
	open     group                  // of the present turn
	flight   []group                // handed to the disk, oldest first
	effects  map[target]int
	idles    map[target]bool
	latest   map[source]int64 // the last event of a source that had its effect at a thread
	owner    map[string]claim // the event that a key stands for, once it had an effect
	commands map[int64]int
	asks     map[request]*asked
	said     map[request]*said
	heard    map[line]uint64 // the last number of a slot that a thread was given
	ended    map[ended]bool  // not yet forgotten, as far as the model knows
	endings  map[ending]int64
	letters  map[letterAt]idFact
	births   int
	late     int
	yields   int
}

// letterAt names a dead letter by the delivery that became it.
type letterAt struct {
	slot   uint16
	number uint64
}

type source struct {
	name string
	id   activity.ID
}

func newGroup() group { return group{slots: map[uint16]*slotGroup{}} }

func newLedger() *ledger {
	return &ledger{now: map[activity.ID]thread{}, kept: map[activity.ID]thread{}, open: newGroup(), effects: map[target]int{}, idles: map[target]bool{},
		latest: map[source]int64{}, owner: map[string]claim{}, commands: map[int64]int{}, asks: map[request]*asked{}, said: map[request]*said{}, heard: map[line]uint64{}, ended: map[ended]bool{}, endings: map[ending]int64{}, letters: map[letterAt]idFact{}}
}

// observe gives the model what the engine gave to a thread, and compares the verdicts.
func (r *run) observe(slot uint16, id activity.ID, number uint64, m activity.Message, v activity.Verdict) {
	l := r.ledger
	t := l.now[id]
	s := stepper{id: id, t: t, number: number, nowMs: r.nowMs()}
	parked := t.takesMail()
	if parked {
		s.t.mail = t.mail[1:]
		if got, want := describe(m), t.mail[0].String(); got != want {
			r.fail("parked mail of thread %v is handed over out of order: the next is %s, the engine gave it %s", id, want, got)
		}
	}
	var kind activity.VerdictKind
	switch m := m.(type) {
	case activity.Carried:
		kind = s.event(r.eventAt(id, m.Event))
	case *activity.Reply:
		said := uint64(number64(m.Result.Data["seq"]))
		seq := said
		if m.Result.Data["nameless"] == true {
			seq = s.single(parked, t.mail)
		}
		if kind = s.answer(seq, said, number64(m.Result.Data["echo"])); kind != activity.VerdictLate && m.Seq != seq {
			r.fail("an answer to request %d was led to request %d of thread %v", seq, m.Seq, id)
		}
	case *activity.Alarm:
		kind = s.alarm(m.Run, row{m.DueMs, m.Visit, m.Kind})
		r.notAhead(id, m.DueMs)
		for _, src := range r.node.sources {
			if stamp := src.feed.stamps[src.before]; !src.caught && stamp < m.DueMs && m.Kind == activity.AlarmAction {
				r.fail("thread %v was given its alarm of %d ms although the record at position %d of %s, stamped %d ms earlier, was unread since the start",
					id, m.DueMs, src.before, src.feed.name, m.DueMs-stamp)
			}
		}
	case *activity.Command:
		if kind = s.command(m.Name); kind == activity.VerdictTaken {
			s.facts = append(s.facts, fact{command: number64(m.Args["n"])})
		}
	}
	r.note("  %v takes %s: %s, now %s", id, describe(m), v.Kind, &s.t)
	if kind != v.Kind {
		r.fail("thread %v was given %s in state %s: the verdict must be %s, the engine says %s %s", id, describe(m), &t, kind, v.Kind, v.Error)
	}
	l.now[id] = s.t
	g := l.open.slots[slot]
	if g == nil {
		g = &slotGroup{threads: map[activity.ID]thread{}}
		l.open.slots[slot] = g
	}
	g.threads[id] = s.t
	for _, f := range s.facts {
		if !parked || f.event == 0 && f.heard == (request{}) {
			g.facts = append(g.facts, idFact{id, f})
		}
	}
	if kind == activity.VerdictLate {
		l.late++
	}
	if s.t.status == activity.Running {
		l.yields++
	}
	if kind == activity.VerdictSpawned {
		l.births++
	}
}

// handed says that the present turn is on its way to the disk. What it parked lies there by the deliveries' numbers: commands, answers
// and events of one turn got theirs as they came in, not in the order in which a thread sees them.
func (l *ledger) handed(turn int) {
	for _, g := range l.open.slots {
		for id, t := range g.threads {
			t.mail = slices.Clone(t.mail)
			slices.SortFunc(t.mail, func(a, b mail) int { return cmp.Compare(a.number, b.number) })
			g.threads[id], l.now[id] = t, t
		}
	}
	l.open.turn = turn
	l.flight = append(l.flight, l.open)
	l.open = newGroup()
}

// committed says that the oldest turn under way is on disk.
func (r *run) committed() {
	l := r.ledger
	if len(l.flight) == 0 {
		r.fail("a commit ended that had not begun")
		return
	}
	for slot, g := range l.flight[0].slots {
		r.keep(slot, g, l.flight[0].turn)
	}
	l.flight = l.flight[1:]
}

func (r *run) keep(slot uint16, g *slotGroup, turn int) {
	l := r.ledger
	for id, t := range g.threads {
		l.kept[id] = t
	}
	for _, f := range g.facts {
		switch {
		case f.event != 0 && f.idle:
			l.idles[target{f.event, f.id}] = true
		case f.event != 0:
			r.keepEvent(f.event, f.id, turn)
		case f.letter != "":
			l.letters[letterAt{slot, f.number}] = idFact{f.id, f.fact}
		case f.command != 0:
			if l.commands[f.command]++; l.commands[f.command] > 1 {
				r.fail("command %d was carried out twice at %v", f.command, f.id)
			}
		case f.said != nil:
			r.keepSaid(request{slot, f.said.seq}, f.said)
		case f.heard != request{}:
			r.keepHeard(f.heard, f.id)
		case f.ask != 0:
			q := request{slot, f.ask}
			if l.asks[q] != nil {
				r.fail("thread %v makes request %v, whose number was given to another one before", f.id, q)
			}
			l.asks[q] = &asked{service: f.service, args: f.args, id: f.id}
		case f.closed != 0:
			if a := l.asks[request{slot, f.closed}]; a != nil {
				a.closed = true
			}
		case f.ended != nil:
			l.ended[*f.ended] = true
			l.endings[ending{f.ended.id.Activity, f.ended.action, f.ended.status}]++
		}
	}
}

// keepEvent notes that an event had its effect at a thread: once, in the order of its source, and for one content of its key.
func (r *run) keepEvent(n int64, id activity.ID, turn int) {
	l, p := r.ledger, r.posts[n]
	at := target{n, id}
	if l.effects[at]++; l.effects[at] > 1 {
		r.fail("event %d was applied twice at %v", n, id)
	}
	src := source{p.source, id}
	if l.latest[src] >= n && !l.idles[at] { // what found no use is evaluated anew when it comes again
		r.fail("event %d of %s was applied at %v after event %d of the same source", n, p.source, id, l.latest[src])
	}
	l.latest[src] = max(l.latest[src], n)
	if p.key != "" {
		first := l.owner[p.key]
		if first.event != 0 && first.event != n {
			r.fail("event %d was applied although its key %s is that of event %d with another content", n, p.key, first.event)
		}
		if first.event == 0 {
			l.owner[p.key] = claim{n, turn}
		}
	}
}

// survive finds out, slot by slot, which of the turns under way at a death are on disk.
func (r *run) survive() error {
	l := r.ledger
	slots := map[uint16]bool{}
	for _, g := range l.flight {
		for slot := range g.slots {
			slots[slot] = true
		}
	}
	for _, slot := range sorted(slots) {
		var groups []*slotGroup
		for _, g := range l.flight {
			if g.slots[slot] != nil {
				groups = append(groups, g.slots[slot])
			}
		}
		if err := r.surviveSlot(slot, groups); err != nil {
			return err
		}
	}
	l.flight, l.open = nil, newGroup()
	for key, c := range l.owner {
		l.owner[key] = claim{event: c.event}
	}
	l.now = make(map[activity.ID]thread, len(l.kept))
	for id, t := range l.kept {
		l.now[id] = t
	}
	return nil
}

// surviveSlot takes the longest run of turns whose threads the disk shows: what a slot does in a turn lands whole or not at all.
func (r *run) surviveSlot(slot uint16, groups []*slotGroup) error {
	l := r.ledger
	touched := map[activity.ID]bool{}
	for _, g := range groups {
		for id := range g.threads {
			touched[id] = true
		}
	}
	story := ""
	for n := len(groups); n >= 0; n-- {
		fit := true
		for id := range touched {
			t := l.kept[id]
			for _, g := range groups[:n] {
				if later, ok := g.threads[id]; ok {
					t = later
				}
			}
			got, err := r.stored(id)
			if err != nil {
				return err
			}
			if want := t.String(); got != want {
				fit = false
				story += fmt.Sprintf("\n    with %d turns %v is %s\n      on disk %s", n, id, want, got)
			}
		}
		if fit {
			var err error
			if fit, err = r.leftIn(slot, groups, n); err != nil {
				return err
			}
		}
		if !fit {
			continue
		}
		for i, g := range groups {
			if i < n {
				r.keep(slot, g, 0)
				continue
			}
			for _, f := range g.facts {
				if f.event != 0 && f.idle {
					l.idles[target{f.event, f.id}] = true
				}
			}
		}
		r.note("  slot %d kept %d of %d turns", slot, n, len(groups))
		return nil
	}
	r.fail("slot %d holds no whole number of the %d turns that were under way%s", slot, len(groups), story)
	return nil
}

// leftIn reports whether just what the first n turns left beside the threads lies on disk: ended runs, as a run may begin and end in one turn, dead
// letters, and how far the slot has taken what other slots' threads have sent.
func (r *run) leftIn(slot uint16, groups []*slotGroup, n int) (bool, error) {
	for i, g := range groups {
		for _, f := range g.facts {
			if f.letter != "" {
				_, _, there, err := r.node.store.DeadLetter(store.DeadID{Slot: slot, TimeMs: f.atMs, Seq: f.number})
				if err != nil || there != (i < n) {
					return false, err
				}
			}
			if f.heard != (request{}) {
				if taken, err := r.taken(slot, f.heard); err != nil || taken != (i < n) {
					return false, err
				}
			}
			if f.ended == nil {
				continue
			}
			t, err := r.node.store.Ended(slot, f.id, f.ended.run)
			there := t.Status == f.ended.status
			if err == nil && !there && i < n {
				there, err = r.forgotten(slot, f)
			}
			if err != nil || there != (i < n) {
				return false, err
			}
		}
	}
	return true, nil
}

// forgotten reports whether a later one of the turns under way, which is on disk, too, has deleted an ended run: it moved the slot's timer cursor over
// the end of the run's time, which only a turn behind the one that ended the run can.
func (r *run) forgotten(slot uint16, f idFact) (bool, error) {
	meta, err := r.node.store.SlotMeta(slot)
	return meta.CursorMs >= f.ended.atMs+retentionMs, err
}

// promised looks whether all that was acknowledged is on disk: each event once at each of its threads, or idle there.
func (r *run) promised() {
	l := r.ledger
	for _, p := range r.order {
		if !p.acked && (p.feed == nil || p.position >= p.feed.told) {
			continue
		}
		for _, id := range p.targets {
			at := target{p.n, id}
			if l.effects[at] == 0 && !l.idles[at] {
				r.fail("event %d (%s %s, position %d) was acknowledged, but %v has never seen it", p.n, p.source, p.key, p.position, id)
			}
		}
	}
	for _, c := range r.orders {
		if c.acked && l.commands[c.n] != 1 {
			r.fail("command %d (%s at %v) was answered as taken, but was carried out %d times", c.n, c.name, c.id, l.commands[c.n])
		}
	}
}
