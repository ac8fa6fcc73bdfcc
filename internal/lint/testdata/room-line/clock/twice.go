// Package clock says it twice.
//
// Room: seam.
package clock
