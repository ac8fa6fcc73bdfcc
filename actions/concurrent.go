package actions

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type: "concurrent",
		Doc: "Runs several actions (services, sleep, clock) beside each other. As each ends, its result_handle, or the default one, notes its result in " +
			"variables, and then the first true when of ctrl is followed; after bounds the whole wait, default is followed when all have ended and no when is true.",
		Example: "- name: both\n  type: concurrent\n  args:\n    actions:\n      - name: price\n        result_handle:\n          - when: resultOk()\n            context_vars: {price: resultVar(\"price\")}\n      - name: stock\n" +
			"    default_result_handle:\n      - default: {stock: resultVar(\"stock\", 0)}\n    ctrl:\n      - when: var(\"price\", null) != null AND var(\"stock\", null) != null\n        then: call(\"order\")\n      - after: seconds(30)\n        then: failBecause(\"timeout\")\n",
		Shape: definitions.ShapeKeys,
		Keys: []definitions.Key{
			{Name: "actions", Required: true, Form: definitions.FormMaps, Doc: `write "- name: …", one entry for each action`, Keys: []definitions.Key{
				{Name: "name", Required: true, Form: definitions.FormAction, Doc: "an action of this definition"},
				{Name: "result_handle", Form: definitions.FormHandlers, Doc: "what to note of its result"},
			}},
			{Name: "default_result_handle", Form: definitions.FormHandlers, Doc: "what to note of results of actions without a result_handle"},
			{Name: "ctrl", Required: true, Form: definitions.FormClauses, Heads: []definitions.Head{definitions.HeadWhen, definitions.HeadAfter, definitions.HeadDefault},
				Doc: `write "- when: …" with "then: …": when to go on`},
		},
		Required: true,
		Waits:    true,
	}, concurrent{})
}

type concurrent struct{}

func (c concurrent) Start(s *activity.Scope) activity.Outcome {
	args := s.Action.Args
	var done []*expr.Result
	var places []uint16
	for i, entry := range args.Get("actions").Items {
		name, err := entry.Get("name").Eval(&s.Scope)
		if err != nil {
			return activity.Error(err)
		}
		out, ok := s.StartBeside(expr.Text(name), uint16(i))
		if !ok {
			return activity.Fail("invalid_argument")
		}
		if r := out.Result(); r != nil {
			done, places = append(done, r), append(places, uint16(i))
		} else if !out.Waits() {
			return out
		}
	}
	if after, err := s.First(args.Get("ctrl").Clauses, definitions.HeadAfter); err != nil {
		return activity.Error(err)
	} else if after != nil {
		delayMs, err := millis(s, after.Cond)
		if err != nil {
			return activity.Error(err)
		}
		s.WakeBeside(delayMs)
	}
	for i, r := range done {
		if out := c.note(s, places[i], r); !out.Waits() {
			return out
		}
	}
	if left, _ := s.PartsLeft(); left == 0 {
		return c.follow(s)
	}
	return activity.Wait()
}

func (c concurrent) Receive(s *activity.Scope, m activity.Message) activity.Outcome {
	taken := false
	for {
		part, out, ok := s.ReceiveBeside(m)
		switch r := out.Result(); {
		case !ok && taken:
			return activity.Wait()
		case !ok:
			return activity.Ignore()
		case part.Action == "":
			return c.timeout(s)
		case r != nil:
			if out := c.note(s, part.Place, r); !out.Waits() {
				return out
			}
			if out := c.follow(s); !out.Waits() {
				return out
			}
		case !out.Waits():
			return out
		}
		taken = true
		if _, alarm := m.(*activity.Alarm); !alarm {
			return activity.Wait()
		}
	}
}

func (concurrent) timeout(s *activity.Scope) activity.Outcome {
	clause, err := s.First(s.Action.Args.Get("ctrl").Clauses, definitions.HeadAfter)
	if err != nil {
		return activity.Error(err)
	}
	if clause == nil { // the version's text was changed
		return activity.Wait()
	}
	return s.Take(clause)
}

// note keeps what a part's handlers want kept of its result; Wait says that it did.
func (concurrent) note(s *activity.Scope, place uint16, r *expr.Result) activity.Outcome {
	args := s.Action.Args
	handlers := args.Get("default_result_handle")
	if entries := args.Get("actions").Items; int(place) < len(entries) {
		if own := entries[place].Get("result_handle"); own != nil {
			handlers = own
		}
	}
	if handlers == nil {
		return activity.Fail("invalid_argument")
	}
	s.Result = r
	clause, err := s.First(handlers.Clauses, definitions.HeadWhen, definitions.HeadDefault)
	if err == nil && clause != nil {
		err = s.SetAll(clause.ContextVars)
	}
	s.Result = nil
	if err != nil {
		return activity.Error(err)
	}
	return activity.Wait()
}

// follow goes where the first true condition says, or stays. When all has ended, nothing could ever change: then the default holds.
func (concurrent) follow(s *activity.Scope) activity.Outcome {
	clauses := s.Action.Args.Get("ctrl").Clauses
	clause, err := s.First(clauses, definitions.HeadWhen)
	if left, alarm := s.PartsLeft(); err == nil && clause == nil && left == 0 {
		clause, err = s.First(clauses, definitions.HeadDefault)
		if err == nil && clause == nil && !alarm {
			return activity.Fail("no_ctrl")
		}
	}
	if err != nil {
		return activity.Error(err)
	}
	if clause == nil {
		return activity.Wait()
	}
	return s.Take(clause)
}
