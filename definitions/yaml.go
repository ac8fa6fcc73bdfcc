package definitions

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// The limits of a definition's text. Exceeding one is a problem (WB1003, WB1010 … WB1013).
const (
	MaxTextBytes   = 256 << 10 // of the whole text
	MaxDepth       = 32        // nested lists and maps
	MaxNodes       = 20_000    // values and keys, aliases expanded
	MaxKeys        = 1_000     // in one map
	MaxScalarBytes = 64 << 10  // in one value
	MaxMended      = 50        // values that must be quoted but are not (WB2001)
)

// documents is what the parser makes of a text: the first document and, if there is one, where the second begins.
type documents struct {
	first  *yaml.Node
	second *yaml.Node
}

// decode parses text; it never panics.
func decode(text string) (docs documents, err error) {
	defer func() {
		if r := recover(); r != nil {
			docs, err = documents{}, fmt.Errorf("the YAML parser gave up: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		return documents{}, nil
	case err != nil:
		return documents{}, err
	}
	docs.first = &first
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return documents{}, err
	default:
		docs.second = &second
	}
	return docs, nil
}

// spot is a place in the text.
type spot struct{ line, column int }

// quotedSpots returns where single-quoted values stand outside flow collections.
func quotedSpots(root *yaml.Node) map[spot]bool {
	spots := map[spot]bool{}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		switch {
		case n.Kind == yaml.ScalarNode && n.Style&yaml.SingleQuotedStyle != 0:
			spots[spot{n.Line, n.Column}] = true
		case n.Style&yaml.FlowStyle == 0:
			for _, c := range n.Content {
				walk(c)
			}
		}
	}
	walk(root)
	return spots
}

// taken returns the places that the parser took for single-quoted values of a block map.
func taken(places []MendedPlace, root *yaml.Node) []MendedPlace {
	spots := quotedSpots(root)
	var kept []MendedPlace
	for _, p := range places {
		if spots[spot{p.Line, p.Column}] {
			kept = append(kept, p)
		}
	}
	return kept
}

// builder turns the parser's nodes into ours and holds the limits while it does.
type builder struct {
	mended  map[spot]MendedPlace
	anchors map[*yaml.Node]*node
	open    map[*yaml.Node]bool // anchors whose value is being built: an alias to one would contain itself
	trail   []crumb
	nodes   int
	stopped bool // a limit was hit: nothing more is looked at
	report  func(code string, n *node, path string, message, hint words)
	warn    func(Problem)
}

// crumb is one step of the way to the value at hand: a key, or the index in a list.
type crumb struct {
	key   string
	index int // -1: key
}

func (b *builder) say(code string, n *node, message, hint words) {
	b.report(code, n, b.path(), message, hint)
}

func (b *builder) path() string {
	path := ""
	for _, c := range b.trail {
		if c.index >= 0 {
			path = at(path, c.index)
		} else {
			path = sub(path, c.key)
		}
	}
	return path
}

// below builds a value that stands under a key or index.
func (b *builder) below(c crumb, y *yaml.Node, depth int) *node {
	b.trail = append(b.trail, c)
	n := b.build(y, depth)
	b.trail = b.trail[:len(b.trail)-1]
	return n
}

func (b *builder) stop(code string, y *yaml.Node, message, hint words) *node {
	n := &node{line: y.Line, column: y.Column, size: 1}
	if !b.stopped {
		b.stopped = true
		b.say(code, n, message, hint)
	}
	return n
}

func (b *builder) build(y *yaml.Node, depth int) *node {
	if b.stopped {
		return &node{line: y.Line, column: y.Column, size: 1}
	}
	if y.Kind == yaml.AliasNode {
		return b.alias(y, depth)
	}
	b.nodes++
	if b.nodes > MaxNodes {
		return b.stop("WB1011", y, say("the definition has more than %d values", MaxNodes), say("split it into several definitions"))
	}
	if y.Anchor != "" {
		b.open[y] = true
		defer delete(b.open, y)
	}
	n := &node{line: y.Line, column: y.Column, size: 1}
	if y.Kind != yaml.ScalarNode && depth >= MaxDepth {
		return b.stop("WB1010", y, say("lists and maps are nested more than %d deep here", MaxDepth), say("make it flatter"))
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind, n.height = kindMap, 1
		b.buildMap(y, n, depth)
	case yaml.SequenceNode:
		n.kind, n.height = kindList, 1
		n.items = make([]*node, 0, len(y.Content))
		for i, c := range y.Content {
			b.adopt(n, b.below(crumb{index: i}, c, depth+1))
		}
	default:
		b.buildScalar(y, n)
	}
	b.checkTag(y, n)
	if y.Anchor != "" {
		b.anchors[y] = n
	}
	return n
}

func (b *builder) adopt(n, child *node) {
	n.items = append(n.items, child)
	n.size += child.size
	n.height = max(n.height, child.height+1)
}

