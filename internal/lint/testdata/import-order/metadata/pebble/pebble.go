// Package pebble owns an example.
//
// Room: edge.
package pebble

import _ "github.com/weftbox/weftbox/engine/store"
