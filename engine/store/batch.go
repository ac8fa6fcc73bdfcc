package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// Batch is a turn's writes, grouped by slot: Begin names the slot of what follows. Slots are written in ascending order,
// NodeSlot last. With Options.CommitSlots each group lands alone; otherwise Commit joins them to share one sync.
// A Batch is not safe for concurrent use; what is given to its methods is not kept.
type Batch struct {
	s      *Store
	cur    *pebble.Batch
	groups map[uint16]*pebble.Batch // with CommitSlots only; cur is one of them
	slot   uint16
	begun  bool
	err    error         // the first write that could not be encoded
	node   *NodeMeta     // what the node's row becomes
	early  *pebble.Batch // what a seeded fault tears off, see apart.go; else nil
	late   *pebble.Batch
	waits  bool           // applied, and not waited for
	going  sync.WaitGroup // until what was started is applied
	failed error          // what became of that
	key    []byte
	value  []byte
}

// batchHeader is what an empty Pebble batch holds.
const batchHeader = 12

// maxIdleValue bounds the encoding buffer that a batch keeps from turn to turn.
const maxIdleValue = 1 << 20

// NewBatch returns an empty batch. It must be committed or closed.
func (s *Store) NewBatch() *Batch {
	b := &Batch{s: s}
	if s.commitSlots {
		b.groups = map[uint16]*pebble.Batch{}
	} else {
		b.cur = s.newPebbleBatch()
	}
	return b
}

// newPebbleBatch: the buffer of a large turn is kept for the next one.
func (s *Store) newPebbleBatch() *pebble.Batch {
	return s.db.NewBatch(pebble.WithInitialSizeBytes(64<<10), pebble.WithMaxRetainedSizeBytes(16<<20))
}

// Begin makes slot the slot of the writes that follow. It panics on a slot that the store does not have.
func (b *Batch) Begin(slot uint16) {
	if slot >= b.s.slots && slot != NodeSlot {
		panic(fmt.Sprintf("store: Begin(%d) in a store of %d slots", slot, b.s.slots))
	}
	b.slot, b.begun = slot, true
	if b.groups != nil {
		if b.groups[slot] == nil {
			b.groups[slot] = b.s.newPebbleBatch()
		}
		b.cur = b.groups[slot]
	}
}

// Empty reports whether nothing was written.
func (b *Batch) Empty() bool { return b.Len() == 0 && b.err == nil }

// Len returns the bytes written so far.
func (b *Batch) Len() int {
	if b.groups == nil {
		return b.cur.Len() - batchHeader
	}
	n := 0
	for _, g := range b.groups {
		n += g.Len() - batchHeader
	}
	return n
}

// Join appends the writes of another batch of the same store, which is empty afterwards. Slots of it that b has already go on where b stopped.
func (b *Batch) Join(part *Batch) {
	defer part.reset()
	b.fail(part.err)
	if part.node != nil {
		b.node = part.node
	}
	for _, torn := range []struct{ to, from **pebble.Batch }{{&b.early, &part.early}, {&b.late, &part.late}} {
		if *torn.from != nil {
			b.fail(b.torn(torn.to).Apply(*torn.from, nil))
			b.fail((*torn.from).Close())
			*torn.from = nil
		}
	}
	if part.groups == nil {
		b.fail(b.cur.Apply(part.cur, nil))
		return
	}
	for _, slot := range slices.Sorted(maps.Keys(part.groups)) {
		b.Begin(slot)
		b.fail(b.cur.Apply(part.groups[slot], nil))
	}
}

// Repr returns the joined writes in Pebble's format; nil with CommitSlots. It is valid until the next write.
func (b *Batch) Repr() []byte {
	if b.groups != nil {
		return nil
	}
	return b.cur.Repr()
}

// Commit applies the batch atomically and, with durability sync, returns when it is on disk. An error is final: the process must end,
// because the store may go on serving the lost write. The batch is reset and may be used again.
// A write that could not be encoded (see CheckVars) is such an error too; then nothing of the batch was applied.
func (b *Batch) Commit() error {
	defer b.reset()
	if b.err != nil {
		return fmt.Errorf("store %s: nothing was committed: %w", b.s.dir, b.err)
	}
	if b.Empty() {
		return nil
	}
	if err := b.commitTorn(&b.early); err != nil {
		return err
	}
	for slot, p := range b.parts() {
		node := b.node
		if b.groups != nil && slot != NodeSlot {
			node = nil
		}
		if err := b.s.commit(p, node); err != nil {
			return err
		}
	}
	return b.commitTorn(&b.late)
}

// commit applies p and keeps readers out until it is synced. A failure shuts the store: it would go on serving the lost write.
func (s *Store) commit(p *pebble.Batch, node *NodeMeta) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	s.writes.Add(int64(p.Count()))
	err := errors.Join(s.db.Apply(p, s.writeOptions()), s.idle.closeAll(), s.usable())
	s.generation++
	if err != nil {
		s.down = fmt.Errorf("store %s: a commit failed, the process must end: %w", s.dir, err)
		return s.down
	}
	if node != nil {
		s.node = *node
	}
	if s.background != nil {
		s.background.dirty.Store(true)
	}
	return nil
}

func (b *Batch) reset() {
	b.err, b.node, b.begun, b.failed = nil, nil, false, nil
	if cap(b.value) > maxIdleValue {
		b.value = nil
	}
	if b.groups == nil {
		b.cur.Reset()
		return
	}
	for _, g := range b.groups {
		g.Close()
	}
	clear(b.groups)
	b.cur = nil
}

// Reset drops what was not committed; the batch may be used again. One that is applied must be waited for instead.
func (b *Batch) Reset() {
	if !b.waits {
		b.reset()
	}
}

// Close drops what was not committed.
func (b *Batch) Close() error {
	if b.groups != nil {
		b.reset()
		return nil
	}
	return b.cur.Close()
}

// slotUnknowns remembers, per slot, the fields of row m that this program does not know, so that a rewrite keeps them.
type slotUnknowns struct {
	mu   sync.Mutex
	seen []bool
	rest map[uint16][]byte
}

func (u *slotUnknowns) init(slots uint16) {
	u.seen, u.rest = make([]bool, slots), map[uint16][]byte{}
}

func (u *slotUnknowns) keep(slot uint16, unknown []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if int(slot) >= len(u.seen) {
		return
	}
	u.seen[slot] = true
	if len(unknown) > 0 {
		u.rest[slot] = unknown
	}
}

func (u *slotUnknowns) get(slot uint16) (unknown []byte, seen bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rest[slot], u.seen[slot]
}
