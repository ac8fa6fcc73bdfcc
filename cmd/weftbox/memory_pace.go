package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// What Go lets its heap grow by, in percent of what lives, before it collects again.
const (
	restPercent = 100
	loadPercent = 300
)

const (
	oftenSpan = 2 * time.Second  // a collection so soon after the one before it: the node is under load
	restSpan  = 10 * time.Second // none for so long: it is at rest again
)

// pace decides how much garbage may gather. A node under load keeps little alive and makes much garbage, and a collection costs by what is alive:
// the more rarely the better, and the memory limit bounds the heap all the same. At rest the heap is to be small.
type pace struct {
	last   time.Time // of the last collection
	loaded bool
}

// collected notes a collection and returns the percentage from now on.
func (p *pace) collected(now time.Time) int {
	gap := now.Sub(p.last)
	p.last = now
	p.loaded = gap < oftenSpan || p.loaded && gap < restSpan
	return p.percent()
}

// waited is called when there was no collection for restSpan.
func (p *pace) waited() int {
	p.loaded = false
	return p.percent()
}

func (p *pace) percent() int {
	if p.loaded {
		return loadPercent
	}
	return restPercent
}

// paceCollector follows the load until ctx is done; GOGC in the environment wins.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	cycles := make(chan struct{}, 1)
	watchCycles(cycles)
	go func() {
		p, percent := pace{last: time.Now()}, restPercent
		rest := time.NewTimer(restSpan)
		defer rest.Stop()
		for {
			next := percent
			select {
			case <-ctx.Done():
				return
			case <-cycles:
				watchCycles(cycles)
				next = p.collected(time.Now())
				rest.Reset(restSpan)
			case <-rest.C:
				next = p.waited()
			}
			if next == percent {
				continue
			}
			percent = next
			debug.SetGCPercent(percent)
			if percent == restPercent {
				debug.FreeOSMemory() // it would take minutes by itself
			}
		}
	}()
}

// watched is collected with the cycle that follows its making.
type watched struct{ cycles chan struct{} }

// watchCycles puts a value into cycles once the next collection is over.
func watchCycles(cycles chan struct{}) {
	runtime.AddCleanup(&watched{cycles}, func(c chan struct{}) {
		select {
		case c <- struct{}{}:
		default: // one is there already
		}
	}, cycles)
}
