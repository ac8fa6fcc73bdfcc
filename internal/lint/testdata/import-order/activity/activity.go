// Package activity owns an example.
//
// Room: pure.
package activity

import _ "github.com/weftbox/weftbox/actions"
