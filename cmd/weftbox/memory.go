package main

import (
	"os"
	"runtime/debug"
)

const (
	defaultMemory = 512 << 20
	leastMemory   = 64 << 20
)

// memoryShare is how the bytes of --memory are shared out. A quarter is left for what a turn works on, the definitions and Go itself.
type memoryShare struct {
	blocks   int64 // Pebble's block cache
	memTable int64 // one of Pebble's memtables; the store has three
	queue    int64 // messages that wait for the engine
	threads  int64 // the engine's cache of hot threads
	turn     int64 // raw bytes of the messages of one turn
}

func shareMemory(total int64) memoryShare {
	if total == 0 {
		total = defaultMemory
	}
	return memoryShare{blocks: total / 4, memTable: total / 16, queue: total / 16, threads: total / 8, turn: min(16<<20, total/16)}
}

// limitMemory tells Go how much it may take; GOMEMLIMIT in the environment wins. What Pebble takes outside of Go's heap is not Go's.
func limitMemory(total int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	s := shareMemory(total)
	limit := total
	if pebbleOutsideHeap {
		limit -= s.blocks + 3*s.memTable
	}
	debug.SetMemoryLimit(limit)
}
