// Package weftbox owns an example.
//
// Room: door.
package weftbox
