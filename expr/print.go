package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format returns the source in its one spelling: single spaces around operators, AND, OR and NOT as words, comparisons as signs, texts
// in double quotes where they hold none, numbers in decimal. Parentheses stay. The text means the same: it is parsed to the same tree.
// ok is false when the source does not parse.
func Format(src string) (text string, ok bool) {
	if len(src) > MaxSourceBytes || !utf8.ValidString(src) {
		return "", false
	}
	var probs []Problem
	tree := parseSource(src, []rune(src), &probs)
	if tree == nil {
		return "", false
	}
	return printTree(tree), true
}

// printTree writes the tree of a whole source.
func printTree(tree *node) string {
	p := &printer{}
	if tree.kind == nodeConcat {
		for _, k := range tree.kids {
			if text, is := k.val.(string); is && k.kind == nodeLiteral && k.raw {
				p.WriteString(text)
				continue
			}
			p.WriteString("${")
			p.node(k)
			p.WriteString("}")
		}
		return p.String()
	}
	p.node(tree)
	if text := p.String(); strings.Contains(text, "${") { // a text with ${ stands inside a template only
		return "${" + text + "}"
	}
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) node(n *node) {
	if n.paren {
		p.WriteByte('(')
		defer p.WriteByte(')')
	}
	switch n.kind {
	case nodeLiteral:
		p.literal(n)
	case nodeName:
		p.WriteString(n.text)
	case nodeRoot:
		p.WriteString("#root")
	case nodeThis:
		p.WriteString("#this")
	case nodeHole:
	case nodeCall:
		p.WriteString(n.text)
		p.list("(", n.kids, ")")
	case nodeMember, nodeMethod, nodeIndex, nodeProject, nodeSelect, nodeSafe:
		p.chain(n)
	case nodeNot:
		p.WriteString("NOT ")
		p.node(n.kids[0])
	case nodeUnary:
		inner := &printer{}
		inner.node(n.kids[0])
		p.WriteString(n.text)
		if text := inner.String(); text[0] == '-' || text[0] == '+' {
			p.WriteByte(' ')
		}
		p.WriteString(inner.String())
	case nodeList:
		p.list("{", n.kids, "}")
	case nodeMap:
		p.entries(n.kids)
	default:
		p.operator(n)
	}
}

// operator writes what stands between values.
func (p *printer) operator(n *node) {
	sign := " " + n.text + " "
	switch n.kind {
	case nodeAnd:
		sign = " AND "
	case nodeOr:
		sign = " OR "
	case nodeElvis:
		sign = " ?: "
	case nodeTernary:
		sign = " ? "
	}
	p.node(n.kids[0])
	p.WriteString(sign)
	p.node(n.kids[1])
	if n.kind == nodeTernary {
		p.WriteString(" : ")
		p.node(n.kids[2])
	}
}

// chain writes a value and the part of the chain that stands behind it.
func (p *printer) chain(n *node) {
	p.node(n.kids[0])
	switch n.kind {
	case nodeMember:
		p.WriteString("." + n.text)
	case nodeMethod:
		p.WriteString("." + n.text)
		p.list("(", n.kids[1:], ")")
	case nodeIndex:
		p.list("[", n.kids[1:], "]")
	case nodeProject:
		p.list(".![", n.kids[1:], "]")
	case nodeSelect:
		p.list("."+n.text+"[", n.kids[1:], "]")
	case nodeSafe:
		p.WriteByte('?')
		p.node(n.kids[1])
	}
}

func (p *printer) list(open string, kids []*node, end string) {
	p.WriteString(open)
	for i, k := range kids {
		if i > 0 {
			p.WriteString(", ")
		}
		p.node(k)
	}
	p.WriteString(end)
}

func (p *printer) entries(kids []*node) {
	if len(kids) == 0 {
		p.WriteString("{:}")
		return
	}
	for i, k := range kids {
		p.WriteString([...]string{"{", ": ", ", "}[min(i, 1)+boolInt(i > 1 && i%2 == 0)])
		p.node(k)
	}
	p.WriteByte('}')
}

func (p *printer) literal(n *node) {
	switch v := n.val.(type) {
	case nil:
		p.WriteString("null")
	case bool:
		p.WriteString(strconv.FormatBool(v))
	case int64:
		p.WriteString(strconv.FormatInt(v, 10))
	case float64:
		p.WriteString(realText(v, 64))
	case float32:
		p.WriteString(realText(float64(v), 32) + "f")
	case string:
		quote := `"`
		switch {
		case n.text != "": // a bare word as a key
			p.WriteString(n.text)
			return
		case strings.Contains(v, `"`) && !strings.Contains(v, "'"):
			quote = "'"
		}
		p.WriteString(quote + strings.ReplaceAll(v, quote, quote+quote) + quote)
	}
}

// realText writes a float so that it is read as one again.
func realText(f float64, bits int) string {
	if math.IsInf(f, 0) {
		return "1e999"
	}
	text := strconv.FormatFloat(f, 'g', -1, bits)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
