package definitions

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Format writes a definition in its canonical form: keys in one order, two blanks of indentation for each level, entries of lists
// indented below their key, at most one empty line in a row, and the quotes that Mend adds. Comments stay with what they stand at. The
// meaning is that of the text; a text with a part that cannot be moved safely keeps its order, or its indentation. Formatting twice
// is formatting once. A text that YAML cannot read comes back as it is, with the problems.
func Format(text []byte) ([]byte, []Problem) {
	c := &checker{}
	if c.load(text); c.errors > 0 {
		return text, c.sorted()
	}
	fixed, _ := Mend(text)
	now := strings.TrimPrefix(string(fixed), bom)
	for range 4 {
		next := formatOnce(now)
		if next == now {
			return []byte(now), nil
		}
		now = next
	}
	return fixed, nil // it does not come to rest: better not at all than otherwise each time
}

// formatOnce takes the most thorough of the forms that keep the meaning.
func formatOnce(text string) string {
	for _, form := range []formatter{{order: true, indent: true}, {indent: true}, {}} {
		out, err := form.write(text)
		if err == nil && sameMeaning(text, out) {
			return out
		}
	}
	return text
}

// sameMeaning reports whether two texts give the same tree, map order aside, and hold the same signs.
func sameMeaning(a, b string) bool {
	if a == b {
		return true
	}
	ca, cb := &checker{}, &checker{}
	ra, rb := ca.load([]byte(a)), cb.load([]byte(b))
	return ra != nil && rb != nil && ca.errors+cb.errors == 0 && alike(ra, rb, map[[2]*node]bool{}) && slices.Equal(signs(a), signs(b))
}

func alike(a, b *node, known map[[2]*node]bool) bool {
	if known[[2]*node{a, b}] {
		return true
	}
	known[[2]*node{a, b}] = true
	if a.kind != b.kind || a.tag != b.tag || a.value != b.value || (a.style == stylePlain) != (b.style == stylePlain) || len(a.items) != len(b.items) {
		return false
	}
	if a.kind == kindMap {
		places := make(map[string]int, len(b.keys))
		for i, k := range b.keys {
			places[k.value] = i
		}
		for i, k := range a.keys {
			j, has := places[k.value]
			if !has || !alike(k, b.keys[j], known) || !alike(a.items[i], b.items[j], known) {
				return false
			}
		}
		return true
	}
	for i := range a.items {
		if !alike(a.items[i], b.items[i], known) {
			return false
		}
	}
	return true
}

// signs returns the visible runes of a text in ascending order: neither a comment nor anything else may get lost.
func signs(text string) []rune {
	out := []rune(text)
	out = slices.DeleteFunc(out, unicode.IsSpace)
	slices.Sort(out)
	return out
}

// formatter writes a text line by line: it moves and indents lines, and changes nothing in them.
type formatter struct {
	order  bool // put the keys of the grammar into their order
	indent bool

	src    *source
	starts []int // the lines in which a key or an entry of a list begins, ascending
}

var errKeep = errors.New("this cannot be moved safely")

func (f formatter) write(text string) (string, error) {
	f.src = newSource(text)
	if !f.indent {
		return f.trimmed()
	}
	docs, err := decode(text)
	if err != nil || docs.first == nil || docs.second != nil || len(docs.first.Content) == 0 {
		return "", errKeep
	}
	for _, l := range f.src.lines {
		if strings.HasPrefix(l.text, "---") || strings.HasPrefix(l.text, "...") || strings.HasPrefix(l.text, "%") {
			return "", errKeep
		}
	}
	root := docs.first.Content[0]
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		return "", errKeep
	}
	if err := f.collect(root); err != nil {
		return "", err
	}
	slices.Sort(f.starts)
	b, err := f.block(root, "", len(f.src.lines)+1)
	if err != nil {
		return "", err
	}
	f.comments(inOrder(b))
	if f.order {
		arrange(b, "", true)
	}
	var out bytes.Buffer
	for _, e := range b {
		e.print(&out, 0)
	}
	return squeeze(out.String()), nil
}

// collect notes the lines in which keys and entries begin; two in one line cannot be moved apart.
func (f *formatter) collect(n *yaml.Node) error {
	if n.Style&yaml.FlowStyle != 0 || n.Kind != yaml.MappingNode && n.Kind != yaml.SequenceNode {
		return nil
	}
	if n.Anchor != "" {
		return errKeep
	}
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i < len(n.Content); i += step {
		f.starts = append(f.starts, n.Content[i].Line)
		if err := f.collect(n.Content[i+step-1]); err != nil {
			return err
		}
	}
	return nil
}

// trimmed only takes blanks from the ends of lines that no text goes on in, and empty lines from the end.
func (f formatter) trimmed() (string, error) {
	lines := make([]string, len(f.src.lines))
	for i := range f.src.lines {
		lines[i] = strings.TrimRight(f.src.lines[i].text, " \t")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n", nil
}

// squeeze leaves one break at the end and none at the start.
func squeeze(text string) string {
	return strings.TrimRight(strings.TrimLeft(text, "\n"), "\n") + "\n"
}
