package definitions

import (
	"bytes"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// entry is a key of a map or an entry of a list with all that belongs to it.
type entry struct {
	name    string   // of a key
	column  int      // where it stood, from 0
	lead    []string // comments and empty lines before it
	head    string   // its own line: "key: value", "- value", "key:"; "-" where the entries inside go on in the line
	more    []text   // further lines of a value
	inside  []*entry // of a block map or list
	trail   []string // comments behind it
	isEntry bool     // of a list
	kind    string   // what it is in the grammar, as a path
	isMap   bool     // inside are keys
	first   int      // the line in which it begins
	last    int      // the last line of its value; first, where entries are inside
	above   *entry
}

// text is a further line of a value, and how much deeper than its entry it stands.
type text struct {
	depth int
	line  string
}

func blanks(n int) string { return strings.Repeat(" ", max(0, n)) }

// print writes an entry indented by so many blanks.
func (e *entry) print(out *bytes.Buffer, indent int) {
	for _, l := range e.lead {
		putLine(out, indent, l)
	}
	inside := e.inside
	below := indent + 2
	if e.isEntry && e.head == "-" && len(inside) > 0 {
		first := *inside[0]
		for _, l := range first.lead {
			if l != "" {
				putLine(out, indent, l)
			}
		}
		first.lead = nil
		var b bytes.Buffer
		first.print(&b, below)
		out.WriteString(blanks(indent) + "- " + b.String()[below:])
		inside = inside[1:]
	} else {
		putLine(out, indent, e.head)
	}
	for _, m := range e.more {
		putLine(out, indent+m.depth, m.line)
	}
	for _, i := range inside {
		i.print(out, below)
	}
	for _, l := range e.trail {
		putLine(out, indent, l)
	}
}

func putLine(out *bytes.Buffer, indent int, text string) {
	if text != "" {
		out.WriteString(blanks(indent) + text)
	}
	out.WriteByte('\n')
}

// block reads the entries of a block map or list whose lines end before end. kind says what the block is in the grammar.
func (f *formatter) block(n *yaml.Node, kind string, end int) ([]*entry, error) {
	var out []*entry
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i < len(n.Content); i += step {
		next := end
		if i+step < len(n.Content) {
			next = n.Content[i+step].Line
		}
		e, err := f.entry(n, i, kind, next)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// arrange puts the keys of each map of the grammar into their order.
func arrange(list []*entry, kind string, isMap bool) {
	for _, e := range list {
		arrange(e.inside, e.kind, e.isMap)
	}
	if order := orders[kind]; order != nil && isMap {
		slices.SortStableFunc(list, func(a, b *entry) int { return rank(order, a.name) - rank(order, b.name) })
	}
	if len(list) > 0 {
		for first := list[0]; len(first.lead) > 0 && first.lead[0] == ""; {
			first.lead = first.lead[1:]
		}
	}
}

// comments gives the comments and empty lines between the entries, which list holds in the order of the text, to those they stand at:
// to the entry below them, or, when they are indented deeper than that, to the innermost entry above them that is not deeper than they.
func (f *formatter) comments(list []*entry) {
	end := &entry{column: -1, first: len(f.src.lines) + 1}
	for i, prev := range append([]*entry{{column: -1}}, list...) {
		next := end
		if i < len(list) {
			next = list[i]
		}
		empty := false
		for n := prev.last + 1; n < next.first; n++ {
			l := strings.TrimSpace(f.src.line(n))
			if l == "" {
				empty = true
				continue
			}
			to := &next.lead
			if in := indentOf(f.src.line(n)); in > next.column && len(next.lead) == 0 && prev.first > 0 {
				at := prev
				for at.above != nil && at.column > in {
					at = at.above
				}
				to = &at.trail
			}
			if empty {
				*to = append(*to, "")
			}
			*to, empty = append(*to, l), false
		}
		if empty {
			next.lead = append(next.lead, "")
		}
	}
}

// inOrder lists entries and those inside them in the order of the text.
func inOrder(list []*entry) (out []*entry) {
	for _, e := range list {
		out = append(append(out, e), inOrder(e.inside)...)
	}
	return out
}

// orders are the keys of the grammar's maps in their canonical order. Others stay behind them as they stand.
var orders = map[string][]string{
	"/activity":                  {"name", "display_name", "description", "domain_id_strategy", "config", "trigger", "actions"},
	"/activity/trigger":          {"type", "args", "context_vars"},
	"/activity/actions/*":        {"name", "type", "args", "await", "ctrl"},
	"/activity/actions/*/ctrl/*": {"when", "default", "context_vars", "then"},
	"/activity/actions/*/args/*": {"when", "after", "default", "context_vars", "then"},
}

func rank(order []string, name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

// entry reads one entry: its own line, and the lines or entries below it.
func (f *formatter) entry(n *yaml.Node, i int, kind string, next int) (*entry, error) {
	start := n.Content[i]
	own := f.src.line(start.Line)
	e := &entry{first: start.Line, last: start.Line}
	value := start
	at := 0 // byte offset in own of what stands behind the key or dash
	if n.Kind == yaml.MappingNode {
		value = n.Content[i+1]
		parts, ok := partsOf(own)
		if !ok || start.Value == "<<" || parts.key != f.src.byteOf(start.Line, start.Column) {
			return nil, errKeep
		}
		e.name, e.column = start.Value, start.Column-1
		e.head = strings.TrimRight(own[parts.key:parts.colon], " \t") + ":"
		at, kind = parts.colon+1, kind+"/"+e.name
	} else {
		dash := n.Column - 1
		if dash < 0 || dash >= len(own) || own[dash] != '-' || indentOf(own) > dash {
			return nil, errKeep
		}
		e.isEntry, e.column, e.head = true, dash, "-"
		at, kind = dash+1, kind+"/*"
	}
	e.kind, e.isMap = kind, value.Kind == yaml.MappingNode
	if (value.Kind == yaml.MappingNode || value.Kind == yaml.SequenceNode) && value.Style&yaml.FlowStyle == 0 {
		return e, f.nested(e, value, kind, start.Line, at, next)
	}
	return e, f.leaf(e, value, start.Line, at, next)
}

// nested reads the block in an entry.
func (f *formatter) nested(e *entry, value *yaml.Node, kind string, line, at, next int) (err error) {
	own := f.src.line(line)
	rest := strings.TrimSpace(own[at:])
	switch {
	case value.Content[0].Line == line && !e.isEntry:
		return errKeep
	case value.Content[0].Line != line && rest != "":
		if rest[0] != '#' {
			return errKeep
		}
		e.head += gap(own[at:]) + rest
	}
	e.inside, err = f.block(value, kind, next)
	for _, i := range e.inside {
		i.above = e
	}
	return err
}

// gap returns the blanks before a comment.
func gap(rest string) string {
	n := len(rest) - len(strings.TrimLeft(rest, " \t"))
	return blanks(max(1, n))
}

// leaf reads a value that is no block: the rest of its line and the lines below it.
func (f *formatter) leaf(e *entry, value *yaml.Node, first, at, next int) error {
	own := f.src.line(first)
	rest := strings.TrimRight(own[at:], " \t")
	if trimmed := strings.TrimLeft(rest, " \t"); trimmed != "" {
		if trimmed[0] == '#' {
			e.head += gap(rest) + trimmed
		} else {
			e.head += " " + trimmed
		}
	}
	last := f.lastLine(value, first, next, e.column)
	e.last = last
	if last == first {
		return nil
	}
	depth, shift := 2, -1
	isText := value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if isText && explicitIndent(own, f.src.line(value.Line)) {
		shift = e.column
	}
	for n := first + 1; n <= last; n++ {
		if text := f.src.line(n); shift < 0 && strings.TrimSpace(text) != "" {
			shift = indentOf(text) - depth
			for m := n + 1; m <= last && !isText; m++ { // the least indented line of a value that goes on stands at its depth
				if more := f.src.line(m); strings.TrimSpace(more) != "" {
					shift = min(shift, indentOf(more)-depth)
				}
			}
		}
	}
	for n := first + 1; n <= last; n++ {
		l := f.src.line(n)
		if strings.Trim(l, " ") == "" {
			if !isText || len(l) <= shift+depth {
				l = ""
			}
		}
		in := indentOf(l)
		if l == "" {
			e.more = append(e.more, text{})
			continue
		}
		body := l[in:]
		if !isText {
			body = strings.TrimRight(body, " \t")
		}
		e.more = append(e.more, text{in - shift, body})
	}
	return nil
}

// explicitIndent reports whether the head of a block text says by how much it is indented.
func explicitIndent(lines ...string) bool {
	for _, l := range lines {
		if i := strings.LastIndexAny(l, "|>"); i >= 0 {
			head, _, _ := strings.Cut(l[i+1:], "#")
			return strings.ContainsAny(head, "123456789")
		}
	}
	return false
}

// lastLine returns the last line of a value. Behind it stand comments and empty lines only, until the next key or entry.
func (f *formatter) lastLine(value *yaml.Node, first, next, column int) int {
	if at, found := slices.BinarySearch(f.starts, first+1); found || at < len(f.starts) {
		next = min(next, f.starts[at])
	}
	last := min(next-1, len(f.src.lines))
	isText := value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	for ; last > first; last-- {
		l := f.src.line(last)
		rest := strings.TrimLeft(l, " \t")
		if isText && rest != "" && indentOf(l) > column && indentOf(l) >= f.textIndent(value) {
			break
		}
		if rest != "" && (isText || rest[0] != '#') {
			if !isText || rest[0] != '#' {
				break
			}
		}
	}
	if isText && keeps(f.src.line(first), f.src.line(value.Line)) {
		for last+1 < next && last < len(f.src.lines) && strings.TrimSpace(f.src.line(last+1)) == "" {
			last++
		}
	}
	return last
}

// textIndent returns how far the first line of a block text is indented.
func (f *formatter) textIndent(value *yaml.Node) int {
	for n := value.Line + 1; n <= len(f.src.lines); n++ {
		if l := f.src.line(n); strings.TrimSpace(l) != "" {
			return indentOf(l)
		}
	}
	return 0
}

// keeps reports whether the head of a block text keeps the empty lines at its end.
func keeps(lines ...string) bool {
	for _, l := range lines {
		if i := strings.LastIndexAny(l, "|>"); i >= 0 {
			head, _, _ := strings.Cut(l[i+1:], "#")
			return strings.Contains(head, "+")
		}
	}
	return false
}
