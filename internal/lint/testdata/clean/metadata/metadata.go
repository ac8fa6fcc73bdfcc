// Package metadata owns an example.
//
// Room: seam.
package metadata

import "sync"

// Cache is an example.
type Cache struct{ mu sync.Mutex }
