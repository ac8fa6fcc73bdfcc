package engine

import (
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// reserve returns how much the next request of a destination may hold; the bytes are given back by release.
func (r *relay) reserve(d *destination) (rows, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows, bytes = d.batch, min(max((relayMemory-r.bytes)/4, probeBytes), relayBytes)
	if d.fails > 0 {
		rows, bytes = min(d.batch, probeRows), probeBytes
	}
	r.bytes += bytes
	return rows, bytes
}

// grow counts what rows take beyond what was allotted. It returns false when too much of that is under way: then the rows are put back, and
// the destination waits until there is room.
func (r *relay) grow(d *destination, rows []store.Outbox, beyond int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if beyond > 0 && r.large > 0 && r.large+beyond > relayLarge {
		d.putBack(rows)
		if !d.held {
			d.held = true
			r.held = append(r.held, d)
		}
		return false
	}
	r.bytes += beyond
	r.large += beyond
	return true
}

// release gives back what a request was allotted, and what it took beyond that.
func (r *relay) release(bytes, beyond int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes -= bytes + beyond
	r.large -= beyond
	if beyond == 0 {
		return
	}
	held := r.held
	r.held = nil
	for _, d := range held {
		d.held = false
		r.hire(d)
	}
}

// putBack notes that rows are not under way.
func (d *destination) putBack(rows []store.Outbox) {
	for _, row := range rows {
		unset(d.busy, row.Slot)
		set(d.waiting, row.Slot)
	}
}

// answerBytes estimates what answers take until a turn has taken them.
func answerBytes(replies []messagebus.Incoming) (n int) {
	for i := range replies {
		n += 256
		if b := replies[i].Bad; b != nil {
			n += len(b.Raw)
		}
		if r := replies[i].Reply; r != nil {
			n += len(r.Domain) + valueBytes(r.Result.Data)
		}
	}
	return n
}
