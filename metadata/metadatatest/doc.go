// Package metadatatest owns what every driver of metadata.Store must do, as one suite of tests.
//
// Room: seam.
package metadatatest
