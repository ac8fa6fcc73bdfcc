// Package pebble owns an example.
//
// Room: edge.
package pebble

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/metadata"
)

// Store is an example.
type Store struct {
	cache *metadata.Cache
	db    *pebble.DB
	fs    vfs.FS
}
