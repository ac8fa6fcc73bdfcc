package actions

import (
	"fmt"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "stdout",
		Doc:      "Prints a value, or each element of a list, on the node's standard output once the turn is committed.",
		Example:  "- name: tell\n  type: stdout\n  args: str(\"hello %s\", var(\"name\"))\n  ctrl: finish()\n",
		Shape:    definitions.ShapeAny,
		Required: true,
	}, stdout{})
}

type stdout struct{}

func (stdout) Start(s *activity.Scope) activity.Outcome {
	v, err := s.Action.Args.Eval(&s.Scope)
	if err != nil {
		return activity.Error(err)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, item := range list {
		s.Print("stdout", fmt.Sprintf("ActivityThread[%d, %s]: %s", s.ID().Activity, s.ID().Domain, expr.Text(item)))
	}
	return activity.Done(nil)
}

func (stdout) Receive(*activity.Scope, activity.Message) activity.Outcome { return activity.Ignore() }
