package lint

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// rule looks at one package and says what breaks it.
type rule struct {
	name  string
	check func(*tree, *policy, *pkg) []finding
}

var rules = []rule{
	{"package-known", checkKnown},
	{"import-order", checkOrder},
	{"edge-apart", checkEdges},
	{"suite-in-tests", checkSuites},
	{"package-comment", checkComment},
	{"room-line", checkRoom},
	{"pure-import", checkPureImports},
	{"pure-time", checkPureTime},
	{"pure-go", checkPureGo},
	{"pure-variable", checkPureVariables},
	{"doc-comment", checkDocs},
	{"file-length", checkFileLength},
	{"function-length", checkFunctionLength},
	{"left-over", checkLeftOver},
}

// lint runs every rule on every package.
func lint(t *tree, p *policy) (out []finding) {
	for _, r := range rules {
		for _, pkg := range t.packages {
			for _, f := range r.check(t, p, pkg) {
				f.rule = r.name
				out = append(out, f)
			}
		}
	}
	return out
}

func checkKnown(_ *tree, p *policy, k *pkg) []finding {
	if p.known(k.path) && p.roomOf(k.path) != "" {
		return nil
	}
	return []finding{{at: k.path, text: "package " + k.path + " is not in the table of packages; " + addPackage}}
}

func checkOrder(t *tree, p *policy, k *pkg) (out []finding) {
	if !p.known(k.path) {
		return nil // package-known says so
	}
	imports(k.files, func(spec *ast.ImportSpec, importPath string) {
		other, inside := ours(importPath)
		if !inside {
			if standard(importPath) {
				return
			}
			name, known := moduleOf(importPath)
			if !known {
				out = append(out, finding{at: t.at(spec), text: "module " + importPath + ` is not in the table; if the project is to depend on it, add it to "modules" and "order" in internal/lint/policy_test.go`})
				return
			}
			other = name
		}
		if drivers(k.path, other) {
			return // edge-apart says so
		}
		if !p.allowed(k.path, other) {
			out = append(out, finding{at: t.at(spec), text: fmt.Sprintf("%s may not import %s: the order of packages (internal/lint/policy_test.go) puts it neither below nor beside; move the code to the package that owns it, or pass it in as a value", k.path, importPath)})
		}
	})
	return out
}

// drivers reports whether two packages are different drivers of one seam.
func drivers(a, b string) bool {
	return a != b && path.Dir(a) == path.Dir(b) && slices.Contains(seams, path.Dir(a)) && !slices.Contains(suites, a) && !slices.Contains(suites, b)
}

func checkEdges(t *tree, _ *policy, k *pkg) (out []finding) {
	imports(k.files, func(spec *ast.ImportSpec, importPath string) {
		if other, inside := ours(importPath); inside && drivers(k.path, other) {
			out = append(out, finding{at: t.at(spec), text: fmt.Sprintf("driver %s imports driver %s: drivers know only %s; what both need belongs there", k.path, other, path.Dir(k.path))})
		}
	})
	return out
}

func checkSuites(t *tree, _ *policy, k *pkg) (out []finding) {
	imports(k.files, func(spec *ast.ImportSpec, importPath string) {
		if other, inside := ours(importPath); inside && slices.Contains(suites, other) {
			out = append(out, finding{at: t.at(spec), text: importPath + " is a suite of tests: import it from _test.go files only"})
		}
	})
	return out
}

func packageComment(k *pkg) string {
	var out []string
	for _, f := range k.files {
		if f.ast.Doc != nil {
			out = append(out, f.ast.Doc.Text())
		}
	}
	return strings.Join(out, "\n")
}

func checkComment(_ *tree, _ *policy, k *pkg) []finding {
	if len(k.files) == 0 {
		return nil // a folder of tests only
	}
	comment := packageComment(k)
	start := "Package " + k.files[0].ast.Name.Name + " "
	if k.files[0].ast.Name.Name == "main" {
		start = "Command "
		if strings.TrimSpace(comment) != "" {
			return nil
		}
	}
	if strings.HasPrefix(comment, start) {
		return nil
	}
	return []finding{{at: k.path, text: "the package comment is missing; write one that begins with \"" + start + "\" and says what it owns"}}
}

var roomPattern = regexp.MustCompile(`(?m)^Room: ([a-z]+)\b`)

func checkRoom(_ *tree, p *policy, k *pkg) []finding {
	if len(k.files) == 0 || strings.TrimSpace(packageComment(k)) == "" {
		return nil // package-comment says so
	}
	lines := roomPattern.FindAllStringSubmatch(packageComment(k), -1)
	want := p.roomOf(k.path)
	if want == "" {
		return nil // package-known says so
	}
	if len(lines) == 1 && lines[0][1] == want {
		return nil
	}
	return []finding{{at: k.path, text: fmt.Sprintf("the package comment must have one line \"Room: %s.\" (the table in internal/lint/policy_test.go puts it there); it has %d", want, len(lines))}}
}

const (
	maxFileLines     = 500
	maxFunctionLines = 80
)

// longFiles and longFunctions ("engine/turn.go:run") are what was longer than allowed when the rule came, with the lines they then
// had. An entry may shrink or go; none is added.
var (
	longFiles     = map[string]int{}
	longFunctions = map[string]int{}
)

func checkFileLength(_ *tree, _ *policy, k *pkg) (out []finding) {
	for _, f := range k.files {
		limit := max(maxFileLines, longFiles[f.name])
		if lines := strings.Count(f.text, "\n"); lines > limit && !ast.IsGenerated(f.ast) {
			out = append(out, finding{at: f.name, text: fmt.Sprintf("the file has %d lines, at most %d are allowed: which two reasons to change live here? part them", lines, limit)})
		}
	}
	return out
}

func checkFunctionLength(t *tree, _ *policy, k *pkg) (out []finding) {
	for _, f := range k.files {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || ast.IsGenerated(f.ast) {
				continue
			}
			limit := max(maxFunctionLines, longFunctions[f.name+":"+fn.Name.Name])
			if lines := t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line + 1; lines > limit {
				out = append(out, finding{at: t.at(fn), text: fmt.Sprintf("function %s has %d lines, at most %d are allowed: give its parts names", fn.Name.Name, lines, limit)})
			}
		}
	}
	return out
}

// leftOver is put together here so that this file does not break its own rule.
var leftOver = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

func checkLeftOver(_ *tree, _ *policy, k *pkg) (out []finding) {
	for _, f := range slices.Concat(k.files, k.tests) {
		for i, line := range strings.Split(f.text, "\n") {
			if word := leftOver.FindString(line); word != "" {
				out = append(out, finding{at: fmt.Sprintf("%s:%d", f.name, i+1), text: "the word " + word + " marks work that is not done: do it, or write down elsewhere what is planned"})
			}
		}
	}
	return out
}
