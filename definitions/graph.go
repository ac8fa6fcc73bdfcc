package definitions

import (
	"slices"

	"github.com/weftbox/weftbox/expr"
)

// exit is one way out of an action.
type exit struct {
	to     []int            // the actions it leads to, by index
	ends   bool             // a thread may end here
	any    bool             // where it leads is known only when it runs
	sets   []string         // the variables that taking it sets, beside those that the action sets by itself
	unsets []string         // those that it removes
	found  []string         // those that are there, as its conditions have looked
	given  map[int][]string // those that are there where it leads to an action, by index
	starts bool             // it begins actions beside this one, which do not go on by themselves
}

// graph is where threads of a definition can go. It is made only of a definition without errors that would leave gaps in it.
type graph struct {
	actions []*Action
	exits   [][]exit
	reached []bool // from the first action
	unsure  bool   // an action that is reached may lead anywhere
	anyVar  bool   // an action may set variables whose names are not written out
	steered bool   // an operator may set variables: a thread waits for repair
}

func (c *checker) graphOf() *graph {
	g := &graph{actions: c.def.Actions, exits: make([][]exit, len(c.def.Actions)), reached: make([]bool, len(c.def.Actions))}
	byAction := make([][]use, len(g.actions))
	for _, u := range c.uses {
		byAction[u.action] = append(byAction[u.action], u)
		for _, s := range u.x.Program.Sites() {
			g.steered = g.steered || s.Name == "repair"
		}
	}
	for i, a := range g.actions {
		g.exits[i] = c.exitsOf(a, byAction[i])
	}
	g.reached[0] = true
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		for _, e := range g.exits[queue[0]] {
			g.unsure = g.unsure || e.any
			for _, next := range e.to {
				if !g.reached[next] && !e.starts {
					queue = append(queue, next)
				}
				g.reached[next] = true
			}
		}
	}
	return g
}

// exitsOf lists the ways out of an action: those of its own clauses and arguments, and those of its ctrl.
func (c *checker) exitsOf(a *Action, uses []use) []exit {
	var out []exit
	taken := map[*expr.Program]bool{}
	clause := func(cl *Clause, found []string) {
		e := c.exitOf(cl.Then, true)
		e.found = found
		for _, v := range cl.ContextVars {
			e.sets = append(e.sets, v.Name)
		}
		taken[cl.Then.Program] = true
		out = append(out, e)
	}
	fromAbove(a.Clauses, clause)
	not := fromAbove(a.Ctrl.When, clause)
	if a.Ctrl.Default != nil {
		clause(a.Ctrl.Default, not)
	} else if a.Spec.Service {
		out = append(out, exit{any: true, ends: true}) // the service's answer may say where to go
	} else if a.Ctrl.When == nil && needsCtrl(a.Spec) {
		out = append(out, exit{any: true, ends: true}) // it is left out, which is told: nothing is known of where it was to lead
	}
	out = append(out, c.rounds(a, taken)...)
	for _, u := range uses { // controls among the arguments: foreach has them, and types to come may
		if taken[u.x.Program] {
			continue
		}
		if e := c.exitOf(u.x, u.control); u.control || e.ends || e.any || len(e.to) > 0 {
			out = append(out, e)
			taken[u.x.Program] = true
		}
	}
	if started := c.startedBy(a); len(started) > 0 {
		out = append(out, exit{to: started, starts: true})
	}
	return out
}

// fromAbove calls visit for each clause of a list that is asked from above, with the variables that are there where it is taken: its own
// condition has found them, or those before it would have held without them. It returns those that are there where none is taken.
func fromAbove(clauses []Clause, visit func(cl *Clause, found []string)) (not []string) {
	for i := range clauses {
		cl := &clauses[i]
		switch {
		case cl.Head == HeadWhen && cl.Cond != nil:
			visit(cl, slices.Concat(not, cl.Cond.Program.Present(true)))
			not = append(slices.Clip(not), cl.Cond.Program.Present(false)...)
		case cl.Head == HeadDefault:
			visit(cl, not)
		default:
			visit(cl, nil) // time alone decides
		}
	}
	return not
}

// rounds lists the ways out of a foreach: with each item it sets its two variables, behind the last one it removes them.
func (c *checker) rounds(a *Action, taken map[*expr.Program]bool) (out []exit) {
	own := roundVars(a)
	if own == nil {
		return nil
	}
	for _, key := range []string{"next", "finish"} {
		x := a.Args.Get(key)
		if x == nil || x.Kind != ArgsExpr {
			continue
		}
		e := c.exitOf(x.Expr, true)
		if key == "next" {
			e.sets = own
		} else {
			e.unsets = own
		}
		taken[x.Expr.Program] = true
		out = append(out, e)
	}
	return out
}

// roundVars are the variables that an action keeps for itself while it takes the items of a list one by one.
func roundVars(a *Action) []string {
	if a.Spec == nil || a.Spec.Type != "foreach" {
		return nil
	}
	return []string{"$" + a.Name + ".idx", "$" + a.Name + ".ele"}
}

