package definitions

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// formats returns the English formats that the package's sources put into words.
func formats(t *testing.T) []string {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0) //nolint:staticcheck // one folder, no build tags
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for name, file := range packages["definitions"].Files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "say" && f.Name != "durationErrorf" {
				return true
			}
			if text, ok := call.Args[0].(*ast.BasicLit); ok {
				s, _ := strconv.Unquote(text.Value)
				out = append(out, s)
			} else if len(call.Args) == 1 {
				t.Errorf("%s: say needs a format that is written out, so that its Chinese can be found", name)
			}
			return true
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var verb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// bare are formats that name things only: no language is in them.
var bare = map[string]bool{"%s": true, "%q": true, "%s; %s": true, "%s, %s": true}

func TestEveryTextHasItsChinese(t *testing.T) {
	all := formats(t)
	if len(all) < 100 {
		t.Fatalf("found %d formats, expected more than 100", len(all))
	}
	for _, f := range all {
		zh, ok := chinese[f]
		if !ok && !bare[f] && regexp.MustCompile(`[a-zA-Z]{3}`).MatchString(verb.ReplaceAllString(f, "")) {
			t.Errorf("no Chinese for %q", f)
		}
		if ok && len(verb.FindAllString(f, -1)) != len(verb.FindAllString(zh, -1)) {
			t.Errorf("%q names %d things, its Chinese %q another number", f, len(verb.FindAllString(f, -1)), zh)
		}
	}
	for f := range chinese {
		if !slices.Contains(all, f) {
			t.Errorf("there is Chinese for %q, which nothing says", f)
		}
	}
}
