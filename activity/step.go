package activity

import (
	"errors"
	"fmt"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// Limits of a step.
const (
	MaxActions = 1000 // actions one message may run before the thread yields; "$schedule.max_continue_periods" sets another
	MaxSends   = 1000 // requests and events one message may send before the thread yields
	MaxParked  = 1000 // messages that may wait for a yielded or paused thread
)

// Discard says that a step must leave no trace: the message becomes a dead letter with this reason, the thread stays as it was.
type Discard struct {
	Reason string // "limit", "trigger", "mailbox_full", "service_missing", "panic"
	Err    error
}

func (d *Discard) Error() string { return d.Reason + ": " + d.Err.Error() }
func (d *Discard) Unwrap() error { return d.Err }

// Step gives one message to one thread and says what became of it; what it wants done is in s.Effects. number is the delivery's number
// in its slot, nowMs the turn's time. Only t is changed; an absent or ended t may become a new thread if m is an event that the trigger
// takes. given is not changed. The error is always a *Discard: the caller then puts t back as it was and drops the effects.
func Step(s *Scope, a *Activity, t *Thread, given Message, number uint64, nowMs int64) (v Verdict, err error) {
	return step(s, a, t, 0, given, number, nowMs)
}

func step(s *Scope, a *Activity, t *Thread, row uint64, given Message, number uint64, nowMs int64) (v Verdict, err error) {
	s.begin(a, t, number, nowMs)
	s.row = row
	v.Clause = -1
	if a.State == ActivityKilled && t.Status.Live() {
		return s.killedWith(given), nil
	}
	switch m := given.(type) {
	case Carried:
		v, err = s.event(&m, given)
	case *Command:
		v, err = s.command(m)
	case *Reply:
		v, err = s.reply(m)
	case *Alarm:
		v, err = s.alarm(m)
	case *Wake:
		v = s.wake()
	}
	if err != nil {
		return v, err
	}
	if s.changed {
		s.settleAlarm()
		if !s.shelved {
			t.UpdatedMs = nowMs
		}
	}
	v.Action, v.Status = t.Action, t.Status
	if t.Status == Failed && v.Error == "" {
		v.Error = t.Error
	}
	return v, nil
}

func verdict(kind VerdictKind) Verdict { return Verdict{Kind: kind, Clause: -1} }

// event gives an event to the thread; given is m as the message it came as.
func (s *Scope) event(m *Carried, given Message) (Verdict, error) {
	t := s.thread
	if !t.Status.Live() {
		return s.birth(m)
	}
	b := s.pinned()
	if b != nil && !m.Direct && !contains(m.Strategies, b.Definition.Strategy) {
		return verdict(VerdictDropped), nil
	}
	switch s.gate(b) {
	case gateShut:
		return s.park(given)
	case gateGone:
		return verdict(VerdictTaken), nil
	}
	s.enter(b)
	s.Event = m.Event
	return s.receive(given)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func (s *Scope) birth(m *Carried) (Verdict, error) {
	b := s.activity.Latest
	if m.Direct || b == nil || s.activity.State != ActivityRunning || !contains(m.Strategies, b.Definition.Strategy) {
		return verdict(VerdictNoTrigger), nil
	}
	t := s.thread
	newborn := Thread{ID: t.ID, Status: Running, Version: b.Version, Action: b.Definition.Actions[0].Name, Run: s.number, CreatedMs: s.NowMs, Parked: t.Parked}
	old := *t
	*t = newborn
	s.enter(b)
	s.Event = m.Event
	ok, err := b.Definition.Trigger.Condition.EvalBool(&s.Scope)
	if err != nil || !ok {
		*t = old
		if err != nil {
			return Verdict{Kind: VerdictError, Clause: -1, Error: err.Error()}, nil
		}
		return verdict(VerdictNoTrigger), nil
	}
	assigns := b.Definition.Trigger.ContextVars
	values, err := s.evalAll(assigns)
	if err != nil {
		return verdict(VerdictDead), &Discard{"trigger", err}
	}
	s.assign(assigns, values)
	s.changed = true
	s.log("spawn_success")
	if err := s.run(); err != nil {
		return verdict(VerdictDead), err
	}
	return verdict(VerdictSpawned), nil
}

// receive offers a message to the action at which the thread waits, and runs on if it was taken.
func (s *Scope) receive(m Message) (Verdict, error) {
	t := s.thread
	s.Action = s.bound.Definition.Action(t.Action)
	if s.Action == nil {
		s.end(Failed, "error", fmt.Sprintf("the definition has no action %q any more", t.Action))
		return verdict(VerdictTaken), nil
	}
	if t.AlarmKind == AlarmRetry {
		return s.unwanted(m), nil // it waits for its next try and for nothing else
	}
	out := s.bound.behaviors[s.Action.Index].Receive(s, m)
	if out.kind == outcomeIgnore {
		return s.unwanted(m), nil
	}
	s.changed = true
	s.log("async_res")
	goOn, err := s.settle(out)
	if err != nil {
		return verdict(VerdictDead), err
	}
	if goOn {
		err = s.run()
	}
	if err != nil {
		return verdict(VerdictDead), err
	}
	return Verdict{Kind: VerdictTaken, Clause: out.clause}, nil
}

// run runs actions until the thread waits, ends or yields.
func (s *Scope) run() error {
	t := s.thread
	limit := s.bound.Settings.MaxActions
	if limit <= 0 {
		limit = MaxActions
	}
	for {
		if s.actions >= limit || int(s.place)+s.emits >= MaxSends {
			t.AlarmDue, t.AlarmKind = s.NowMs+s.bound.Settings.SuspendMs, AlarmYield
			s.log("suspending")
			return nil
		}
		s.actions++
		action := s.bound.Definition.Action(t.Action)
		if action == nil {
			s.end(Failed, "error", fmt.Sprintf("the definition has no action %q", t.Action))
			return nil
		}
		t.Visit++
		if t.Parked > 0 {
			t.Seen = 0 // what the visit before did not want is offered to this one
		}
		s.enter(s.bound)
		s.Action, s.Event, s.Result = action, nil, nil
		out := s.bound.behaviors[action.Index].Start(s)
		started := "sync_exec"
		if out.kind == outcomeWait {
			started = "async_req"
		}
		if !action.Await && out.kind == outcomeWait {
			out = Outcome{kind: outcomeDone, result: &expr.Result{}, clause: -1}
			started = "async_no_await"
		}
		s.log(started)
		goOn, err := s.settle(out)
		if err != nil || !goOn {
			return err
		}
	}
}

// settle carries out a behavior's outcome; goOn says that the thread has an action to run.
func (s *Scope) settle(out Outcome) (goOn bool, err error) {
	switch out.kind {
	case outcomeWait, outcomeIgnore:
		s.thread.Status = Waiting
		return false, nil
	case outcomeFail:
		s.end(Failed, out.reason, "")
		return false, nil
	case outcomeError:
		return false, s.fault(out.err)
	}
	control, err := s.control(out)
	if err != nil {
		return false, s.fault(err)
	}
	if !s.Action.Await && control.Kind == expr.ControlRetry {
		s.end(Failed, "invalid_ctrl", "")
		return false, nil
	}
	return s.apply(control), nil
}

// fault ends the thread with the error's text, or discards the step if a limit was hit.
func (s *Scope) fault(err error) error {
	var e *definitions.EvalError
	if errors.As(err, &e) && e.Limit() {
		return &Discard{"limit", err}
	}
	s.end(Failed, "error", err.Error())
	return nil
}

// control finds what follows an action: the ctrl block's first true when, its default, the action's own control, or a failure.
func (s *Scope) control(out Outcome) (expr.Control, error) {
	s.Result = out.result
	if s.Result == nil {
		s.plainOK = expr.Result{}
		s.Result = &s.plainOK
	}
	s.Event = nil
	clause, err := s.First(s.Action.Ctrl.When, definitions.HeadWhen)
	if err != nil {
		return expr.Control{}, err
	}
	if clause == nil {
		clause = s.Action.Ctrl.Default
	}
	if clause != nil {
		return s.follow(clause)
	}
	if out.kind == outcomeJump {
		return out.control, nil
	}
	if text, ok := s.Result.Data["$ctrl"].(string); ok {
		return expr.ParseControl(text)
	}
	return expr.Control{Kind: expr.ControlFail, Reason: "no_ctrl"}, nil
}

// apply follows a control; true means that the thread has an action to run.
func (s *Scope) apply(c expr.Control) bool {
	t := s.thread
	var spent, before int64
	for c.Kind == expr.ControlRetry {
		before, spent = spent, spent+c.Times
		if int64(t.Retries) < spent {
			return s.again(&c, int64(t.Retries)+1-before)
		}
		if c.Then == nil {
			s.end(Failed, "retry_failure", "")
			return false
		}
		c = *c.Then
	}
	switch c.Kind {
	case expr.ControlCall:
		s.leave()
		t.Retries = 0
		t.Action, t.Status = c.Target, Running
		s.log("running")
		return true
	case expr.ControlRepair:
		s.waitForRepair(c.Reason)
	case expr.ControlFinish:
		s.end(Finished, "", "")
	default:
		s.end(Failed, c.Reason, "")
	}
	return false
}

// leave gives up what the present visit waits for: its alarm (settleAlarm deletes the row) and its open requests.
func (s *Scope) leave() {
	t := s.thread
	t.AlarmDue, t.AlarmKind = 0, 0
	for _, seq := range t.Requests {
		s.Effects = append(s.Effects, &CloseRequest{Seq: seq})
	}
	t.Requests, t.Parts, t.Problem = nil, nil, ""
}

func (s *Scope) end(status Status, reason, text string) {
	s.leave()
	t := s.thread
	t.Status, t.Reason, t.Error = status, reason, text
	t.Retries, t.PausedFrom = 0, Absent
	t.EndedMs = s.NowMs
	s.changed = true
	s.log(endings[status])
	switch status {
	case Finished:
		s.tellMonitors("finished", "", "")
	case Failed:
		s.tellMonitors("failure", "reason", reason)
	}
	if status == Failed && reason == "error" {
		s.log("schedule_error")
	}
}

// endings are the operations of the ends of a thread.
var endings = map[Status]string{Finished: "finished", Failed: "failed", Killed: "killed"}

// settleAlarm brings the alarm row in line with what the thread wants. A row that is due no later than wanted is kept:
// when it fires it is armed again, which is cheaper than a rewrite at every message.
func (s *Scope) settleAlarm() {
	t := s.thread
	due, kind := t.AlarmDue, t.AlarmKind
	switch {
	case t.Status == Stalled && t.Recoverable():
		if due, kind = s.NowMs+RecheckMs, AlarmRecheck; t.Alarm.Kind == kind {
			return
		}
	case t.Status == Paused, t.Status == Stalled, t.Problem != "", s.activity.State == ActivityPaused && t.Status.Live() && s.held(s.pinned()):
		return
	}
	none := AlarmRow{}
	if t.Alarm != none && (due == 0 || t.Alarm.DueMs > due || t.Alarm.Kind != kind) {
		s.Effects = append(s.Effects, &CancelTimer{Row: t.Alarm, Run: t.Run})
		t.Alarm = none
	}
	if due != 0 && t.Alarm == none {
		if due < s.NowMs { // a row behind the cursor would never fire
			due = s.NowMs
		}
		t.Alarm = AlarmRow{DueMs: due, Visit: t.Visit, Kind: kind}
		s.Effects = append(s.Effects, &SetTimer{Row: t.Alarm, Run: t.Run})
	}
}
