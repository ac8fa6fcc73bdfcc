package actions

import (
	"fmt"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "debug",
		Doc:      "Prints variables, all of them or those named, with the names of definition, activity, domain id and action, once the turn is committed.",
		Example:  "- name: look\n  type: debug\n  args: all\n  ctrl: finish()\n",
		Shape:    definitions.ShapeNames,
		Required: true,
	}, debug{})
}

type debug struct{}

func (debug) Start(s *activity.Scope) activity.Outcome {
	names, all, err := namesOf(s)
	if err != nil {
		return activity.Error(err)
	}
	shown := map[string]any{}
	for _, v := range s.Vars {
		if all {
			shown[v.Name] = v.Value
		}
	}
	for _, name := range names {
		if v, ok := s.Vars.Get(name); ok {
			shown[name] = v
		}
	}
	s.Print("debug", fmt.Sprintf("%s - %d - %s - %s - %s", s.Thread.Definition, s.ID().Activity, s.ID().Domain, s.Action.Name, expr.Text(shown)))
	return activity.Done(nil)
}

func (debug) Receive(*activity.Scope, activity.Message) activity.Outcome { return activity.Ignore() }
