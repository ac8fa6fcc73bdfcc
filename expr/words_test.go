package expr

import (
	"go/ast"
	goparser "go/parser"
	gotoken "go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// formats returns the English formats that the package's sources put into words, and those that its tables hold.
func formats(t *testing.T) []string {
	t.Helper()
	out := []string{}
	for _, p := range plurals {
		out = append(out, p[0], p[1])
	}
	for _, g := range refusedGroups {
		out = append(out, g.name)
	}
	for _, v := range []any{true, int64(1), 1.5, dec("1"), Control{}, Date{}} { // what show names by its type
		out = append(out, TypeName(v))
	}
	for _, f := range Functions() {
		if f.Method {
			out = append(out, f.Namespace)
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := goparser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "say" && f.Name != "failf" {
				return true
			}
			if text, ok := call.Args[0].(*ast.BasicLit); ok {
				s, err := strconv.Unquote(text.Value)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, s)
			}
			return true
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var verbs = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// bare are formats that name things only: no language is in them.
var bare = map[string]bool{"%s": true, "%q": true, "%s: %s": true, "null": true}

func TestEveryTextHasItsChinese(t *testing.T) {
	all := formats(t)
	if len(all) < 150 {
		t.Fatalf("expected at least 150 formats, found %d", len(all))
	}
	for _, f := range all {
		zh, ok := chinese[f]
		if !ok && !bare[f] {
			t.Errorf("no Chinese for %q", f)
		}
		if n := len(verbs.FindAllString(f, -1)); ok && n != len(verbs.FindAllString(zh, -1)) {
			t.Errorf("%q names %d things, its Chinese %q another number", f, n, zh)
		}
	}
	for f := range chinese {
		if !slices.Contains(all, f) {
			t.Errorf("there is Chinese for %q, which nothing says", f)
		}
	}
}

// TestProblemsSpeakChinese: both languages of a problem and of an error name the same things.
func TestProblemsSpeakChinese(t *testing.T) {
	_, probs := Compile(`list.add(5, 1) + eventAtr("x")`, ContextStrategy)
	want := []string{`list.add，list：需要列表，而不是整数 5`, `没有函数 eventAtr`}
	if len(probs) != 2 || probs[0].MessageZh != want[0] || probs[1].MessageZh != want[1] || probs[1].HintZh != `是不是 eventAttr(name: text)？` {
		t.Errorf("expected %q, got %+v", want, probs)
	}
	p := compileFor(t, `eventAttr("s") - 1`, ContextStrategy)
	s, _ := vectorScope("strategy")
	_, err := p.Eval(s)
	if e, ok := err.(*Error); !ok || e.MessageZh != `文本 "abc" 与 整数 1 之间不能做 - 运算` {
		t.Errorf("expected the error in Chinese, got %+v", err)
	}
}
