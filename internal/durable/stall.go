package durable

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	// compactionWrites is how Pebble names the files that a compaction makes.
	compactionWrites = "pebble-compaction"

	// retryPause comes before each file of a compaction while the one before failed.
	retryPause = time.Second
)

// stall knows when commits wait for a compaction that does not come. Pebble lets commits wait while too many tables lie side by side. But the tables
// of a failed compaction it leaves alone for 30 s (damaged ones for 5 min), on a disk with room again, too, and every reader waits behind the
// commit; other tables it tries again at once and without end. So a stall that meets a failure ends the process, as a write that finds no room.
type stall struct {
	guard   *Guard
	waiting atomic.Bool           // commits wait
	failure atomic.Pointer[error] // why the last compaction failed; nil once one went well
	quit    chan struct{}
	once    sync.Once
}

// failed hears that a compaction failed. It gave back the room that it took, so commits go on as long as they need not wait for one.
func (w *stall) failed(err error) {
	var no syscall.Errno
	if errors.As(err, &no) && no != syscall.ENOSPC {
		w.guard.Fatalf("the disk fails: %v", err)
		return
	}
	w.failure.Store(&err)
	if w.waiting.Load() {
		w.die(err)
		return
	}
	w.guard.Errorf("background error: %v", err)
}

// compacted hears of the end of each compaction. Only one that takes tables out of the level that commits wait for shows that these go on.
func (w *stall) compacted(i pebble.CompactionInfo) {
	if i.Err == nil && len(i.Input) > 0 && i.Input[0].Level == 0 && i.Output.Level > 0 {
		w.failure.Store(nil)
	}
}

// begin hears that commits wait.
func (w *stall) begin() {
	w.waiting.Store(true)
	if err := w.failure.Load(); err != nil {
		w.die(*err)
	}
}

func (w *stall) end() { w.waiting.Store(false) }

func (w *stall) die(err error) {
	if errors.Is(err, syscall.ENOSPC) {
		w.guard.Fatalf("the disk is full, and commits wait for it: %v", err)
		return
	}
	w.guard.Fatalf("tables cannot be merged, and commits wait for that: %v", err)
}

// pause lets a while pass while compactions fail.
func (w *stall) pause() {
	if w.failure.Load() == nil {
		return
	}
	timer := time.NewTimer(retryPause)
	defer timer.Stop()
	select {
	case <-w.quit:
	case <-timer.C:
	}
}

// stop ends the pauses.
func (w *stall) stop() { w.once.Do(func() { close(w.quit) }) }
