package expr

import (
	"math"
	"strconv"
	"strings"
)

// parser builds the tree of one expression. It stops at the first error that leaves the meaning unclear; errors with one clear
// meaning (chaining, the reach of NOT) are noted and parsing goes on.
type parser struct {
	toks  []token
	pos   int
	depth int
	nodes *int
	probs *[]Problem
}

// stopParsing is what parser.fail panics with; parse recovers it.
type stopParsing struct{}

// parse parses src[start:stop]. It returns nil when there was an error; nodes counts the nodes of the whole source.
func parse(src []rune, start, stop int, nodes *int, probs *[]Problem) (tree *node) {
	toks, ok := lex(src, start, stop, probs)
	if !ok {
		return nil
	}
	before := len(*probs)
	p := &parser{toks: toks, nodes: nodes, probs: probs}
	defer func() {
		if r := recover(); r != nil {
			if _, mine := r.(stopParsing); !mine {
				panic(r)
			}
			tree = nil
		}
	}()
	tree = p.expression()
	if t := p.tok(); t.kind != tokEnd {
		p.trailing(t)
	}
	for _, q := range (*probs)[before:] {
		if !q.Warning {
			return nil
		}
	}
	return tree
}

func (p *parser) tok() token { return p.toks[p.pos] }

func (p *parser) ahead(i int) token {
	if p.pos+i < len(p.toks) {
		return p.toks[p.pos+i]
	}
	return p.toks[len(p.toks)-1]
}

func (p *parser) isOp(s string) bool { t := p.tok(); return t.kind == tokOp && t.text == s }

func (p *parser) take(s string) bool {
	if p.isOp(s) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) note(start, end int, code string, msg, hint words) {
	*p.probs = append(*p.probs, problem(start, end, code, msg, hint))
}

func (p *parser) fail(start, end int, code string, msg, hint words) {
	p.note(start, end, code, msg, hint)
	panic(stopParsing{})
}

func (p *parser) expect(s string, what words) token {
	t := p.tok()
	if !p.take(s) {
		if t.kind == tokEnd {
			p.fail(t.start, t.end, codeEnded, say("the expression ends where %s %s is missing", s, what), words{})
		}
		p.fail(t.start, t.end, codeUnexpected, say("expected %s %s, found %s", s, what, t.show()), words{})
	}
	return t
}

func (t token) show() words {
	switch t.kind {
	case tokEnd:
		return say("the end")
	case tokInt:
		return say("the number %s", strconv.FormatUint(t.mag, 10))
	case tokLiteral:
		if s, ok := t.val.(string); ok {
			return say("the text %s", quoteShort(s))
		}
		return say("the number %s", Text(t.val))
	}
	return say("%s", t.text)
}

// trailing explains what stands behind a complete expression.
func (p *parser) trailing(t token) {
	switch t.text {
	case "=":
		p.fail(t.start, t.end, codeAssign, say("an expression cannot assign"), say("to compare write ==; to set a variable use context_vars or update_var"))
	case "++", "--":
		p.fail(t.start, t.end, codeForeign, say("%s is not part of the language", t.text), say("write + 1 or - 1; 2 - -3 needs the space"))
	case ")", "]", "}":
		p.fail(t.start, t.end, codeUnexpected, say("%s has no opening counterpart", t.text), words{})
	}
	if t.kind == tokName {
		if h, ok := foreignWords[strings.ToLower(t.text)]; ok {
			p.fail(t.start, t.end, codeForeign, say("%s is not part of the language", t.text), h)
		}
	}
	p.fail(t.start, t.end, codeUnexpected, say("the expression is complete before %s", t.show()), say("two values need an operator between them; text needs quotes"))
}

var foreignWords = map[string]words{
	"in": say("write list.contains(x), as in {1,2}.contains(x)"), "xor": say("write (a OR b) AND NOT (a AND b)"), "is": say("write =="), "equals": say("write =="),
	"contains": say(`write a.contains("b")`), "startswith": say(`write a.startsWith("b")`), "endswith": say(`write a.endsWith("b")`), "like": say("write matches"), "if": say("write cond ? a : b"),
}

// enter bounds the recursion of the parser, and of everything that walks the tree.
func (p *parser) enter() {
	p.depth++
	if p.depth > MaxDepth {
		t := p.tok()
		p.fail(t.start, t.end, codeDepth, say("the expression is nested more than %d levels deep", MaxDepth), say("split it, or compute parts of it in variables"))
	}
}

func (p *parser) leave() { p.depth-- }

