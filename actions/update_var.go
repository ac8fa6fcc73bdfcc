package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "update_var",
		Doc:      "Sets variables, all at once: each value is computed from the variables as they were before.",
		Example:  "- name: swap\n  type: update_var\n  args: {a: var(\"b\"), b: var(\"a\")}\n  ctrl: finish()\n",
		Shape:    definitions.ShapeVars,
		Required: true,
	}, updateVar{})
}

type updateVar struct{}

func (updateVar) Start(s *activity.Scope) activity.Outcome {
	if err := s.SetAll(s.Action.Args.Pairs); err != nil {
		return activity.Error(err)
	}
	return activity.Done(nil)
}

func (updateVar) Receive(*activity.Scope, activity.Message) activity.Outcome {
	return activity.Ignore()
}
