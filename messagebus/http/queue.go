package http

import (
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// Why records were not taken into the queue.
var (
	errClosed    = errors.New("the bus is closing")
	errFull      = errors.New("the queue is full")
	errNeverFits = errors.New("the request is larger than the whole queue")
)

// queue holds records that were decoded and not yet polled. It is bounded in messages and in bytes of memory. Once a put did not fit, nothing
// is taken until it is down to its low watermark, so that a queue at its bound does not take and refuse by turns.
type queue struct {
	maxMessages, maxBytes int
	lowMessages, lowBytes int
	ready                 chan struct{} // holds a value when there may be something
	now                   func() time.Time

	mu      sync.Mutex
	records []messagebus.Record
	sizes   []int // memory of each
	bytes   int
	closed  bool
	full    bool
	room    chan struct{} // closed when the queue is no longer full, or is closed; nil: nobody waits
	rate    rate
}

func newQueue(o *Options) *queue {
	return &queue{maxMessages: o.MaxQueueMessages, maxBytes: o.MaxQueueBytes, lowMessages: o.LowQueueMessages, lowBytes: o.LowQueueBytes,
		ready: make(chan struct{}, 1), now: time.Now}
}

// check says why nothing more would be taken now; it spares reading and decoding a body for nothing.
func (q *queue) check() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.refuses(1, 1)
}

// refuses says why so many messages of so many bytes are not taken. It is called with mu held.
func (q *queue) refuses(messages, bytes int) error {
	switch {
	case q.closed:
		return errClosed
	case messages > q.maxMessages || bytes > q.maxBytes:
		return errNeverFits
	case q.full:
		return errFull
	case len(q.records)+messages > q.maxMessages || q.bytes+bytes > q.maxBytes:
		q.full = len(q.records) > q.lowMessages || q.bytes > q.lowBytes // below it only what is large does not fit
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
	if err := q.refuses(len(records), total); err != nil {
		return err
	}
	if len(q.records) == 0 {
		q.rate.begin(q.now())
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
	n, raw, before := 0, 0, q.bytes
	for n < len(q.records) && n < max {
		raw += len(q.records[n].Raw)
		if n > 0 && raw > maxBytes {
			break
		}
		q.bytes -= q.sizes[n]
		n++
	}
	if n > 0 {
		q.rate.took(q.now(), n, before-q.bytes)
	}
	all := n == len(q.records)
	out := q.records
	if all {
		q.records, q.sizes = nil, nil
	} else {
		out = slices.Clone(q.records[:n])
		clear(q.records[:n]) // or the queue would hold on to bodies long answered
		q.records, q.sizes = q.records[n:], q.sizes[n:]
		q.signal()
	}
	if n > 0 {
		q.makeRoom()
	}
	return out
}

// makeRoom ends the refusing at the low watermark and tells those who wait for room. It is called with mu held.
func (q *queue) makeRoom() {
	if len(q.records) <= q.lowMessages && q.bytes <= q.lowBytes {
		q.full = false
	}
	if (!q.full || q.closed) && q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// wait returns a channel that is closed when it is worth trying again to put what did not fit.
func (q *queue) wait() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.room == nil {
		q.room = make(chan struct{})
	}
	if len(q.records) == 0 || q.closed { // nothing will be taken out any more that could tell
		room := q.room
		close(q.room)
		q.room = nil
		return room
	}
	return q.room
}

// drainSeconds estimates how long it takes until the queue is down to its low watermark: 1 to 30.
func (q *queue) drainSeconds() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.records) == 0 {
		return 1 // it is other room that is wanting, and it comes back with the next answers
	}
	s := q.rate.seconds(q.now(), len(q.records)-q.lowMessages, q.bytes-q.lowBytes)
	return min(max(int(math.Ceil(s)), 1), 30)
}

// drain refuses what comes; what is in the queue stays there for take.
func (q *queue) drain() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.makeRoom()
}

// close refuses what comes and returns what was not polled.
func (q *queue) close() []messagebus.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.records
	q.records, q.sizes, q.bytes, q.closed = nil, nil, 0, true
	q.makeRoom()
	return out
}

// rate measures how fast a queue is emptied while there is something in it: an exponential mean over about rateSpan.
type rate struct {
	since           time.Time // of the last take, or when the queue was empty last
	messages, bytes float64   // a second; 0: not known
}

const rateSpan = 5 * time.Second

// begin notes that an empty queue has something again: the time before says nothing.
func (r *rate) begin(now time.Time) { r.since = now }

func (r *rate) took(now time.Time, messages, bytes int) {
	seconds := max(now.Sub(r.since), time.Millisecond).Seconds()
	r.since = now
	weight := 1 - math.Exp(-seconds/rateSpan.Seconds())
	if r.messages == 0 {
		weight = 1
	}
	r.messages += (float64(messages)/seconds - r.messages) * weight
	r.bytes += (float64(bytes)/seconds - r.bytes) * weight
}

// seconds estimates how long it takes to empty so much; at least as long as nothing was taken until now.
func (r *rate) seconds(now time.Time, messages, bytes int) float64 {
	s := 0.0
	if r.messages > 0 {
		s = max(float64(messages)/r.messages, float64(bytes)/max(r.bytes, 1))
	}
	return max(s, now.Sub(r.since).Seconds())
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
