package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/messagebus"
)

// Bounds of the relay.
const (
	relayRows   = 200      // rows of one request to a destination
	relayBytes  = 1 << 20  // bodies of one request
	relayWindow = 4        // requests under way to one destination, each with other slots
	relayExtra  = 256      // requests under way beyond the first of each destination, over all destinations
	relayMemory = 64 << 20 // bodies under way over all destinations; beyond a part of it requests become smaller, down to probeBytes
	relayLarge  = 64 << 20 // of bodies under way beyond what their requests were allotted: one body may be larger than a request should be
	relayUnread = 32 << 20 // of answers that wait for their turn: beyond it no request is begun
	relayReads  = 2        // requests being put together at once: what one reads is counted only afterwards
	probeRows   = 20       // rows of the one request that tries a destination which failed
	probeBytes  = 64 << 10
	backoffMin  = 100 * time.Millisecond // pause after a failure; it doubles, and half of it is drawn
	backoffMax  = 30 * time.Second
)

// relay sends what committed turns have put into the outbox: for each destination on its own, in order within a slot, again and again until
// it is taken. What it remembers of a destination is a bit a slot. A destination that hangs costs one goroutine and one request, as the
// first request after a rest goes alone; one that rests after a failure costs a timer and no goroutine.
type relay struct {
	e      *Engine
	mu     sync.Mutex
	dests  map[uint32]*destination // those with a backlog
	run    func(*destination)      // starts one sender of a destination; nil while the caller drives the relay itself, and after the end
	extra  int                     // senders beyond the first of each destination
	bytes  int                     // of bodies under way, and large of them beyond what was allotted
	large  int
	held   []*destination // wait until large is less
	unread int            // bytes of answers that no turn has taken
	reads  chan struct{}
	old    oldMail
}

// destination is one receiver with a backlog. Its fields are guarded by relay.mu.
type destination struct {
	number  uint32
	waiting []uint64 // bit per slot: has rows that nobody is sending
	busy    []uint64 // bit per slot: rows are under way, or delivered and not yet deleted
	old     []uint64 // bit per slot: has rows of before the start that no turn has taken; nil: none
	next    int      // slot to look at first
	senders int
	batch   int         // rows of one request: half as many after a failure, twice as many after a success
	window  int         // senders that it may have: one at first and after a failure, one more with each success
	held    bool        // it has a body for which there is no room now
	fails   int         // rounds of failures in a row
	rest    *time.Timer // ends the rest after a failure; nil: it does not rest
}

func newRelay(e *Engine) *relay {
	return &relay{e: e, dests: map[uint32]*destination{}, reads: make(chan struct{}, relayReads)}
}

func (r *relay) start(ctx context.Context, wg *sync.WaitGroup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run = func(d *destination) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r.sender(ctx, d)
		}()
	}
	wg.Add(1)
	go func() {
		defer wg.Done() // only after run is nil, so that nothing is added to a group that is being waited for
		<-ctx.Done()
		r.stop()
	}()
	for _, d := range r.dests {
		r.hire(d)
	}
}

// stop lets no sender start any more.
func (r *relay) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run = nil
	for _, d := range r.dests {
		if d.rest != nil {
			d.rest.Stop()
			d.rest = nil
		}
	}
}

// dirty notes that a slot has rows for a destination.
func (r *relay) dirty(number uint32, slot uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.dests[number]
	if d == nil {
		words := (len(r.e.slots) + 63) / 64
		d = &destination{number: number, waiting: make([]uint64, words), busy: make([]uint64, words), window: 1, batch: relayRows}
		r.dests[number] = d
	}
	set(d.waiting, slot)
	r.hire(d)
}

// hire starts a sender where there is work for one more.
func (r *relay) hire(d *destination) {
	if r.run == nil || !r.serves(d) || d.rest != nil || d.held || r.unread > relayUnread || d.senders >= d.window || !d.ready() {
		return
	}
	if d.senders > 0 {
		if r.extra >= relayExtra {
			return // the first of each destination is never refused: no destination waits for another
		}
		r.extra++
	}
	d.senders++
	r.run(d)
}

// serves reports whether there is a way to a destination: slots are always reached.
func (r *relay) serves(d *destination) bool {
	_, slot := store.IsSlot(d.number)
	return slot || r.e.o.Producer != nil
}

func (d *destination) ready() bool {
	for i, word := range d.waiting {
		if word&^d.busy[i] != 0 {
			return true
		}
	}
	return false
}

// mail returns the slots as destinations that have rows which nobody is carrying, and whether any has rows under way.
func (r *relay) mail() (ready []*destination, busy bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.dests {
		if _, ok := store.IsSlot(d.number); !ok {
			continue
		}
		if d.ready() {
			ready = append(ready, d)
		}
		for _, word := range d.busy {
			busy = busy || word != 0
		}
	}
	slicesByNumber(ready)
	return ready, busy
}

func set(bits []uint64, slot uint16)      { bits[slot/64] |= 1 << (slot % 64) }
func unset(bits []uint64, slot uint16)    { bits[slot/64] &^= 1 << (slot % 64) }
func has(bits []uint64, slot uint16) bool { return bits[slot/64]&(1<<(slot%64)) != 0 }

// sender sends batch after batch until its destination rests, has too many senders, or has nothing that is not under way.
func (r *relay) sender(ctx context.Context, d *destination) {
	for !r.leaves(ctx, d) {
		if _, err := r.sendBatch(ctx, d); err != nil && ctx.Err() == nil {
			r.e.warn("service "+r.name(d.number)+" does not take its messages; they are kept and sent again", err)
		}
	}
}

