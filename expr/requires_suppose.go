package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// suppose is one thing supposed of the event in hand.
type suppose struct {
	kind supposed
	name string // the type, or the attribute
}

type supposed uint8

const (
	nothing       supposed = iota
	typeIs                 // the type is name
	typeIsOther            // the type is none that the source names
	attrIsMissing          // there is no attribute name
	varIsMissing           // the thread has no variable name, and an error counts as no value
)

// guess is what can be said about the value of a part, whatever else the Scope holds.
type guess struct {
	kind guessed
	val  any
}

type guessed uint8

const (
	guessNone  guessed = iota // it may fail
	guessSafe                 // some value, never an error
	guessOther                // a text that is none of the types that the source names
	guessKnown                // val
)

func knownAs(v any) guess { return guess{guessKnown, v} }

func (g guess) fails() bool { return g.kind == guessNone }

// forgives reports whether a part that may fail can be passed over: where only the values that come out are asked for.
func (q *supposing) forgives() bool { return q.is.kind == varIsMissing }

// supposing computes a condition under a supposition as far as it can be known. What it does not know by heart it takes for a part
// that may fail, so that nothing is required in error.
type supposing struct {
	types []string // that the source names
	scope Scope    // pays for what is computed, anew for each supposition
	work  int      // parts looked at while a variable was supposed to be missing
	is    suppose
	vars  map[string]guess
}

func (q *supposing) isFalse(root ast.Node, s suppose) bool {
	q.is, q.vars = s, nil
	q.scope.begin()
	g := q.value(root)
	return g.kind == guessKnown && g.val == false
}

func (q *supposing) value(n ast.Node) guess {
	if q.is.kind == varIsMissing {
		if q.work++; q.work > maxSoughtWork {
			return guess{}
		}
	}
	switch n := n.(type) {
	case *ast.NilNode:
		return knownAs(nil)
	case *ast.BoolNode:
		return knownAs(n.Value)
	case *ast.StringNode:
		return knownAs(n.Value)
	case *ast.ConstantNode:
		return knownAs(n.Value)
	case *ast.IdentifierNode:
		return q.vars[n.Value]
	case *ast.VariableDeclaratorNode:
		v := q.value(n.Value)
		if v.fails() && !q.forgives() {
			return guess{}
		}
		if q.vars == nil {
			q.vars = map[string]guess{}
		}
		q.vars[n.Name] = v // each name is used once in a program
		return q.value(n.Expr)
	case *ast.UnaryNode:
		return q.not(n)
	case *ast.BinaryNode:
		return q.logic(n)
	case *ast.ConditionalNode:
		return q.choice(n)
	case *ast.CallNode:
		return q.call(n)
	}
	return guess{}
}

func (q *supposing) not(n *ast.UnaryNode) guess {
	g := q.value(n.Node)
	if b, ok := g.val.(bool); ok && n.Operator == "!" {
		return knownAs(!b)
	}
	return guess{kind: min(g.kind, guessSafe)}
}

// logic is AND and OR: the left side is asked first, the right side only where the left one does not decide.
func (q *supposing) logic(n *ast.BinaryNode) guess {
	if n.Operator != "&&" && n.Operator != "||" {
		return guess{}
	}
	decides := n.Operator == "||"
	left := q.value(n.Left)
	if left.fails() && !q.forgives() {
		return guess{}
	}
	if left.kind == guessKnown {
		if left.val == decides {
			return left
		}
		return q.value(n.Right)
	}
	right := q.value(n.Right)
	if right.kind == guessKnown && right.val == decides {
		return right
	}
	return guess{kind: min(right.kind, guessSafe)}
}

func (q *supposing) choice(n *ast.ConditionalNode) guess {
	cond := q.value(n.Cond)
	switch {
	case cond.fails() && !q.forgives():
		return guess{}
	case cond.kind == guessKnown && cond.val == true:
		return q.value(n.Exp1)
	case cond.kind == guessKnown:
		return q.value(n.Exp2)
	}
	yes, no := q.value(n.Exp1), q.value(n.Exp2)
	if a, ok := yes.val.(bool); ok && no.val == a {
		return yes
	}
	return guess{kind: min(yes.kind, no.kind, guessSafe)}
}

