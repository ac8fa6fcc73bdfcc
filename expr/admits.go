package expr

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Admits returns, for attributes that the event must have with one of a few constant values for this condition to be true, these
// values. Attributes of which nothing is known are left out. The map is shared: nobody writes into it.
func (p *Program) Admits() map[string][]any { return p.admits }

// admitsOf finds a == 1 AND (b == 2 OR b == 3) in a condition.
func admitsOf(n ast.Node) map[string][]any {
	switch n := n.(type) {
	case *ast.BinaryNode:
		switch n.Operator {
		case "&&":
			return bothAdmit(admitsOf(n.Left), admitsOf(n.Right))
		case "||":
			return eitherAdmits(admitsOf(n.Left), admitsOf(n.Right))
		}
	case *ast.CallNode:
		if name, args := callOf(n); name == "$eq" && len(args) == 2 {
			for i := range args {
				attr, reads := plainAttr(args[i])
				if value, fixed := constantOf(args[1-i]); reads && fixed {
					return map[string][]any{attr: {value}}
				}
			}
		}
	}
	return nil
}

// plainAttr returns the name of the attribute that a node reads as it is. With a default, a missing attribute may equal anything.
func plainAttr(n ast.Node) (name string, ok bool) {
	callee, args := callOf(n)
	if callee != "eventAttr" && callee != "strEventAttr" && callee != "event.get" && callee != "event.getStr" || len(args) != 1 {
		return "", false
	}
	return constantText(args[0])
}

func constantOf(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, n.Value != "" // a missing attribute is an empty text to typed getters
	case *ast.ConstantNode:
		switch n.Value.(type) {
		case int64, bool:
			return n.Value, true
		}
	}
	return nil, false
}

func bothAdmit(a, b map[string][]any) map[string][]any {
	if a == nil {
		return b
	}
	for attr, values := range b {
		if known, has := a[attr]; has {
			values = slices.DeleteFunc(known, func(v any) bool { return !slices.ContainsFunc(values, func(w any) bool { return MayBeOne(v, w) }) })
		}
		a[attr] = values
	}
	return a
}

// MayBeOne reports whether an attribute can have two values of Admits at once: they are equal, or one was read as text and the other not.
func MayBeOne(v, w any) bool {
	_, isText := v.(string)
	_, areTexts := w.(string)
	return isText != areTexts || Equal(v, w)
}

func eitherAdmits(a, b map[string][]any) map[string][]any {
	for attr, values := range a {
		if more, has := b[attr]; has && len(values)+len(more) <= maxRequiredTypes {
			a[attr] = append(values, more...)
		} else {
			delete(a, attr)
		}
	}
	if len(a) == 0 {
		return nil
	}
	return a
}
