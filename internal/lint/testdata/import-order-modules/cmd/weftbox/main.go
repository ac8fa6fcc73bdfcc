// Command weftbox is an example.
//
// Room: door.
package main

import (
	_ "example.com/left/pad"
	_ "github.com/spf13/cobra"
)
