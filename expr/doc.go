// Package expr owns the language of conditions and values: its lexer, parser, checks, functions, values and limits, and the
// Control that an expression may answer with. Parsed expressions are compiled and run by github.com/expr-lang/expr.
//
// Room: pure.
package expr
