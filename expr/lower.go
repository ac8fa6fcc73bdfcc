package expr

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// lowered is a part of the expression as the machine's tree, and what is known about its value.
type lowered struct {
	n     ast.Node
	typ   string // the type in the words of Param.Type, "any" when unknown
	known bool   // the value is the same every time: val
	val   any
	bad   bool // a problem was noted already; nothing is known
}

// lowerer checks the tree of an expression and turns it into the machine's. It gathers all problems and goes on behind each.
type lowerer struct {
	ctx   Context
	probs *[]Problem
	calls []CallTarget
	sites []Site
	fold  *Scope // pays for constants that are computed now
	folds bool   // constants are computed now
	maybe int    // above 0: this part is not always evaluated
	loops int    // projections and selections around this part
	vars  int
	holes []string // the variables of the nodeSafe around this part, innermost last
	pure  bool     // nothing so far looked at the Scope

	guards  []guard // the conditions under which this part is evaluated
	seeking *supposing
}

func (l *lowerer) problem(start, end int, code string, msg, hint words) lowered {
	*l.probs = append(*l.probs, problem(start, end, code, msg, hint))
	return lowered{n: &ast.NilNode{}, typ: "any", bad: true}
}

// fails notes a part whose constant operands always fail: an error where it is always evaluated, else a warning.
func (l *lowerer) fails(n *node, code string, err error) {
	if isLimit(err) {
		l.problem(n.start, n.end, codeBudget, wordsOf(err), words{})
		return
	}
	if l.maybe == 0 {
		l.problem(n.start, n.end, code, wordsOf(err), words{})
		return
	}
	*l.probs = append(*l.probs, warning(n.start, n.end, codeSometimesFails, say("this always fails when it is reached: %s", wordsOf(err)), words{}))
}

func located[N ast.Node](n N, at *node) N {
	n.SetLocation(file.Location{From: at.start, To: at.end})
	return n
}

func constant(at *node, v any) lowered {
	out := lowered{known: true, val: v, typ: staticType(v)}
	switch x := v.(type) {
	case bool:
		out.n = located(&ast.BoolNode{Value: x}, at)
	case string:
		out.n = located(&ast.StringNode{Value: x}, at)
	default:
		out.n = located(&ast.ConstantNode{Value: v}, at)
	}
	return out
}

func staticType(v any) string {
	switch t := TypeName(v); t {
	case "string":
		return "text"
	case "float", "decimal":
		return "number"
	case "null":
		return "any"
	default:
		return t
	}
}

// callNode makes the call of a compiled function with the Scope as its first argument.
func callNode(at *node, name string, args ...lowered) ast.Node {
	nodes := make([]ast.Node, 0, len(args)+1)
	nodes = append(nodes, located(&ast.IdentifierNode{Value: "$env"}, at))
	for _, a := range args {
		nodes = append(nodes, a.n)
	}
	return located(&ast.CallNode{Callee: located(&ast.IdentifierNode{Value: name}, at), Arguments: nodes}, at)
}

// op makes a call of an operator, or its value where all operands are constants.
func (l *lowerer) op(at *node, name string, args ...lowered) lowered {
	o := operators[name]
	typ := o.typ
	if typ == "items" {
		typ = "list"
	}
	if out, ok := l.folded(at, o.call, args); ok {
		return out
	}
	return lowered{n: callNode(at, "$"+name, args...), typ: typ}
}

// folded computes a pure call of constants. What is too large to keep in a program stays a call.
func (l *lowerer) folded(at *node, call callFunc, args []lowered) (lowered, bool) {
	if !l.folds {
		return lowered{}, false
	}
	vals := make([]any, len(args))
	for i, a := range args {
		if !a.known {
			return lowered{}, false
		}
		vals[i] = a.val
	}
	before := l.fold.bytes
	v, err := call(l.fold, vals)
	if err != nil {
		l.fails(at, codeFails, err)
		return lowered{}, false
	}
	if before-l.fold.bytes > maxFoldBytes {
		return lowered{}, false
	}
	return constant(at, v), true
}

