// Package slots owns an example.
//
// Room: pure.
package slots

type Type struct{}

func (t *Type) Method() {}

func (t *Type) String() string { return "" }

type Generic[A, B any] struct{}

func (Generic[A, B]) Method() {}

func Func() {}

const Const = 1

var Var, other = 1, 2

type (
	// Grouped has a comment.
	Grouped int
	Bare    int
)

const (
	Trailing = 1 // has a comment
	Nothing  = 2
)
