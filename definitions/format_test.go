package definitions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFormat(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"keys in order", "activity:\n  actions:\n  - ctrl: finish()\n    # what it says\n    args: 1\n    name: stdout\n  name: a\n  trigger: 'true'\n  domain_id_strategy: user_id\n",
			"activity:\n  name: a\n  domain_id_strategy: user_id\n  trigger: 'true'\n  actions:\n    - name: stdout\n      # what it says\n      args: 1\n      ctrl: finish()\n"},
		{"clauses in order", "activity:\n  actions:\n    - name: w\n      args:\n        - then: finish()\n          context_vars:\n            b: 1\n            a: 2\n          # a comment\n          when: true\n",
			"activity:\n  actions:\n    - name: w\n      args:\n        # a comment\n        - when: true\n          context_vars:\n            b: 1\n            a: 2\n          then: finish()\n"},
		{"empty lines", "\n\n# head\n\n\nactivity:\n\n  name: a   \n\n\n\n  config:   # c\n\n    x: 1\n\n\n", "# head\n\nactivity:\n  name: a\n\n  config:   # c\n    x: 1\n"},
		{"comments behind", "activity:\n  actions:\n  - name: a\n    ctrl: f()\n    # deep\n  # entry\n  config: {}\n# end\n",
			"activity:\n  # entry\n  config: {}\n  actions:\n    - name: a\n      ctrl: f()\n      # deep\n# end\n"},
		{"block texts", "activity:\n   config:\n      a: |  \n          x # no comment\n            y\n\n          z\n\n      b: >+2\n         q\n\n\n      c: \"1\n   2\"\n      d: [1,\n   2, # two\n         3]\n",
			"activity:\n  config:\n    a: |\n      x # no comment\n        y\n\n      z\n\n    b: >+2\n       q\n\n\n    c: \"1\n      2\"\n    d: [1,\n      2, # two\n            3]\n"},
		{"quotes are added", "activity:\n  trigger: a ? b : c\n", "activity:\n  trigger: 'a ? b : c'\n"},
		{"CRLF, BOM, no break at the end", "\ufeffactivity:\r\n   name: 查  \r\n", "activity:\n  name: 查\n"},
		{"lists in lists", "activity:\n  config:\n    x:\n    -  - 1\n       - 2\n    - - {a: 1}\n", "activity:\n  config:\n    x:\n      - - 1\n        - 2\n      - - {a: 1}\n"},
		{"an anchor keeps the order", "activity:\n  config: &c {x: 1}\n  name: a \n  description: *c\n", "activity:\n  config: &c {x: 1}\n  name: a\n  description: *c\n"},
		{"a document mark keeps the indentation", "---\nactivity:\n    name: a  \n", "---\nactivity:\n    name: a\n"},
	}
	for _, tc := range cases {
		got, problems := Format([]byte(tc.text))
		if string(got) != tc.want || len(problems) > 0 {
			t.Errorf("%s: formatted\n%s\nwant\n%s\n(problems %+v)", tc.name, got, tc.want, problems)
		}
		if again, _ := Format(got); string(again) != string(got) {
			t.Errorf("%s: formatted twice\n%s\nwant\n%s", tc.name, again, got)
		}
	}
}

func TestFormatLeavesWhatCannotBeRead(t *testing.T) {
	text := "activity:\n  name: [\n"
	got, problems := Format([]byte(text))
	if string(got) != text || len(problems) == 0 {
		t.Errorf("got %q and %+v, want the text and a problem", got, problems)
	}
}

// TestFormatOfAllGoldenTexts expects the whole form of every text of testdata that can be read: the same problems as before, and rest.
func TestFormatOfAllGoldenTexts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.yaml")
	whole, _ := filepath.Glob("testdata/broken/*.yaml")
	kept := 0
	for _, file := range append(files, whole...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, problems := Format(text)
		if msg := unlike(text, got, problems); msg != "" {
			t.Errorf("%s: %s", file, msg)
		}
		if fixed, _ := Mend(text); len(problems) == 0 {
			if _, err := (formatter{order: true, indent: true}).write(strings.TrimPrefix(string(fixed), bom)); err != nil {
				kept++
				t.Logf("%s keeps its form", file)
			}
		}
	}
	if kept > 12 {
		t.Errorf("%d texts keep their form, expected at most 12", kept)
	}
}

// unlike says what formatting did wrong.
func unlike(text, got []byte, problems []Problem) string {
	if len(problems) > 0 {
		if string(got) != string(text) {
			return "a text that cannot be read was changed"
		}
		return ""
	}
	if again, more := Format(got); string(again) != string(got) || len(more) > 0 {
		return "formatted twice it is\n" + string(again) + "\nformatted once\n" + string(got)
	}
	if fixed, _ := Mend(text); !sameMeaning(strings.TrimPrefix(string(fixed), bom), string(got)) {
		return "formatted it means something else:\n" + string(got)
	}
	return ""
}
