// Package clock owns an example.
//
// Room: seam.
package clock
