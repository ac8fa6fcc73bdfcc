// Package definitions owns an example.
//
// Room: pure.
package definitions

import _ "github.com/weftbox/weftbox/activity"
