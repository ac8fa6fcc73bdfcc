package store

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

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
// With a durability other than sync, Apply does all.
func (b *Batch) Apply() error {
	if b.err != nil || b.s.durability != Sync || b.Empty() || b.early != nil || b.late != nil || fault.On("commit-without-sync") {
		return b.Commit()
	}
	for slot, p := range b.parts() {
		node := b.node
		if b.groups != nil && slot != NodeSlot {
			node = nil
		}
		if err := b.s.apply(p, node); err != nil {
			b.reset()
			return err
		}
	}
	b.waits = true
	return nil
}

// Start is Apply that does not wait: it returns once the batch has its place after those before it, and the writes go in beside the caller. Every read, and
// the next Apply, waits until they have. An error is kept: nothing can be read or applied after it, and Wait returns it.
func (b *Batch) Start() error {
	if b.err != nil || b.s.durability != Sync || b.groups != nil || b.Empty() || b.early != nil || b.late != nil || fault.On("commit-without-sync") {
		return b.Apply()
	}
	s := b.s
	s.mu.Lock() // readers and the next batch wait here
	if err := s.usable(); err != nil {
		s.mu.Unlock()
		b.reset()
		return err
	}
	b.waits = true
	b.going.Go(func() {
		defer s.mu.Unlock()
		b.failed = s.applyLocked(b.cur, b.node)
	})
	return nil
}

// parts yields what is to be committed: the joined batch, or with CommitSlots the groups that are not empty, by slot.
func (b *Batch) parts() iter.Seq2[uint16, *pebble.Batch] {
	return func(yield func(uint16, *pebble.Batch) bool) {
		if b.groups == nil {
			yield(b.slot, b.cur)
			return
		}
		for _, slot := range slices.Sorted(maps.Keys(b.groups)) {
			if g := b.groups[slot]; !g.Empty() && !yield(slot, g) {
				return
			}
		}
	}
}

// Wait returns when the applied batch is on disk. An error is final, as that of Commit. The batch is reset and may be used again.
func (b *Batch) Wait() error {
	if !b.waits {
		return nil
	}
	b.waits = false
	b.going.Wait()
	s := b.s
	n, err := uint64(0), b.failed
	if err == nil {
		for _, p := range b.parts() {
			err = errors.Join(err, p.SyncWait())
			n++
		}
	}
	s.mu.Lock()
	if err = errors.Join(err, s.usable()); err != nil && s.down == nil {
		s.down = fmt.Errorf("store %s: a commit failed, the process must end: %w", s.dir, err)
	}
	if s.background != nil {
		s.background.dirty.Store(true)
	}
	s.mu.Unlock()
	s.barrier.mu.Lock()
	s.barrier.synced += n
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

func (s *Store) apply(p *pebble.Batch, node *NodeMeta) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	return s.applyLocked(p, node)
}

// applyLocked gives a batch to Pebble. The store's lock must be held for writing. An error shuts the store.
func (s *Store) applyLocked(p *pebble.Batch, node *NodeMeta) error {
	s.writes.Add(int64(p.Count()))
	err := errors.Join(s.db.ApplyNoSyncWait(p, s.writeOptions()), s.idle.closeAll())
	s.generation++
	if err != nil {
		s.down = fmt.Errorf("store %s: a commit failed, the process must end: %w", s.dir, err)
		return s.down
	}
	if node != nil {
		s.node = *node
	}
	s.barrier.mu.Lock()
	s.barrier.applied++
	s.barrier.mu.Unlock()
	return nil
}
