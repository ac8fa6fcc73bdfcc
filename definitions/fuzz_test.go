package definitions

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"
)

// FuzzCheck expects of any text: each problem lies inside it, in order; a second Check says the same; every value of a text
// that YAML can read is traced back to its runes; and mended text is no worse.
func FuzzCheck(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(text)
		}
	}
	f.Add([]byte(story))
	f.Add([]byte("a: >-\n  x\n\n   y\n  z\nb: |+\n\n  q\n\nc: \"\\x41\\\n  b\"\nd: 'it''s\n\n  e'\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		env := testEnv()
		def, problems := Check(text, env)
		if msg := misplaced(string(text), problems); msg != "" {
			t.Error(msg)
		}
		for _, p := range problems {
			if _, known := Explain(p.Code); !known || !utf8.ValidString(p.Message) {
				t.Errorf("the problem %+v has no explained code, or is no text", p)
			}
		}
		again, same := Check(text, env)
		if (def == nil) != (again == nil) || !reflect.DeepEqual(problems, same) {
			t.Errorf("checked twice: %+v, then %+v", problems, same)
		}
		c := &checker{}
		if root := c.load(text); root != nil {
			traced(t, c.src, root, map[*node]bool{})
		}
		fixed, places := Mend(text)
		if len(places) > 0 && def != nil {
			if _, left := Mend(fixed); len(left) != 0 {
				t.Errorf("mended text must be mended again at %+v", left)
			}
		}
	})
}

func traced(t *testing.T, src *source, n *node, seen map[*node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if n.kind == kindScalar && n.value != "" {
		if p := placeOfScalar(src, n); p.fixed {
			t.Errorf("the value %q at %d:%d (style %d) was not traced", n.value, n.line, n.column, n.style)
		}
	}
	for _, k := range n.keys {
		traced(t, src, k, seen)
	}
	for _, i := range n.items {
		traced(t, src, i, seen)
	}
}

// FuzzFormat expects of any text: what is formatted means the same, holds the same signs, and stays as it is when formatted again.
func FuzzFormat(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	whole, _ := filepath.Glob("testdata/broken/*.yaml")
	for _, file := range append(files, whole...) {
		if text, err := os.ReadFile(file); err == nil && len(text) < 4000 {
			f.Add(text)
		}
	}
	f.Add([]byte("activity:\n  config:\n    a: |+\n      x\n\n    # c\n   # d\n    b: 'x\n\n     y'\n  -\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 20_000 {
			return
		}
		got, problems := Format(text)
		if msg := unlike(text, got, problems); msg != "" {
			t.Error(msg)
		}
	})
}

// FuzzMend expects that a text whose values were given their quotes has the problems of the text without them, less the warnings of the
// quotes, each moved by the quotes before it in its line.
func FuzzMend(f *testing.F) {
	f.Add("a", "true ? finish() : call(\"b\")", "b")
	f.Add("then", "var(\"x\", 1) > 1 ? 'it' : nosuch(2)", "1 == 1 ? 2 : 3 # c ? d : e")
	f.Fuzz(func(t *testing.T, key, one, two string) {
		text := "activity:\n  name: a\n  trigger: " + one + "\n  " + key + ": " + two + "\n  actions:\n    - name: b\n      type: receive\n      args:\n        - when: " + two + "\n          then: " + one + "\n"
		fixed, places := Mend([]byte(text))
		if len(places) == 0 {
			return
		}
		_, before := Check([]byte(text), testEnv())
		_, after := Check(fixed, testEnv())
		if slices.ContainsFunc(after, func(p Problem) bool { return p.Code == "WB1001" }) {
			return // another fault stops YAML, and values behind it stay as they are
		}
		kept := before[:0:0]
		for _, p := range before {
			if p.Code != "WB2001" {
				kept = append(kept, p)
			}
		}
		if len(kept) != len(after) {
			t.Fatalf("%q has the problems\n%+v\nwith its quotes\n%+v", text, kept, after)
		}
		for i, p := range after {
			q := kept[i]
			if p.Code != q.Code || p.Line != q.Line || p.Path != q.Path || p.Column < q.Column {
				t.Errorf("%q has the problem\n%+v\nwith its quotes\n%+v", text, q, p)
			}
		}
	})
}
