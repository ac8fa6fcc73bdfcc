// Package slots owns which slot a domain id falls in, who owns it, at which epoch, and what a fair share is. Arithmetic only.
//
// Room: pure.
package slots
