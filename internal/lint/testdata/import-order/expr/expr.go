// Package expr owns an example.
//
// Room: pure.
package expr
