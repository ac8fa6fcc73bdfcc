package definitions

import (
	"fmt"

	"github.com/weftbox/weftbox/expr"
)

// Expr is a compiled expression that knows where in the definition's text it stands.
type Expr struct {
	Program *expr.Program
	Path    string // "/activity/actions/1/args/0/then"
	place   place
}

// EvalError is an evaluation error with its place in the definition.
type EvalError struct {
	Line, Column int
	Path         string
	Source       string // the expression
	Err          *expr.Error
}

// Error says what happened and where: `12:30: there is no event attribute "goods_title" (in eventAttr("goods_title"))`.
func (e *EvalError) Error() string {
	return fmt.Sprintf("%d:%d: %s (in %s)", e.Line, e.Column, e.Err.Message, e.Source)
}

// Limit reports whether a limit of ticks, bytes or depth was hit.
func (e *EvalError) Limit() bool { return e.Err.Limit }

func (x *Expr) fail(err error) error {
	ee, ok := err.(*expr.Error)
	if !ok {
		ee = &expr.Error{Message: err.Error()}
	}
	line, column := x.place.at(ee.Start)
	return &EvalError{Line: line, Column: column, Path: x.Path, Source: x.Program.Source(), Err: ee}
}

// Fail makes an EvalError at the start of the expression, for a value that is well computed but unfit for its use.
func (x *Expr) Fail(message string) error { return x.fail(&expr.Error{Message: message}) }

// Eval runs the expression; the error is always an *EvalError.
func (x *Expr) Eval(s *expr.Scope) (any, error) {
	v, err := x.Program.Eval(s)
	if err != nil {
		return nil, x.fail(err)
	}
	return v, nil
}

// EvalBool runs a condition; the error is always an *EvalError.
func (x *Expr) EvalBool(s *expr.Scope) (bool, error) {
	v, err := x.Program.EvalBool(s)
	if err != nil {
		return false, x.fail(err)
	}
	return v, nil
}

// EvalControl runs a then; the error is always an *EvalError.
func (x *Expr) EvalControl(s *expr.Scope) (expr.Control, error) {
	v, err := x.Program.EvalControl(s)
	if err != nil {
		return expr.Control{}, x.fail(err)
	}
	return v, nil
}

// Fail makes an EvalError at the value's place, for a value that is well computed but unfit for its use.
func (a *Args) Fail(message string) error {
	if a.Kind == ArgsExpr {
		return a.Expr.Fail(message)
	}
	return &EvalError{Line: a.Line, Column: a.Column, Source: "this list or map", Err: &expr.Error{Message: message}}
}

// Eval computes the whole tree: an expression's value, a []any or a map[string]any. The error is always an *EvalError.
func (a *Args) Eval(s *expr.Scope) (any, error) {
	switch a.Kind {
	case ArgsList:
		out := make([]any, len(a.Items))
		for i, item := range a.Items {
			v, err := item.Eval(s)
			if err != nil {
				return nil, err
			}
			out[i] = v
		}
		return out, nil
	case ArgsMap:
		out := make(map[string]any, len(a.Pairs))
		for _, pair := range a.Pairs {
			v, err := pair.Value.Eval(s)
			if err != nil {
				return nil, err
			}
			out[pair.Name] = v
		}
		return out, nil
	case ArgsClauses:
		return nil, a.Fail("clauses have no value")
	default:
		return a.Expr.Eval(s)
	}
}

// At returns the line and column of a rune offset of the expression's source, in the definition's text.
func (x *Expr) At(offset int) (line, column int) { return x.place.at(offset) }
