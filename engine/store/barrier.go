package store

import (
	"errors"
	"fmt"
	"sync"

	"github.com/weftbox/weftbox/internal/fault"
)

// barrier knows which applied batches are on disk. Batches are applied, and waited for, in one order.
type barrier struct {
	mu      sync.Mutex
	moved   sync.Cond // synced or failed changed; its lock is mu
	applied uint64    // batches given to Pebble without waiting
	synced  uint64    // of them on disk
	failed  error
}

// Durability returns what the store was opened with.
func (s *Store) Durability() Durability { return s.durability }

// Apply is the first half of Commit: the batch is in the store and its bytes are on their way to the disk when it returns. The caller's own reads see it
// at once; what is read for others must pass Barrier before it is told. Wait is the second half and must follow, in the order of the Applies.
// With CommitSlots, or a durability other than sync, Apply does all.
func (b *Batch) Apply() error {
	if b.err != nil || b.groups != nil || b.s.durability != Sync || b.Empty() || fault.Chosen() != "" {
		return b.Commit()
	}
	if err := b.s.apply(b); err != nil {
		b.reset()
		return err
	}
	b.waits = true
	return nil
}

// Wait returns when the applied batch is on disk. An error is final, as that of Commit. The batch is reset and may be used again.
func (b *Batch) Wait() error {
	if !b.waits {
		return nil
	}
	b.waits = false
	s := b.s
	err := b.cur.SyncWait()
	s.mu.Lock()
	if err = errors.Join(err, s.usable()); err != nil && s.down == nil {
		s.down = fmt.Errorf("store %s: a commit failed, the process must end: %w", s.dir, err)
	}
	if s.background != nil {
		s.background.dirty.Store(true)
	}
	s.mu.Unlock()
	s.barrier.mu.Lock()
	s.barrier.synced++
	if err != nil {
		s.barrier.failed = err
	}
	s.barrier.moved.Broadcast()
	s.barrier.mu.Unlock()
	b.reset()
	return err
}

// Barrier returns when all that a read which has returned could have seen is on disk.
func (s *Store) Barrier() error {
	a := &s.barrier
	a.mu.Lock()
	defer a.mu.Unlock()
	for target := a.applied; a.synced < target && a.failed == nil; {
		a.moved.Wait()
	}
	return a.failed
}

func (s *Store) apply(b *Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	err := errors.Join(s.db.ApplyNoSyncWait(b.cur, s.writeOptions()), s.idle.closeAll())
	s.generation++
	if err != nil {
		s.down = fmt.Errorf("store %s: a commit failed, the process must end: %w", s.dir, err)
		return s.down
	}
	if b.node != nil {
		s.node = *b.node
	}
	s.barrier.mu.Lock()
	s.barrier.applied++
	s.barrier.mu.Unlock()
	return nil
}
