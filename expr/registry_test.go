package expr

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestRegistryIsDocumented(t *testing.T) {
	types := regexp.MustCompile(`^(any|text|string|int|number|real|bool|list|map|regex|control|datePattern|format|dateTime|localDate|localTime)\??$`)
	if len(Functions()) < 200 {
		t.Fatalf("expected at least 200 entries, got %d", len(Functions()))
	}
	for _, f := range Functions() {
		name := f.QualifiedName()
		if f.Doc == "" || f.Example == "" || len(f.Contexts) == 0 || f.call == nil {
			t.Errorf("%s: expected a doc, an example, contexts and code", name)
		}
		if f.DocZh == "" || !strings.HasSuffix(f.DocZh, "。") {
			t.Errorf("%s: expected a Chinese sentence for %q, got %q", name, f.Doc, f.DocZh)
		}
		if result := f.ExampleResult(); strings.HasPrefix(result, "error: ") {
			t.Errorf("%s: expected the example %s to have a value, got %s", name, f.Example, result)
		}
		if !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: expected the doc to be a sentence, got %q", name, f.Doc)
		}
		if !strings.Contains(f.Example, f.Name) {
			t.Errorf("%s: expected the example to use it, got %s", name, f.Example)
		}
		if p, probs := Compile(f.Example, f.Contexts[len(f.Contexts)-1]); p == nil {
			t.Errorf("%s: expected the example %s to compile, got %+v", name, f.Example, probs)
		}
		for _, sig := range f.Signatures {
			if !types.MatchString(sig.Result) {
				t.Errorf("%s: expected a known result type, got %q in %s", name, sig.Result, sig.Text)
			}
			for _, p := range sig.Params {
				if p.Name == "" || !types.MatchString(p.Type) {
					t.Errorf("%s: expected parameters with a name and a known type, got %+v in %s", name, p, sig.Text)
				}
			}
		}
	}
}

// TestResultTypesHold runs the examples of all functions that promise a Boolean: the machine relies on it.
func TestResultTypesHold(t *testing.T) {
	ran := 0
	for _, f := range Functions() {
		if f.Signatures[0].Result != "bool" {
			continue
		}
		for _, ctx := range f.Contexts {
			p := compileFor(t, f.Example, ctx)
			s, _ := vectorScope("schedule")
			s.Event = &Event{Type: "t", Attrs: obj{"x": true}}
			s.Config, s.Vars, s.Result = s.Event.Attrs, Vars{{"x", true}}, &Result{Data: s.Event.Attrs}
			v, err := p.Eval(s)
			if _, ok := v.(bool); !ok && err == nil {
				t.Errorf("%s: expected a Boolean from %s, got %s", f.QualifiedName(), f.Example, TypeName(v))
			}
			ran++
		}
	}
	if ran < 60 {
		t.Errorf("expected to run at least 60 examples, ran %d", ran)
	}
}

func TestCodesAreInOrderAndUsed(t *testing.T) {
	src := ""
	for _, name := range []string{"lexer.go", "parser.go", "parser_primary.go", "lower.go", "names.go", "compile.go", "operands.go"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		src += string(data)
	}
	data, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	consts := regexp.MustCompile(`\t(code\w+)\s+= "(WB\d{4})"`).FindAllStringSubmatch(string(data), -1)
	if len(consts) != len(Codes) {
		t.Errorf("expected every code constant in Codes, got %d constants and %d entries", len(consts), len(Codes))
	}
	for i, c := range consts {
		if Codes[i].Code != c[2] || Codes[i].Text == "" {
			t.Errorf("expected %s with a text as entry %d, got %+v", c[2], i, Codes[i])
		}
		if !strings.Contains(src, c[1]) {
			t.Errorf("expected %s (%s) to be used", c[1], c[2])
		}
		if i > 0 && Codes[i].Code <= Codes[i-1].Code {
			t.Errorf("expected ascending codes, got %s after %s", Codes[i].Code, Codes[i-1].Code)
		}
	}
}