// startedBy returns the actions that a concurrent begins.
func (c *checker) startedBy(a *Action) (out []int) {
	list := a.Args.Get("actions")
	if a.Type != "concurrent" || list == nil {
		return nil
	}
	for _, item := range list.Items {
		name := item.Get("name")
		if name == nil || name.Kind != ArgsExpr {
			continue
		}
		if v, fixed := name.Expr.Program.Const(); fixed {
			if started := c.def.Action(expr.Text(v)); started != nil {
				out = append(out, started.Index)
			}
		}
	}
	return out
}

// exitOf reads a control. An expression that calls nothing is none.
func (c *checker) exitOf(x *Expr, control bool) exit {
	var e exit
	if v, fixed := x.Program.Const(); fixed {
		ctrl, isControl := v.(expr.Control)
		if text, isText := v.(string); isText {
			parsed, err := expr.ParseControl(text)
			ctrl, isControl = parsed, err == nil
		}
		if isControl {
			c.follow(&e, &ctrl)
		}
		return e
	}
	for _, s := range x.Program.Sites() {
		switch s.Name {
		case "finish", "fail", "failBecause":
			e.ends = true
		case "retry":
			e.ends = e.ends || s.Args == 1
		}
	}
	for _, call := range x.Program.Calls() {
		if a := c.def.Action(call.Name); a != nil {
			e.lead(a.Index, call.Present)
		}
	}
	e.any = control && !settled(x.Program.Source(), 0) || len(x.Program.Calls()) < countCalls(x)
	return e
}

// lead adds an action to which a call leads where the thread has some variables.
func (e *exit) lead(to int, present []string) {
	if slices.Contains(e.to, to) {
		present = slices.DeleteFunc(slices.Clone(e.given[to]), func(name string) bool { return !slices.Contains(present, name) })
	} else {
		e.to = append(e.to, to)
	}
	if len(present) > 0 && e.given == nil {
		e.given = map[int][]string{}
	}
	if e.given != nil {
		e.given[to] = present
	}
}

func countCalls(x *Expr) int {
	n := 0
	for _, s := range x.Program.Sites() {
		if s.Name == "call" {
			n++
		}
	}
	return n
}

// follow adds where a control that is known leads.
func (c *checker) follow(e *exit, ctrl *expr.Control) {
	for ; ctrl != nil; ctrl = ctrl.Then {
		switch ctrl.Kind {
		case expr.ControlCall:
			if a := c.def.Action(ctrl.Target); a != nil && !slices.Contains(e.to, a.Index) {
				e.to = append(e.to, a.Index)
			}
		case expr.ControlRetry:
			e.ends = e.ends || ctrl.Then == nil
		default:
			e.ends = true
		}
	}
}

// unreachedRoots returns the actions that are not reached and whose reaching would reach all the others: where some lead to each other
// only, the first of them.
func (g *graph) unreachedRoots() (roots []int) {
	called := make([]bool, len(g.actions)) // by another that is not reached
	for i := range g.actions {
		for _, e := range g.exits[i] {
			for _, next := range e.to {
				called[next] = called[next] || !g.reached[i] && next != i
			}
		}
	}
	marked := make([]bool, len(g.actions))
	mark := func(root int) {
		roots = append(roots, root)
		marked[root] = true
		for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
			for _, e := range g.exits[queue[0]] {
				for _, next := range e.to {
					if !marked[next] && !g.reached[next] {
						marked[next] = true
						queue = append(queue, next)
					}
				}
			}
		}
	}
	for _, uncalled := range []bool{true, false} {
		for i := range g.actions {
			if !g.reached[i] && !marked[i] && (!uncalled || !called[i]) {
				mark(i)
			}
		}
	}
	slices.Sort(roots)
	return roots
}

// leadTo returns the actions from which one of the goals can be reached, the goals among them.
func (g *graph) leadTo(goal func(i int) bool) []bool {
	back := make([][]int, len(g.actions))
	out := make([]bool, len(g.actions))
	var queue []int
	for i := range g.actions {
		for _, e := range g.exits[i] {
			for _, next := range e.to {
				if !e.starts {
					back[next] = append(back[next], i)
				}
			}
		}
		if out[i] = goal(i); out[i] {
			queue = append(queue, i)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, before := range back[queue[0]] {
			if !out[before] {
				out[before] = true
				queue = append(queue, before)
			}
		}
	}
	return out
}

// waits reports whether threads rest at an action before they leave it.
func (a *Action) waits() bool { return a.Spec.Waits && a.Await }

// open reports whether threads may end at an action or leave it for a place that is not known.
func (g *graph) open(i int) bool {
	if len(g.exits[i]) == 0 {
		return true // nothing says where to go: the thread fails
	}
	return slices.ContainsFunc(g.exits[i], func(e exit) bool { return e.ends || e.any })
}
