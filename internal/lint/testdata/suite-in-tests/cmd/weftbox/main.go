// Command weftbox is an example.
//
// Room: door.
package main

import _ "github.com/weftbox/weftbox/messagebus/bustest"
