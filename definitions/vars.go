package definitions

import (
	"slices"
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// How large a definition may be for the analysis of its variables; what is larger is not analysed, which costs warnings only.
const (
	maxVarNames  = 4_000
	maxVarRounds = 64 // times that each action may be looked at again
)

// assigned are the variables that an action sets by itself, whichever way it is left.
type assigned struct {
	surely  []string // in the order in which they are set
	maybe   []string
	removed []string
	clears  bool // all variables are removed, or some that are not named
	unknown bool // some are set that are not named
}

// settingTypes say how the types that set variables do it; a built-in type that is neither here nor in silentTypes may set any.
var settingTypes = map[string]func(*Action) assigned{
	"update_var":    func(a *Action) assigned { return assigned{surely: pairNames(a.Args)} },
	"delete_var":    deletes,
	"random_choice": chooses,
	"concurrent":    gathers,
}

// silentTypes set no variables but those of the engine, which begin with "$".
var silentTypes = map[string]bool{"stdout": true, "sleep": true, "clock": true, "debug": true, "send": true, "foreach": true, "case": true, "receive": true, "service": true}

func assignedBy(a *Action) assigned {
	set, special := settingTypes[a.Spec.Type]
	switch {
	case special:
		return set(a)
	case a.Spec.Shape == ShapeAssignments:
		var out assigned
		if a.Args != nil {
			for _, item := range a.Args.Items {
				out.surely = append(out.surely, pairNames(item)...)
			}
		}
		return out
	case len(a.Clauses) > 0:
		return assigned{surely: inAllClauses(a.Clauses)}
	}
	return assigned{unknown: !a.Spec.Service && !silentTypes[a.Spec.Type] && a.Spec.Shape != ShapeClauses}
}

func pairNames(a *Args) (out []string) {
	if a != nil {
		for _, p := range a.Pairs {
			out = append(out, p.Name)
		}
	}
	return out
}

// constName returns the text of an argument that is the same every time.
func constName(a *Args) (string, bool) {
	if a == nil || a.Kind != ArgsExpr {
		return "", false
	}
	v, fixed := a.Expr.Program.Const()
	return expr.Text(v), fixed
}

func chooses(a *Action) assigned {
	if name, ok := constName(a.Args.Get("var")); ok {
		return assigned{surely: []string{name}}
	}
	return assigned{unknown: true}
}

func deletes(a *Action) assigned {
	if a.Args == nil || a.Args.Kind != ArgsList {
		return assigned{clears: true}
	}
	var out assigned
	for _, item := range a.Args.Items {
		name, ok := constName(item)
		out.clears = out.clears || !ok
		out.removed = append(out.removed, name)
	}
	return out
}

// gathers takes the variables of all clauses among the arguments for variables that may be set.
func gathers(a *Action) assigned {
	var out assigned
	var walk func(a *Args)
	walk = func(a *Args) {
		if a == nil {
			return
		}
		for _, item := range a.Items {
			walk(item)
		}
		for _, p := range a.Pairs {
			walk(p.Value)
		}
		for _, cl := range a.Clauses {
			for _, v := range cl.ContextVars {
				out.maybe = append(out.maybe, v.Name)
			}
		}
	}
	walk(a.Args)
	return out
}

// inAllClauses returns the variables that every clause sets.
func inAllClauses(clauses []Clause) (out []string) {
	for _, v := range clauses[0].ContextVars {
		everywhere := true
		for _, cl := range clauses[1:] {
			everywhere = everywhere && sets(cl.ContextVars, v.Name)
		}
		if everywhere {
			out = append(out, v.Name)
		}
	}
	return out
}

func sets(vars []Assign, name string) bool {
	for _, v := range vars {
		if v.Name == name {
			return true
		}
	}
	return false
}

// keptInThread reports whether the original keeps under this name of a variable what here is a field of the thread: why it failed, that it
// waits for repair, how often an action was run again.
func keptInThread(name string) bool {
	return name == "_FR" || name == "_BPS" || name == "_RP" || strings.HasPrefix(name, "$") && strings.HasSuffix(name, ".retry")
}

// flowOfVars is what is known of the variables at each action.
type flowOfVars struct {
	g      *graph
	places map[string]int // of every name that something sets, and behind these of those that are only looked for
	set    int            // how many of them something sets
	byType []assigned     // by action
	in     []bits         // the variables that are surely set when a thread enters the action; nil: no thread does
	from   [][]int        // the actions that lead to one
}

type bits []uint64

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bits) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bits) clear(i int)    { b[i/64] &^= 1 << (i % 64) }
func (b bits) copy() bits     { return append(bits(nil), b...) }

