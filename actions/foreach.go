package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

func init() {
	activity.Register(&definitions.Spec{
		Type: "foreach",
		Doc: "Takes the items of a list one by one: each visit sets $NAME.idx and $NAME.ele and follows next; who is called there calls the foreach " +
			"again. After the last one, both variables are deleted and finish is followed. The list is computed anew at each visit.",
		Example: "- name: each\n  type: foreach\n  args:\n    items: var(\"members\")\n    next: call(\"tell\")\n    finish: finish()\n",
		Shape:   definitions.ShapeKeys,
		Keys: []definitions.Key{
			{Name: "items", Required: true, Doc: "the list"},
			{Name: "next", Aliases: []string{"continue"}, Required: true, Form: definitions.FormControl, Doc: "where to go with each item"},
			{Name: "finish", Aliases: []string{"eof"}, Required: true, Form: definitions.FormControl, Doc: "where to go after the last item"},
		},
		Required: true,
	}, foreach{})
}

type foreach struct{}

func (foreach) Start(s *activity.Scope) activity.Outcome {
	args := s.Action.Args
	items, err := listOf(s, args.Get("items"))
	if err != nil {
		return activity.Error(err)
	}
	idx, ele := "$"+s.Action.Name+".idx", "$"+s.Action.Name+".ele"
	place := int64(0)
	if v, ok := s.Vars.Get(idx); ok {
		if n, ok := v.(int64); ok && n >= 0 {
			place = n + 1
		}
	}
	then, clause := args.Get("next"), 0
	if place < int64(len(items)) {
		s.Set(idx, place)
		s.Set(ele, items[place])
	} else {
		s.Unset(idx)
		s.Unset(ele)
		then, clause = args.Get("finish"), 1
	}
	control, err := then.Expr.EvalControl(&s.Scope)
	if err != nil {
		return activity.Error(err)
	}
	return activity.Jump(clause, control)
}

func (foreach) Receive(*activity.Scope, activity.Message) activity.Outcome { return activity.Ignore() }
