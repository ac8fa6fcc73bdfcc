package engine

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/slots"
)

// Kinds of dead letters: what the message was.
const (
	kindEvent   = "event"
	kindReply   = "reply"
	kindCommand = "command"
	kindAlarm   = "alarm"
)

// reasonDecode is why a message that could not be read is a dead letter.
const reasonDecode = "decode"

// letterBook knows how many dead letters there are and how old the oldest of each slot is. The numbers lie in the store, written in the group of
// the letters themselves; what is here is bounded by the number of slots.
type letterBook struct {
	letters, bytes atomic.Int64
	slots          []store.DeadTotals // by slot; OldestMs may be too early, never too late. The last one is the node's
	minute         int64              // of the engine's time, in which their age was looked at last
	turn           uint64
	gone           map[store.DeadID]uint64 // letters deleted lately → the turn: what a turn reads may be older than what the one before it writes
	seq            uint64                  // last number of a letter without a slot
}

// goneTurns is how long deleted letters are remembered: more turns than can be under way at once.
const goneTurns = 8

// countLetters reads the totals of every slot, three rows each, and the last number of the letters without a slot.
func (e *Engine) countLetters() error {
	b := &e.dead
	b.slots, b.gone = make([]store.DeadTotals, len(e.slots)+1), map[store.DeadID]uint64{}
	for i := range b.slots {
		slot := uint16(i)
		if i == len(e.slots) {
			slot = store.NodeSlot
		}
		totals, err := e.store.DeadTotals(slot)
		if err != nil {
			return err
		}
		b.slots[i] = totals
		b.letters.Add(totals.Letters)
		b.bytes.Add(totals.Bytes)
	}
	last, _, _, err := e.store.FindDead(store.DeadFilter{Slots: []uint16{store.NodeSlot}}, nil, 1, 1)
	if len(last) > 0 {
		b.seq = last[0].Seq
	}
	return err
}

func (b *letterBook) of(slot uint16) *store.DeadTotals {
	if slot == store.NodeSlot {
		return &b.slots[len(b.slots)-1]
	}
	return &b.slots[slot]
}

// keepLetter writes a dead letter into the present slot of the batch and counts it.
func (t *turn) keepLetter(into *store.Batch, letter *store.DeadLetter) {
	bytes := into.PutDeadLetter(letter)
	b := &t.e.dead
	s := b.of(letter.Slot)
	if s.Letters == 0 {
		s.OldestMs = letter.TimeMs
	}
	s.Letters++
	s.Bytes += bytes
	b.letters.Add(1)
	b.bytes.Add(bytes)
	t.e.stats.DeadLetters.Add(1)
}

// removeLetter deletes a letter of the present slot of the batch.
func (t *turn) removeLetter(from *store.Batch, id store.DeadID, bytes int64) {
	from.DeleteDeadLetter(id, bytes)
	b := &t.e.dead
	s := b.of(id.Slot)
	s.Letters--
	s.Bytes -= bytes
	b.letters.Add(-1)
	b.bytes.Add(-bytes)
}

// letterOf makes the letter of a message that a thread could not take.
func (t *turn) letterOf(slot uint16, tw *threadWork, d delivery, why *activity.Discard) *store.DeadLetter {
	letter := &store.DeadLetter{Slot: slot, TimeMs: t.nowMs, Seq: d.number, Reason: why.Reason, Error: why.Err.Error(),
		Activity: tw.id.Activity, Domain: tw.id.Domain, Action: tw.now.Action, Source: "engine"}
	if d.part != nil {
		r := d.part.record
		letter.Source, letter.Position, letter.Message = r.Source, r.Position, r.Raw
		if again := r.letter; again != nil {
			letter.Position, letter.Message, letter.Kind, letter.Replays = again.Position, again.Message, again.Kind, again.Replays+1
			return letter
		}
	}
	kind, text := t.describe(slot, tw.id, d.message)
	letter.Kind = kind
	if len(letter.Message) == 0 {
		letter.Message = text
	}
	return letter
}

// describe writes a message as JSON: events, replies and commands in the form in which they can be posted.
func (t *turn) describe(slot uint16, id activity.ID, m activity.Message) (kind string, text []byte) {
	switch m := m.(type) {
	case activity.Carried:
		return kindEvent, messagebus.EncodeEvent(m.Event)
	case *activity.Reply:
		r := messagebus.Reply{Activity: id.Activity, Domain: id.Domain, Action: m.Action, TimeMs: m.TimeMs}
		if m.Seq != 0 {
			r.RequestID = t.requestID(slot, m.Seq)
		}
		if m.Result != nil {
			r.Result = *m.Result
		}
		return kindReply, messagebus.EncodeReply(&r)
	case *activity.Command:
		attr := map[string]any{"activity": int64(id.Activity), "domain": id.Domain, "command": m.Name}
		if m.Args != nil {
			attr["args"] = m.Args
		}
		return kindCommand, messagebus.EncodeValue(nil, map[string]any{"type": "SYSTEM", "attr": attr, "time": m.TimeMs})
	case *activity.Alarm:
		return kindAlarm, messagebus.EncodeValue(nil, map[string]any{"type": kindAlarm, "kind": alarmNames[m.Kind], "due": m.DueMs, "run": fmt.Sprint(m.Run), "visit": fmt.Sprint(m.Visit)})
	}
	return "", nil
}

var alarmNames = map[activity.AlarmKind]string{activity.AlarmAction: "action", activity.AlarmYield: "yield", activity.AlarmRetention: "retention", activity.AlarmRetry: "retry", activity.AlarmRecheck: "recheck"}

