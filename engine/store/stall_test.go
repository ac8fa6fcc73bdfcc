package store

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
)

// patience bounds the waits of tests for what must come; it decides nothing but when to give up.
const patience = 60 * time.Second

// mergeFS is a disk on which the next compactions find no room.
type mergeFS struct {
	vfs.FS
	full   atomic.Int64 // how many more files of compactions find no room
	failed atomic.Int64
}

func (fs *mergeFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if c == "pebble-compaction" && fs.full.Add(-1) >= 0 {
		fs.failed.Add(1)
		return nil, &vfsError{syscall.ENOSPC}
	}
	return fs.FS.Create(name, c)
}

// vfsError hides the number of an error behind a type of its own, as the operating system's errors do.
type vfsError struct{ error }

func (e *vfsError) Unwrap() error { return e.error }

// TestStallAfterAFailedCompaction: one compaction finds the disk full and is left alone by Pebble for 30 s; commits go on, until they must wait
// for it. The disk has room again by then, but nobody would look.
func TestStallAfterAFailedCompaction(t *testing.T) {
	fs := &mergeFS{FS: vfs.NewMem()}
	log := &dying{cause: make(chan error, 1)}
	s, err := Open("store", Options{FS: fs, Slots: 4, MemTableBytes: 64 << 10, CacheBytes: 1 << 20, Logger: log, BallastBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{s: s, pad: strings.Repeat("x", 3000)}
	for s.db.Metrics().Compact.Count == 0 { // until there are tables that the next compaction has to merge with
		if err := l.commit(); err != nil {
			t.Fatal(err)
		}
	}
	fs.full.Store(2)
	done := make(chan error, 1)
	go func() {
		for range 400 {
			if err := l.commit(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	select {
	case err := <-log.cause:
		if ExitCode(err) != durable.ExitDiskFull || !strings.Contains(err.Error(), "commits wait") {
			t.Errorf("the store ends by %v (exit code %d), want that commits wait for a full disk, and code 10", err, ExitCode(err))
		}
	case err := <-done:
		t.Errorf("400 commits ended with %v after %d failed compactions, want the store to end when commits wait", err, fs.failed.Load())
	case <-time.After(patience):
		t.Errorf("after %d failed compactions batch %d waits for ever, want the store to end", fs.failed.Load(), l.started.Load())
	}
}
