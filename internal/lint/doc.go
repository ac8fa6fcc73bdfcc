// Package lint owns the rules that hold the layout of this repository: which package may import which, what a room may touch, and a
// few rules for every source file. It holds tests only: `go test ./internal/lint`. The table of packages is policy_test.go; a
// folder below testdata breaks each rule and shows that it is caught.
//
// Room: door.
package lint
