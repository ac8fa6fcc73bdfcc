package engine

import (
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/slots"
)

// slotWork is what a turn does in one slot: the unit of atomicity.
type slotWork struct {
	slot    uint16
	lane    *lane
	used    bool             // in this turn
	directs []direct         // messages that name their threads, in the order in which they came
	offers  []offer          // events that strategies led to the slot, in the order in which they came
	domains []domainWork     // ascending; made by load
	alarms  []store.DueAlarm // fired: their rows go
	fromMs  int64            // where the timer cursor was before them
	sent    []sent           // outbox rows that were delivered: they go
	highs   map[string]uint64
	raised  []string // sources whose high-water rose
	moved   bool     // the timer cursor moved
	numbers bool     // a number went into a durable row
	counts  map[counterKey]int64
	keys    int64 // idempotency keys remembered
	said    slotVerdicts
	chunks  []*jobChunk   // of batch jobs
	spare   []*threadWork // to be used again
}

type sent struct {
	destination uint32
	seq         uint64
}

type counterKey struct {
	activity uint32
	version  string
	action   string
	status   activity.Status
}

// threadWork is one thread in a turn: its mail, and the thread before and after.
type threadWork struct {
	id       activity.ID
	activity *activity.Activity // an empty one where there is none of that number
	live     *cached            // the live threads of its domain
	mail     [3][]delivery      // by class
	before   place
	now      activity.Thread
	dirty    bool
	box      mailbox
	ended    []activity.Thread
}

// place is what is remembered of a thread as it was before the turn.
type place struct {
	run             uint64
	version, action string
	status          activity.Status
}

func placeOf(th *activity.Thread) place { return place{th.Run, th.Version, th.Action, th.Status} }

// delivery is one message on its way to one thread.
type delivery struct {
	number  uint64
	message activity.Message
	row     uint64 // of the mailbox, out of which it comes; 0: it comes by itself
	part    *part  // of the record whose verdict it gives; nil for alarms and parked mail
	verdict int    // place in part.verdicts
}

func (t *turn) slotNumber(domain string) uint16 { return slots.Of(domain, uint16(len(t.e.slots))) }

func (t *turn) slotOf(domain string) *slotWork { return t.slot(t.slotNumber(domain)) }

func (t *turn) slot(n uint16) *slotWork {
	w := t.work[n]
	if w == nil {
		w = &slotWork{slot: n, lane: t.e.laneOf(n), highs: map[string]uint64{}, counts: map[counterKey]int64{}}
		t.work[n] = w
	}
	if !w.used {
		w.used = true
		t.touched = append(t.touched, n)
	}
	return w
}

// maxSpare bounds the threadWorks that a turn keeps for all slots, maxSpareMail the room for mail that each keeps: only few threads are hot, but each
// turn another threadWork serves them.
const (
	maxSpare     = 16_000
	maxSpareMail = 16
)

// reset makes the slot's work empty, so that its memory serves a later turn.
func (w *slotWork) reset() {
	for i := range w.domains {
		d := &w.domains[i]
		for _, tw := range d.threads {
			w.keepSpare(tw)
		}
		clear(d.threads)
		*d = domainWork{threads: d.threads[:0]}
	}
	clear(w.directs)
	clear(w.offers)
	clear(w.highs)
	clear(w.counts)
	w.said.reset()
	clear(w.chunks)
	*w = slotWork{slot: w.slot, lane: w.lane, said: w.said, chunks: w.chunks[:0], directs: w.directs[:0], offers: w.offers[:0], domains: w.domains[:0], highs: w.highs, counts: w.counts,
		alarms: w.alarms[:0], sent: w.sent[:0], spare: w.spare}
}

// keepSpare takes back an empty threadWork's memory.
func (w *slotWork) keepSpare(tw *threadWork) {
	if len(w.spare) > maxSpare/len(w.lane.e.slots) {
		return
	}
	for class := range tw.mail {
		if cap(tw.mail[class]) > maxSpareMail {
			tw.mail[class] = nil
			continue
		}
		clear(tw.mail[class])
		tw.mail[class] = tw.mail[class][:0]
	}
	*tw = threadWork{mail: tw.mail}
	w.spare = append(w.spare, tw)
}

// spareThread returns an empty one.
func (w *slotWork) spareThread() *threadWork {
	n := len(w.spare)
	if n == 0 {
		return &threadWork{}
	}
	tw := w.spare[n-1]
	w.spare = w.spare[:n-1]
	return tw
}

// send keeps a message for a thread of the slot, to be delivered when the slot is evaluated. p is the slot's part of the record that the
// message came with, nil if it came by itself.
func (w *slotWork) send(id activity.ID, m activity.Message, p *part) {
	w.directs = append(w.directs, direct{id: id, message: m, part: p})
}

// stepSlot loads the slot's threads, gives them their mail and writes what follows.
func (l *lane) stepSlot(w *slotWork) error {
	l.batch.Begin(w.slot)
	l.fire(w)
	for _, s := range w.sent {
		l.batch.DeleteOutbox(s.destination, s.seq)
	}
	if err := l.load(w); err != nil {
		return err
	}
	for i := range w.domains {
		for _, tw := range w.domains[i].threads {
			if err := l.stepThread(w, tw); err != nil {
				return err
			}
			l.writeThread(w, tw)
		}
	}
	l.settleChunks(w)
	if err := l.writeVerdicts(w); err != nil {
		return err
	}
	l.writeSlot(w)
	return nil
}

