package activity

import (
	"fmt"
	"math"
	"strconv"

	"github.com/weftbox/weftbox/expr"
)

// SeenAll as Thread.Seen says that the present visit was offered all mail there is.
const SeenAll = math.MaxUint64

// StepMail is Step for a message that waited in the thread's mailbox as the given row. One that is kept again stays there as it is.
func StepMail(s *Scope, a *Activity, t *Thread, row uint64, given Message, number uint64, nowMs int64) (Verdict, error) {
	return step(s, a, t, row, given, number, nowMs)
}

// Unoffered reports whether mail may wait that the present visit was not offered yet.
func (t *Thread) Unoffered() bool { return t.Parked > 0 && t.Seen != SeenAll }

// park keeps a message for a thread that yielded, is paused or stalled, or whose activity is paused.
func (s *Scope) park(m Message) (Verdict, error) {
	t := s.thread
	if t.Parked >= MaxParked {
		return verdict(VerdictDead), &Discard{"mailbox_full", fmt.Errorf("%d messages wait already", MaxParked)}
	}
	row := s.rowOf(m)
	if t.Seen >= row {
		t.Seen = row - 1
	}
	t.Parked++
	s.shelved, s.changed = !s.changed, true
	s.Effects = append(s.Effects, &Park{Row: row, Message: m})
	return verdict(VerdictParked), nil
}

// unwanted says what becomes of a message for which the current action has no use: an event is kept for a later action where "$mailbox" says so,
// up to its limit.
func (s *Scope) unwanted(m Message) Verdict {
	box, t := &s.bound.Settings.Mailbox, s.thread
	if _, isEvent := m.(Carried); !isEvent || !box.Keep {
		return verdict(VerdictDropped)
	}
	if int(t.Kept) >= box.Limit || t.Parked >= MaxParked {
		v := verdict(VerdictDropped)
		v.Error = fmt.Sprintf("the mailbox is full: %d messages are kept", t.Kept)
		return v
	}
	row := s.rowOf(m)
	if s.row == 0 || t.Seen == SeenAll {
		t.Seen = SeenAll // it was offered on its way, and all others were before it
	} else {
		t.Seen = max(t.Seen, row)
	}
	t.Parked++
	t.Kept++
	s.changed = true
	s.Effects = append(s.Effects, &Park{Row: row, Message: m, Kept: true})
	return verdict(VerdictKept)
}

// Rows are ordered by priority, then by arrival: a row is the delivery's number with the priority above it.
const (
	rowBits     = 48 // of a delivery's number
	maxPriority = 1<<15 - 1
)

// rowOf returns the place of a message in the mailbox. Without a priority expression it is the delivery's number; so are those of answers, which
// come before all events.
func (s *Scope) rowOf(m Message) uint64 {
	if s.row != 0 {
		return s.row
	}
	b := s.pinned()
	event, isEvent := m.(Carried)
	if b == nil || b.Settings.Mailbox.Priority == nil || !isEvent {
		return s.number
	}
	saved, config := s.Event, s.Config
	s.Event, s.Config = event.Event, b.Config
	priority := int64(0) // one that cannot be computed is none
	if v, err := b.Settings.Mailbox.Priority.Eval(&s.Scope); err == nil {
		if f, err := strconv.ParseFloat(expr.Text(v), 64); err == nil && f == f {
			priority = int64(min(max(f, -maxPriority), maxPriority))
		}
	}
	s.Event, s.Config = saved, config
	return uint64(maxPriority+1-priority)<<rowBits | s.number
}
