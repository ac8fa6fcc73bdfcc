package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const syncInterval = 100 * time.Millisecond

// syncer works at intervals in which something was committed: it syncs the log of a relaxed store, and writes the beacon.
type syncer struct {
	s      *Store
	beacon *beacon // may be nil
	dirty  atomic.Bool
	quit   chan struct{}
	once   sync.Once
	done   chan struct{}
}

func startSyncer(s *Store, b *beacon) *syncer {
	y := &syncer{s: s, beacon: b, quit: make(chan struct{}), done: make(chan struct{})}
	go y.run()
	return y
}

func (y *syncer) run() {
	defer close(y.done)
	ticker := time.NewTicker(syncInterval)
	defer ticker.Stop()
	for {
		select {
		case <-y.quit:
			return
		case <-ticker.C:
			if err := y.sync(); err != nil {
				y.fail(err)
			}
		}
	}
}

// sync brings to disk what is committed, and then says so in the beacon. Which commits are synced already is not asked: the beacon must
// never be ahead of the log, and one sync more every interval costs little.
func (y *syncer) sync() error {
	if !y.dirty.Swap(false) {
		return nil
	}
	turns := y.s.Node().Turns
	if err := y.s.db.LogData(nil, pebble.Sync); err != nil {
		return fmt.Errorf("the log could not be synced: %w", err)
	}
	if y.s.fatal.reason.Load() != nil {
		return nil // the log is not what Pebble says it is
	}
	return y.mark(turns)
}

func (y *syncer) mark(turns uint64) error {
	if y.beacon == nil {
		return nil
	}
	err := y.beacon.write(turns)
	if errors.Is(err, syscall.ENOSPC) { // a file system that copies on write; the mark before is true still
		y.dirty.Store(true)
		return nil
	}
	if err != nil {
		return fmt.Errorf("the beacon could not be written: %w", err)
	}
	return nil
}

func (y *syncer) fail(err error) {
	y.s.mu.Lock()
	if y.s.down == nil {
		y.s.down = fmt.Errorf("store %s: the process must end: %w", y.s.dir, err)
	}
	y.s.mu.Unlock()
	y.s.fatal.Fatalf("%v", err)
}

func (y *syncer) stop() {
	y.once.Do(func() { close(y.quit) })
	<-y.done
}

// last writes the beacon of a store that is closed, with the MANIFEST as it stays, unless something went wrong.
func (y *syncer) last(whole bool) error {
	if y.beacon == nil {
		return nil
	}
	var err error
	if whole && y.s.fatal.reason.Load() == nil {
		err = y.mark(y.s.node.Turns)
	}
	return errors.Join(err, y.beacon.close())
}