// meet keeps what both have and reports whether that is less.
func (b bits) meet(other bits) bool {
	less := false
	for i := range b {
		if kept := b[i] & other[i]; kept != b[i] {
			b[i], less = kept, true
		}
	}
	return less
}

// varsOf finds which names are set anywhere, and which surely at each action. It returns false when the definition is too large.
func (c *checker) varsOf(g *graph) (*flowOfVars, bool) {
	f := &flowOfVars{g: g, places: map[string]int{}, byType: make([]assigned, len(g.actions)), in: make([]bits, len(g.actions)), from: make([][]int, len(g.actions))}
	f.name(pairNames(&Args{Pairs: c.def.Trigger.ContextVars}))
	for i, a := range g.actions {
		f.byType[i] = assignedBy(a)
		g.anyVar = g.anyVar || f.byType[i].unknown
		f.name(f.byType[i].surely)
		f.name(f.byType[i].maybe)
		for _, e := range g.exits[i] {
			f.name(e.sets)
		}
	}
	f.set = len(f.places)
	for i := range g.actions {
		for _, e := range g.exits[i] {
			f.name(e.found)
			for _, next := range e.to {
				f.name(e.given[next])
			}
		}
	}
	if len(f.places) > maxVarNames {
		return nil, false
	}
	f.in[0] = make(bits, (len(f.places)+63)/64)
	for _, v := range c.def.Trigger.ContextVars {
		f.in[0].set(f.places[v.Name])
	}
	return f, f.spread()
}

func (f *flowOfVars) name(names []string) {
	for _, n := range names {
		if _, known := f.places[n]; !known {
			f.places[n] = len(f.places)
		}
	}
}

// spread carries what is set along all ways until nothing changes.
func (f *flowOfVars) spread() bool {
	rounds := make([]int, len(f.in))
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		i := queue[0]
		if rounds[i]++; rounds[i] > maxVarRounds {
			return false
		}
		for _, e := range f.g.exits[i] {
			behind := f.carried(i, e)
			for _, next := range e.to {
				out := f.with(behind, e.given[next])
				if rounds[i] == 1 {
					f.from[next] = append(f.from[next], i)
				}
				changed := f.in[next] == nil
				if changed {
					f.in[next] = out.copy()
				} else {
					changed = f.in[next].meet(out)
				}
				if !e.starts && (changed || rounds[next] == 0) {
					queue = append(queue, next)
				}
			}
		}
	}
	return true
}

// carried returns what is surely set behind an exit.
func (f *flowOfVars) carried(i int, e exit) bits {
	if e.starts {
		return f.in[i].copy()
	}
	out := f.with(f.with(f.behind(i), e.found), e.sets)
	for _, n := range e.unsets {
		out.clear(f.places[n])
	}
	return out
}

// with returns what is surely set where these are, too. Names without a place are passed over.
func (f *flowOfVars) with(have bits, names []string) bits {
	if len(names) == 0 {
		return have
	}
	out := have.copy()
	for _, n := range names {
		if at, known := f.places[n]; known {
			out.set(at)
		}
	}
	return out
}

// carries reports whether one variable is among those that carried would return.
func (f *flowOfVars) carries(i int, e exit, at int, name string) bool {
	by := &f.byType[i]
	switch {
	case e.starts:
		return f.in[i].has(at)
	case slices.Contains(e.unsets, name):
		return false
	case slices.Contains(e.sets, name), slices.Contains(e.found, name), slices.Contains(by.surely, name):
		return true
	}
	return f.in[i].has(at) && !by.clears && !slices.Contains(by.removed, name)
}

// behind returns what is surely set when an action has done its work.
func (f *flowOfVars) behind(i int) bits {
	out := f.in[i].copy()
	by := &f.byType[i]
	if by.clears {
		clear(out)
	}
	for _, n := range by.removed {
		if at, known := f.places[n]; known {
			out.clear(at)
		}
	}
	for _, n := range by.surely {
		out.set(f.places[n])
	}
	return out
}
