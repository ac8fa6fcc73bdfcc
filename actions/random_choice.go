package actions

import (
	"math"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type:    "random_choice",
		Doc:     "Draws one of some items, each as likely as its weight says, and keeps it in a variable; an item with a weight of 0 or less is never drawn.",
		Example: "- name: draw\n  type: random_choice\n  args: {items: 'list(\"gold\", \"silver\")', weights: 'list(1, 9)', var: prize}\n  ctrl: finish()\n",
		Shape:   definitions.ShapeKeys,
		Keys: []definitions.Key{
			{Name: "items", Required: true, Doc: "the list to draw from"},
			{Name: "var", Required: true, Form: definitions.FormName, Doc: "the variable that gets the item"},
			{Name: "weights", Doc: "one number for each item; without it all are as likely"},
		},
		Required: true,
	}, randomChoice{})
}

type randomChoice struct{}

func (randomChoice) Start(s *activity.Scope) activity.Outcome {
	args := s.Action.Args
	items, err := listOf(s, args.Get("items"))
	if err != nil {
		return activity.Error(err)
	}
	name, err := args.Get("var").Eval(&s.Scope)
	if err != nil {
		return activity.Error(err)
	}
	total, weights := float64(len(items)), []float64(nil)
	if w := args.Get("weights"); w != nil {
		list, err := listOf(s, w)
		if err != nil {
			return activity.Error(err)
		}
		if len(list) != len(items) {
			return activity.Fail("invalid_argument")
		}
		if weights, total, err = weightsOf(w, list); err != nil {
			return activity.Error(err)
		}
	}
	if !(total > 0) || math.IsInf(total, 1) {
		return activity.Fail("invalid_argument")
	}
	s.Set(expr.Text(name), items[choose(s.Draw()*total, len(items), weights)])
	return activity.Done(nil)
}

func (randomChoice) Receive(*activity.Scope, activity.Message) activity.Outcome {
	return activity.Ignore()
}

// choose returns the item on whose stretch of the line 0 ≤ at < total the point lies; nil weights are all 1.
func choose(at float64, n int, weights []float64) int {
	last := 0
	for i := range n {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		if w == 0 {
			continue
		}
		if last = i; at < w {
			return i
		}
		at -= w
	}
	return last // the sum of the parts may come out below the whole
}

func weightsOf(a *definitions.Args, list []any) (weights []float64, total float64, err error) {
	for _, v := range list {
		w, err := expr.ToFloat(v)
		if err != nil {
			return nil, 0, a.Fail(err.Error())
		}
		w = max(w, 0)
		weights = append(weights, w)
		total += w
	}
	return weights, total, nil
}

// listOf computes an argument that must be a list.
func listOf(s *activity.Scope, a *definitions.Args) ([]any, error) {
	v, err := a.Eval(&s.Scope)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, a.Fail("a list is wanted here, this is " + expr.TypeName(v))
	}
	return list, nil
}
