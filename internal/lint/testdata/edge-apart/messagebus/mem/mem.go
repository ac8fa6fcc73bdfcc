// Package mem owns an example.
//
// Room: edge.
package mem
