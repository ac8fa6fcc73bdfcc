package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "compute",
		Doc:      "Sets variables one after another; each sees those before it.",
		Example:  "- name: sum\n  type: compute\n  args:\n    - a: 1 + 1\n    - b: var(\"a\") + 1\n  ctrl: finish()\n",
		Shape:    definitions.ShapeAssignments,
		Required: true,
	}, compute{})
}

type compute struct{}

func (compute) Start(s *activity.Scope) activity.Outcome {
	for _, item := range s.Action.Args.Items {
		for _, assign := range item.Pairs {
			v, err := assign.Value.Eval(&s.Scope)
			if err != nil {
				return activity.Error(err)
			}
			s.Set(assign.Name, v)
		}
	}
	return activity.Done(nil)
}

func (compute) Receive(*activity.Scope, activity.Message) activity.Outcome { return activity.Ignore() }
