package expr

type nodeKind uint8

const (
	nodeLiteral nodeKind = iota // val
	nodeName                    // text: a bare word
	nodeRoot                    // #root, or #this outside of a projection
	nodeThis                    // #this
	nodeHole                    // the guarded value inside a nodeSafe
	nodeCall                    // text(kids...)
	nodeMember                  // kids[0].text
	nodeMethod                  // kids[0].text(kids[1:]...)
	nodeIndex                   // kids[0][kids[1]]
	nodeUnary                   // text kids[0]
	nodeNot
	nodeBinary // kids[0] text kids[1]
	nodeAnd
	nodeOr
	nodeTernary
	nodeElvis
	nodeSafe    // kids[0]?. with the whole rest of the chain, over a nodeHole, in kids[1]
	nodeList    // {kids...}
	nodeMap     // {k: v, ...} as kids k, v, k, v
	nodeProject // kids[0].![kids[1]]
	nodeSelect  // kids[0].?[kids[1]]; text is ? ^ or $
	nodeConcat  // the parts of a template
)

// node is one part of a parsed expression. Offsets are runes of the whole source, end exclusive.
type node struct {
	kind       nodeKind
	paren      bool
	raw        bool // of nodeLiteral: the text of a template outside of ${ }
	start, end int
	text       string
	val        any
	kids       []*node
	// nameStart and nameEnd are where text stands, for calls, members and methods.
	nameStart, nameEnd int
}