func (b *builder) alias(y *yaml.Node, depth int) *node {
	if b.open[y.Alias] {
		return b.stop("WB1015", y, say("*%s stands inside the value it repeats", cut(y.Value, 60)), say("an alias cannot contain itself: write the value out"))
	}
	target := b.anchors[y.Alias]
	if target == nil {
		return b.stop("WB1015", y, say("*%s repeats a value that was refused", cut(y.Value, 60)), say("write the value out"))
	}
	b.nodes += target.size
	if b.nodes > MaxNodes {
		return b.stop("WB1011", y, say("with its aliases written out the definition has more than %d values", MaxNodes), say("use fewer aliases"))
	}
	if depth+target.height > MaxDepth {
		return b.stop("WB1010", y, say("with this alias lists and maps are nested more than %d deep", MaxDepth), say("make it flatter"))
	}
	return target
}

func (b *builder) buildMap(y *yaml.Node, n *node, depth int) {
	if len(y.Content)/2 > MaxKeys {
		b.stop("WB1012", y.Content[2*MaxKeys], say("this map has %d keys; at most %d are allowed", len(y.Content)/2, MaxKeys), words{})
		return
	}
	seen := make(map[string]*node, len(y.Content)/2)
	for i := 0; i+1 < len(y.Content) && !b.stopped; i += 2 {
		if y.Content[i].Tag == "!!merge" {
			b.say("WB1008", &node{line: y.Content[i].Line, column: y.Content[i].Column, value: "<<"},
				say(`the merge key "<<" is not supported`), say("write the keys out"))
			n.merged = true
			b.below(crumb{"<<", -1}, y.Content[i+1], depth+1)
			continue
		}
		key := b.build(y.Content[i], depth+1)
		item := b.below(crumb{y.Content[i].Value, -1}, y.Content[i+1], depth+1)
		if b.stopped {
			return
		}
		if key.kind != kindScalar || key.empty() {
			b.say("WB1014", key, say("a key must be a text, a number or a boolean; this is %s", key.what()), words{})
			continue
		}
		if first := seen[key.value]; first != nil {
			b.say("WB1006", key, say("the key %s stands twice in this map, first in line %d", quote(key.value), first.line), say("delete or rename one of them"))
			continue
		}
		seen[key.value] = key
		n.keys = append(n.keys, key)
		n.size += key.size
		b.adopt(n, item)
	}
}

func (b *builder) buildScalar(y *yaml.Node, n *node) {
	n.value = y.Value
	switch y.ShortTag() {
	case "!!null":
		n.tag = tagNull
	case "!!bool":
		n.tag = tagBool
	case "!!int":
		n.tag = tagInt
	case "!!float":
		n.tag = tagFloat
	case "!!timestamp":
		n.tag = tagDate
	}
	if n.tag == tagBool || n.tag == tagInt || n.tag == tagFloat {
		n.number = func() (any, error) {
			var v any
			err := y.Decode(&v)
			return v, err
		}
	}
	switch {
	case y.Style&yaml.SingleQuotedStyle != 0:
		n.style = styleSingle
	case y.Style&yaml.DoubleQuotedStyle != 0:
		n.style = styleDouble
	case y.Style&yaml.LiteralStyle != 0:
		n.style = styleLiteral
	case y.Style&yaml.FoldedStyle != 0:
		n.style = styleFolded
	}
	if m, ok := b.mended[spot{y.Line, y.Column}]; ok && n.style == styleSingle {
		n.style, n.value = styleMended, m.Value
		b.warn(mendWarning(m, b.path()))
	}
	if len(n.value) > MaxScalarBytes {
		b.stop("WB1013", y, say("this value has %d bytes; at most %d are allowed", len(n.value), MaxScalarBytes), words{})
	}
}

// checkTag refuses tags written by the author, other than those of YAML's own simple types.
func (b *builder) checkTag(y *yaml.Node, n *node) {
	if y.Style&yaml.TaggedStyle == 0 || b.stopped {
		return
	}
	switch y.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq":
		return
	}
	b.say("WB1009", n, say("the tag %s is not supported", cut(y.ShortTag(), 60)), say("delete the tag"))
}

// cut shortens a text of the author to n runes.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i] + "…"
		}
		n--
	}
	return text
}

// tree builds the tree of the first document. It returns nil after a fault that leaves nothing to bind.
func (c *checker) tree(r reading) *node {
	if r.docs.first == nil || len(r.docs.first.Content) == 0 {
		c.add(Problem{Code: "WB1002", Line: 1, Column: 1}.says(say("the definition is empty"), say(`it begins with "activity:"`)))
		return nil
	}
	if y := r.docs.second; y != nil {
		c.add(Problem{Code: "WB1007", Line: y.Line, Column: y.Column}.says(say("a second YAML document begins here"), secondDocumentHint))
	}
	b := builder{
		mended: map[spot]MendedPlace{}, anchors: map[*yaml.Node]*node{}, open: map[*yaml.Node]bool{},
		report: c.report, warn: c.add,
	}
	for _, m := range r.mended {
		b.mended[spot{m.Line, m.Column}] = m
	}
	root := b.build(r.docs.first.Content[0], 0)
	if b.stopped {
		return nil
	}
	return root
}
