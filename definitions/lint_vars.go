package definitions

import (
	"slices"
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// varLints finds variables that are read and that nothing sets, or not every way to where they are read.
func (c *checker) varLints(g *graph) {
	f, ok := c.varsOf(g)
	if !ok {
		return
	}
	v := varReader{c: c, f: f, names: make([]string, 0, len(f.places)), told: map[told]bool{}}
	for name, at := range f.places {
		if at < f.set {
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
	if own := roundVars(a); own != nil && a.Args != nil {
		v.round(a.Args, own)
	} else if a.Spec.Shape == ShapeAssignments && a.Args != nil {
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
	fromAbove(a.Clauses, v.clause)
	v.have = v.f.behind(i)
	not := fromAbove(a.Ctrl.When, v.clause)
	if a.Ctrl.Default != nil {
		v.clause(a.Ctrl.Default, not)
	}
}

// round reads the arguments of a foreach: its variables are there with each item, and gone behind the last.
func (v *varReader) round(args *Args, own []string) {
	before := v.have
	for _, p := range args.Pairs {
		v.have = before
		switch p.Name {
		case "next":
			v.have = v.f.with(before, own)
		case "finish":
			v.have = before.copy()
			for _, name := range own {
				v.have.clear(v.f.places[name])
			}
		}
		v.args(p.Value)
	}
	v.have = before
}

// clause reads a clause that is taken where some variables are found.
func (v *varReader) clause(cl *Clause, found []string) {
	before := v.have
	v.expr(cl.Cond)
	v.have = v.f.with(before, found)
	defer func() { v.have = before }()
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
	fromAbove(a.Clauses, v.clause)
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
		if name, isText := s.First.(string); isText && !v.told[told{v.index, name}] {
			v.read(x, s, name)
		}
	}
}

// read checks one read of a variable. A read that is not always made says nothing of ways: what guards it may be just that.
func (v *varReader) read(x *Expr, s expr.Site, name string) {
	at, placed := v.f.places[name]
	known := placed && at < v.f.set
	g := v.f.g
	t := told{v.index, name}
	switch {
	case !known && v.mayBeSet(name):
	case !known && s.Strict && (s.Guarded || placed && v.have.has(at)):
		v.told[t] = true
		v.c.caution("WB2112", x, s.Start, s.End, say("nothing sets the variable %s: what is done only where it is there is never done", quote(name)), v.hint(name, say("set it in context_vars")))
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
	switch {
	case keptInThread(name):
		return say("the engine keeps this with the thread, not in a variable")
	case strings.HasPrefix(name, "$"):
		return say("only a foreach sets variables that begin with $: $NAME.ele and $NAME.idx")
	}
	return otherwise
}

// mayBeSet reports whether a variable that nothing names may be set all the same. Names that begin with $ belong to actions: only one of a
// type that is not known here may set those that bear its name.
func (v *varReader) mayBeSet(name string) bool {
	if !strings.HasPrefix(name, "$") {
		return v.f.g.anyVar || v.f.g.steered
	}
	for i, a := range v.f.g.actions {
		if v.f.byType[i].unknown && strings.HasPrefix(name, "$"+a.Name+".") {
			return true
		}
	}
	return false
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
