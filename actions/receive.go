package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "receive",
		Doc:      "Waits for an event that one of its conditions takes, or, with after, for that long; events that no condition takes are dropped.",
		Example:  "- name: waiting_buy\n  type: receive\n  args:\n    - when: eventAttr(\"behavior\") == \"buy\"\n      then: finish()\n    - after: days(2)\n      then: call(\"notify\")\n",
		Shape:    definitions.ShapeClauses,
		Heads:    []definitions.Head{definitions.HeadWhen, definitions.HeadAfter},
		Required: true,
		Waits:    true,
	}, receive{})
}

type receive struct{}

func (receive) Start(s *activity.Scope) activity.Outcome {
	clause, err := s.First(s.Action.Clauses, definitions.HeadAfter)
	if err != nil {
		return activity.Error(err)
	}
	if clause == nil {
		return activity.Wait()
	}
	delayMs, err := millis(s, clause.Cond)
	if err != nil {
		return activity.Error(err)
	}
	s.Wake(delayMs)
	return activity.Wait()
}

func (receive) Receive(s *activity.Scope, m activity.Message) activity.Outcome {
	head := definitions.HeadAfter
	switch m.(type) {
	case activity.Carried:
		head = definitions.HeadWhen
	case *activity.Alarm:
	default:
		return activity.Ignore()
	}
	clause, err := s.First(s.Action.Clauses, head)
	if err != nil {
		return activity.Error(err)
	}
	if clause == nil {
		return activity.Ignore()
	}
	return s.Take(clause)
}

// millis evaluates a duration: any number of milliseconds, or a text of digits.
func millis(s *activity.Scope, e *definitions.Expr) (int64, error) {
	v, err := e.Eval(&s.Scope)
	if err != nil {
		return 0, err
	}
	ms, err := expr.ToMillis(v)
	if err != nil {
		return 0, e.Fail(err.Error())
	}
	return ms, nil
}
