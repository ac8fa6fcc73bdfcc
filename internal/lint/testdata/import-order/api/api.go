// Package api owns an example.
//
// Room: door.
package api

import _ "github.com/weftbox/weftbox/engine"
