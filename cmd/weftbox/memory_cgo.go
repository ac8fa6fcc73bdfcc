//go:build cgo

package main

// pebbleOutsideHeap: with cgo Pebble takes its block cache and its memtables from the C allocator.
const pebbleOutsideHeap = true
