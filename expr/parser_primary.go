package expr

import (
	"math"
	"strings"
)

// start parses the first part of a chain: a literal, a name, a call, parentheses, an inline list or map.
func (p *parser) start() *node {
	t := p.tok()
	switch t.kind {
	case tokEnd:
		p.fail(t.start, t.end, codeEnded, "the expression ends where a value is missing", "")
	case tokInt:
		if t.mag > math.MaxInt64 {
			p.fail(t.start, t.end, codeNumber, "this number does not fit into 64 bits", "the largest integer is 9223372036854775807")
		}
		p.pos++
		n := p.mk(nodeLiteral, t.start, t.end, "")
		n.val = int64(t.mag)
		return n
	case tokLiteral:
		p.pos++
		n := p.mk(nodeLiteral, t.start, t.end, "")
		n.val = t.val
		return n
	case tokName:
		return p.name()
	}
	switch t.text {
	case "(":
		p.pos++
		if c := p.tok(); p.isOp(")") {
			p.fail(t.start, c.end, codeUnexpected, "there is nothing between the parentheses", "")
		}
		n := p.expression()
		c := p.expect(")", "to close the parenthesis")
		n.paren = true
		n.start, n.end = t.start, c.end
		return n
	case "{":
		return p.inline()
	case "#":
		return p.variable()
	case "[":
		p.fail(t.start, t.end, codeUnexpected, "an index needs a value in front of it", "a list is written {1, 2, 3}")
	case "![", "?[", "^[", "$[":
		p.fail(t.start, t.end, codeUnexpected, t.text+" needs a list and a dot in front of it", "write list."+t.text+"...]")
	case "=":
		p.fail(t.start, t.end, codeForeign, "= has no meaning here", "to compare write ==")
	case "&&", "||":
		p.fail(t.start, t.end, codeUnexpected, t.text+" needs a value on its left", "")
	}
	p.fail(t.start, t.end, codeUnexpected, "expected a value, found "+t.show(), foreignSign(t.text))
	return nil
}

func foreignSign(s string) string {
	switch s {
	case ">", "<":
		return "not equal is written !="
	case "/":
		return "there are no comments in an expression"
	case ".":
		return "a number needs a digit in front of the point: 0.5"
	case "*":
		return "a power is written 2 ^ 3"
	}
	return ""
}

func (p *parser) name() *node {
	t := p.tok()
	next := p.ahead(1)
	isCall := next.kind == tokOp && next.text == "("
	switch {
	case t.text == "T" && isCall:
		p.fail(t.start, t.end, codeHost, "T(..) (access to classes) is not part of the language", "use math.*, regex.*, list.*, map.*, str or toInt")
	case t.text == "new" && next.kind == tokName:
		p.fail(t.start, t.end, codeHost, "new is not part of the language", "use list(..), map(..) or a text")
	}
	p.pos++
	if !isCall {
		var lit any
		found := true
		switch strings.ToLower(t.text) {
		case "true":
			lit = true
		case "false":
			lit = false
		case "null":
		default:
			found = false
		}
		if found {
			n := p.mk(nodeLiteral, t.start, t.end, "")
			n.val = lit
			return n
		}
	}
	if !isCall {
		return p.mk(nodeName, t.start, t.end, t.text)
	}
	args, end := p.arguments()
	n := p.mk(nodeCall, t.start, end, t.text, args...)
	n.nameStart, n.nameEnd = t.start, t.end
	return n
}

// arguments parses (a, b, c); one comma more at the end is accepted, as the original does.
func (p *parser) arguments() (args []*node, end int) {
	p.expect("(", "")
	for !p.isOp(")") {
		args = append(args, p.expression())
		if !p.take(",") {
			break
		}
	}
	return args, p.expect(")", "to close the arguments").end
}

