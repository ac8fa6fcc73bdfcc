// Package clock owns where time comes from: Clock, Wall and Manual.
//
// Room: seam.
package clock
