package crash

import (
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/internal/fault"
)

// gate holds back what goes to the store's log while turns are applied and nobody waits for them, as a slow disk does: without it the log's own
// goroutine would have written a turn long before the run looks for one that is not on disk.
type gate struct {
	mu     sync.Mutex
	opened sync.Cond // its lock is mu
	held   bool
	off    bool // for good
}

func newGate() *gate {
	g := &gate{}
	g.opened.L = &g.mu
	return g
}

// hold closes or opens the gate.
func (g *gate) hold(held bool) {
	g.mu.Lock()
	g.held = held && !g.off
	g.opened.Broadcast()
	g.mu.Unlock()
}

// remove opens it for good.
func (g *gate) remove() {
	g.mu.Lock()
	g.held, g.off = false, true
	g.opened.Broadcast()
	g.mu.Unlock()
}

// pass waits at the gate, if the operation is one of the log's.
func (g *gate) pass(op errorfs.Op) {
	if !onLog(op) {
		return
	}
	g.mu.Lock()
	for g.held {
		g.opened.Wait()
	}
	g.mu.Unlock()
}

// onLog reports whether an operation brings something into the log, or onto the disk.
func onLog(op errorfs.Op) bool {
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		return strings.HasSuffix(op.Path, ".log")
	}
	return false
}

// slow reports whether the gate may be held while a turn is applied: some seeded faults commit a part of it, and wait for that.
func slow() bool {
	f := fault.Chosen()
	return !strings.HasSuffix(f, "-apart") && f != "position-ahead" && f != "commit-without-sync"
}
