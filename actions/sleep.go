package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "sleep",
		Doc:      "Waits for a number of milliseconds; messages that come meanwhile are dropped.",
		Example:  "- name: pause\n  type: sleep\n  args: {time: minutes(5)}\n  ctrl: call(\"again\")\n",
		Shape:    definitions.ShapeKeys,
		Keys:     []definitions.Key{{Name: "time", Required: true, Doc: "how long, in milliseconds"}},
		Required: true,
		Waits:    true,
		Beside:   true,
	}, sleep{})
}

type sleep struct{}

func (sleep) Start(s *activity.Scope) activity.Outcome {
	ms, err := millisOf(s, s.Action.Args.Get("time"))
	if err != nil {
		return activity.Error(err)
	}
	s.Wake(ms)
	return activity.Wait()
}

func (b sleep) Receive(s *activity.Scope, m activity.Message) activity.Outcome {
	return wake(s, m, b)
}

// millisOf is millis for an argument.
func millisOf(s *activity.Scope, a *definitions.Args) (int64, error) {
	if a.Kind != definitions.ArgsExpr {
		return 0, a.Fail("a number of milliseconds is wanted here")
	}
	return millis(s, a.Expr)
}
