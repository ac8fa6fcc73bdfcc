// Package expr owns an example.
//
// Room: door.
package expr
