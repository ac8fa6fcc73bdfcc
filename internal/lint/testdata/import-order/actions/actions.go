// Package actions owns an example.
//
// Room: pure.
package actions

import _ "github.com/weftbox/weftbox/expr"
