package engine

import (
	"math"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// oldMail is what threads had sent to threads before the node started and no turn has given to its threads yet. Alarms wait for it: the node comes
// back with the alarms of the whole outage at hand, while such mail needs a turn to be brought, and a thread must not be told that nobody
// wrote because the node was down. Per pair of slots it is a bit of the relay's destination; the rest is a number a slot. Guarded by relay.mu.
type oldMail struct {
	pairs    int       // of slots, sending and receiving, between which some is left
	upTo     []uint64  // by sending slot: the last number of a row that is old
	oldestMs int64     // none was sent earlier
	looks    int       // pairs whose first row's time was asked for
	since    time.Time // when the node started
}

// maxOldLooks bounds what is read at the start to know when old mail was sent. Beyond it all alarms wait for all of it.
const maxOldLooks = 1000

// found notes rows of a destination that are there at the start.
func (r *relay) found(number uint32, slot uint16, sequence uint64) error {
	r.dirty(number, slot)
	if _, mail := store.IsSlot(number); !mail {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	o, d := &r.old, r.dests[number]
	if o.pairs == 0 {
		o.upTo, o.oldestMs, o.since = make([]uint64, len(r.e.slots)), math.MaxInt64, time.Now()
	}
	if d.old == nil {
		d.old = make([]uint64, len(d.waiting))
	}
	set(d.old, slot)
	o.upTo[slot] = sequence<<16 | (1<<16 - 1)
	o.pairs++
	if o.looks++; o.looks > maxOldLooks {
		o.oldestMs = math.MinInt64
		return nil
	}
	first, err := r.e.store.OutboxRows(slot, number, 0, 1, 1, nil)
	if len(first) > 0 {
		o.oldestMs = min(o.oldestMs, sentMs(&first[0]))
	}
	return err
}

// sentMs returns when a thread sent what a row holds; one that cannot be read was sent before everything.
func sentMs(row *store.Outbox) int64 {
	m, err := store.DecodeMessage(row.Body)
	if c, ok := m.(activity.Carried); ok && err == nil {
		return c.TimeMs
	}
	return math.MinInt64
}

// endsOld reports whether rows, the first ones of a slot, hold all that is left of its old mail for the destination.
func (r *relay) endsOld(d *destination, slot uint16, rows []store.Outbox) (bool, error) {
	r.mu.Lock()
	old := d.old != nil && has(d.old, slot)
	r.mu.Unlock()
	if !old || len(rows) == 0 {
		return old, nil
	}
	next, err := r.e.store.OutboxRows(slot, d.number, rows[len(rows)-1].Seq, 1, 1, nil)
	return len(next) == 0 || next[0].Seq > r.old.upTo[slot], err
}

// brought notes that a turn gives what is left of the old mail of these slots to its threads: the next turn's alarms need not wait for it.
func (r *relay) brought(number uint32, from []uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, slot := range from {
		if d := r.dests[number]; d != nil && d.old != nil && has(d.old, slot) {
			unset(d.old, slot)
			r.old.pairs--
		}
	}
}

// holds returns since when old mail is waited for and when the oldest of it was sent; ok is false when none is left.
func (r *relay) holds() (oldestMs int64, since time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.old.oldestMs, r.old.since, r.old.pairs > 0
}