func (q *supposing) call(n *ast.CallNode) guess {
	name, nodes := callOf(n)
	if q.is.kind == varIsMissing {
		if g, ok := q.missing(name, nodes); ok {
			return g
		}
	}
	args := make([]guess, len(nodes))
	least := guessKnown
	for i, a := range nodes {
		args[i] = q.value(a)
		least = min(least, args[i].kind)
	}
	if least == guessNone {
		return guess{}
	}
	switch {
	case eventTypes[name]:
		return q.eventType()
	case name == "eventTypeIs":
		if _, text := args[0].val.(string); !text { // it is compared by its text
			return guess{kind: guessSafe}
		}
		return q.equal(q.eventType(), args[0])
	case name == "$eq":
		return q.equal(args[0], args[1])
	case name == "$ne":
		g := q.equal(args[0], args[1])
		if b, ok := g.val.(bool); ok {
			return knownAs(!b)
		}
		return g
	case name == "$isNull" && least == guessOther:
		return knownAs(false)
	case name == "$isNull" && least == guessSafe, name == "$isBlank" && least != guessKnown:
		return guess{kind: guessSafe}
	case name == ".contains" && least != guessKnown:
		return q.contains(args)
	case readsAttr(name):
		return q.attr(name, args, least)
	case least == guessKnown:
		return q.compute(name, args)
	}
	return guess{}
}

func (q *supposing) eventType() guess {
	switch q.is.kind {
	case typeIs:
		return knownAs(q.is.name)
	case typeIsOther:
		return guess{kind: guessOther}
	}
	return guess{kind: guessSafe}
}

// equal is a == b of two values that do not fail. Comparing lists and maps may fail, by their depth.
func (q *supposing) equal(a, b guess) guess {
	if b.kind != guessKnown {
		a, b = b, a
	}
	switch b.val.(type) {
	case nil, bool, string, int64, float64, float32, *Decimal:
	default:
		return guess{}
	}
	switch {
	case b.kind != guessKnown:
		return guess{}
	case a.kind == guessKnown:
		return knownAs(Equal(a.val, b.val))
	case a.kind == guessOther:
		if text, ok := b.val.(string); !ok || slices.Contains(q.types, text) {
			return knownAs(false)
		}
	}
	return guess{kind: guessSafe}
}

// contains is list.contains(x) for a list that is known.
func (q *supposing) contains(args []guess) guess {
	list, ok := args[0].val.([]any)
	if !ok || len(args) != 2 {
		return guess{}
	}
	out := knownAs(false)
	for _, item := range list {
		switch g := q.equal(args[1], knownAs(item)); {
		case g.fails():
			return guess{}
		case g != knownAs(false):
			out = guess{kind: guessSafe}
		}
	}
	return out
}

// attr is a function that reads the attribute args[0]. With the attribute missing it can be computed; else it may fail unless it
// takes any value.
func (q *supposing) attr(name string, args []guess, least guessed) guess {
	if q.is.kind == attrIsMissing && args[0] == knownAs(q.is.name) {
		if least == guessKnown {
			return q.compute(name, args)
		}
		return guess{}
	}
	switch name {
	case "eventAttr":
		if len(args) == 1 {
			return guess{}
		}
		fallthrough
	case "event.get", "containsAttr", "event.contains", "isAttrEmpty", "isAttrNotEmpty":
		if _, ok := args[0].val.(string); ok {
			return guess{kind: guessSafe}
		}
	}
	return guess{}
}

// compute calls a function of known arguments. Only those that read an attribute may look at the Scope, whose event is empty.
func (q *supposing) compute(name string, args []guess) guess {
	vals := make([]any, len(args))
	for i, a := range args {
		vals[i] = a.val
	}
	var v any
	var err error
	switch f := registry[name]; {
	case len(name) > 1 && name[0] == '$' && operators[name[1:]] != nil && operators[name[1:]].pure:
		v, err = operators[name[1:]].call(&q.scope, vals)
	case len(name) > 1 && name[0] == '.' && methods[name[1:]] != nil:
		v, err = callMethod(&q.scope, name[1:], methods[name[1:]], vals)
	case f != nil && (f.pure || readsAttr(name)):
		v, err = f.call(&q.scope, vals)
	default:
		return guess{}
	}
	if err != nil {
		return guess{}
	}
	return knownAs(v)
}
