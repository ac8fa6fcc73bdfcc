package lint

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

const module = "github.com/weftbox/weftbox"

// tree is the Go source of a repository.
type tree struct {
	fset     *token.FileSet
	packages []*pkg // by path
}

// pkg is one folder with Go files. Files of a test package of its own (foo_test) are among tests.
type pkg struct {
	path  string // "engine/store"; "." is the root
	files []*file
	tests []*file
}

type file struct {
	name string // path from the root
	text string
	ast  *ast.File
}

// finding is one breach of a rule.
type finding struct {
	rule string
	at   string // "engine/turn.go:12", or a folder
	text string // what is wrong and what to do
}

func (f finding) String() string { return f.at + ": " + f.rule + ": " + f.text }

// readTree parses every Go file below root. Folders that the go command does not build (testdata, names that begin with "." or "_",
// node_modules) are left out.
func readTree(root string) (*tree, error) {
	t := &tree{fset: token.NewFileSet()}
	found := map[string]*pkg{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if name != root && (base == "testdata" || base == "node_modules" || base == "vendor" || base[0] == '.' || base[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || base[0] == '.' || base[0] == '_' {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		return t.add(found, name, filepath.ToSlash(rel))
	})
	for _, p := range found {
		t.packages = append(t.packages, p)
	}
	sort.Slice(t.packages, func(i, j int) bool { return t.packages[i].path < t.packages[j].path })
	return t, err
}

func (t *tree) add(found map[string]*pkg, name, rel string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(t.fset, rel, text, parser.ParseComments)
	if err != nil {
		return err
	}
	dir := path.Dir(rel)
	p := found[dir]
	if p == nil {
		p = &pkg{path: dir}
		found[dir] = p
	}
	f := &file{name: rel, text: string(text), ast: parsed}
	if strings.HasSuffix(rel, "_test.go") {
		p.tests = append(p.tests, f)
	} else {
		p.files = append(p.files, f)
	}
	return nil
}

func (t *tree) at(n ast.Node) string {
	p := t.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// imports calls f with every import path of the files.
func imports(files []*file, f func(spec *ast.ImportSpec, importPath string)) {
	for _, file := range files {
		for _, spec := range file.ast.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil {
				f(spec, p)
			}
		}
	}
}

// ours returns the path inside the repository of an import path.
func ours(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// standard reports whether an import path is the standard library's: its first part has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}
