package scenario

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	yaml4 "go.yaml.in/yaml/v4"
	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// maxFileBytes bounds a scenario file, and maxValues the values in it with its aliases written out.
const (
	maxFileBytes = 4 << 20
	maxValues    = 200_000
)

// The codes of what can be wrong with a scenario file.
const (
	codeSyntax  = "WB3001" // no YAML
	codeKey     = "WB3002" // a key that is not known here, or stands twice
	codeMissing = "WB3003" // a key that must be there
	codeValue   = "WB3004" // a value of another form than expected
	codeName    = "WB3005" // a name that nothing has
	codeFlow    = "WB3006" // the flow, or a file that the scenario names, can not be used
)

// binder reads YAML nodes into scenarios and gathers all that is wrong.
type binder struct {
	problems []definitions.Problem
	values   int
}

func (b *binder) report(n *yaml.Node, code, message, hint string) {
	b.problems = append(b.problems, definitions.Problem{Code: code, Severity: definitions.SeverityError, Line: n.Line, Column: n.Column,
		EndColumn: n.Column + utf8.RuneCountInString(n.Value), Message: message, Hint: hint})
}

// parse returns the root of the only document of a text, nil with a problem.
func (b *binder) parse(text []byte) *yaml.Node {
	fail := func(line, column int, message, hint string) *yaml.Node {
		b.report(&yaml.Node{Line: line, Column: column}, codeSyntax, message, hint)
		return nil
	}
	if len(text) > maxFileBytes {
		return fail(1, 1, fmt.Sprintf("the file has %d bytes; at most %d are read", len(text), maxFileBytes), "split it into several files")
	}
	if !utf8.Valid(text) {
		return fail(1, 1, "the file is not UTF-8", "save it as UTF-8")
	}
	var doc yaml.Node
	if err := unmarshal(text, &doc); err != nil {
		return fail(placeOf(text, err))
	}
	if len(doc.Content) == 0 {
		return fail(1, 1, "the file is empty", `begin with "flow: …" and "scenarios:"`)
	}
	return doc.Content[0]
}

func unmarshal(text []byte, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser gave up: %v", r)
		}
	}()
	return yaml.Unmarshal(text, doc)
}

var lineOfError = regexp.MustCompile(`^yaml: line (\d+): `)

// placeOf finds out where a text stops being YAML: the first parser is wrong about lines, a second one knows.
func placeOf(text []byte, err error) (line, column int, message, hint string) {
	line, column, message = 1, 1, "YAML cannot be read here: "+strings.TrimPrefix(err.Error(), "yaml: ")
	if m := lineOfError.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = "YAML cannot be read here: " + strings.TrimPrefix(err.Error(), m[0])
	}
	hint = "check the indentation and the quotes of this line and of the lines before it"
	defer func() { _ = recover() }() // the second parser is asked for a place only: without its answer the first one's stays
	var doc yaml4.Node
	var e *yaml4.LoadError
	if bad := yaml4.Load(text, &doc); errors.As(bad, &e) && e.Mark.Line > 0 {
		line, column = e.Mark.Line, max(1, e.Mark.Column)
		message = "YAML cannot be read here: " + e.Message
	}
	return line, column, message, hint
}

