// Package metadata owns an example.
//
// Room: seam.
package metadata

import (
	_ "github.com/weftbox/weftbox/engine"
	_ "github.com/weftbox/weftbox/metadata/pebble"
)
