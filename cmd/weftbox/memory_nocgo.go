//go:build !cgo

package main

// pebbleOutsideHeap: without cgo Pebble's block cache and its memtables lie in Go's heap.
const pebbleOutsideHeap = false
