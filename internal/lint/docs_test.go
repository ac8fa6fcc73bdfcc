package lint

import (
	"go/ast"
	"go/token"
)

// wellKnown are methods whose name and signature say all: they carry out an interface of the standard library.
var wellKnown = map[string]bool{
	"Error": true, "String": true, "Unwrap": true, "Is": true, "As": true, "Len": true, "Less": true, "Swap": true, "Push": true, "Pop": true,
	"Read": true, "Write": true, "ServeHTTP": true, "MarshalJSON": true, "UnmarshalJSON": true, "MarshalText": true, "UnmarshalText": true,
}

func checkDocs(t *tree, _ *policy, k *pkg) (out []finding) {
	missing := func(n ast.Node, name string) {
		out = append(out, finding{at: t.at(n), text: "exported " + name + " has no doc comment: say what it is, its units and its errors"})
	}
	for _, f := range k.files {
		if f.ast.Name.Name == "main" {
			continue // nobody imports a command
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && receiverExported(d) && !(d.Recv != nil && wellKnown[d.Name.Name]) {
					missing(d, d.Name.Name)
				}
			case *ast.GenDecl:
				checkSpecs(d, missing)
			}
		}
	}
	return out
}

func checkSpecs(d *ast.GenDecl, missing func(ast.Node, string)) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
				missing(s, s.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				// a comment on a group of constants or variables speaks for all of them
				if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil && (d.Tok == token.CONST || d.Tok == token.VAR) {
					missing(name, name.Name)
				}
			}
		}
	}
}

// receiverExported reports whether a function is no method of an unexported type.
func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	id := root(genericBase(d.Recv.List[0].Type))
	return id == nil || id.IsExported()
}

func genericBase(e ast.Expr) ast.Expr {
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if list, ok := e.(*ast.IndexListExpr); ok {
		e = list.X
	}
	return e
}
