package activity

import (
	"fmt"
	"slices"

	"github.com/weftbox/weftbox/expr"
)

// waitForRepair makes the thread wait for an operator, where it stands: its alarm rests, its open requests stay open, and so does the one whose
// answer was no good, so that a better answer can still come.
func (s *Scope) waitForRepair(problem string) {
	t := s.thread
	if problem == "" {
		problem = "repair"
	}
	t.Problem, t.Status = problem, Waiting
	if seq := s.answered; seq != 0 && len(t.Parts) == 0 {
		s.Effects = slices.DeleteFunc(s.Effects, func(e Effect) bool {
			c, is := e.(*CloseRequest)
			return is && c.Seq == seq
		})
		t.Requests = append(t.Requests[:len(t.Requests):len(t.Requests)], seq)
	}
	s.changed = true
	s.log("repair")
	s.tellMonitors("repair", "problem", problem)
}

// repair carries out the operator's word to a thread that waits for one, or that stalled: {ctrl: retry, waiting or goto, goto: ACTION,
// context_vars: {…}}.
func (s *Scope) repair(m *Command) (Verdict, error) {
	t := s.thread
	ctrl, _ := m.Args["ctrl"].(string)
	target, _ := m.Args["goto"].(string)
	vars, isMap := m.Args["context_vars"].(map[string]any)
	b := s.pinned()
	refuse := func(format string, args ...any) (Verdict, error) {
		return Verdict{Kind: VerdictDropped, Clause: -1, Error: fmt.Sprintf(format, args...)}, nil
	}
	switch {
	case !(t.Status == Waiting && t.Problem != "") && t.Status != Stalled:
		return refuse("invalid_status: repair is for a thread that waits for repair or is stalled; this one is %s", t.Status)
	case b == nil || !b.Enabled || s.held(b):
		return refuse("invalid_status: the thread cannot go on: its activity is paused, or its version is disabled or gone")
	case m.Args["context_vars"] != nil && !isMap:
		return refuse("invalid_argument: context_vars must be a map")
	}
	action := b.Definition.Action(t.Action)
	switch ctrl {
	case "goto":
		if b.Definition.Action(target) == nil {
			return refuse("action_not_found: there is no action %q", target)
		}
		t.Action = target
	case "retry":
		if action == nil {
			return refuse("action_not_found: there is no action %q any more", t.Action)
		}
	case "waiting":
		if action == nil || !action.Spec.Waits {
			return refuse("invalid_status: %s waits for nothing: write retry or goto", t.Action)
		}
	default:
		return refuse("unknown_repair_ctrl: ctrl is %q, it must be retry, waiting or goto", ctrl)
	}
	s.enter(b)
	s.changed = true
	names := make([]string, 0, len(vars))
	for name := range vars {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s.Set(name, vars[name])
	}
	t.Problem, t.Reason, t.Error, t.PausedFrom, t.Retries = "", "", "", Absent, 0
	t.Status = Waiting
	if ctrl == "waiting" {
		return verdict(VerdictTaken), nil
	}
	s.leave()
	t.Status = Running
	if err := s.run(); err != nil {
		return verdict(VerdictDead), err
	}
	return verdict(VerdictTaken), nil
}

// tellMonitors asks the services of "$monitors" to look at the thread: at a repair all of them, at the end those that want to know. Nobody waits
// for their answers, and one that does not exist hurts nobody.
func (s *Scope) tellMonitors(event, key, text string) {
	b := s.bound
	if b == nil {
		if b = s.pinned(); b == nil {
			return
		}
	}
	t := s.thread
	for _, m := range b.Settings.Monitors {
		if m.OnlyRepair && event != "repair" {
			continue
		}
		context := make(map[string]any, len(t.Vars))
		for _, v := range t.Vars {
			context[v.Name] = v.Value
		}
		args := map[string]any{"event": event, "context": context}
		if key != "" {
			args[key] = text
		}
		s.Effects = append(s.Effects, &Send{Place: s.place, Service: m.Service, Action: t.Action, Run: t.Run, Visit: t.Visit, Args: args, IgnoreResult: true, Monitor: true})
		s.place++
	}
}

// maxRetryMs bounds the pause before a retry, which doubles from one to the next.
const maxRetryMs = 24 * 60 * 60 * 1000

// again runs the present action once more: at once, or after the control's delay, doubled with each retry; nth counts from 1. True means that
// the thread has an action to run.
func (s *Scope) again(c *expr.Control, nth int64) bool {
	t := s.thread
	t.Retries++
	s.log("retry")
	s.leave()
	if c.DelayMs <= 0 {
		t.Status = Running
		return true
	}
	delay := int64(maxRetryMs)
	if nth <= 30 && c.DelayMs <= maxRetryMs {
		delay = min(c.DelayMs<<(nth-1), maxRetryMs)
	}
	t.Status = Waiting
	s.Wake(delay)
	t.AlarmKind = AlarmRetry
	return false
}
