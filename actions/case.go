package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "case",
		Doc:      "Goes where the first true condition says, without waiting; with no true one the default holds, and without a default the thread fails with no_default.",
		Example:  "- name: deciding\n  type: case\n  args:\n    - when: var(\"visit_count\") >= config(\"max_visit_count\")\n      then: call(\"coupon\")\n    - default: finish()\n",
		Shape:    definitions.ShapeClauses,
		Heads:    []definitions.Head{definitions.HeadWhen, definitions.HeadDefault},
		Required: true,
	}, caseOf{})
}

type caseOf struct{}

func (caseOf) Start(s *activity.Scope) activity.Outcome {
	clause, err := s.First(s.Action.Clauses, definitions.HeadWhen, definitions.HeadDefault)
	if err != nil {
		return activity.Error(err)
	}
	if clause == nil {
		return activity.Fail("no_default")
	}
	return s.Take(clause)
}

func (caseOf) Receive(*activity.Scope, activity.Message) activity.Outcome { return activity.Ignore() }
