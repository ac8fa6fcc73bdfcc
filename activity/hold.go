package activity

import "fmt"

// RecheckMs is how often a thread that stalled for want of its definition or a service looks whether it is back, should nothing else wake it.
const RecheckMs = 10 * 60_000

// The reasons of threads that go on by themselves when what they miss is back.
const (
	reasonNoDefinition = "definition_missing"
	ReasonNoService    = "service_missing" // a computed name is that of no service
)

// Recoverable reports whether a stalled thread goes on by itself: it only misses what may come back. Others wait for an operator.
func (t *Thread) Recoverable() bool {
	return t.Reason == reasonNoDefinition || t.Reason == ReasonNoService
}

// pinned returns the version by which the thread lives, nil when it cannot be loaded.
func (s *Scope) pinned() *Bound { return s.activity.Versions[s.thread.Version] }

// held reports whether threads of a version stand still because their activity is paused.
func (s *Scope) held(b *Bound) bool { return held(s.activity, b) }

func held(a *Activity, b *Bound) bool {
	return a.State == ActivityPaused && (b == nil || !b.Settings.PauseContinueOld)
}

type gate uint8

const (
	gateOpen gate = iota
	gateShut      // the thread cannot take the message now: it waits
	gateGone      // the thread has just ended
)

// gate looks whether a live thread can take a message now. One whose version is gone stalls; one whose version was disabled fails.
func (s *Scope) gate(b *Bound) gate {
	t := s.thread
	moving := t.Status == Waiting || t.Status == Running
	switch {
	case s.held(b):
		return gateShut
	case b == nil:
		if moving {
			s.stall(reasonNoDefinition, fmt.Sprintf("version %s of definition %s, to which the thread is pinned, cannot be loaded: it was deleted, or a service or strategy that it names is gone",
				t.Version, s.activity.Definition))
		}
		return gateShut
	case moving && !b.Enabled:
		s.bound = b
		s.end(Failed, "def_not_enable", fmt.Sprintf("version %s of definition %s is disabled", t.Version, s.activity.Definition))
		return gateGone
	case t.Status != Waiting:
		return gateShut
	}
	return gateOpen
}

func (s *Scope) stall(reason, text string) {
	t := s.thread
	t.PausedFrom, t.Status = t.Status, Stalled
	t.Reason, t.Error = reason, text
	s.changed = true
	s.log("stalled")
}

// killedWith ends a thread whose activity was killed before the clean-up came by, whatever the message is.
func (s *Scope) killedWith(m Message) Verdict {
	s.end(Killed, "activity_killed", "")
	s.settleAlarm()
	t := s.thread
	t.UpdatedMs = s.NowMs
	v := Verdict{Kind: VerdictLate, Clause: -1, Action: t.Action, Status: t.Status}
	if c, ok := m.(*Command); ok {
		if v.Kind = VerdictDropped; canonical(c.Name) == "kill" {
			v.Kind = VerdictTaken
		}
		v.Error = "the activity is killed, and with it the thread"
	}
	return v
}

// wake lets the thread go on if what held it is over; settleAlarm then sets its alarm, and its mail is handed over.
func (s *Scope) wake() Verdict {
	t := s.thread
	b := s.pinned()
	if !t.Status.Live() || b == nil || s.held(b) {
		return verdict(VerdictDropped)
	}
	if t.Status == Stalled && t.Recoverable() {
		s.goOn()
	}
	s.changed = true
	return verdict(VerdictTaken)
}

// NeedsWake reports whether a thread stands still although what held it is over: its activity was paused or what it misses was gone.
func NeedsWake(a *Activity, t *Thread) bool {
	still := false
	switch t.Status {
	case Stalled:
		still = t.Recoverable()
	case Waiting:
		still = t.Unoffered() || t.Problem == "" && t.AlarmDue != 0 && t.Alarm == AlarmRow{} // the alarm of one that waits for repair rests
	case Running:
		still = t.Alarm == AlarmRow{}
	}
	if !still || a.State == ActivityKilled {
		return false
	}
	b := a.Versions[t.Version]
	return b != nil && !held(a, b)
}

// TakesMail reports whether mail that waits for a thread can be handed over: to a thread that waits for messages, or, where it has ended, to the
// trigger.
func TakesMail(a *Activity, t *Thread) bool {
	if !t.Status.Live() {
		return true
	}
	if t.Status != Waiting {
		return false
	}
	b := a.Versions[t.Version]
	return b != nil && !held(a, b)
}

// log leaves a line of the thread's log if "$thread_log" wants the operation.
func (s *Scope) log(operation string) {
	b := s.bound
	if b == nil {
		if b = s.pinned(); b == nil {
			return
		}
	}
	l := &b.Settings.ThreadLog
	if !l.Set {
		if operation != "schedule_error" {
			return
		}
	} else if !l.Wants(operation) {
		return
	}
	t := s.thread
	s.Effects = append(s.Effects, &Log{Operation: operation, Definition: s.activity.Definition, Version: t.Version, Action: t.Action, Status: t.Status,
		Vars: t.Vars, Error: t.Error, Unset: !l.Set})
}
