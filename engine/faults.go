package engine

import (
	"context"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/messagebus"
)

// What some of the seeded faults do. Nothing of it is called in a build without the tag "faults".

// answerEarly answers what the turn took in.
func (t *turn) answerEarly() {
	for _, r := range t.records {
		r.answer()
		r.Answer = nil
	}
}

// sendEarly sends a request of the present turn.
func (t *turn) sendEarly(service string, body []byte) {
	if s, ok := t.snap.Services[service]; ok && t.e.o.Producer != nil {
		_, _ = t.e.o.Producer.Publish(context.Background(), messagebus.Destination{Name: s.Name, Number: s.Destination, URL: s.URL}, [][]byte{body})
	}
}

// deleteEarly has rows deleted before the turn that gives them to their threads, or in it.
func (r *relay) deleteEarly(d *destination, rows []store.Outbox) {
	gone := &delivered{destination: d.number}
	for i := range rows {
		gone.rows = append(gone.rows, sentRow{rows[i].Slot, rows[i].Seq})
	}
	_ = r.e.put(input{delivered: gone}, 0)
}

// highOfAll is the highest position of a source that any slot has applied.
func (t *turn) highOfAll(source string) (high uint64, err error) {
	for slot := range t.e.slots {
		h, err := t.e.store.HighWater(uint16(slot), source)
		if err != nil {
			return 0, err
		}
		high = max(high, h)
	}
	return high, nil
}

// holdBack reports whether alarms wait for sources that are behind.
func holdBack() bool { return !fault.On("no-catch-up") }
