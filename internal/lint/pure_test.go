package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"strings"
)

// A pure room gives the same answer for the same arguments: it has no clock, disk, network, goroutine, draw, log or memory of its
// own. What it may not import is a path and all below it.
var impureImports = []string{"os", "net", "database/sql", "sync", "context", "log", "math/rand", "crypto/rand", "io/ioutil", "unsafe", "syscall", "plugin"}

// impureTime are the functions of package time that read the clock or wait.
var impureTime = map[string]bool{
	"Now": true, "Sleep": true, "After": true, "Since": true, "Until": true, "AfterFunc": true, "Tick": true, "NewTimer": true, "NewTicker": true,
}

func isPure(p *policy, k *pkg) bool { return p.roomOf(k.path) == "pure" }

func checkPureImports(t *tree, p *policy, k *pkg) (out []finding) {
	if !isPure(p, k) {
		return nil
	}
	imports(k.files, func(spec *ast.ImportSpec, importPath string) {
		for _, bad := range impureImports {
			if importPath == bad || strings.HasPrefix(importPath, bad+"/") {
				out = append(out, finding{at: t.at(spec), text: "a pure room may not import " + importPath + ": take what you need as an argument, and let the engine do the rest"})
			}
		}
		if importPath == "time" && (spec.Name != nil && spec.Name.Name == ".") {
			out = append(out, finding{at: t.at(spec), text: "a pure room may not dot-import time: its clock could not be told apart"})
		}
	})
	return out
}

func checkPureTime(t *tree, p *policy, k *pkg) (out []finding) {
	if !isPure(p, k) {
		return nil
	}
	for _, f := range k.files {
		name := importName(f.ast, "time")
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name && x.Obj == nil && impureTime[sel.Sel.Name] {
				out = append(out, finding{at: t.at(sel), text: "a pure room may not call time." + sel.Sel.Name + ": the turn's time arrives in the scope"})
			}
			return true
		})
	}
	return out
}

// importName returns the name under which a file knows a package, "" when it does not import it.
func importName(f *ast.File, importPath string) string {
	for _, spec := range f.Imports {
		if strings.Trim(spec.Path.Value, `"`) == importPath {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return path.Base(importPath)
		}
	}
	return ""
}

func checkPureGo(t *tree, p *policy, k *pkg) (out []finding) {
	if !isPure(p, k) {
		return nil
	}
	for _, f := range k.files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				out = append(out, finding{at: t.at(g), text: "a pure room may not start a goroutine: the engine runs what is parallel"})
			}
			return true
		})
	}
	return out
}

// checkPureVariables finds writes to package variables. Allowed are those in init, in functions named Register or register…, which
// init calls to fill a registry, and in the values of package variables.
func checkPureVariables(t *tree, p *policy, k *pkg) (out []finding) {
	if !isPure(p, k) {
		return nil
	}
	vars := packageVariables(k)
	for _, f := range k.files {
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || mayFill(fn) {
				continue
			}
			for _, w := range writes(fn.Body) {
				if id := root(w); id != nil && vars[id.Name] && isPackageLevel(f.ast, id) {
					out = append(out, finding{at: t.at(w), text: fmt.Sprintf("function %s writes to the package variable %s: a pure room remembers nothing; keep it in the definition, the scope or an argument", fn.Name.Name, id.Name)})
				}
			}
		}
	}
	return out
}

func mayFill(fn *ast.FuncDecl) bool {
	return fn.Recv == nil && (fn.Name.Name == "init" || strings.HasPrefix(strings.ToLower(fn.Name.Name), "register"))
}

func packageVariables(k *pkg) map[string]bool {
	vars := map[string]bool{}
	for _, f := range k.files {
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				for _, name := range s.(*ast.ValueSpec).Names {
					vars[name.Name] = true
				}
			}
		}
	}
	return vars
}

// writes returns what a body assigns to, counts up or down, deletes from, clears, copies into or takes the address of.
func writes(body *ast.BlockStmt) (out []ast.Expr) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.AssignStmt:
			if x.Tok != token.DEFINE {
				out = append(out, x.Lhs...)
			}
		case *ast.IncDecStmt:
			out = append(out, x.X)
		case *ast.RangeStmt:
			if x.Tok == token.ASSIGN {
				out = append(out, x.Key)
				if x.Value != nil {
					out = append(out, x.Value)
				}
			}
		case *ast.UnaryExpr:
			if x.Op == token.AND {
				out = append(out, x.X)
			}
		case *ast.CallExpr:
			if id, ok := x.Fun.(*ast.Ident); ok && id.Obj == nil && len(x.Args) > 0 && (id.Name == "delete" || id.Name == "clear" || id.Name == "copy") {
				out = append(out, x.Args[0])
			}
		}
		return true
	})
	return out
}

// root returns the variable at the bottom of a.b[c].d, nil when there is none.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isPackageLevel tells a package variable from a local one of the same name: the parser resolves what a file itself declares, and
// leaves open what another file of the package does.
func isPackageLevel(f *ast.File, id *ast.Ident) bool {
	return id.Obj == nil || f.Scope.Lookup(id.Name) == id.Obj
}