// variable parses #this and #root.
func (p *parser) variable() *node {
	hash := p.tok()
	p.pos++
	t := p.tok()
	if t.kind != tokName {
		p.fail(hash.start, t.end, codeVariable, "# must be followed by this or root", "")
	}
	p.pos++
	switch t.text {
	case "this":
		return p.mk(nodeThis, hash.start, t.end, "")
	case "root":
		return p.mk(nodeRoot, hash.start, t.end, "")
	}
	p.fail(hash.start, t.end, codeVariable, "there is no #"+t.text, `only #this and #root exist; a variable is read with var("`+t.text+`")`)
	return nil
}

// inline parses {1, 2}, {a: 1, 'b': 2}, {} and {:}.
func (p *parser) inline() *node {
	open := p.tok()
	p.pos++
	if p.isOp("}") {
		p.pos++
		return p.mk(nodeList, open.start, p.toks[p.pos-1].end, "")
	}
	if p.isOp(":") {
		p.pos++
		return p.mk(nodeMap, open.start, p.expect("}", "to close the map").end, "")
	}
	first := p.expression()
	kids := []*node{first}
	if !p.isOp(":") {
		for p.take(",") {
			kids = append(kids, p.expression())
		}
		return p.mk(nodeList, open.start, p.expect("}", "to close the list").end, "", kids...)
	}
	p.pos++
	kids = append(kids, p.expression())
	for p.take(",") {
		kids = append(kids, p.expression())
		p.expect(":", "between key and value")
		kids = append(kids, p.expression())
	}
	for i := 0; i < len(kids); i += 2 {
		switch k := kids[i]; {
		case k.kind == nodeName && !k.paren:
			k.kind, k.val = nodeLiteral, k.text
		case k.kind == nodeLiteral && k.val == nil:
			k.val = "null"
		}
	}
	return p.mk(nodeMap, open.start, p.expect("}", "to close the map").end, "", kids...)
}

// postfix parses what may follow a value: .name .name(..) ?.name [..] .![..] .?[..] .^[..] .$[..]
func (p *parser) postfix(n *node) *node {
	for {
		switch {
		case p.isOp("["):
			p.pos++
			n = p.index(n)
		case p.isOp("."):
			p.pos++
			n = p.dotted(n)
		case p.isOp("?."):
			p.enter()
			defer p.leave()
			p.pos++
			hole := p.mk(nodeHole, n.start, n.end, "")
			rest := p.postfix(p.dotted(hole))
			return p.mk(nodeSafe, n.start, rest.end, "", n, rest)
		default:
			return n
		}
	}
}

func (p *parser) index(n *node) *node {
	x := p.expression()
	if x.kind == nodeName && !x.paren { // a bare word in an index is the key itself
		x.kind, x.val = nodeLiteral, x.text
	}
	return p.mk(nodeIndex, n.start, p.expect("]", "to close the index").end, "", n, x)
}

func (p *parser) dotted(n *node) *node {
	t := p.tok()
	if t.kind == tokOp {
		switch t.text {
		case "![", "?[", "^[", "$[":
			p.pos++
			x := p.expression()
			end := p.expect("]", "to close the "+t.text).end
			if t.text == "![" {
				return p.mk(nodeProject, n.start, end, "", n, x)
			}
			return p.mk(nodeSelect, n.start, end, t.text[:1], n, x)
		}
	}
	if t.kind != tokName {
		code := codeUnexpected
		if t.kind == tokEnd {
			code = codeEnded
		}
		p.fail(t.start, t.end, code, "expected a name behind the dot, found "+t.show(), "")
	}
	p.pos++
	if t.text == "class" || t.text == "getClass" {
		p.fail(t.start, t.end, codeHost, t.text+" (access to classes) is not part of the language", "")
	}
	var r *node
	if p.isOp("(") {
		args, end := p.arguments()
		r = p.mk(nodeMethod, n.start, end, t.text, append([]*node{n}, args...)...)
	} else {
		r = p.mk(nodeMember, n.start, t.end, t.text, n)
	}
	r.nameStart, r.nameEnd = t.start, t.end
	return r
}
