package definitions

import (
	"slices"

	"github.com/weftbox/weftbox/expr"
)

// varLints finds variables that are read and that nothing sets, or not every way to where they are read.
func (c *checker) varLints(g *graph) {
	f, ok := c.varsOf(g)
	if !ok {
		return
	}
	v := varReader{c: c, f: f, names: make([]string, 0, len(f.places)), told: map[told]bool{}}
	for name := range f.places {
		if !engineVar(name) {
			v.names = append(v.names, name)
		}
	}
	slices.Sort(v.names)
	for i, a := range g.actions {
		if f.in[i] != nil {
			v.action(i, a)
		}
	}
}

// told is one variable of one action: it is spoken of once.
type told struct {
	action int
	name   string
}

type varReader struct {
	c     *checker
	f     *flowOfVars
	names []string // that are set anywhere
	told  map[told]bool
	index int  // of the action at hand
	have  bits // what is surely set at the place at hand
}

func (v *varReader) action(i int, a *Action) {
	v.index, v.have = i, v.f.in[i]
	if a.Spec.Shape == ShapeAssignments && a.Args != nil {
		v.have = v.have.copy()
		for _, item := range a.Args.Items { // each sees those before it
			v.args(item)
			for _, p := range item.Pairs {
				v.have.set(v.f.places[p.Name])
			}
		}
	} else {
		v.args(a.Args)
	}
	for i := range a.Clauses {
		v.clause(&a.Clauses[i])
	}
	v.have = v.f.behind(i)
	for i := range a.Ctrl.When {
		v.clause(&a.Ctrl.When[i])
	}
	if a.Ctrl.Default != nil {
		v.clause(a.Ctrl.Default)
	}
}

func (v *varReader) clause(cl *Clause) {
	v.expr(cl.Cond)
	for _, a := range cl.ContextVars {
		v.args(a.Value)
	}
	v.expr(cl.Then)
}

func (v *varReader) args(a *Args) {
	if a == nil {
		return
	}
	v.expr(a.Expr)
	for _, item := range a.Items {
		v.args(item)
	}
	for i := range a.Clauses {
		v.clause(&a.Clauses[i])
	}
	for _, p := range a.Pairs {
		v.args(p.Value)
	}
}

func (v *varReader) expr(x *Expr) {
	if x == nil {
		return
	}
	for _, s := range x.Program.Sites() {
		if s.Kind != expr.SiteVar || !s.Known {
			continue
		}
		if name, isText := s.First.(string); isText && !engineVar(name) && !v.told[told{v.index, name}] {
			v.read(x, s, name)
		}
	}
}

// read checks one read of a variable. A read that is not always made says nothing of ways: what guards it may be just that.
func (v *varReader) read(x *Expr, s expr.Site, name string) {
	at, known := v.f.places[name]
	g := v.f.g
	t := told{v.index, name}
	switch {
	case !known && (g.anyVar || g.steered):
	case !known && s.Strict:
		v.told[t] = true
		v.c.mark("WB1205", x, s.Start, s.End, say("nothing sets the variable %s", quote(name)), v.hint(name, say("set it in context_vars, or give a default: var(%s, 0)", quote(name))))
	case !known:
		v.told[t] = true
		v.c.caution("WB2112", x, s.Start, s.End, say("nothing sets the variable %s: its default is always taken", quote(name)), v.hint(name, say("set it in context_vars")))
	case s.Strict && s.Always && !v.have.has(at) && !g.unsure && !g.anyVar:
		v.told[t] = true
		v.c.caution("WB2111", x, s.Start, s.End, say("the variable %s may be unset here: %s", quote(name), v.way(at)), say("set it on every way to here, or give a default: var(%s, 0)", quote(name)))
	}
}

func (v *varReader) hint(name string, otherwise words) words {
	if meant := v.c.suggest.Near(name, v.names); meant != "" {
		return say("did you mean %s?", quote(meant))
	}
	return otherwise
}

// way names a way on which a variable is not set.
func (v *varReader) way(at int) words {
	name := v.nameOf(at)
	if v.index == 0 && !sets(v.c.def.Trigger.ContextVars, name) {
		return say("the trigger does not set it")
	}
	for _, from := range v.f.from[v.index] {
		for _, e := range v.f.g.exits[from] {
			if slices.Contains(e.to, v.index) && !v.f.carries(from, e, at, name) {
				a := v.f.g.actions[from]
				return say("a thread may come from %s (line %d) without it", quote(a.Name), a.Line)
			}
		}
	}
	return say("the action removes it")
}

func (v *varReader) nameOf(at int) string {
	for name, i := range v.f.places {
		if i == at {
			return name
		}
	}
	return ""
}
