// Package bustest owns an example.
//
// Room: seam.
package bustest
