package expr

import "github.com/expr-lang/expr/ast"

// branch is one when(cond).then(val); val is nil where then is missing.
type branch struct{ cond, val *node }

// when lowers the whole chain when(c).then(v)...get(d): the value of the first branch that is true and not null, else d (null).
// ok is false when the method n is no part of such a chain.
func (l *lowerer) when(n *node) (out lowered, ok bool) {
	if n.text != "get" && n.text != "then" && n.text != "when" {
		return lowered{}, false
	}
	branches, problem, ok := l.branches(n)
	switch {
	case !ok:
		return lowered{}, false
	case branches == nil:
		return problem, true
	case n.text != "get" || len(n.kids) > 2:
		return l.problem(n.start, n.end, codeWhen, say("when(..) is not complete"), say("write when(condition).then(value).get(default)")), true
	}
	out = constant(n, nil)
	l.maybe++
	if len(n.kids) == 2 {
		out = l.lower(n.kids[1])
	}
	l.maybe--
	for i, b := range branches {
		first := boolInt(i == len(branches)-1) // only the first condition is always evaluated
		l.maybe += 1 - first
		cond := l.condition(b.cond)
		l.maybe -= 1 - first
		val := constant(n, nil)
		if b.val != nil {
			val = l.under(cond, true, func() lowered { return l.lower(b.val) })
		}
		rest := out
		out = lowered{typ: "any", n: l.with(n, lowered{n: choose(n, cond.n, val.n, constant(n, nil).n), typ: "any"}, func(v lowered) ast.Node {
			return choose(n, callNode(n, "$isNull", v), rest.n, v.n)
		})}
	}
	return out, true
}

// branches gathers the branches of a chain that ends in n, last first. ok is false when it does not begin with when(..);
// without branches the problem was noted.
func (l *lowerer) branches(n *node) (out []branch, problem lowered, ok bool) {
	var then *node
	for at := n.kids[0]; ; at = at.kids[0] {
		if at.kind == nodeMethod && at.text == "then" && then == nil {
			then = at
			continue
		}
		if at.text != "when" || at.kind != nodeMethod && at.kind != nodeCall {
			return nil, lowered{}, false
		}
		conds := at.kids
		if at.kind == nodeMethod {
			conds = conds[1:]
		}
		if len(conds) != 1 || then != nil && len(then.kids) != 2 {
			return nil, l.problem(at.start, n.end, codeCount, say("when takes one condition and then one value"), say("write when(condition).then(value).get(default)")), true
		}
		b := branch{cond: conds[0]}
		if then != nil {
			b.val = then.kids[1]
		}
		out = append(out, b)
		then = nil
		if at.kind == nodeCall {
			return out, lowered{}, true
		}
	}
}
