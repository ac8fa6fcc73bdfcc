// Package engine owns the order of things: who is read, stepped, committed and told. One turn of its loop lies in turn.go; nothing it
// calls calls back.
//
// Room: loop.
package engine
