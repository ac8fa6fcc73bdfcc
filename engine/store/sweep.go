package store

import (
	"math"

	"github.com/weftbox/weftbox/activity"
)

// Sweep says how far the threads of an activity were gone through since its state changed. That of activity 0 is about the stalled threads of all
// activities, since a service was registered.
type Sweep struct {
	StateAt  uint64 // which change of the state: its metadata revision; of activity 0: the revision up to which all changes were seen
	Done     bool
	Slot     uint16 // where it goes on
	After    string // the last domain id looked at in Slot, "" for none
	Activity uint32 // of activity 0: whose threads it is at
}

// Tags of row w.
const (
	sweepStateAt = 1
	sweepDone    = 2
	sweepSlot    = 3
	sweepAfter   = 4
	sweepAt      = 5
)

func appendSweepKey(dst []byte, number uint32) []byte {
	return appendU32(appendHead(dst, NodeSlot, letterSweep), number)
}

// PutSweep writes how far the sweep of an activity is. It panics outside NodeSlot.
func (b *Batch) PutSweep(number uint32, s Sweep) {
	b.mustBeNode("PutSweep")
	b.key = appendSweepKey(b.key[:0], number)
	done := uint64(0)
	if s.Done {
		done = 1
	}
	b.value = appendUintField(append(b.value[:0], rowFormat), sweepStateAt, s.StateAt)
	b.value = appendUintField(b.value, sweepDone, done)
	b.value = appendUintField(b.value, sweepSlot, uint64(s.Slot))
	b.value = appendTextField(b.value, sweepAfter, s.After)
	b.value = appendUintField(b.value, sweepAt, uint64(s.Activity))
	b.set()
}

// Sweep reads how far the sweep of an activity is; ok is false when there never was one.
func (s *Store) Sweep(number uint32) (out Sweep, ok bool, err error) {
	key := func(dst []byte) []byte { return appendSweepKey(dst, number) }
	value, ok, err := s.lookup(key)
	if !ok || err != nil {
		return Sweep{}, false, err
	}
	if out, err = decodeSweep(value); err != nil {
		return Sweep{}, false, corrupt(key(nil), err)
	}
	return out, true, nil
}

func decodeSweep(value string) (out Sweep, err error) {
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case sweepStateAt:
			out.StateAt = r.uint()
		case sweepDone:
			out.Done = r.uint() != 0
		case sweepSlot:
			out.Slot = uint16(r.small(math.MaxUint16))
		case sweepAfter:
			out.After = r.body
		case sweepAt:
			out.Activity = uint32(r.small(math.MaxUint32))
		}
	}
	return out, r.err
}

// Sweeps reads how far all sweeps are that there ever were, by activity.
func (s *Store) Sweeps() (map[uint32]Sweep, error) {
	head := appendHead(nil, NodeSlot, letterSweep)
	c, err := s.rangeCursor(head, appendEnd(nil, head))
	if err != nil {
		return nil, err
	}
	out := map[uint32]Sweep{}
	for ok := c.First(); ok; ok = c.Next() {
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		r := keyReader{rest: c.Key()[len(head):]}
		number := r.u32()
		row, e := decodeSweep(value)
		if !r.done() {
			e = errKey
		}
		if e != nil {
			err = corrupt(c.Key(), e)
			break
		}
		out[number] = row
	}
	return out, c.finish(err)
}

// Stalled returns how many threads of an activity are stalled in a slot: a seek, and a key for each place where threads of it ever stood.
func (s *Store) Stalled(slot uint16, number uint32) (n int64, err error) {
	prefix := appendU32(appendHead(nil, slot, letterCounter), number)
	c, err := s.rangeCursor(prefix, appendEnd(nil, prefix))
	if err != nil {
		return 0, err
	}
	for ok := c.First(); ok; ok = c.Next() {
		if key := c.Key(); activity.Status(key[len(key)-1]) != activity.Stalled {
			c.visited++
			continue
		}
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		sum, e := decodeSum([]byte(value))
		if e != nil {
			err = corrupt(c.Key(), e)
			break
		}
		n += sum
	}
	return n, c.finish(err)
}