// fire deletes the rows of the slot's due alarms (many by one range below the new cursor, those at the cursor by their own keys) and the ended
// runs whose time is over.
func (l *lane) fire(w *slotWork) {
	cursorMs, many := l.e.slots[w.slot].CursorMs, len(w.alarms) >= manyAlarms
	if many {
		l.batch.DeleteAlarms(w.fromMs, cursorMs)
	}
	for _, a := range w.alarms {
		if !many || a.Alarm.DueMs >= cursorMs {
			l.batch.DeleteAlarm(a.ID, a.Alarm.Run, activity.AlarmRow{DueMs: a.Alarm.DueMs, Visit: a.Alarm.Visit, Kind: a.Alarm.Kind, N: a.Alarm.N})
		}
		if a.Alarm.Kind == activity.AlarmRetention {
			l.batch.DeleteEnded(a.ID, a.Alarm.Run)
			l.forgetLines(w, a.ID, a.Alarm.Run)
		}
	}
}

// activityOf returns an activity, an empty one where there is none of that number.
func (t *turn) activityOf(number uint32) *activity.Activity {
	if a := t.snap.Activities[number]; a != nil {
		return a
	}
	return &activity.Activity{Number: number}
}

// stepOne gives one message to one thread. A step that must be discarded leaves the thread as it was and the message as a dead letter.
func (l *lane) stepOne(w *slotWork, tw *threadWork, d delivery) {
	a := tw.activity
	if r, ok := d.message.(*activity.Reply); ok && r.Seq == 0 {
		tw.now.Match(r)
	}
	if l.skips(tw, &d) {
		return
	}
	saved := tw.now
	wasLive := saved.Status.Live()
	v, err := l.safeStep(a, tw, d)
	var discard *activity.Discard
	if err == nil {
		discard = l.unfit(&tw.now)
	} else {
		discard = err
	}
	if discard != nil && discard.Reason == activity.ReasonNoService && lacks(&saved, d.message) {
		tw.now = saved
		tw.now.Lack(discard)
		tw.now.UpdatedMs = l.t.nowMs
		v, discard = l.safeStep(a, tw, d) // a stalled thread parks it
	}
	if discard != nil {
		if !fault.On("poison-kept") {
			tw.now = saved
		}
		v = activity.Verdict{Kind: activity.VerdictDead, Clause: -1, Action: saved.Action, Status: saved.Status, Error: discard.Err.Error()}
		l.bury(w, tw, d, discard)
		if _, own := d.message.(*activity.Alarm); own {
			tw.now.Stall(discard)
			tw.now.UpdatedMs = l.t.nowMs
			tw.dirty = true
		}
	} else {
		l.carryOut(w, tw, &d)
		l.count(v, d.message)
	}
	l.observe(w.slot, tw.id, d.number, d.message, v)
	l.note(w, a, tw, &saved, &d, &v)
	if d.part != nil {
		d.part.verdicts[d.verdict].Verdict = v
		if wasLive && v.Kind != activity.VerdictLate || v.Kind == activity.VerdictSpawned || v.Kind == activity.VerdictDead {
			l.applied(w, d.part)
		}
	}
	if tw.now.Status == activity.Killed && tw.now.Parked > 0 { // its mail goes with it
		l.batch.DeleteAllMail(tw.id)
		tw.box.empty()
		tw.now.Parked = 0
	}
	if tw.now.Status.Ended() {
		tw.ended = append(tw.ended, tw.now)
		tw.now = activity.Thread{ID: tw.id, Parked: tw.now.Parked}
	}
}

// lacks reports whether a thread that was given the message waits for a service that is not there: one that lives, and stands still or owes itself work.
// A trigger has no thread that could wait, and a command is its caller's.
func lacks(th *activity.Thread, m activity.Message) bool {
	return (th.Status == activity.Waiting || th.Status == activity.Running) && activity.ClassOf(m) != activity.ClassCommand
}

// safeStep is activity.Step with its panics made into discards.
func (l *lane) safeStep(a *activity.Activity, tw *threadWork, d delivery) (v activity.Verdict, discard *activity.Discard) {
	defer func() {
		if p := recover(); p != nil {
			l.e.o.Log.Error("a step panicked: its effects are dropped and the message is a dead letter", "activity", a.Name, "domain_id", tw.id.Domain, "panic", p, "stack", string(debug.Stack()))
			discard = &activity.Discard{Reason: "panic", Err: fmt.Errorf("%v", p)}
		}
	}()
	v, err := activity.StepMail(&l.scope, a, &tw.now, d.row, d.message, d.number, l.t.nowMs)
	if err != nil {
		discard = err.(*activity.Discard)
	}
	return v, discard
}

// applied remembers that the slot took its part of a record: the record's key and its position go into the slot's group.
func (l *lane) applied(w *slotWork, p *part) {
	r := p.record
	if r.key.Day != 0 && !p.applied {
		l.remember(w, r)
	}
	p.applied = true
	if r.Position > w.highs[r.Source] {
		w.highs[r.Source] = r.Position
		if !slices.Contains(w.raised, r.Source) {
			w.raised = append(w.raised, r.Source)
		}
	}
}