func (l *lowerer) lower(n *node) lowered {
	switch n.kind {
	case nodeLiteral:
		return constant(n, n.val)
	case nodeName:
		return l.name(n)
	case nodeThis:
		if l.loops > 0 {
			return lowered{n: located(&ast.PointerNode{}, n), typ: "any"}
		}
		return l.problem(n.start, n.end, codeProperty, say("#this is no value here"), say("#this stands for the item inside .![..] and .?[..]"))
	case nodeRoot:
		return l.problem(n.start, n.end, codeProperty, say("#root is no value by itself"), say("write #root.name or #root.function(..)"))
	case nodeHole:
		return lowered{n: located(&ast.IdentifierNode{Value: l.holes[len(l.holes)-1]}, n), typ: "any"}
	case nodeCall:
		return l.call(n)
	case nodeMember:
		return l.member(n)
	case nodeMethod:
		return l.method(n)
	case nodeIndex:
		return l.index(n)
	case nodeUnary:
		return l.unary(n)
	case nodeNot:
		x := l.condition(n.kids[0])
		if x.known {
			return constant(n, x.val != true)
		}
		return lowered{n: located(&ast.UnaryNode{Operator: "!", Node: x.n}, n), typ: "bool"}
	case nodeBinary:
		return l.binary(n)
	case nodeAnd, nodeOr:
		return l.logic(n)
	case nodeTernary:
		return l.ternary(n)
	case nodeElvis:
		return l.elvis(n)
	case nodeSafe:
		return l.safe(n)
	case nodeProject, nodeSelect:
		return l.walk(n)
	}
	return l.many(n)
}

// many lowers list and map literals and templates, whose operators take any number of operands.
func (l *lowerer) many(n *node) lowered {
	args := make([]lowered, len(n.kids))
	for i, k := range n.kids {
		args[i] = l.lower(k)
	}
	switch n.kind {
	case nodeMap:
		out := l.op(n, "map", args...)
		out.typ = "map"
		return out
	case nodeConcat:
		out := l.op(n, "concat", args...)
		out.typ = "text"
		return out
	}
	out := l.op(n, "list", args...)
	out.typ = "list"
	return out
}

// condition lowers an operand that must be a Boolean (D4).
func (l *lowerer) condition(n *node) lowered {
	x := l.lower(n)
	switch {
	case x.known:
		if _, ok := x.val.(bool); !ok {
			return l.problem(n.start, n.end, codeType, say("a condition must be true or false, not %s", show(x.val)), words{})
		}
		return x
	case x.typ == "bool":
		return x
	case !canBe(x.typ, "bool"):
		return l.problem(n.start, n.end, codeType, say("a condition must be true or false, not %s", typeNames[strings.TrimSuffix(x.typ, "?")]), words{})
	}
	return lowered{n: callNode(n, "$bool", x), typ: "bool"}
}

func (l *lowerer) logic(n *node) lowered {
	left := l.condition(n.kids[0])
	right := l.under(left, n.kind == nodeAnd, func() lowered { return l.condition(n.kids[1]) })
	sign, stop := "&&", false
	if n.kind == nodeOr {
		sign, stop = "||", true
	}
	if left.known {
		if left.val == stop {
			return constant(n, stop)
		}
		return right
	}
	if right.known { // the machine's optimizer would drop the left side, and with it its errors
		return lowered{n: choose(n, left.n, logicValue(n, sign, true, right), logicValue(n, sign, false, right)), typ: "bool"}
	}
	return lowered{n: located(&ast.BinaryNode{Operator: sign, Left: left.n, Right: right.n}, n), typ: "bool"}
}

// logicValue is what left sign right gives for a known right side.
func logicValue(at *node, sign string, left bool, right lowered) ast.Node {
	if sign == "&&" {
		return constant(at, left && right.val == true).n
	}
	return constant(at, left || right.val == true).n
}

