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
		p.fail(t.start, t.end, codeEnded, say("the expression ends where a value is missing"), words{})
	case tokInt:
		if t.mag > math.MaxInt64 {
			p.fail(t.start, t.end, codeNumber, say("this number does not fit into 64 bits"), say("the largest integer is 9223372036854775807"))
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
			p.fail(t.start, c.end, codeUnexpected, say("there is nothing between the parentheses"), words{})
		}
		n := p.expression()
		c := p.expect(")", say("to close the parenthesis"))
		n.paren = true
		n.start, n.end = t.start, c.end
		return n
	case "{":
		return p.inline()
	case "#":
		return p.variable()
	case "[":
		p.fail(t.start, t.end, codeUnexpected, say("an index needs a value in front of it"), say("a list is written {1, 2, 3}"))
	case "![", "?[", "^[", "$[":
		p.fail(t.start, t.end, codeUnexpected, say("%s needs a list and a dot in front of it", t.text), say("write list.%s...]", t.text))
	case "=":
		p.fail(t.start, t.end, codeForeign, say("= has no meaning here"), say("to compare write =="))
	case "&&", "||":
		p.fail(t.start, t.end, codeUnexpected, say("%s needs a value on its left", t.text), words{})
	}
	if t.kind == tokOp && t.text == "?" && p.pos > 0 && p.ahead(-1).text == "?" && p.ahead(-1).end == t.start {
		p.fail(t.start-1, t.end, codeForeign, say("%s is not part of the language", "??"), say(`a default for null and "" is written a ?: b, one for what may be missing var("a", b)`))
		return nil
	}
	p.fail(t.start, t.end, codeUnexpected, say("expected a value, found %s", t.show()), foreignSign(t.text))
	return nil
}

func foreignSign(s string) words {
	switch s {
	case ">", "<":
		return say("not equal is written !=")
	case "/":
		return say("there are no comments in an expression")
	case ".":
		return say("a number needs a digit in front of the point: 0.5")
	case "*":
		return say("a power is written 2 ^ 3")
	}
	return words{}
}

func (p *parser) name() *node {
	t := p.tok()
	next := p.ahead(1)
	isCall := next.kind == tokOp && next.text == "("
	switch {
	case t.text == "T" && isCall:
		p.fail(t.start, t.end, codeHost, say("T(..) (access to classes) is not part of the language"), say("use math.*, regex.*, list.*, map.*, str or toInt"))
	case t.text == "new" && next.kind == tokName:
		p.fail(t.start, t.end, codeHost, say("new is not part of the language"), say("use list(..), map(..) or a text"))
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
	p.expect("(", words{})
	for !p.isOp(")") {
		args = append(args, p.expression())
		if !p.take(",") {
			break
		}
	}
	return args, p.expect(")", say("to close the arguments")).end
}

// variable parses #this and #root.
func (p *parser) variable() *node {
	hash := p.tok()
	p.pos++
	t := p.tok()
	if t.kind != tokName {
		p.fail(hash.start, t.end, codeVariable, say("# must be followed by this or root"), words{})
	}
	p.pos++
	switch t.text {
	case "this":
		return p.mk(nodeThis, hash.start, t.end, "")
	case "root":
		return p.mk(nodeRoot, hash.start, t.end, "")
	}
	p.fail(hash.start, t.end, codeVariable, say("there is no #%s", t.text), say(`only #this and #root exist; a variable is read with var("%s")`, t.text))
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
		return p.mk(nodeMap, open.start, p.expect("}", say("to close the map")).end, "")
	}
	first := p.expression()
	kids := []*node{first}
	if !p.isOp(":") {
		for p.take(",") {
			kids = append(kids, p.expression())
		}
		return p.mk(nodeList, open.start, p.expect("}", say("to close the list")).end, "", kids...)
	}
	p.pos++
	kids = append(kids, p.expression())
	for p.take(",") {
		kids = append(kids, p.expression())
		p.expect(":", say("between key and value"))
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
	return p.mk(nodeMap, open.start, p.expect("}", say("to close the map")).end, "", kids...)
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
	return p.mk(nodeIndex, n.start, p.expect("]", say("to close the index")).end, "", n, x)
}

func (p *parser) dotted(n *node) *node {
	t := p.tok()
	if t.kind == tokOp {
		switch t.text {
		case "![", "?[", "^[", "$[":
			p.pos++
			x := p.expression()
			end := p.expect("]", say("to close the %s", t.text)).end
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
		p.fail(t.start, t.end, code, say("expected a name behind the dot, found %s", t.show()), words{})
	}
	p.pos++
	if t.text == "class" || t.text == "getClass" {
		p.fail(t.start, t.end, codeHost, say("%s (access to classes) is not part of the language", t.text), words{})
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
