package definitions

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weftbox/weftbox/expr"
)

// lint looks for what is allowed and hardly meant. Where an error may have left a gap in what was bound, it is silent about all that the
// gap may explain: one fault is to give one problem.
func (c *checker) lint() {
	for i, a := range c.def.Actions {
		if a.Spec != nil && a.Name != "" {
			c.actionLints(i, a)
		}
	}
	c.triggerLints()
	c.configLints()
	c.timeouts()
	c.unbounded()
	if len(c.def.Actions) == 0 || c.gaps() {
		return
	}
	g := c.graphOf()
	c.unreachable(g)
	c.endless(g)
	c.varLints(g)
}

// whole are the errors that leave no gap in what is known of where threads go and of the variables they have.
var whole = map[string]bool{"WB1114": true, "WB1115": true, "WB1116": true, "WB1120": true, "WB1121": true, "WB1202": true, "WB1204": true}

func (c *checker) gaps() bool {
	return c.unsure || slices.ContainsFunc(c.problems, func(p Problem) bool { return p.Severity == SeverityError && !whole[p.Code] })
}

// unreachable warns of actions that no call leads to. Where any action that is reached may go to a place known only when it runs, or where
// an operator may send a thread on, nothing is certain and nothing is said.
func (c *checker) unreachable(g *graph) {
	if g.unsure || g.steered {
		return
	}
	for _, i := range g.unreachedRoots() {
		c.warn("WB2102", c.nameNodes[i], fmt.Sprintf("/activity/actions/%d/name", i), say("no thread reaches the action %s", quote(g.actions[i].Name)), say("call it, or delete it"))
	}
}

// endless warns of ways without an end: those on which a thread never waits, which keep it busy for ever, and those on which it does.
func (c *checker) endless(g *graph) {
	rests := g.leadTo(func(i int) bool { return g.open(i) || g.actions[i].waits() })
	ends := g.leadTo(g.open)
	busy, idle := -1, -1
	for i := range g.actions {
		switch {
		case !g.reached[i]:
		case !rests[i] && busy < 0:
			busy = i
		case rests[i] && !ends[i] && idle < 0:
			idle = i
		}
	}
	if busy >= 0 {
		c.warn("WB2109", c.nameNodes[busy], fmt.Sprintf("/activity/actions/%d/name", busy),
			say("from %s on a thread goes round for ever and never waits", quote(g.actions[busy].Name)), say("put a receive or a sleep into the round, or a way out of it"))
	}
	if idle >= 0 {
		c.warn("WB2106", c.nameNodes[idle], fmt.Sprintf("/activity/actions/%d/name", idle),
			say("from %s on no way leads to an end: threads live until they are killed", quote(g.actions[idle].Name)), say("add a clause that ends: finish(), fail() or failBecause(…)"))
	}
}

// actionLints looks at one action by itself.
func (c *checker) actionLints(i int, a *Action) {
	path := fmt.Sprintf("/activity/actions/%d", i)
	c.clauseLints(a.Clauses)
	c.clauseLints(a.Ctrl.When)
	if a.Ctrl.Default != nil {
		c.clauseLints([]Clause{*a.Ctrl.Default})
	}
	if c.brokenActions[i] {
		return
	}
	if !a.Await && a.Spec.Service {
		c.ignoredResult(a)
	}
	if a.Spec.Service {
		c.asksAgain(a)
	}
	if a.Ctrl.Default == nil && a.Ctrl.When == nil && needsCtrl(a.Spec) {
		c.warn("WB2119", c.nameNodes[i], path+"/name", say("%s has no ctrl: threads fail here with no_ctrl", quote(a.Name)), say(`add "ctrl: call(…)" or "ctrl: finish()"`))
	}
}

// needsCtrl reports whether nothing but ctrl says where threads go from actions of a type.
func needsCtrl(s *Spec) bool {
	switch s.Type {
	case "compute", "stdout", "sleep", "update_var", "delete_var", "debug", "clock", "send", "random_choice":
		return true
	}
	return false
}

// ctrlExprs calls visit for each expression of a ctrl.
func (a *Action) ctrlExprs(visit func(*Expr)) {
	clause := func(cl *Clause) {
		if cl.Cond != nil {
			visit(cl.Cond)
		}
		visit(cl.Then)
		for _, v := range cl.ContextVars {
			v.Value.each(visit)
		}
	}
	for i := range a.Ctrl.When {
		clause(&a.Ctrl.When[i])
	}
	if a.Ctrl.Default != nil {
		clause(a.Ctrl.Default)
	}
}

// each calls visit for each expression of a tree.
func (a *Args) each(visit func(*Expr)) {
	if a == nil {
		return
	}
	if a.Expr != nil {
		visit(a.Expr)
	}
	for _, item := range a.Items {
		item.each(visit)
	}
	for i := range a.Clauses {
		cl := &a.Clauses[i]
		for _, x := range []*Expr{cl.Cond, cl.Then} {
			if x != nil {
				visit(x)
			}
		}
		for _, v := range cl.ContextVars {
			v.Value.each(visit)
		}
	}
	for _, p := range a.Pairs {
		p.Value.each(visit)
	}
}

func (c *checker) ignoredResult(a *Action) {
	a.ctrlExprs(func(x *Expr) {
		for _, s := range x.Program.Sites() {
			if s.Kind == expr.SiteResult {
				c.caution("WB2113", x, s.Start, s.End, say("await: false waits for no answer, so there is no result of %s to look at", quote(a.Type)), say("delete await: false, or this condition"))
				return
			}
		}
	})
}

