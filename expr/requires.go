package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Requirement is what an event must have for a condition to be worth asking: an event that lacks one of the types, or one of the
// attributes, makes the condition false, without an error (within any budget of 4,096 ticks and more). It never says that the
// condition is true. The zero value requires nothing.
//
// A condition that would fail on such an event requires nothing by that: eventAttr("a") == 1 is an error where a is missing, and an
// error is told to people, so it may not be skipped; eventAttr("a", null) == 1 is false there and requires a. In a AND b the part b
// counts only where a cannot fail, as a is asked first.
type Requirement struct {
	Types []string // the event's type is one of these, in ascending order; nil: any type; empty: none, the condition is never true
	Attrs []string // the event has all of these attributes, be they null, in ascending order
}

// Met reports whether the event has what is required; nil is an event without type and attributes.
func (r Requirement) Met(e *Event) bool {
	if e == nil {
		e = noEvent
	}
	if r.Types != nil && !slices.Contains(r.Types, e.Type) {
		return false
	}
	for _, name := range r.Attrs {
		if _, ok := e.Attrs[name]; !ok {
			return false
		}
	}
	return true
}

// Indexed reports whether anything is required, so that an index can pass over the condition.
func (r Requirement) Indexed() bool { return r.Types != nil || len(r.Attrs) > 0 }

// Requires returns what an event must have for this condition to be true. Its lists are shared: nobody writes into them.
func (p *Program) Requires() Requirement { return p.requires }

// How many types and attributes of one source are looked at; what goes beyond is not required, which costs time only.
const (
	maxRequiredTypes = 64
	maxRequiredAttrs = 16
)

// requirement finds what is required by asking, for each type and attribute that the source names: is the condition surely false
// where the event lacks it?
func (p *Program) requirement(root ast.Node) Requirement {
	if p.known {
		if p.value == false {
			return Requirement{Types: []string{}}
		}
		return Requirement{}
	}
	named := namedIn(root)
	q := &supposing{types: named.types, scope: Scope{MaxTicks: 2000, MaxBytes: maxFoldBytes}}
	if q.isFalse(root, suppose{}) {
		return Requirement{Types: []string{}}
	}
	var out Requirement
	if len(named.types) > 0 && q.isFalse(root, suppose{kind: typeIsOther}) {
		out.Types = []string{}
		for _, t := range named.types {
			if !q.isFalse(root, suppose{kind: typeIs, name: t}) {
				out.Types = append(out.Types, t)
			}
		}
	}
	for _, a := range named.attrs {
		if q.isFalse(root, suppose{kind: attrIsMissing, name: a}) {
			out.Attrs = append(out.Attrs, a)
		}
	}
	return out
}

// names are the types and attributes of events that a source names, in ascending order.
type names struct{ types, attrs []string }

func namedIn(root ast.Node) names {
	var n names
	ast.Walk(&root, &n)
	slices.Sort(n.types)
	slices.Sort(n.attrs)
	return n
}

// Visit gathers the constants that a call compares the event's type with, and the names of attributes it reads.
func (n *names) Visit(at *ast.Node) {
	name, args := callOf(*at)
	switch {
	case name == "eventTypeIs":
		n.addType(args[0])
	case name == "$eq" || name == "$ne":
		for i, side := range args {
			if callee, _ := callOf(side); eventTypes[callee] {
				n.addType(args[1-i])
			}
		}
	case name == ".contains" && len(args) == 2:
		if callee, _ := callOf(args[1]); eventTypes[callee] {
			n.addType(args[0])
		}
	case readsAttr(name):
		if text, ok := constantText(args[0]); ok && len(n.attrs) < maxRequiredAttrs && !slices.Contains(n.attrs, text) {
			n.attrs = append(n.attrs, text)
		}
	}
}

func (n *names) addType(at ast.Node) {
	if text, ok := constantText(at); ok {
		n.addText(text)
		return
	}
	if c, ok := at.(*ast.ConstantNode); ok {
		list, _ := c.Value.([]any)
		for _, item := range list {
			if text, ok := item.(string); ok {
				n.addText(text)
			}
		}
	}
}

func (n *names) addText(text string) {
	if len(n.types) < maxRequiredTypes && !slices.Contains(n.types, text) {
		n.types = append(n.types, text)
	}
}

// eventTypes are the functions that give the event's type.
var eventTypes = map[string]bool{"eventType": true, "event.type": true, "event.getType": true}

// readsAttr reports whether a function reads one attribute of the event and nothing else of the Scope; its first argument names it.
func readsAttr(name string) bool {
	f := registry[name]
	return f != nil && !f.Method && f.contexts == inEvent && len(f.Signatures[0].Params) > 0 && f.Signatures[0].Params[0].Name == "name"
}

// callOf returns the function that a node calls and the arguments behind the Scope; "" when it is no such call.
func callOf(n ast.Node) (name string, args []ast.Node) {
	call, ok := n.(*ast.CallNode)
	if !ok {
		return "", nil
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	if !ok || len(call.Arguments) == 0 {
		return "", nil
	}
	return callee.Value, call.Arguments[1:]
}

func constantText(n ast.Node) (string, bool) {
	s, ok := n.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return s.Value, true
}
