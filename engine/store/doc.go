// Package store owns how state lies at rest: keys, tagged formats, what is due next, and that a slot's writes of a turn land together.
// It moves bytes and decides nothing.
//
// Room: disk.
package store
