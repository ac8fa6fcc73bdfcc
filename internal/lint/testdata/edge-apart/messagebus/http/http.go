// Package http owns an example.
//
// Room: edge.
package http

import _ "github.com/weftbox/weftbox/messagebus/mem"
