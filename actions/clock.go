package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "clock",
		Doc:      "Waits until a moment: a date-time, or Unix milliseconds; one that has passed ends it at once. Messages that come meanwhile are dropped.",
		Example:  "- name: morning\n  type: clock\n  args: {time: dateTime().plusDays(1).withHourOfDay(9)}\n  ctrl: call(\"remind\")\n",
		Shape:    definitions.ShapeKeys,
		Keys:     []definitions.Key{{Name: "time", Required: true, Doc: "when, as a date-time or in Unix milliseconds"}},
		Required: true,
		Waits:    true,
		Beside:   true,
	}, clock{})
}

type clock struct{}

func (clock) Start(s *activity.Scope) activity.Outcome {
	time := s.Action.Args.Get("time")
	v, err := time.Eval(&s.Scope)
	if err != nil {
		return activity.Error(err)
	}
	var at int64
	switch v := v.(type) {
	case expr.Date:
		if v.Kind != expr.DateTime {
			return activity.Error(time.Fail("a moment is wanted here: a date alone, or a time of day alone, is none"))
		}
		at = v.UnixMilli()
	case int64:
		at = v
	default:
		return activity.Error(time.Fail("a date-time is wanted here, this is " + expr.TypeName(v) + "; write dateTime(..)"))
	}
	s.WakeAt(at)
	return activity.Wait()
}

func (c clock) Receive(s *activity.Scope, m activity.Message) activity.Outcome {
	return wake(s, m, c)
}

// wake ends a sleep or a clock whose alarm came, or with $keep_sleep begins it anew.
func wake(s *activity.Scope, m activity.Message, again activity.Behavior) activity.Outcome {
	if _, ok := m.(*activity.Alarm); !ok {
		return activity.Ignore()
	}
	if s.Settings().KeepSleep {
		return again.Start(s)
	}
	return activity.Done(nil)
}
