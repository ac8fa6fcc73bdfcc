package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const syncInterval = 100 * time.Millisecond

// syncer syncs the log of a relaxed store at intervals in which something was committed.
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
			y.sync()
		}
	}
}

func (y *syncer) sync() {
	if !y.dirty.Swap(false) {
		return
	}
	if err := y.s.db.LogData(nil, pebble.Sync); err != nil {
		y.s.mu.Lock()
		defer y.s.mu.Unlock()
		if y.s.down == nil {
			y.s.down = fmt.Errorf("store %s: the log could not be synced, the process must end: %w", y.s.dir, err)
		}
	}
}

func (y *syncer) stop() {
	y.once.Do(func() { close(y.quit) })
	<-y.done
}
