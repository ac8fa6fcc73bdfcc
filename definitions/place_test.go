package definitions

import (
	"strings"
	"testing"
)

// TestPlaces marks one rune of a value in each scalar style and expects its place in the text.
func TestPlaces(t *testing.T) {
	cases := []struct {
		name, text   string
		mark         rune // where it stands in the value
		line, column int
	}{
		{"plain", "k: 查看 + §", '§', 1, 9},
		{"plain after a wide key", "查看: a §", '§', 1, 7},
		{"plain over lines", "k: 查看\n  看查\n\n  x § y", '§', 4, 5},
		{"plain over lines, CRLF", "k: 查看\r\n  看查\r\n\r\n  x § y\r\n", '§', 4, 5},
		{"plain over lines, CR", "k: 查看\r  看查\r\r  x § y\r", '§', 4, 5},
		{"plain with anchor and tag", "k: &a !!str 查 §", '§', 1, 15},
		{"plain below an anchor", "k: &a # 注释\n  查 §", '§', 2, 5},
		{"plain at an anchor without a blank", "k: &a-1:查§", '§', 1, 10},
		{"plain below a tag and comments", "k: !!str\n# 注释\n #x\n  查 §", '§', 4, 5},
		{"plain with tabs", "k: a\tb\t§", '§', 1, 8},
		{"single", "k: '查看''s §'", '§', 1, 11},
		{"single over lines", "k: '查看\n\n  it''s\n   §'", '§', 4, 4},
		{"single with blanks at its ends", "k: '  § '", '§', 1, 7},
		{"double", `k: "查\t看 §"`, '§', 1, 10},
		{"double, unicode escapes", `k: "\u67e5\x41\U0001F600§"`, '§', 1, 25},
		{"double over lines", "k: \"查看 \n\n   \\\"a\\\"\n  §\"", '§', 4, 3},
		{"double, escaped break", "k: \"查看\\\n   §\"", '§', 2, 4},
		{"double, escaped break and empty line", "k: \"查看 \\\n\n  \\  §\"", '§', 3, 6},
		{"double, the mark itself escaped", `k: "a\xa7b"`, '§', 1, 6},
		{"literal", "k: |\n  查看\n\n    看 §\n", '§', 4, 7},
		{"literal with indentation indicator", "k: |2-\n    查看\n  §\n", '§', 3, 3},
		{"literal, comment in its head", "k: | # 注释\n  §查看\n", '§', 2, 3},
		{"literal, empty lines first", "k: |+\n\n  \n  查看§\n\n", '§', 4, 5},
		{"literal in a list", "k:\n- |\n 查看\n §", '§', 4, 2},
		{"folded", "k: >-\n  查看\n  看查\n\n  a §\n", '§', 5, 5},
		{"folded, deeper lines", "k: >\n  查看\n    看查\n    x\n  §\n", '§', 5, 3},
		{"folded, empty lines before deeper ones", "k: >\n  a\n\n\n    查\n\n  §\n", '§', 7, 3},
		{"key with colon in quotes", "'a: b': 查§", '§', 1, 10},
		{"flow map", "{查: 看, k: a§}", '§', 1, 12},
		{"flow list after a comment", "k: [查, # 注释, [\n 看, §x]", '§', 2, 5},
		{"mended", "- 查: f(\"§\") ? 看 : x # 注释", '§', 1, 9},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			src := newSource(tc.text)
			n := findScalar(treeOf(t, tc.text), string(tc.mark))
			if n == nil {
				t.Fatalf("no value with %q in %q", tc.mark, tc.text)
			}
			p := placeOfScalar(src, n)
			offset := strings.Index(n.value, string(tc.mark))
			offset = len([]rune(n.value[:offset]))
			line, column := p.at(offset)
			if line != tc.line || column != tc.column {
				t.Errorf("rune %d of %q is at %d:%d, want %d:%d", offset, n.value, line, column, tc.line, tc.column)
			}
			if p.fixed {
				t.Errorf("the value %q was not traced", n.value)
			}
		})
	}
}

func treeOf(t *testing.T, text string) *node {
	t.Helper()
	c := &checker{}
	root := c.load([]byte(text))
	for _, p := range c.problems {
		if p.Severity == SeverityError {
			t.Fatalf("%q: problem %+v", text, p)
		}
	}
	return root
}

func findScalar(n *node, mark string) *node {
	if n.kind == kindScalar && strings.Contains(n.value, mark) {
		return n
	}
	for _, item := range n.items {
		if found := findScalar(item, mark); found != nil {
			return found
		}
	}
	return nil
}
