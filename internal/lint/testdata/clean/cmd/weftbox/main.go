// Command weftbox is an example.
//
// Room: door.
package main

import (
	_ "github.com/weftbox/weftbox/definitions"
	_ "github.com/weftbox/weftbox/metadata/pebble"
)

func main() {}
