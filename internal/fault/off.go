//go:build !faults

package fault

// Chosen is the fault that the environment chose; here none.
func Chosen() string { return "" }

// On reports whether a fault is built in and chosen: never in this build.
func On(string) bool { return false }
