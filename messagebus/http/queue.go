package http

import (
	"errors"
	"slices"
	"sync"

	"github.com/weftbox/weftbox/messagebus"
)

// Why records were not taken into the queue.
var (
	errClosed    = errors.New("the bus is closing")
	errFull      = errors.New("the queue is full")
	errNeverFits = errors.New("the request is larger than the whole queue")
)

// queue holds records that were decoded and not yet polled. It is bounded in messages and in bytes of memory.
type queue struct {
	maxMessages, maxBytes int
	ready                 chan struct{} // holds a value when there may be something

	mu      sync.Mutex
	records []messagebus.Record
	sizes   []int // memory of each
	bytes   int
	closed  bool
}

func newQueue(maxMessages, maxBytes int) *queue {
	return &queue{maxMessages: maxMessages, maxBytes: maxBytes, ready: make(chan struct{}, 1)}
}

// check says why nothing more would be taken now; it spares reading and decoding a body for nothing.
func (q *queue) check() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case len(q.records) >= q.maxMessages || q.bytes >= q.maxBytes:
		return errFull
	}
	return nil
}

// put takes all records or none.
func (q *queue) put(records []messagebus.Record, sizes []int) error {
	total := 0
	for _, n := range sizes {
		total += n
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case len(records) > q.maxMessages || total > q.maxBytes:
		return errNeverFits
	case len(q.records)+len(records) > q.maxMessages || q.bytes+total > q.maxBytes:
		return errFull
	}
	q.records = append(q.records, records...)
	q.sizes = append(q.sizes, sizes...)
	q.bytes += total
	q.signal()
	return nil
}

// signal never blocks: one waiting value says enough.
func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// take removes the oldest records: at most max, and no more than maxBytes of raw bytes, but one if there is any.
func (q *queue) take(max, maxBytes int) []messagebus.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, raw := 0, 0
	for n < len(q.records) && n < max {
		raw += len(q.records[n].Raw)
		if n > 0 && raw > maxBytes {
			break
		}
		q.bytes -= q.sizes[n]
		n++
	}
	if n == len(q.records) {
		out := q.records
		q.records, q.sizes = nil, nil
		return out
	}
	out := slices.Clone(q.records[:n])
	clear(q.records[:n]) // or the queue would hold on to bodies long answered
	q.records, q.sizes = q.records[n:], q.sizes[n:]
	q.signal()
	return out
}

// close refuses what comes and returns what was not polled.
func (q *queue) close() []messagebus.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.records
	q.records, q.sizes, q.bytes, q.closed = nil, nil, 0, true
	return out
}

// budget bounds the bytes of bodies being read and of records not yet answered, over all requests of a bus.
type budget struct {
	mu        sync.Mutex
	used, max int
}

func (b *budget) take(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+n > b.max {
		return false
	}
	b.used += n
	return true
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
}
