// This package has a comment that begins wrongly.
//
// Room: pure.
package slots
