package http

import (
	"errors"
	"math"
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

	mu       sync.Mutex
	batches  []batch // from head on
	head     int
	taken    []messagebus.Record // what the last take returned
	messages int
	bytes    int
	closed   bool
	full     bool
	room     chan struct{} // closed when the queue is no longer full, or is closed; nil: nobody waits
	rate     rate
	raw      float64 // bytes of a message as it came, the mean of the last puts; 0: not known
}

// batch is what one put brought and was not taken yet. It is the putter's memory, who leaves it alone until all of it is taken.
type batch struct {
	records []messagebus.Record
	sizes   []int // memory of each
}

func newQueue(o *Options) *queue {
	return &queue{maxMessages: o.MaxQueueMessages, maxBytes: o.MaxQueueBytes, lowMessages: o.LowQueueMessages, lowBytes: o.LowQueueBytes,
		ready: make(chan struct{}, 1), now: time.Now}
}

// expect says why a body of so many bytes would hardly be taken, 0 for not known: to read it and decode it for nothing costs more than all else
// of a refusal. How many messages it holds is judged by those before it. That may be wrong, so at the low watermark or below nothing is
// refused for it.
func (q *queue) expect(bytes int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	messages := 1
	if q.raw > 0 && (q.messages > q.lowMessages || q.bytes > q.lowBytes) {
		messages = min(max(int(float64(bytes)/(q.raw*9/8+1)), 1), q.maxMessages) // with what separates them, and an eighth in its favour
	}
	return q.refuses(messages, 1)
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
	case q.messages+messages > q.maxMessages || q.bytes+bytes > q.maxBytes:
		q.full = q.messages > q.lowMessages || q.bytes > q.lowBytes // below it only what is large does not fit
		return errFull
	}
	return nil
}

// put takes all records or none. What it took is the queue's until take or close has returned it.
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
	if q.messages == 0 {
		q.rate.begin(q.now())
	}
	q.batches = append(q.batches, batch{records, sizes})
	q.messages += len(records)
	q.bytes += total
	q.weigh(records)
	q.signal()
	return nil
}

// weigh notes how large messages are. It is called with mu held.
func (q *queue) weigh(records []messagebus.Record) {
	if len(records) == 0 {
		return
	}
	raw := 0
	for i := range records {
		raw += len(records[i].Raw)
	}
	mean := float64(raw) / float64(len(records))
	if q.raw == 0 {
		q.raw = mean
		return
	}
	q.raw += (mean - q.raw) / 8
}

// signal never blocks: one waiting value says enough.
func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// maxKeptTaken bounds the memory that is kept for the next take.
const maxKeptTaken = 4096

// take removes the oldest records: at most max, and no more than maxBytes of raw bytes, but one if there is any. They are valid until the next take.
func (q *queue) take(max, maxBytes int) []messagebus.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.taken) // or the queue would hold on to bodies long answered
	out := q.taken[:0]
	if cap(out) > maxKeptTaken {
		out = nil
	}
	before := q.bytes
	for raw := 0; q.head < len(q.batches) && len(out) < max; {
		b := &q.batches[q.head]
		n := 0
		for n < len(b.records) && len(out)+n < max {
			raw += len(b.records[n].Raw)
			if raw > maxBytes && len(out)+n > 0 {
				max = len(out) + n // no more fits
				break
			}
			q.bytes -= b.sizes[n]
			n++
		}
		out = append(out, b.records[:n]...)
		if b.records, b.sizes = b.records[n:], b.sizes[n:]; len(b.records) == 0 {
			*b = batch{}
			q.head++
		}
	}
	q.taken = out
	q.messages -= len(out)
	q.tidy()
	if q.messages > 0 {
		q.signal()
	}
	if len(out) > 0 {
		q.rate.took(q.now(), len(out), before-q.bytes)
		q.makeRoom()
	}
	return out
}

// tidy moves the batches to the front of their memory once half of it is behind them. It is called with mu held.
func (q *queue) tidy() {
	if q.head < len(q.batches) && q.head < cap(q.batches)/2 {
		return
	}
	n := copy(q.batches, q.batches[q.head:])
	clear(q.batches[n:])
	q.batches, q.head = q.batches[:n], 0
}

// makeRoom ends the refusing at the low watermark and tells those who wait for room. It is called with mu held.
func (q *queue) makeRoom() {
	if q.messages <= q.lowMessages && q.bytes <= q.lowBytes {
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
	if q.messages == 0 || q.closed { // nothing will be taken out any more that could tell
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
	if q.messages == 0 {
		return 1 // it is other room that is wanting, and it comes back with the next answers
	}
	s := q.rate.seconds(q.now(), q.messages-q.lowMessages, q.bytes-q.lowBytes)
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
	out := make([]messagebus.Record, 0, q.messages)
	for _, b := range q.batches[q.head:] {
		out = append(out, b.records...)
	}
	q.batches, q.head, q.messages, q.bytes, q.closed = nil, 0, 0, 0, true
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
