// Package metadatatest owns an example.
//
// Room: seam.
package metadatatest
