package activity

import (
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// Scope is what a behavior may see and do during one step: evaluate, set variables, ask a service, set the action's alarm, leave a
// line for people. It belongs to one worker and is reused.
type Scope struct {
	expr.Scope

	// Action is the action the thread stands at.
	Action *definitions.Action
	// Effects are what the last Step wants done, in order. They are valid until the next Step.
	Effects []Effect

	activity *Activity
	bound    *Bound
	thread   *Thread
	number   uint64
	row      uint64 // of the mailbox, out of which the message came; 0: it came by itself
	place    uint16
	actions  int64
	emits    int
	answered uint64 // the request whose answer is at hand
	changed  bool
	shelved  bool // all that changed is that a message waits
	info     expr.ThreadInfo
	values   []any       // scratch of evalAll
	plainOK  expr.Result // the result of an action that has none of its own
}

// Settings are the "$" items that hold for the thread: its version's overlaid by its activity's.
func (s *Scope) Settings() *definitions.Settings { return &s.bound.Settings }

// ID returns the address of the thread.
func (s *Scope) ID() ID { return s.thread.ID }

// Set gives a variable a value. A date is kept as its text, so that what is read does not depend on whether the thread was stored meanwhile.
func (s *Scope) Set(name string, value any) {
	s.thread.Vars = s.thread.Vars.With(name, expr.Stored(value))
	s.Vars = s.thread.Vars
}

// Unset deletes a variable.
func (s *Scope) Unset(name string) {
	s.thread.Vars = s.thread.Vars.Without(name)
	s.Vars = s.thread.Vars
}

// SetAll gives variables values that are all computed before any is set.
func (s *Scope) SetAll(assigns []definitions.Assign) error {
	values, err := s.evalAll(assigns)
	if err != nil {
		return err
	}
	s.assign(assigns, values)
	return nil
}

// Take follows a clause that was chosen: its context_vars and its then both see the variables as they were before it.
func (s *Scope) Take(c *definitions.Clause) Outcome {
	control, err := s.follow(c)
	if err != nil {
		return Error(err)
	}
	return Jump(c.Index, control)
}

func (s *Scope) follow(c *definitions.Clause) (expr.Control, error) {
	values, err := s.evalAll(c.ContextVars)
	if err != nil {
		return expr.Control{}, err
	}
	control, err := c.Then.EvalControl(&s.Scope)
	if err != nil {
		return expr.Control{}, err
	}
	s.assign(c.ContextVars, values)
	return control, nil
}

// evalAll computes the values of assigns into scratch memory that the next call takes again.
func (s *Scope) evalAll(assigns []definitions.Assign) ([]any, error) {
	s.values = s.values[:0]
	for i := range assigns {
		v, err := assigns[i].Value.Eval(&s.Scope)
		if err != nil {
			return nil, err
		}
		s.values = append(s.values, v)
	}
	return s.values, nil
}

func (s *Scope) assign(assigns []definitions.Assign, values []any) {
	for i := range assigns {
		s.Set(assigns[i].Name, values[i])
	}
}

// First returns the first clause of the given head whose condition holds, nil if none does. Default clauses always hold.
func (s *Scope) First(clauses []definitions.Clause, heads ...definitions.Head) (*definitions.Clause, error) {
	for _, head := range heads {
		for i := range clauses {
			c := &clauses[i]
			if c.Head != head {
				continue
			}
			if head != definitions.HeadWhen {
				return c, nil
			}
			ok, err := c.Cond.EvalBool(&s.Scope)
			if err != nil {
				return nil, err
			}
			if ok {
				return c, nil
			}
		}
	}
	return nil, nil
}

// Request asks a service for something. Unless ignore is set, the answer comes as a *Reply of this visit.
func (s *Scope) Request(service string, args any, ignore bool) {
	send := &Send{Place: s.place, Service: service, Action: s.Action.Name, Run: s.thread.Run, Visit: s.thread.Visit, Args: expr.Stored(args), IgnoreResult: ignore}
	s.place++
	s.Effects = append(s.Effects, send)
	if !ignore {
		seq := s.number<<16 | uint64(send.Place)
		requests := make([]uint64, len(s.thread.Requests), len(s.thread.Requests)+1)
		copy(requests, s.thread.Requests)
		s.thread.Requests = append(requests, seq)
	}
}

// Emit sends an event to a service, or with "" to the node's own strategies and threads. It arrives once, after the commit.
func (s *Scope) Emit(service string, e *Event) {
	s.emits++
	s.Effects = append(s.Effects, &Emit{Service: service, Event: e})
}

// Sends returns how many places of the delivery's outbox numbers the last Step has used.
func (s *Scope) Sends() uint16 { return s.place }

// Wake sets the action's alarm delayMs from now; a negative delay is none. Leaving the action cancels it.
func (s *Scope) Wake(delayMs int64) {
	if delayMs < 0 {
		delayMs = 0
	}
	due := s.NowMs + delayMs
	if due < s.NowMs { // beyond the end of time
		due = 1<<63 - 1
	}
	s.WakeAt(due)
}

// WakeAt sets the action's alarm to a moment, Unix ms; one that has passed is now.
func (s *Scope) WakeAt(dueMs int64) {
	s.thread.AlarmDue, s.thread.AlarmKind = max(dueMs, s.NowMs, 1), AlarmAction
}

// Print leaves a line for people; it is printed after the commit.
func (s *Scope) Print(kind, text string) {
	s.Effects = append(s.Effects, &Record{Kind: kind, Text: text})
}

// Changed reports whether the last Step changed the thread.
func (s *Scope) Changed() bool { return s.changed }

func (s *Scope) begin(a *Activity, t *Thread, number uint64, nowMs int64) {
	s.Effects = s.Effects[:0]
	s.activity, s.thread, s.bound, s.Action = a, t, nil, nil
	s.number, s.place, s.emits, s.answered, s.actions, s.changed, s.shelved = number, 0, 0, 0, 0, false, false
	s.NowMs = nowMs
	s.Event, s.Result, s.Config, s.Vars = nil, nil, nil, t.Vars
	s.Scope.Thread = &s.info
}

// enter makes the scope that of the thread's current action: what it sees, and what its draws begin with.
func (s *Scope) enter(b *Bound) {
	t := s.thread
	s.bound = b
	s.Config, s.Vars = b.Config, t.Vars
	s.Reseed(s.number<<20 ^ t.Visit)
	s.info = expr.ThreadInfo{Activity: t.ID.Activity, ActivityName: s.activity.Name, ActivityDisplayName: s.activity.DisplayName,
		ActivityStatus: s.activity.State.String(), ActivityCreatedAtMs: s.activity.CreatedMs, Domain: t.ID.Domain, Definition: s.activity.Definition,
		DefinitionDisplayName: b.Definition.DisplayName, DefinitionDescription: b.Definition.Description,
		Version: b.Version, Action: t.Action, Status: t.Status.String(), CreatedAtMs: t.CreatedMs}
}
