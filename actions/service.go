package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:    "service",
		Doc:     "Asks a registered service (the action's type is its name) and waits for the answer, or, with timeout, at most that long.",
		Example: "- name: coupon\n  type: coupon\n  args:\n    request: {user_id: var(\"user_id\")}\n    timeout: minutes(1)\n  ctrl:\n    - when: resultOk()\n      then: finish()\n    - default: failBecause(\"coupon_service_error\")\n",
		Shape:   definitions.ShapeKeys,
		Keys: []definitions.Key{
			{Name: "request", Required: true, Doc: "what the service gets as args"},
			{Name: "timeout", Doc: "milliseconds after which the result is timeout"},
		},
		Required: true,
		Waits:    true,
		Service:  true,
		Beside:   true,
	}, service{})
}

type service struct{}

func (service) Start(s *activity.Scope) activity.Outcome {
	request, err := s.Action.Args.Get("request").Eval(&s.Scope)
	if err != nil {
		return activity.Error(err)
	}
	if timeout := s.Action.Args.Get("timeout"); timeout != nil && s.Action.Await {
		ms, err := millisOf(s, timeout)
		if err != nil {
			return activity.Error(err)
		}
		s.Wake(ms)
	}
	s.Request(s.Action.Type, request, !s.Action.Await)
	return activity.Wait()
}

func (service) Receive(s *activity.Scope, m activity.Message) activity.Outcome {
	switch m := m.(type) {
	case *activity.Reply:
		return activity.Done(m.Result)
	case *activity.Alarm:
		return activity.Done(&expr.Result{Status: expr.ResultTimeout})
	}
	return activity.Ignore()
}
