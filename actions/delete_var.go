package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:     "delete_var",
		Doc:      "Deletes variables: all of them, those of a list of names, or those that an expression names; a variable that is not there is no fault.",
		Example:  "- name: forget\n  type: delete_var\n  args: [code, coupon_id]\n  ctrl: finish()\n",
		Shape:    definitions.ShapeNames,
		Required: true,
	}, deleteVar{})
}

type deleteVar struct{}

func (deleteVar) Start(s *activity.Scope) activity.Outcome {
	names, all, err := namesOf(s)
	if err != nil {
		return activity.Error(err)
	}
	if all {
		for _, v := range s.Vars {
			names = append(names, v.Name)
		}
	}
	for _, name := range names {
		s.Unset(name)
	}
	return activity.Done(nil)
}

func (deleteVar) Receive(*activity.Scope, activity.Message) activity.Outcome {
	return activity.Ignore()
}

// namesOf computes the action's args: names of variables, or all.
func namesOf(s *activity.Scope) (names []string, all bool, err error) {
	args := s.Action.Args
	v, err := args.Eval(&s.Scope)
	if err != nil {
		return nil, false, err
	}
	switch v := v.(type) {
	case string:
		if v == "all" {
			return nil, true, nil
		}
		return []string{v}, false, nil
	case []any:
		for _, item := range v {
			name, ok := item.(string)
			if !ok {
				return nil, false, args.Fail("a name is a text; here is one that is none")
			}
			names = append(names, name)
		}
		return names, false, nil
	}
	return nil, false, args.Fail(`"all", a name or a list of names is wanted here`)
}
