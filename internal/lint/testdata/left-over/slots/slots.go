// Package slots owns an example.
//
// Room: pure.
package slots

// TODO: think.
func f() {
	panic("FIXME")
}

// Todo lists and XXXL shirts are fine.