func (l *lowerer) ternary(n *node) lowered {
	cond := l.condition(n.kids[0])
	yes := l.under(cond, true, func() lowered { return l.lower(n.kids[1]) })
	no := l.under(cond, false, func() lowered { return l.lower(n.kids[2]) })
	if cond.known {
		if cond.val == true {
			return yes
		}
		return no
	}
	typ := yes.typ
	if no.typ != typ || yes.known && yes.val == nil || no.known && no.val == nil {
		typ = "any"
	}
	return lowered{n: choose(n, cond.n, yes.n, no.n), typ: typ}
}

func choose(at *node, cond, yes, no ast.Node) ast.Node {
	return located(&ast.ConditionalNode{Ternary: true, Cond: cond, Exp1: yes, Exp2: no}, at)
}

// with evaluates value once, under a name of its own, for the node that use makes.
func (l *lowerer) with(at *node, value lowered, use func(v lowered) ast.Node) ast.Node {
	l.vars++
	name := "$v" + strconv.Itoa(l.vars)
	v := lowered{n: located(&ast.IdentifierNode{Value: name}, at), typ: value.typ}
	return located(&ast.VariableDeclaratorNode{Name: name, Value: value.n, Expr: use(v)}, at)
}

// elvis is a ?: b: b where a is null or "".
func (l *lowerer) elvis(n *node) lowered {
	left := l.lower(n.kids[0])
	l.maybe++
	right := l.lower(n.kids[1])
	l.maybe--
	if left.known {
		if left.val == nil || left.val == "" {
			return right
		}
		return left
	}
	typ := "any"
	if left.typ == right.typ {
		typ = left.typ
	}
	return lowered{typ: typ, n: l.with(n, left, func(v lowered) ast.Node {
		return choose(n, callNode(n, "$isBlank", v), right.n, v.n)
	})}
}

// safe is a?.rest: null where a is null, without looking at the rest (D18).
func (l *lowerer) safe(n *node) lowered {
	if k := n.kids[0]; k.kind == nodeName && spaces[k.text] || k.kind == nodeRoot {
		return l.lower(replaceHole(n.kids[1], k)) // an object is never null
	}
	left := l.lower(n.kids[0])
	if left.known && left.val == nil {
		return left
	}
	return lowered{typ: "any", n: l.with(n, left, func(v lowered) ast.Node {
		l.holes = append(l.holes, v.n.(*ast.IdentifierNode).Value)
		l.maybe++
		rest := l.lower(n.kids[1])
		l.maybe--
		l.holes = l.holes[:len(l.holes)-1]
		return choose(n, callNode(n, "$isNull", v), located(&ast.NilNode{}, n), rest.n)
	})}
}

// replaceHole puts with in the place of the guarded value at the bottom of a chain.
func replaceHole(chain, with *node) *node {
	if chain.kind == nodeHole {
		return with
	}
	out := *chain
	out.kids = append([]*node{replaceHole(chain.kids[0], with)}, chain.kids[1:]...)
	return &out
}

var binaryOps = map[string]string{
	"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "^": "pow", "==": "eq", "!=": "ne",
	"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "between": "between", "matches": "matches",
}

func (l *lowerer) binary(n *node) lowered {
	left, right := l.lower(n.kids[0]), l.lower(n.kids[1])
	if n.text == "matches" && right.known {
		right = l.pattern(n.kids[1], right)
	}
	if !l.operands(n, left, right) {
		return lowered{n: &ast.NilNode{}, typ: "any", bad: true}
	}
	out := l.op(n, binaryOps[n.text], left, right)
	if out.typ == "any" && !out.known {
		out.typ = resultType(n.text, left.typ, right.typ)
	}
	return out
}

