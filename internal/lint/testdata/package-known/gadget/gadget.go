// Package gadget owns an example.
//
// Room: pure.
package gadget
