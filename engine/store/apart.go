package store

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/weftbox/weftbox/internal/fault"
)

// into is the Pebble batch that takes b.key: the slot's own, but for the seeded faults that tear it apart.
func (b *Batch) into() *pebble.Batch {
	letter := b.key[2]
	switch {
	case letter == letterPosition && fault.On("position-ahead"):
		return b.torn(&b.early)
	case letter == letterAlarm && fault.On("timers-apart"), letter == letterCounter && fault.On("counters-apart"), letter == letterKey && fault.On("key-apart"),
		letter == letterMeta && b.slot != NodeSlot && fault.On("numbers-apart"), letter == letterRequest && fault.On("requests-apart"),
		letter == letterThread && fault.On("threads-apart"), letter == letterDead && fault.On("letters-apart"):
		return b.torn(&b.late)
	}
	return b.cur
}

func (b *Batch) torn(p **pebble.Batch) *pebble.Batch {
	if *p == nil {
		*p = b.s.newPebbleBatch()
	}
	return *p
}

// commitTorn commits what a seeded fault tore off.
func (b *Batch) commitTorn(p **pebble.Batch) error {
	if *p == nil {
		return nil
	}
	defer func() { _ = (*p).Close(); *p = nil }()
	return b.s.commit(*p, nil)
}