// pattern compiles a constant regular expression now.
func (l *lowerer) pattern(at *node, x lowered) lowered {
	if x.val == nil {
		l.problem(at.start, at.end, codeType, say("a regular expression is needed, not null"), words{})
		return lowered{n: x.n, typ: "regex"}
	}
	p, err := compilePattern(Text(x.val))
	if err != nil {
		code := codeRegex
		if isLimit(err) {
			code = codeRegexLimit
		}
		l.problem(at.start, at.end, code, wordsOf(err), words{})
		return lowered{n: x.n, typ: "regex"}
	}
	return lowered{n: located(&ast.ConstantNode{Value: p}, at), typ: "regex", known: true, val: p}
}

// datePattern reads a constant pattern of dates now.
func (l *lowerer) datePattern(at *node, x lowered) lowered {
	text, ok := x.val.(string)
	parts, err := datePattern(text)
	switch {
	case !ok:
		err = failf("a date pattern is needed, not %s", show(x.val))
	case err == nil:
		return lowered{n: located(&ast.ConstantNode{Value: &dateFormat{parts}}, at), typ: "datePattern", known: true, val: &dateFormat{parts}}
	}
	return l.problem(at.start, at.end, codePattern, wordsOf(err), say("its letters are those of Joda: yyyy-MM-dd HH:mm:ss"))
}

// formatted checks a constant format that has arguments behind it; false means that a problem was noted.
func (l *lowerer) formatted(kids []*node, sig *Signature, args []lowered) bool {
	if len(args) < 2 || sig.Params[0].Type != "format" || !args[0].known {
		return true
	}
	format, ok := args[0].val.(string)
	if !ok {
		return true
	}
	needs, err := checkFormat(format)
	listed := len(args) == 2 && canBe(args[1].typ, "list") // a list alone may stand for its items
	switch at := kids[0]; {
	case err != nil:
		l.problem(at.start, at.end, codeFormat, wordsOf(err), words{})
		return false
	case needs > len(args)-1 && !listed:
		l.problem(at.start, at.end, codeFormat, say("the format needs %s, there are %d", plural(needs, "argument"), len(args)-1), words{})
		return false
	}
	return true
}

func (l *lowerer) index(n *node) lowered {
	if o := n.kids[0]; o.kind == nodeName && spaces[o.text] && registry["#"+o.text] == nil {
		return l.problem(n.start, n.end, codeProperty, say("%s cannot be indexed", o.text), objectHint(o.text))
	}
	left, key := l.lower(n.kids[0]), l.lower(n.kids[1])
	return l.op(n, "index", left, key)
}

// walk lowers projections and selections to the machine's loops.
func (l *lowerer) walk(n *node) lowered {
	from := l.lower(n.kids[0])
	l.loops++
	l.maybe++
	holes := l.holes
	var body ast.Node
	if n.kind == nodeProject {
		body = callNode(n.kids[1], "$each", l.lower(n.kids[1]))
	} else {
		body = callNode(n.kids[1], "$bool", l.condition(n.kids[1])) // a call even of a Boolean: it is the tick of the item
	}
	l.holes = holes
	l.loops--
	l.maybe--
	loop := func(builtin, items string, src lowered) lowered {
		pred := located(&ast.PredicateNode{Node: body}, n)
		return lowered{typ: "any", n: located(&ast.BuiltinNode{Name: builtin, Arguments: []ast.Node{callNode(n, items, src), pred}}, n)}
	}
	if n.kind == nodeProject {
		out := loop("map", "$items", from)
		out.typ = "list"
		return out
	}
	how := selections[n.text]
	return lowered{typ: "any", n: l.with(n, from, func(v lowered) ast.Node {
		return callNode(n, how.finish, v, loop(how.builtin, how.items, v))
	})}
}

// selections are the machine's loops for .?[..] .^[..] .$[..]. The last match is the first of the reversed items: the machine's
// own findLast leaves a value per item on its stack.
var selections = map[string]struct{ builtin, items, finish string }{
	"?": {"filter", "$items", "$all"}, "^": {"find", "$items", "$one"}, "$": {"find", "$reversed", "$one"},
}