// asksAgain warns of a service that is asked again and again without a pause. A ctrl that looks at variables may count, and after a timeout
// there was a pause.
func (c *checker) asksAgain(a *Action) {
	counts := false
	a.ctrlExprs(func(x *Expr) {
		for _, s := range x.Program.Sites() {
			counts = counts || s.Kind == expr.SiteVar || s.Name == "allVars" || s.Name == "context"
		}
	})
	if counts {
		return
	}
	again := func(cl *Clause) {
		if cl.Cond != nil && looksAt(cl.Cond, "resultTimeout", "result.timeout", "result.isTimeout") {
			return
		}
		for _, call := range cl.Then.Program.Calls() {
			if call.Name == a.Name {
				c.caution("WB2114", cl.Then, call.Start, call.End, say("%s asks its service again at once, and so for ever", quote(a.Name)), say("write retry(3, …), or go over a sleep"))
			}
		}
	}
	for i := range a.Ctrl.When {
		again(&a.Ctrl.When[i])
	}
	if a.Ctrl.Default != nil {
		again(a.Ctrl.Default)
	}
}

func looksAt(x *Expr, names ...string) bool {
	return slices.ContainsFunc(x.Program.Sites(), func(s expr.Site) bool { return slices.Contains(names, s.Name) })
}

// maxRetries is how many times a retry, which has no pause, may sensibly be made.
const maxRetries = 100

// maxConstantBytes is the longest constant that is kept in each thread without a warning.
const maxConstantBytes = 4 << 10

func (c *checker) clauseLints(clauses []Clause) {
	c.order(clauses)
	for i := range clauses {
		cl := &clauses[i]
		c.readsOwn(cl)
		for _, s := range cl.Then.Program.Sites() {
			if times, isInt := s.First.(int64); s.Name == "retry" && (!s.Known || isInt && times > maxRetries) {
				c.caution("WB2114", cl.Then, s.Start, s.End, say("a retry has no pause: at most %d times in a row are sensible", maxRetries), say("write retry(3, …), or go over a sleep"))
			}
		}
		for _, v := range cl.ContextVars {
			v.Value.each(c.constantLint)
		}
	}
}

func (c *checker) constantLint(x *Expr) {
	if _, fixed := x.Program.Const(); fixed && len(x.Program.Source()) > maxConstantBytes {
		c.caution("WB2117", x, 0, utf8.RuneCountInString(x.Program.Source()), say("this constant has %d bytes, which every thread carries", len(x.Program.Source())), say("keep it in config"))
	}
}

// readsOwn warns of a control that reads what its own clause sets: it sees the value from before.
func (c *checker) readsOwn(cl *Clause) {
	for _, s := range cl.Then.Program.Sites() {
		name, _ := s.First.(string)
		if s.Kind == expr.SiteVar && s.Known && sets(cl.ContextVars, name) && !writesNew(cl, name) {
			c.caution("WB2120", cl.Then, s.Start, s.End, say("then sees %s as it was before this clause sets it", quote(name)), say("write the new value here too, or decide in a case behind this action"))
		}
	}
}

// writesNew reports whether the control computes a variable's new value itself, as its clause does.
func writesNew(cl *Clause, name string) bool {
	for _, v := range cl.ContextVars {
		if v.Name == name && v.Value.Kind == ArgsExpr && strings.Contains(cl.Then.Program.Source(), v.Value.Expr.Program.Source()) {
			return true
		}
	}
	return false
}

// order warns of clauses that can never be taken.
func (c *checker) order(clauses []Clause) {
	type seen struct{ line int }
	before := map[string]seen{}
	always := 0 // line of a condition that always holds
	for i := range clauses {
		cl := &clauses[i]
		switch {
		case cl.Head == HeadWhen && always > 0, cl.Head == HeadDefault && always > 0:
			c.shadowed(cl, say("this clause is never taken: the condition in line %d always holds", always))
			continue
		case cl.Head == HeadDefault:
			continue
		}
		source := strings.Join(strings.Fields(cl.Cond.Program.Source()), " ")
		if cl.Head == HeadAfter {
			source = "after"
		}
		if first, known := before[source]; known && cl.Head == HeadAfter {
			c.shadowed(cl, say("only the first after of a receive counts; it stands in line %d", first.line))
			continue
		} else if known {
			c.shadowed(cl, say("this clause is never taken: line %d has the same condition", first.line))
			continue
		}
		before[source] = seen{cl.Line}
		if cl.Head == HeadWhen {
			always = c.holds(cl, always)
		}
	}
}

func (c *checker) shadowed(cl *Clause, message words) {
	x := cl.Cond
	if x == nil {
		x = cl.Then
	}
	c.caution("WB2107", x, 0, utf8.RuneCountInString(x.Program.Source()), message, say("delete the clause, or put it before the other"))
}

// holds looks at a condition by itself: it returns the clause's line where it always holds, and warns where it never does.
func (c *checker) holds(cl *Clause, always int) int {
	if v, fixed := cl.Cond.Program.Const(); fixed {
		if v == true {
			return cl.Line
		}
		c.never(cl.Cond, say("this condition is never true"), say("delete the clause, or correct the condition"))
	} else if need := cl.Cond.Program.Requires(); need.Types != nil && len(need.Types) == 0 {
		c.never(cl.Cond, say("this condition is never true: an event has one type only"), say("join types with OR"))
	}
	return always
}

func (c *checker) never(x *Expr, message, hint words) {
	c.caution("WB2108", x, 0, utf8.RuneCountInString(x.Program.Source()), message, hint)
}
