package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// How much is spent on finding which variables a source has looked for. What goes beyond counts as looked for, which costs problems only.
const (
	maxSoughtVars = 16
	maxSoughtWork = 100_000 // parts looked at, of one source
)

// guard is a condition under which a part is evaluated: it was computed before and gave outcome.
type guard struct {
	cond    ast.Node
	outcome bool
}

// under lowers a part that is evaluated only where cond gave outcome.
func (l *lowerer) under(cond lowered, outcome bool, part func() lowered) lowered {
	l.maybe++
	l.guards = append(l.guards, guard{cond.n, outcome})
	out := part()
	l.guards = l.guards[:len(l.guards)-1]
	l.maybe--
	return out
}

// guarded reports whether this part is evaluated only where the thread has the variable: a condition before it would have come out
// otherwise without one.
func (l *lowerer) guarded(name string) bool {
	return slices.ContainsFunc(l.guards, func(g guard) bool {
		v, known := l.without(name, g.cond).val.(bool)
		return known && v != g.outcome || l.seeking.work > maxSoughtWork
	})
}

// guardedBy returns the variables that are there wherever this part is evaluated.
func (l *lowerer) guardedBy() (out []string) {
	for _, g := range l.guards {
		for _, name := range soughtIn(g.cond) {
			if !slices.Contains(out, name) && l.guarded(name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// presence finds the variables that are there whenever the source gives true, and whenever it gives false.
func (l *lowerer) presence(root ast.Node) (present [2][]string) {
	if l.pure {
		return present
	}
	for _, name := range soughtIn(root) {
		if b, known := l.without(name, root).val.(bool); known {
			present[boolInt(!b)] = append(present[boolInt(!b)], name)
		}
	}
	return present
}

// without computes a condition as far as it can be known where the thread lacks a variable.
func (l *lowerer) without(name string, cond ast.Node) guess {
	if l.seeking == nil {
		l.seeking = &supposing{scope: Scope{MaxTicks: 2000, MaxBytes: maxFoldBytes}}
	}
	q := l.seeking
	q.is, q.vars = suppose{kind: varIsMissing, name: name}, nil
	q.scope.begin()
	return q.value(cond)
}

// sought are the variables for which a source looks in a way that does not fail where they are missing.
type sought struct{ names []string }

func soughtIn(root ast.Node) []string {
	var s sought
	ast.Walk(&root, &s)
	slices.Sort(s.names)
	return s.names
}

// Visit gathers the names.
func (s *sought) Visit(at *ast.Node) {
	name, args := callOf(*at)
	var text string
	var ok bool
	switch {
	case readsVar(name) && !(strictReads[name] && len(args) == 1):
		text, ok = constantText(args[0])
	case looksUp[name] && len(args) > 1 && isContext(args[0]):
		text, ok = constantText(args[1])
	}
	if ok && len(s.names) < maxSoughtVars && !slices.Contains(s.names, text) {
		s.names = append(s.names, text)
	}
}

// readsVar reports whether a function reads one variable of the thread; its first argument names it.
func readsVar(name string) bool {
	f := registry[name]
	return f != nil && !f.Method && kindOf(name, f) == SiteVar
}

// looksUp are the operators and methods by which a value is found in the map of all variables.
var looksUp = map[string]bool{".containsKey": true, ".contains": true, ".get": true, "$index": true, "$prop": true}

// isContext reports whether a part is the map of all variables.
func isContext(n ast.Node) bool {
	name, args := callOf(n)
	return len(args) == 0 && (name == "#context" || name == "allVars")
}

// missing computes a call that looks for the variable that is supposed to be missing; ok is false for any other call.
func (q *supposing) missing(name string, args []ast.Node) (out guess, ok bool) {
	switch {
	case readsVar(name):
		if text, isText := constantText(args[0]); !isText || text != q.is.name {
			return guess{}, false
		}
		return q.missingVar(name, args), true
	case !looksUp[name] || len(args) < 2 || !isContext(args[0]):
		return guess{}, false
	}
	text, isText := constantText(args[1])
	switch {
	case !isText || text != q.is.name:
		return guess{}, false
	case name == ".containsKey" || name == ".contains":
		return knownAs(false), true
	case len(args) == 3: // a default
		return q.value(args[2]), true
	}
	return knownAs(nil), true
}

// missingVar is the value of a function that reads the missing variable: its default, or an error.
func (q *supposing) missingVar(name string, args []ast.Node) guess {
	vals := []any{q.is.name}
	for _, a := range args[1:] {
		g := q.value(a)
		if g.kind != guessKnown {
			return guess{}
		}
		vals = append(vals, g.val)
	}
	v, err := registry[name].call(&q.scope, vals)
	if err != nil {
		return guess{}
	}
	return knownAs(v)
}
