// Package durable owns what every store on Pebble needs so that it serves nothing that the disk does not hold: the end of a process that
// cannot write (Guard, ExitCode), and the beacon, a file that says how long a store's history is at least (Mark, Beacon).
//
// Room: disk.
package durable
