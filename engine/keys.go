package engine

import (
	"fmt"
	"sync/atomic"
)

// keyBuckets knows what is remembered of idempotency keys: a bucket for this day and one for the day before. The numbers lie in the store, a
// row for each slot and day, written in the batch of the keys, so that a start reads three rows of a slot and no key.
type keyBuckets struct {
	day   uint32       // the present bucket
	swept uint32       // the day on which older ones were dropped last
	now   atomic.Int64 // keys of that day
	then  atomic.Int64 // keys of the day before
	first []uint32     // by slot: the oldest day of which it may have keys; 0: none
}

func (k *keyBuckets) total() int64 { return k.now.Load() + k.then.Load() }

// KeysKnown returns how many idempotency keys are remembered. Safe for concurrent use.
func (e *Engine) KeysKnown() int64 { return e.known.total() }

// countKeys reads the numbers of remembered keys, three rows of a slot at most.
func (e *Engine) countKeys() error {
	k := &e.known
	k.day, k.first = uint32(e.now()/dayMs), make([]uint32, len(e.slots))
	for slot := range e.slots {
		days, err := e.store.KeyDays(uint16(slot), k.day)
		if err != nil {
			return err
		}
		k.first[slot] = days.First
		k.now.Add(days.Keys[0])
		k.then.Add(days.Keys[1])
	}
	return nil
}

// remember writes the key of a record that the slot took; countSlotKeys writes the number of the slot's keys in the same group.
func (l *lane) remember(w *slotWork, r *record) {
	l.batch.PutKey(r.key)
	w.keys++
}

func (l *lane) countSlotKeys(w *slotWork) {
	if w.keys == 0 {
		return
	}
	k := &l.e.known
	l.batch.AddKeyCount(k.day, w.keys)
	k.now.Add(w.keys)
	if first := k.first[w.slot]; first == 0 || first > k.day {
		k.first[w.slot] = k.day
	}
}

// forget drops the buckets of keys older than yesterday, with one range for each slot that has any, and the older bucket early when more keys are
// known than are wanted. It is part of the turn's batch, ahead of the keys that the turn writes. It keeps the dead letters within their bounds too.
func (t *turn) forget() {
	k, day := &t.e.known, uint32(t.nowMs/dayMs)
	if day != k.day {
		then := int64(0)
		if day == k.day+1 {
			then = k.now.Load()
		}
		k.then.Store(then)
		k.now.Store(0)
		k.day = day
	}
	if day != k.swept {
		t.dropKeys(max(day, 1) - 1)
		k.swept = day
	}
	if most := t.e.o.MaxKeys; most > 0 && k.total() > most {
		t.forgetEarly(most)
	}
	t.boundLetters()
}

// forgetEarly drops the older bucket, and the present one when that alone is too large.
func (t *turn) forgetEarly(most int64) {
	k := &t.e.known
	dropped, before := k.then.Swap(0), k.day
	if k.now.Load() > most {
		dropped += k.now.Swap(0)
		before++
	}
	t.dropKeys(before)
	t.e.stats.KeysDropped.Add(dropped)
	t.e.warn("idempotency keys are forgotten early: repeats of older messages will be applied again; raise --idempotency-max-keys",
		fmt.Errorf("%d keys were dropped, more than %d were known", dropped, most))
}

// dropKeys drops the keys of all days before the one named.
func (t *turn) dropKeys(before uint32) {
	k := &t.e.known
	for slot, first := range k.first {
		if first == 0 || first >= before {
			continue
		}
		t.batch.Begin(uint16(slot))
		t.batch.DropKeys(before)
		k.first[slot] = before
	}
}

// settleTwin looks whether the first record of the key, which was routed before this one, was refused because its body is not the one that is
// remembered: then it took nothing, and the next record of the key is judged for itself, as if it had come alone.
func (r *record) settleTwin() {
	for r.twin != nil && r.twin.conflict {
		if heir := r.twin.heir; heir != nil {
			r.twin, r.conflict = heir, heir.BodyHash != r.BodyHash
			continue
		}
		r.twin.heir = r
		r.twin, r.conflict = nil, false
	}
}