// buryUndecoded keeps what could not be read. It concerns no slot, but for what a thread sent: that goes into the group in which its slot notes that
// it has taken it.
func (t *turn) buryUndecoded(r *record) {
	letter := &store.DeadLetter{Slot: store.NodeSlot, TimeMs: t.nowMs, Reason: reasonDecode, Error: r.Err.Error(), Source: r.Source, Position: r.Position, Message: r.Raw}
	if r.mail != nil {
		letter.Slot, _ = store.IsSlot(r.mail.row.Destination)
		letter.Activity, letter.Domain = r.mail.row.To.Activity, r.mail.row.To.Domain
		letter.Seq = t.number(letter.Slot)
		t.slot(letter.Slot).numbers = true
	} else {
		t.e.dead.seq++
		letter.Seq = t.e.dead.seq
	}
	if r.letter != nil {
		letter.Position, letter.Replays = r.letter.Position, r.letter.Replays+1
	}
	t.batch.Begin(letter.Slot)
	t.keepLetter(t.batch, letter)
	r.verdict(messagebus.Verdict{Verdict: activity.Verdict{Kind: activity.VerdictDead, Clause: -1, Error: r.Err.Error()}})
}

// Bounds of one turn's dropping: what is left comes with the next turns.
const (
	dropRows  = 1000
	dropReads = 64
)

// boundLetters drops the oldest letters when they take too many bytes or are too old. Their age is looked at once a minute.
func (t *turn) boundLetters() {
	e, b := t.e, &t.e.dead
	b.turn++
	for id, turn := range b.gone {
		if turn+goneTurns < b.turn {
			delete(b.gone, id)
		}
	}
	before := int64(math.MinInt64)
	if e.o.MaxDeadLetterAgeMs > 0 {
		before = t.nowMs - e.o.MaxDeadLetterAgeMs
	}
	minute := t.nowMs / 60_000
	if !t.tooManyLetters() && minute == b.minute {
		return
	}
	b.minute = minute
	var dropped, bytes int64
	for range dropReads {
		slot, next, ok := b.oldest()
		if !ok || dropped >= dropRows || (!t.tooManyLetters() && b.of(slot).OldestMs >= before) {
			break
		}
		n, size, err := t.dropOldest(slot, next, before)
		if err != nil {
			e.o.Fatal(err)
			return
		}
		dropped, bytes = dropped+n, bytes+size
	}
	if dropped > 0 {
		e.stats.DeadLettersDropped.Add(dropped)
		e.warn("the oldest dead letters are dropped: there are too many, or they are too old", fmt.Errorf("%d letters of %d bytes", dropped, bytes))
	}
}

func (t *turn) tooManyLetters() bool {
	most := t.e.o.MaxDeadLetterBytes
	return most > 0 && t.e.dead.bytes.Load() > most
}

// oldest returns the slot with the oldest letter and the time of the oldest one of all others.
func (b *letterBook) oldest() (slot uint16, next int64, ok bool) {
	first, next := int64(math.MaxInt64), int64(math.MaxInt64)
	for i := range b.slots {
		s := &b.slots[i]
		switch {
		case s.Letters <= 0:
		case s.OldestMs < first:
			first, next = s.OldestMs, first
			slot, ok = uint16(i), true
			if i == len(b.slots)-1 {
				slot = store.NodeSlot
			}
		default:
			next = min(next, s.OldestMs)
		}
	}
	return slot, next, ok
}

// dropOldest drops letters of a slot that are older than before, and others up to the time next while there are too many.
func (t *turn) dropOldest(slot uint16, next, before int64) (dropped, bytes int64, err error) {
	const most = 100
	rows, err := t.e.store.OldestDead(slot, most, nil)
	if err != nil {
		return 0, 0, err
	}
	b := &t.e.dead
	t.batch.Begin(slot)
	for _, row := range rows {
		if _, gone := b.gone[row.ID]; gone {
			continue
		}
		if row.ID.TimeMs >= before && (row.ID.TimeMs > next || !t.tooManyLetters()) {
			b.of(slot).OldestMs = row.ID.TimeMs
			return dropped, bytes, nil
		}
		t.removeLetter(t.batch, row.ID, row.Bytes)
		b.gone[row.ID] = b.turn
		dropped, bytes = dropped+1, bytes+row.Bytes
	}
	if len(rows) == most {
		b.of(slot).OldestMs = rows[most-1].ID.TimeMs
	} else {
		b.of(slot).OldestMs = t.nowMs // what is left of the count was written by this turn
	}
	return dropped, bytes, nil
}

// DeadLetterUsage returns how many dead letters there are and what they take. Safe for concurrent use.
func (e *Engine) DeadLetterUsage() (letters, bytes int64) {
	return e.dead.letters.Load(), e.dead.bytes.Load()
}

// DeadLetter reads one dead letter. Safe for concurrent use; only synced state is seen.
func (e *Engine) DeadLetter(id store.DeadID) (letter store.DeadLetter, ok bool, err error) {
	letter, _, ok, err = e.store.DeadLetter(id)
	return letter, ok, errors.Join(err, e.shown())
}

// maxLettersSeen bounds what one listing looks at: a filter may take few of many.
const maxLettersSeen = 10_000

// FindDeadLetters lists up to limit letters that a filter takes, after the one named (nil: from the start). last is where to go on while more
// is true; a page may be short, or even empty, and yet not be the last one. f.Slots is set here.
func (e *Engine) FindDeadLetters(f store.DeadFilter, after *store.DeadID, limit int) (letters []store.DeadLetter, last store.DeadID, more bool, err error) {
	if f.Domain != "" {
		f.Slots = []uint16{slots.Of(f.Domain, uint16(len(e.slots)))}
	}
	letters, last, more, err = e.store.FindDead(f, after, limit, maxLettersSeen)
	return letters, last, more, errors.Join(err, e.shown())
}
