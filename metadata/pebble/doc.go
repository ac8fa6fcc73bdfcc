// Package pebble owns how metadata lies in a directory of one node: a small Pebble store of its own with one row per record,
// each change one synced batch. Opened on vfs.NewMem it is the driver for tests.
//
// The directory belongs to one process. What the rows hold is also kept in memory, so Load costs nothing.
//
// Room: edge.
package pebble
