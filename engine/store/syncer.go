package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weftbox/weftbox/internal/durable"
)

const syncInterval = 100 * time.Millisecond

// syncer works at intervals in which something was committed: it syncs the log of a relaxed store, and writes the beacon.
type syncer struct {
	s     *Store
	dirty atomic.Bool
	quit  chan struct{}
	once  sync.Once
	done  chan struct{}
}

func startSyncer(s *Store) *syncer {
	y := &syncer{s: s, quit: make(chan struct{}), done: make(chan struct{})}
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
	var logs []durable.Log
	if y.s.beacon != nil {
		var err error
		if logs, err = y.s.beacon.Logs(); err != nil {
			return err
		}
	}
	if err := y.s.db.LogData(nil, pebble.Sync); err != nil {
		return fmt.Errorf("the log could not be synced: %w", err)
	}
	if y.s.guard.Err() != nil || y.s.beacon == nil {
		return nil // with an error the log is not what Pebble says it is
	}
	return y.mark(turns, logs)
}

func (y *syncer) mark(turns uint64, logs []durable.Log) error {
	err := y.s.beacon.Write(turns, logs)
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
	y.s.guard.Fatalf("%v", err)
}

func (y *syncer) stop() {
	y.once.Do(func() { close(y.quit) })
	<-y.done
}

// lastMark writes the beacon of a store that is closed, with the MANIFEST as it stays, unless something went wrong.
func (s *Store) lastMark(whole bool) error {
	if !whole || s.guard.Err() != nil || s.background == nil {
		return nil
	}
	logs, err := s.beacon.Logs()
	if err != nil {
		return err
	}
	return s.background.mark(s.node.Turns, logs)
}
