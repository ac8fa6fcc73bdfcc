// Package engine owns an example.
//
// Room: loop.
package engine

import (
	_ "github.com/cockroachdb/pebble/v2"
	_ "github.com/cockroachdb/pebble/v2/vfs"
)
