package store

import "math"

// Sweep says how far the threads of an activity were gone through since its state changed.
type Sweep struct {
	StateAt uint64 // which change of the state: its metadata revision
	Done    bool
	Slot    uint16 // where it goes on
	After   string // the last domain id looked at in Slot, "" for none
}

// Tags of row w.
const (
	sweepStateAt = 1
	sweepDone    = 2
	sweepSlot    = 3
	sweepAfter   = 4
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
	b.set()
}

// Sweep reads how far the sweep of an activity is; ok is false when there never was one.
func (s *Store) Sweep(number uint32) (out Sweep, ok bool, err error) {
	key := func(dst []byte) []byte { return appendSweepKey(dst, number) }
	value, ok, err := s.lookup(key)
	if !ok || err != nil {
		return Sweep{}, false, err
	}
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
		}
	}
	if r.err != nil {
		return Sweep{}, false, corrupt(key(nil), r.err)
	}
	return out, true, nil
}
