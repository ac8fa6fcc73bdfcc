// Package ownaction owns an action type of its own, as anybody may add one: the public registry is all it needs. A program that imports this
// package, such as a main.go of your own beside the rest of Weftbox, knows the type "mask" in definitions, checks its args and runs it.
//
// Room: door.
package ownaction

import (
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{Type: "mask", Doc: "Sets variables to texts of which all but the last four characters are hidden.", Shape: definitions.ShapeVars, Required: true},
		activity.Func(func(s *activity.Scope) activity.Outcome {
			for _, arg := range s.Action.Args.Pairs {
				v, err := arg.Value.Eval(&s.Scope)
				if err != nil {
					return activity.Error(err)
				}
				text := []rune(expr.Text(v))
				hidden := max(len(text)-4, 0)
				s.Set(arg.Name, strings.Repeat("*", hidden)+string(text[hidden:]))
			}
			return activity.Done(nil)
		}))
}