func (p *parser) mk(kind nodeKind, start, end int, text string, kids ...*node) *node {
	*p.nodes++
	if *p.nodes > MaxNodes {
		p.fail(start, end, codeNodes, say("the expression has more than %d parts", MaxNodes), say("compute parts of it in variables"))
	}
	return &node{kind: kind, start: start, end: end, text: text, kids: kids}
}

// expression: a binary expression, with ?: or ? : behind it.
func (p *parser) expression() *node {
	p.enter()
	defer p.leave()
	left := p.binary(1)
	switch {
	case p.take("?:"):
		right := p.expression()
		return p.mk(nodeElvis, left.start, right.end, "", left, right)
	case p.take("?"):
		yes := p.expression()
		p.expect(":", say("between the two branches of ? :"))
		no := p.expression()
		return p.mk(nodeTernary, left.start, no.end, "", left, yes, no)
	case p.isOp("="):
		p.trailing(p.tok())
	}
	return left
}

const (
	precOr = iota + 1
	precAnd
	precRelation
	precSum
	precProduct
	precPower
)

var signs = map[string]int{
	"||": precOr, "&&": precAnd, "==": precRelation, "!=": precRelation, "<": precRelation, "<=": precRelation, ">": precRelation, ">=": precRelation,
	"+": precSum, "-": precSum, "*": precProduct, "/": precProduct, "%": precProduct, "^": precPower,
}

var wordSigns = map[string]string{
	"or": "||", "and": "&&", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "div": "/", "mod": "%",
	"matches": "matches", "between": "between", "instanceof": "instanceof",
}

// operator returns the binary operator that stands here and its precedence, 0 when there is none.
func (p *parser) operator() (string, int) {
	t := p.tok()
	switch t.kind {
	case tokOp:
		return t.text, signs[t.text]
	case tokName:
		if op, ok := wordSigns[strings.ToLower(t.text)]; ok {
			if prec, ok := signs[op]; ok {
				return op, prec
			}
			return op, precRelation
		}
	}
	return "", 0
}

func (p *parser) binary(least int) *node {
	left := p.unary()
	for {
		op, prec := p.operator()
		if prec == 0 || prec < least {
			return left
		}
		t := p.tok()
		p.pos++
		if op == "instanceof" {
			p.fail(t.start, t.end, codeHost, say("instanceof is not part of the language"), say("compare values instead; types are not visible"))
		}
		if prec >= precRelation && left.kind == nodeNot && !left.paren {
			p.note(left.start, t.end, codeNot, say("NOT binds to the operand right behind it only, not to the whole comparison"), say("write NOT (x %s y)", t.text))
		}
		right := p.binary(prec + 1)
		left = p.join(op, prec, t, left, right)
		if next, np := p.operator(); np == prec && (prec == precRelation || prec == precPower) {
			n := p.tok()
			if prec == precPower {
				p.fail(n.start, n.end, codeChain, say("^ does not chain"), say("use parentheses: (a ^ b) ^ c"))
			}
			p.fail(n.start, n.end, codeChain, say("comparisons do not chain"), say("write a %s b AND b %s c, or use parentheses", op, next))
		}
	}
}

func (p *parser) join(op string, prec int, t token, left, right *node) *node {
	kind := nodeBinary
	switch prec {
	case precOr:
		kind = nodeOr
	case precAnd:
		kind = nodeAnd
	}
	n := p.mk(kind, left.start, right.end, op, left, right)
	n.nameStart, n.nameEnd = t.start, t.end
	return n
}

func (p *parser) unary() *node {
	t := p.tok()
	isNot := t.kind == tokOp && t.text == "!" || t.kind == tokName && strings.EqualFold(t.text, "not") && !(p.ahead(1).kind == tokOp && p.ahead(1).text == ":")
	switch {
	case isNot:
		p.enter()
		defer p.leave()
		p.pos++
		x := p.unary()
		return p.mk(nodeNot, t.start, x.end, "", x)
	case t.kind == tokOp && (t.text == "-" || t.text == "+"):
		p.enter()
		defer p.leave()
		p.pos++
		if m := p.tok(); t.text == "-" && m.kind == tokInt && m.mag == 1<<63 {
			p.toks[p.pos] = token{kind: tokLiteral, val: int64(math.MinInt64), start: t.start, end: m.end}
			return p.postfix(p.start())
		}
		x := p.unary()
		return p.mk(nodeUnary, t.start, x.end, t.text, x)
	case t.kind == tokOp && (t.text == "++" || t.text == "--"):
		p.trailing(t)
	}
	return p.postfix(p.start())
}