// leaves ends a sender that has nothing to do. To look and to leave is one step: what becomes dirty afterwards hires another.
func (r *relay) leaves(ctx context.Context, d *destination) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() == nil && d.rest == nil && !d.held && r.unread <= relayUnread && d.senders <= d.window && d.ready() {
		return false
	}
	d.senders--
	if d.senders > 0 {
		r.extra--
	}
	r.drop(d)
	return true
}

// drop forgets a destination that has no backlog.
func (r *relay) drop(d *destination) {
	for i := range d.waiting {
		if d.waiting[i] != 0 || d.busy[i] != 0 {
			return
		}
	}
	if d.senders == 0 && d.fails == 0 && d.rest == nil && !d.held {
		delete(r.dests, d.number)
	}
}

// take collects rows of slots that nobody is sending and marks these busy; old are the slots whose old mail ends with them.
func (r *relay) take(d *destination, maxRows, maxBytes int) (rows []store.Outbox, old []uint16, bytes int, err error) {
	r.reads <- struct{}{}
	defer func() { <-r.reads }()
	n := len(r.e.slots)
	r.mu.Lock()
	first := d.next
	r.mu.Unlock()
	for i := 0; i < n && len(rows) < maxRows && bytes < maxBytes; i++ {
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
		rows, err = r.e.store.OutboxRows(slot, d.number, 0, maxRows-before, maxBytes-bytes, rows)
		if err != nil {
			return nil, nil, 0, err
		}
		for _, row := range rows[before:] {
			bytes += len(row.Body)
		}
		ends, err := r.endsOld(d, slot, rows[before:])
		if err != nil {
			return nil, nil, 0, err
		}
		if ends {
			old = append(old, slot)
		}
		r.mu.Lock()
		if len(rows) == before {
			unset(d.busy, slot)
		} else {
			set(d.waiting, slot) // there may be more: the look that finds nothing ends it
		}
		d.next = int(slot) + 1
		r.mu.Unlock()
	}
	return rows, old, bytes, nil
}

// sendBatch sends one batch and hands what became of it to the next turn; it returns how many rows were delivered.
func (r *relay) sendBatch(ctx context.Context, d *destination) (int, error) {
	maxRows, maxBytes := r.reserve(d)
	rows, old, bytes, err := r.take(d, maxRows, maxBytes)
	beyond := max(0, bytes-maxBytes)
	if err == nil && !r.grow(d, rows, beyond) {
		r.release(maxBytes, 0)
		return 0, nil
	}
	defer r.release(maxBytes, beyond)
	if err == nil && len(rows) > 0 && !fault.On("send-before-sync") {
		err = r.e.barrier() // nothing leaves before what asks for it is on disk
	}
	if err != nil {
		r.e.o.Fatal(err)
		return 0, err
	}
	if len(rows) == 0 {
		r.brought(d.number, old)
		return 0, nil
	}
	if _, ok := store.IsSlot(d.number); ok {
		r.taken(d, bytes)
		if fault.On("mail-deleted-early") {
			r.deleteEarly(d, rows)
		}
		if err := r.e.put(input{mail: &mailbag{destination: d.number, rows: rows, old: old, bytes: bytes}}, 0); err != nil {
			return 0, err
		}
		return len(rows), nil
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
	if fault.On("reply-dropped") {
		replies = nil
	}
	if err != nil && !fault.On("outbox-early") {
		r.failed(d, rows)
		return 0, err
	}
	out := &delivered{destination: d.number, replies: replies, rows: make([]sentRow, len(rows))}
	for i := range rows {
		out.rows[i] = sentRow{rows[i].Slot, rows[i].Seq}
	}
	out.bytes = answerBytes(replies)
	r.taken(d, out.bytes)
	if err := r.e.put(input{delivered: out}, 0); err != nil {
		return 0, err // the node stops: the rows stay and are sent again, with the same ids
	}
	return len(rows), nil
}

// taken notes that a destination took a batch: it may have one more under way.
func (r *relay) taken(d *destination, unread int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unread += unread
	d.fails, d.window = 0, min(d.window+1, relayWindow)
	d.batch = min(2*d.batch, relayRows)
	r.hire(d)
}

// failed puts rows back and lets the destination rest: longer each time, and not in step with others. Requests that were under way together
// count as one failure.
func (r *relay) failed(d *destination, rows []store.Outbox) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d.putBack(rows)
	r.e.stats.DeliveryErrors.Add(1)
	if d.rest != nil {
		return
	}
	pause := backoffMax
	if d.fails < 9 {
		pause = min(backoffMin<<d.fails, backoffMax)
	}
	d.fails++
	d.window = 1
	d.batch = max(1, min(d.batch, len(rows))/2) // it may be more than the receiver can take, or answer in time
	if r.run == nil {
		return
	}
	pause = pause/2 + time.Duration(rand.Int64N(int64(pause/2)+1))
	d.rest = time.AfterFunc(pause, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		d.rest = nil
		r.hire(d)
		r.drop(d)
	})
}

// deleted notes that the rows of a delivery are gone from the outbox.
func (r *relay) deleted(out *delivered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := r.dests[out.destination]; d != nil {
		for _, row := range out.rows {
			unset(d.busy, row.slot)
		}
		r.hire(d)
		r.drop(d)
	}
	full := r.unread > relayUnread
	r.unread -= out.bytes
	if full && r.unread <= relayUnread {
		for _, d := range r.dests {
			r.hire(d)
		}
	}
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
		if e.relay.serves(d) {
			all = append(all, d)
		}
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
