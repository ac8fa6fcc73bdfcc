//go:build faults

package fault

import (
	"fmt"
	"os"
	"slices"
)

var chosen = choose()

// choose ends the process for a name that no code asks for: a fault that does nothing would look like one that nothing catches.
func choose() string {
	name := os.Getenv("WEFTBOX_FAULT")
	if name != "" && !slices.Contains(Names(), name) {
		fmt.Fprintf(os.Stderr, "WEFTBOX_FAULT=%s: there is no such fault; there are %v\n", name, Names())
		os.Exit(2)
	}
	return name
}

// Chosen is the fault that the environment chose, "" for none.
func Chosen() string { return chosen }

// On reports whether this fault is chosen.
func On(name string) bool { return name == chosen && name != "" }
