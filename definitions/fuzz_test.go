package definitions

import (
	"os"
	"path/filepath"
	"reflect"
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
