package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// Bounds of the relay.
const (
	relayRows   = 200     // rows of one request to a destination
	relayBytes  = 1 << 20 // bodies of one request
	relayWindow = 4       // requests under way to one destination, each with other slots
	backoffMin  = 100 * time.Millisecond
	backoffMax  = 30 * time.Second
)

// relay sends what committed turns have put into the outbox: for each destination on its own, in order within a slot, again and again until
// it is taken. What it remembers of a destination is a bit a slot.
type relay struct {
	e     *Engine
	mu    sync.Mutex
	dests map[uint32]*destination // those with a backlog
	run   func(*destination)      // starts a destination's senders; nil while the caller drives the relay itself
}

// destination is one receiver with a backlog. Its fields are guarded by relay.mu.
type destination struct {
	number  uint32
	waiting []uint64 // bit per slot: has rows that nobody is sending
	busy    []uint64 // bit per slot: rows are under way, or delivered and not yet deleted
	next    int      // slot to look at first
	senders int
	fails   int // failures in a row
	until   time.Time
}

func newRelay(e *Engine) *relay { return &relay{e: e, dests: map[uint32]*destination{}} }

func (r *relay) start(ctx context.Context, wg *sync.WaitGroup) {
	if r.e.o.Producer == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run = func(d *destination) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r.sender(ctx, d)
		}()
	}
	for _, d := range r.dests {
		r.hire(d)
	}
}

// dirty notes that a slot has rows for a destination.
func (r *relay) dirty(number uint32, slot uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dests[number]
	if d == nil {
		words := (len(r.e.slots) + 63) / 64
		d = &destination{number: number, waiting: make([]uint64, words), busy: make([]uint64, words)}
		r.dests[number] = d
	}
	set(d.waiting, slot)
	r.hire(d)
}

// hire starts a sender where there is work for one more.
func (r *relay) hire(d *destination) {
	if r.run != nil && d.senders < relayWindow && d.ready() {
		d.senders++
		r.run(d)
	}
}

func (d *destination) ready() bool {
	for i, word := range d.waiting {
		if word&^d.busy[i] != 0 {
			return true
		}
	}
	return false
}

func set(bits []uint64, slot uint16)      { bits[slot/64] |= 1 << (slot % 64) }
func unset(bits []uint64, slot uint16)    { bits[slot/64] &^= 1 << (slot % 64) }
func has(bits []uint64, slot uint16) bool { return bits[slot/64]&(1<<(slot%64)) != 0 }

// sender sends batch after batch until its destination has nothing that is not under way.
func (r *relay) sender(ctx context.Context, d *destination) {
	for ctx.Err() == nil {
		r.mu.Lock()
		wait := time.Until(d.until)
		if !d.ready() {
			r.leave(d)
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		if wait > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
			continue
		}
		if _, err := r.sendBatch(ctx, d); err != nil && ctx.Err() == nil {
			r.e.warn("service "+r.name(d.number)+" does not take its messages; they are kept and sent again", err)
		}
	}
	r.mu.Lock()
	r.leave(d)
	r.mu.Unlock()
}

func (r *relay) leave(d *destination) {
	d.senders--
	r.drop(d)
}

// drop forgets a destination that has no backlog.
func (r *relay) drop(d *destination) {
	for i := range d.waiting {
		if d.waiting[i] != 0 || d.busy[i] != 0 {
			return
		}
	}
	if d.senders == 0 && d.fails == 0 {
		delete(r.dests, d.number)
	}
}

