package definitions

// kind is what a node of the tree is.
type kind uint8

const (
	kindScalar kind = iota
	kindList
	kindMap
)

// tag is what YAML takes a scalar for.
type tag uint8

const (
	tagText tag = iota
	tagNull
	tagBool
	tagInt
	tagFloat
	tagDate
)

// style is how a scalar is written.
type style uint8

const (
	stylePlain style = iota
	styleSingle
	styleDouble
	styleLiteral
	styleFolded
	styleMended // plain in the text, read as quoted (WB2001)
)

// node is one value of the text. Aliases share the node of their anchor, so the tree is a directed graph without cycles;
// its expanded size and height are limited when it is built.
type node struct {
	kind         kind
	tag          tag
	style        style
	line, column int
	value        string  // of a scalar
	keys         []*node // of a map, beside items
	items        []*node // of a list or map
	size         int     // nodes below and with this one, aliases expanded
	height       int     // levels of lists and maps below and with this one
	number       func() (any, error)
	merged       bool // of a map that had a merge key, which was told: the keys that it misses may stand there
}

// get returns the value of a map entry, nil if there is none.
func (n *node) get(key string) *node {
	if n == nil || n.kind != kindMap {
		return nil
	}
	for i, k := range n.keys {
		if k.value == key {
			return n.items[i]
		}
	}
	return nil
}

// empty reports whether the node is null or a scalar without text.
func (n *node) empty() bool {
	return n.kind == kindScalar && (n.tag == tagNull || n.value == "")
}

// what names the node's kind in a message.
func (n *node) what() words {
	switch {
	case n.kind == kindList:
		return say("a list")
	case n.kind == kindMap:
		return say("a map")
	case n.empty():
		return say("empty")
	case n.tag == tagBool:
		return say("a boolean")
	case n.tag == tagInt || n.tag == tagFloat:
		return say("a number")
	}
	return say("a text")
}

// yaml11Bool reads the words that YAML 1.1 takes for a Boolean, in the three spellings it knows. Only plain scalars count.
func (n *node) yaml11Bool() (value, ok bool) {
	if n.kind != kindScalar || n.style != stylePlain {
		return false, false
	}
	switch n.value {
	case "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE":
		return true, true
	case "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE":
		return false, true
	}
	return false, false
}
