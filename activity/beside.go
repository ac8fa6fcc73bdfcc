package activity

import "github.com/weftbox/weftbox/expr"

// Part is one of several things that a thread waits for at one action: an action that was started beside others, or with Action "" an alarm of
// the waiting action's own.
type Part struct {
	Action string
	Place  uint16 // the caller's number for it
	Seq    uint64 // the outbox number of its open request; 0: it has none
	DueMs  int64  // when its alarm is due; 0: it has none
}

// Waits reports whether the action goes on waiting.
func (o Outcome) Waits() bool { return o.kind == outcomeWait || o.kind == outcomeIgnore }

// Result returns how the action ended, nil if it did not end with a result.
func (o Outcome) Result() *expr.Result {
	switch {
	case o.kind != outcomeDone:
		return nil
	case o.result == nil:
		return &expr.Result{}
	}
	return o.result
}

// StartBeside starts another action of the definition while the thread stays at the present one. Its answer and its alarm come to the
// Receive of the present action, which passes them on by ReceiveBeside. ok is false if no action of the name can be run like this. An action that
// does not wait (await: false) has ended when the call returns.
func (s *Scope) StartBeside(name string, place uint16) (out Outcome, ok bool) {
	part := s.bound.Definition.Action(name)
	if part == nil || !part.Spec.Beside {
		return Outcome{}, false
	}
	t, own, requests := s.thread, s.Action, len(s.thread.Requests)
	t.AlarmDue, t.AlarmKind = 0, 0
	s.Action = part
	out = s.bound.behaviors[part.Index].Start(s)
	s.Action = own
	if out.Waits() && part.Await {
		p := Part{Action: name, Place: place, DueMs: t.AlarmDue}
		if len(t.Requests) > requests {
			p.Seq = t.Requests[len(t.Requests)-1]
		}
		t.Parts = append(t.Parts[:len(t.Parts):len(t.Parts)], p)
	}
	s.wakeForParts()
	return out, true
}

// WakeBeside sets an alarm of the present action's own beside those of the actions that it started, delayMs from now.
func (s *Scope) WakeBeside(delayMs int64) {
	s.Wake(delayMs)
	t := s.thread
	t.Parts = append(t.Parts[:len(t.Parts):len(t.Parts)], Part{DueMs: t.AlarmDue})
	s.wakeForParts()
}

// ReceiveBeside gives a reply or an alarm to the part that it is for: part is that, with Action "" for an alarm set by WakeBeside, and out what
// the part's action answered. ok is false if it is for none; as several parts may be due at once, an alarm is passed on until then.
func (s *Scope) ReceiveBeside(m Message) (part Part, out Outcome, ok bool) {
	t := s.thread
	i := s.partOf(m)
	if i < 0 {
		s.wakeForParts()
		return Part{}, Ignore(), false
	}
	part = t.Parts[i]
	rest := make([]Part, 0, len(t.Parts))
	rest = append(append(rest, t.Parts[:i]...), t.Parts[i+1:]...)
	t.Parts = rest
	if part.Action == "" {
		return part, Ignore(), true
	}
	action := s.bound.Definition.Action(part.Action)
	if action == nil { // the version's text was changed
		return part, Fail("invalid_argument"), true
	}
	own := s.Action
	t.AlarmDue, t.AlarmKind = 0, 0
	s.Action = action
	out = s.bound.behaviors[action.Index].Receive(s, m)
	s.Action = own
	if out.Waits() {
		part.DueMs = t.AlarmDue
		t.Parts = append(t.Parts, part)
	} else if _, late := m.(*Alarm); late && part.Seq != 0 {
		s.close(part.Seq)
	}
	s.wakeForParts()
	return part, out, true
}

// PartsLeft counts the actions started beside that have not ended, and reports whether an alarm of the present action's own is set.
func (s *Scope) PartsLeft() (actions int, alarm bool) {
	for i := range s.thread.Parts {
		if s.thread.Parts[i].Action == "" {
			alarm = true
		} else {
			actions++
		}
	}
	return actions, alarm
}

// partOf finds whom a message is for: of alarms the one that is due first, an action's before the own one.
func (s *Scope) partOf(m Message) int {
	first := -1
	for i, p := range s.thread.Parts {
		switch m := m.(type) {
		case *Reply:
			if p.Seq == m.Seq && p.Seq != 0 {
				return i
			}
		case *Alarm:
			if p.DueMs == 0 || p.DueMs > s.NowMs {
				continue
			}
			if first < 0 || p.before(&s.thread.Parts[first]) {
				first = i
			}
		}
	}
	return first
}

func (p *Part) before(q *Part) bool {
	if p.DueMs != q.DueMs {
		return p.DueMs < q.DueMs
	}
	return p.Action != "" && q.Action == ""
}

// wakeForParts sets the thread's one alarm to the first of its parts'.
func (s *Scope) wakeForParts() {
	t := s.thread
	t.AlarmDue, t.AlarmKind = 0, 0
	for i := range t.Parts {
		if due := t.Parts[i].DueMs; due != 0 && (t.AlarmDue == 0 || due < t.AlarmDue) {
			t.AlarmDue, t.AlarmKind = due, AlarmAction
		}
	}
}

// Match leads a reply that names no request to the one open request it can be for: of the action where the thread stands, or of an action
// that runs beside others there.
func (t *Thread) Match(r *Reply) {
	found := uint64(0)
	for i := range t.Parts {
		if p := &t.Parts[i]; p.Seq != 0 && p.Action == r.Action {
			if found != 0 {
				return
			}
			found = p.Seq
		}
	}
	if found == 0 && len(t.Requests) == 1 && t.Action == r.Action {
		found = t.Requests[0]
	}
	if found != 0 {
		r.Seq, r.Run, r.Visit = found, t.Run, t.Visit
	}
}
