// Package engine owns an example.
//
// Room: loop.
package engine

import (
	_ "github.com/weftbox/weftbox/actions"
	_ "github.com/weftbox/weftbox/api"
)
