// Package load owns the measurements of "weftbox bench": scenarios that drive an engine inside this process, or a running node over HTTP,
// read back what became of every event, and set the rate beside the ceiling: rows of the same sizes written bare to Pebble with the same syncs.
//
// Room: door.
package load
