package scenario

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// json appends a node as JSON, so that its numbers become what they would be in an event: whole ones int, others decimal.
func (b *binder) json(dst []byte, n *yaml.Node) []byte {
	n = deref(n)
	if b.tooMany(n) {
		return append(dst, "null"...)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		dst = append(dst, '[')
		for i, item := range n.Content {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = b.json(dst, item)
		}
		return append(dst, ']')
	case yaml.MappingNode:
		dst = append(dst, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = messagebus.EncodeValue(dst, deref(n.Content[i]).Value)
			dst = b.json(append(dst, ':'), n.Content[i+1])
		}
		return append(dst, '}')
	}
	return b.scalar(dst, n)
}

// tooMany counts a value; aliases may make few lines into many of them, or into endlessly many.
func (b *binder) tooMany(n *yaml.Node) bool {
	if b.values++; b.values == maxValues+1 {
		b.report(n, codeValue, fmt.Sprintf("the file has more than %d values, its aliases written out", maxValues), "use fewer aliases")
	}
	return b.values > maxValues
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func (b *binder) scalar(dst []byte, n *yaml.Node) []byte {
	switch n.ShortTag() {
	case "!!null":
		return append(dst, "null"...)
	case "!!bool":
		return strconv.AppendBool(dst, strings.EqualFold(n.Value, "true"))
	case "!!int", "!!float":
		if !jsonNumber.MatchString(n.Value) {
			b.report(n, codeValue, fmt.Sprintf("the number %s can not be written like this in an event", n.Value), "write it in decimal digits, or in quotes to make it a text")
			return append(dst, "null"...)
		}
		return append(dst, n.Value...)
	}
	return messagebus.EncodeValue(dst, n.Value)
}

// value reads a node as a value of the language.
func (b *binder) value(n *yaml.Node) any {
	before := len(b.problems)
	v, err := messagebus.DecodeValue(b.json(nil, n))
	if err != nil && len(b.problems) == before {
		b.report(n, codeValue, err.Error(), "")
	}
	return v
}

// object reads a node as a map of values.
func (b *binder) object(n *yaml.Node, what_ string) map[string]any {
	if n = deref(n); n.Kind != yaml.MappingNode {
		b.report(n, codeValue, what_+" must be a map, this is "+what(n), "")
		return nil
	}
	m, _ := b.value(n).(map[string]any)
	return m
}

type patternKind uint8

const (
	patternValue patternKind = iota
	patternList
	patternMap
	patternMatches
	patternAny
	patternAbsent
)

// pattern is what a value is expected to be: a map need only have the entries named, a list must have as many elements.
type pattern struct {
	kind  patternKind
	value any
	items []pattern
	pairs []patternPair
	re    *regexp.Regexp
}

type patternPair struct {
	key string // "content", or a path "request.content"
	pattern
}

var matchesCall = regexp.MustCompile(`(?s)^matches\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'])*')\s*\)$`)

// pattern reads an expectation of a value.
func (b *binder) pattern(n *yaml.Node) pattern {
	n = deref(n)
	if b.tooMany(n) {
		return pattern{kind: patternAny}
	}
	switch n.Kind {
	case yaml.SequenceNode:
		p := pattern{kind: patternList}
		for _, item := range n.Content {
			p.items = append(p.items, b.pattern(item))
		}
		return p
	case yaml.MappingNode:
		p := pattern{kind: patternMap}
		for i := 0; i+1 < len(n.Content); i += 2 {
			p.pairs = append(p.pairs, patternPair{deref(n.Content[i]).Value, b.pattern(n.Content[i+1])})
		}
		return p
	}
	if n.ShortTag() != "!!str" {
		return pattern{value: b.value(n)}
	}
	switch {
	case n.Value == "any()":
		return pattern{kind: patternAny}
	case n.Value == "absent()":
		return pattern{kind: patternAbsent}
	case strings.HasPrefix(n.Value, "matches("):
		return b.matches(n)
	}
	return pattern{value: n.Value}
}

func (b *binder) matches(n *yaml.Node) pattern {
	m := matchesCall.FindStringSubmatch(n.Value)
	if m == nil {
		b.report(n, codeValue, "this is not a matches with one text", `write matches("a regular expression")`)
		return pattern{kind: patternAny}
	}
	source := m[1][1 : len(m[1])-1] // a backslash stands for itself, as in expressions
	re, err := regexp.Compile(source)
	if err != nil {
		b.report(n, codeValue, "the regular expression can not be read: "+err.Error(), "")
		return pattern{kind: patternAny}
	}
	return pattern{kind: patternMatches, re: re}
}

// compare appends what does not fit; at names the value. present is false when there is no value at all.
func (p *pattern) compare(out []string, at string, v any, present bool) []string {
	if p.kind == patternAbsent {
		if present {
			out = append(out, fmt.Sprintf("%s: expected none, is %s", at, show(v)))
		}
		return out
	}
	if !present {
		return append(out, fmt.Sprintf("%s: expected %s, there is none", at, p))
	}
	switch p.kind {
	case patternAny:
		return out
	case patternMatches:
		if s, ok := v.(string); ok && p.re.MatchString(s) {
			return out
		}
	case patternValue:
		if expr.Equal(p.value, v) {
			return out
		}
	case patternList:
		list, ok := v.([]any)
		if ok && len(list) == len(p.items) {
			for i := range p.items {
				out = p.items[i].compare(out, fmt.Sprintf("%s[%d]", at, i), list[i], true)
			}
			return out
		}
	case patternMap:
		if isMap(v) {
			for i := range p.pairs {
				value, found := lookUp(v, p.pairs[i].key)
				out = p.pairs[i].compare(out, at+"."+p.pairs[i].key, value, found)
			}
			return out
		}
	}
	return append(out, fmt.Sprintf("%s: expected %s, is %s", at, p, show(v)))
}

func isMap(v any) bool {
	switch v.(type) {
	case map[string]any, map[any]any:
		return true
	}
	return false
}

// lookUp finds an entry by its whole key, else by a path of keys joined with dots.
func lookUp(v any, key string) (any, bool) {
	if m, ok := v.(map[any]any); ok {
		for k, value := range m {
			if expr.Text(k) == key {
				return value, true
			}
		}
		return nil, false
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	if value, ok := m[key]; ok {
		return value, true
	}
	for i := range key {
		if key[i] != '.' {
			continue
		}
		if inner, ok := m[key[:i]]; ok {
			if value, found := lookUp(inner, key[i+1:]); found {
				return value, true
			}
		}
	}
	return nil, false
}

// String shows what is expected.
func (p *pattern) String() string {
	var parts []string
	switch p.kind {
	case patternAny:
		return "any value"
	case patternAbsent:
		return "none"
	case patternMatches:
		return "a text matching " + strconv.Quote(p.re.String())
	case patternList:
		for i := range p.items {
			parts = append(parts, p.items[i].String())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case patternMap:
		for i := range p.pairs {
			parts = append(parts, p.pairs[i].key+": "+p.pairs[i].String())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return show(p.value)
}

// show writes a value for people: JSON, a decimal told from an int by its point.
func show(v any) string { return string(messagebus.EncodeValue(nil, v)) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