// deref follows an alias.
func deref(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func what(n *yaml.Node) string {
	switch n = deref(n); {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "empty"
	}
	return strconv.Quote(cut(n.Value, 40))
}

func cut(s string, runes int) string {
	for i := range s {
		if runes == 0 {
			return s[:i] + "…"
		}
		runes--
	}
	return s
}

// fields are the entries of a map whose keys are known.
type fields struct {
	b     *binder
	node  *yaml.Node
	what  string
	found map[string]*yaml.Node
	keys  map[string]*yaml.Node
	slips int // keys that are not known: what is missing may be one of them
}

// fields reads a map; a key not among known, or there twice, is a problem. ok is false when n is no map.
func (b *binder) fields(n *yaml.Node, what_ string, known ...string) (f fields, ok bool) {
	n = deref(n)
	f = fields{b: b, node: n, what: what_, found: map[string]*yaml.Node{}, keys: map[string]*yaml.Node{}}
	if n.Kind != yaml.MappingNode {
		b.report(n, codeValue, what_+" must be a map, this is "+what(n), "write it as {key: value}; known keys: "+strings.Join(known, ", "))
		return f, false
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !slices.Contains(known, key.Value):
			f.slips++
			b.report(key, codeKey, fmt.Sprintf("%s has no key %s", what_, strconv.Quote(cut(key.Value, 60))), suggest(key.Value, known))
		case f.found[key.Value] != nil:
			b.report(key, codeKey, fmt.Sprintf("the key %q stands twice in this map, first in line %d", key.Value, f.keys[key.Value].Line), "delete one of them")
		default:
			f.found[key.Value], f.keys[key.Value] = n.Content[i+1], key
		}
	}
	return f, true
}

// suggest names the candidate that was probably meant, or what there is.
func suggest(word string, candidates []string) string {
	best := expr.Nearest(word, candidates)
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(candidates) == 0 {
		return ""
	}
	return "known: " + strings.Join(candidates, ", ")
}

func (b *binder) list(n *yaml.Node, what_ string) []*yaml.Node {
	n = deref(n)
	if n.Kind != yaml.SequenceNode {
		b.report(n, codeValue, what_+" must be a list, this is "+what(n), "")
		return nil
	}
	return n.Content
}

// texts reads one text or a list of texts.
func (b *binder) texts(n *yaml.Node, what_ string) (out []*yaml.Node) {
	n = deref(n)
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		if b.text(item, what_) != "" {
			out = append(out, deref(item))
		}
	}
	return out
}

// text reads a text that is not empty.
func (b *binder) text(n *yaml.Node, what_ string) string {
	n = deref(n)
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || n.Value == "" {
		b.report(n, codeValue, what_+" must be a text, this is "+what(n), "")
		return ""
	}
	return n.Value
}

func (b *binder) oneOf(n *yaml.Node, what_ string, names []string) string {
	s := b.text(n, what_)
	if s != "" && !slices.Contains(names, s) {
		b.report(deref(n), codeName, fmt.Sprintf("there is no %s %q", what_, cut(s, 60)), suggest(s, names))
		return ""
	}
	return s
}

func (b *binder) boolean(n *yaml.Node, what_ string) bool {
	n = deref(n)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
		b.report(n, codeValue, what_+" must be true or false, this is "+what(n), "")
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

// count reads a whole number from least to 1,000,000.
func (b *binder) count(n *yaml.Node, what_ string, least int) int {
	n = deref(n)
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || v < least || v > 1_000_000 {
		b.report(n, codeValue, fmt.Sprintf("%s must be a whole number from %d to 1000000, this is %s", what_, least, what(n)), "")
		return least
	}
	return v
}

func (b *binder) duration(n *yaml.Node, what_ string) int64 {
	n = deref(n)
	if n.Kind != yaml.ScalarNode {
		b.report(n, codeValue, what_+" must be a duration, this is "+what(n), "write 2d, 48h, 90s or 200ms")
		return 0
	}
	ms, err := definitions.ParseDurationMs(n.Value)
	if err != nil {
		b.report(n, codeValue, what_+": "+err.Error(), "write 2d, 48h, 90s or 200ms")
	}
	return ms
}

// instant reads RFC 3339 or a date (its midnight in UTC) as Unix ms.
func (b *binder) instant(n *yaml.Node, what_ string) int64 {
	n = deref(n)
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, n.Value); err == nil && n.Kind == yaml.ScalarNode {
			return t.UnixMilli()
		}
	}
	b.report(n, codeValue, what_+" must be a time, this is "+what(n), "write 2026-11-11T09:00:00+08:00 or 2026-11-11")
	return 0
}
