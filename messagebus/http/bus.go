package http

import (
	"errors"
	nethttp "net/http"
	"runtime"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// Options of a Bus. Zero fields mean the defaults.
type Options struct {
	Name             string // "default"
	Limits           messagebus.Limits
	MaxBodyBytes     int          // 4 MiB: a larger body is answered 413
	MaxQueueMessages int          // 10,000 messages wait for the engine at most; beyond it 429
	MaxQueueBytes    int          // 32 MiB of memory that they take, decoded values included
	MaxPostBytes     int          // twice MaxQueueBytes: bodies being read and those not yet answered, over all requests; beyond it 429
	NowMs            func() int64 // Unix ms; wall clock
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "default"
	}
	if o.NowMs == nil {
		o.NowMs = func() int64 { return time.Now().UnixMilli() }
	}
	for _, f := range []struct {
		field *int
		value int
	}{{&o.MaxBodyBytes, 4 << 20}, {&o.MaxQueueMessages, 10_000}, {&o.MaxQueueBytes, 32 << 20}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if o.MaxPostBytes <= 0 {
		o.MaxPostBytes = 2 * o.MaxQueueBytes
	}
	// A body that takes more than the whole queue can never be taken: stop decoding it there.
	if l := &o.Limits.MaxHeapBytes; *l <= 0 || *l > o.MaxQueueBytes {
		*l = o.MaxQueueBytes
	}
	return o
}

// Bus takes messages in over HTTP. It is a messagebus.Consumer without positions: its records carry an Answer, and the client
// gets its answer when all records of its request have theirs. The handlers are safe for concurrent use.
type Bus struct {
	o        Options
	source   string
	queue    *queue
	posts    budget
	decoders chan struct{} // bounds the bodies being decoded at once, whose values are in no queue yet
}

// New returns an open bus.
func New(o Options) *Bus {
	o = o.withDefaults()
	return &Bus{
		o: o, source: "http/" + o.Name, queue: newQueue(o.MaxQueueMessages, o.MaxQueueBytes),
		posts: budget{max: o.MaxPostBytes}, decoders: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
}

// Name returns "http/" and the bus name.
func (b *Bus) Name() string { return b.source }

// Seek does nothing: HTTP has no positions.
func (b *Bus) Seek(uint64) error { return nil }

// Commit does nothing: clients are told by each record's Answer.
func (b *Bus) Commit(uint64) error { return nil }

// Ready receives a value when messages came in, or when Poll left some.
func (b *Bus) Ready() <-chan struct{} { return b.queue.ready }

// Poll returns what waits, in order: at most max records, and about maxBytes of raw bytes, but one record if there is any.
func (b *Bus) Poll(max, maxBytes int) ([]messagebus.Record, error) {
	return b.queue.take(max, maxBytes), nil
}

// Close refuses later posts and answers what was not polled: both are 503, code stopping.
func (b *Bus) Close() error {
	for _, r := range b.queue.close() {
		r.Answer(messagebus.Answer{Err: errClosed})
	}
	return nil
}

// ServeEvents is POST /v1/events: one event or an array of them, and nothing but events. See the package's answers in answer.go.
func (b *Bus) ServeEvents(w nethttp.ResponseWriter, r *nethttp.Request) { b.serve(w, r, true) }

// ServeBus is POST /v1/buses/{name}: events, answers of services and commands, mixed.
func (b *Bus) ServeBus(w nethttp.ResponseWriter, r *nethttp.Request) {
	if name := r.PathValue("name"); name != "" && name != b.o.Name {
		WriteProblem(w, r, &Problem{Status: nethttp.StatusNotFound, Code: "bus_not_found", Title: "There is no such bus", Detail: "this bus is called " + b.o.Name})
		return
	}
	b.serve(w, r, false)
}

// serve takes a post in and answers it once the engine has answered for each of its messages.
func (b *Bus) serve(w nethttp.ResponseWriter, r *nethttp.Request, eventsOnly bool) {
	p, problem := b.receive(w, r, eventsOnly)
	if problem != nil {
		WriteProblem(w, r, problem)
		return
	}
	if p == nil {
		return // the client went away while its body waited to be decoded
	}
	select {
	case <-p.done:
		p.write(w, r)
	case <-r.Context().Done(): // the records are the engine's now; what it answers is dropped
	}
}

// queueProblem turns a refusal of the queue into the client's answer.
func queueProblem(err error) *Problem {
	switch {
	case errors.Is(err, errClosed):
		return stopping(err)
	case errors.Is(err, errNeverFits):
		return &Problem{Status: nethttp.StatusRequestEntityTooLarge, Code: "body_too_large", Title: "The request is too large",
			Detail: "these messages need more room than the whole queue has: post them in parts"}
	}
	return &Problem{Status: nethttp.StatusTooManyRequests, Code: "queue_full", Title: "Too many messages are waiting",
		Detail: "nothing of this request was taken: repeat it later", Retryable: true, RetryAfter: jitter(3)}
}

func stopping(err error) *Problem {
	return &Problem{Status: nethttp.StatusServiceUnavailable, Code: "stopping", Title: "The engine could not take the messages",
		Detail: err.Error() + "; what became of them is not known: repeat the request, with the same ids or Idempotency-Key", Retryable: true, RetryAfter: jitter(5)}
}