// take collects rows of slots that nobody is sending and marks these busy.
func (r *relay) take(d *destination) (rows []store.Outbox, err error) {
	n, bytes := len(r.e.slots), 0
	r.mu.Lock()
	first := d.next
	r.mu.Unlock()
	for i := 0; i < n && len(rows) < relayRows && bytes < relayBytes; i++ {
		slot := uint16((first + i) % n)
		r.mu.Lock()
		mine := has(d.waiting, slot) && !has(d.busy, slot)
		if mine {
			unset(d.waiting, slot)
			set(d.busy, slot)
		}
		r.mu.Unlock()
		if !mine {
			continue
		}
		before := len(rows)
		rows, err = r.e.store.OutboxRows(slot, d.number, 0, relayRows-before, relayBytes-bytes, rows)
		if err != nil {
			return nil, err
		}
		for _, row := range rows[before:] {
			bytes += len(row.Body)
		}
		r.mu.Lock()
		switch {
		case len(rows) == before:
			unset(d.busy, slot)
		case len(rows) == relayRows || bytes >= relayBytes:
			set(d.waiting, slot) // there may be more
		}
		d.next = int(slot) + 1
		r.mu.Unlock()
	}
	return rows, nil
}

// sendBatch sends one batch and hands what became of it to the next turn; it returns how many rows were delivered.
func (r *relay) sendBatch(ctx context.Context, d *destination) (int, error) {
	rows, err := r.take(d)
	if err != nil {
		r.e.o.Fatal(err)
		return 0, err
	}
	if len(rows) == 0 {
		return 0, nil
	}
	bodies := make([][]byte, len(rows))
	for i := range rows {
		bodies[i] = rows[i].Body
	}
	service, ok := r.e.o.Metadata().Services[rows[0].Service]
	if !ok {
		service.Name = rows[0].Service
	}
	r.e.at(PointBeforeSend)
	replies, err := r.e.o.Producer.Publish(ctx, messagebus.Destination{Name: service.Name, Number: d.number, URL: service.URL}, bodies)
	r.e.at(PointAfterSend)
	if err != nil {
		r.failed(d, rows)
		return 0, err
	}
	out := &delivered{destination: d.number, replies: replies, rows: make([]sentRow, len(rows))}
	for i := range rows {
		out.rows[i] = sentRow{rows[i].Slot, rows[i].Seq}
	}
	r.mu.Lock()
	d.fails = 0
	r.mu.Unlock()
	if err := r.e.put(input{delivered: out}, 0); err != nil {
		return 0, err // the node stops: the rows stay and are sent again, with the same ids
	}
	return len(rows), nil
}

// failed puts rows back and lets the destination rest: longer each time, and not in step with others.
func (r *relay) failed(d *destination, rows []store.Outbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rows {
		unset(d.busy, row.Slot)
		set(d.waiting, row.Slot)
	}
	rest := backoffMax
	if d.fails < 9 {
		rest = min(backoffMin<<d.fails, backoffMax)
	}
	d.fails++
	d.until = time.Now().Add(rest/2 + time.Duration(rand.Int64N(int64(rest/2)+1)))
	r.e.stats.DeliveryErrors.Add(1)
}

// deleted notes that the rows of a delivery are gone from the outbox.
func (r *relay) deleted(out *delivered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dests[out.destination]
	if d == nil {
		return
	}
	for _, row := range out.rows {
		unset(d.busy, row.slot)
	}
	r.hire(d)
	r.drop(d)
}

func (r *relay) name(number uint32) string {
	for _, s := range r.e.o.Metadata().Services {
		if s.Destination == number {
			return s.Name
		}
	}
	return "?"
}

// RelayNow sends one batch to each destination with a backlog, on the caller's goroutine, and returns how many rows were delivered.
// It is for a caller that drives the engine itself, instead of Run.
func (e *Engine) RelayNow(ctx context.Context) (sent int, err error) {
	e.relay.mu.Lock()
	var all []*destination
	for _, d := range e.relay.dests {
		all = append(all, d)
	}
	e.relay.mu.Unlock()
	slicesByNumber(all)
	for _, d := range all {
		n, failed := e.relay.sendBatch(ctx, d)
		sent += n
		if failed != nil {
			err = failed
		}
	}
	return sent, err
}
