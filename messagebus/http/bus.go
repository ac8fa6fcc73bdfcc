package http

import (
	nethttp "net/http"
	"runtime"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// Options of a Bus. Zero fields mean the defaults.
type Options struct {
	Name         string // "default"
	Limits       messagebus.Limits
	MaxBodyBytes int // 4 MiB: a larger body is answered 413, or taken as a stream when it is NDJSON

	// The queue's high watermark: 10,000 messages or 32 MiB of memory that they take, decoded values included. What would pass it is answered
	// 429, and so is everything after it until the queue is down to the low watermark: half of it.
	MaxQueueMessages, MaxQueueBytes int
	LowQueueMessages, LowQueueBytes int

	MaxPostBytes   int           // twice MaxQueueBytes: bodies being read and those not yet answered, over all requests; beyond it 429
	MaxRequests    int           // 4,096 posts being read or waiting for their answers; beyond it 429
	MaxStreams     int           // 16 of them are streams of NDJSON at most; beyond it 429
	MaxStreamBytes int64         // 1 GiB: a larger stream is answered 413
	BodyTimeout    time.Duration // 1 min for a body to come, or for each part of a stream; then 408
	NowMs          func() int64  // Unix ms; wall clock

	// RefuseEvents is asked before the body of a post of events is read, and for each body that holds one: a problem refuses it, while
	// answers of services and commands are taken still. nil: events are taken.
	RefuseEvents func() *Problem
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
	}{{&o.MaxBodyBytes, 4 << 20}, {&o.MaxQueueMessages, 10_000}, {&o.MaxQueueBytes, 32 << 20}, {&o.MaxRequests, 4096}, {&o.MaxStreams, 16}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if o.MaxPostBytes <= 0 {
		o.MaxPostBytes = 2 * o.MaxQueueBytes
	}
	if o.LowQueueMessages <= 0 || o.LowQueueMessages > o.MaxQueueMessages {
		o.LowQueueMessages = o.MaxQueueMessages / 2
	}
	if o.LowQueueBytes <= 0 || o.LowQueueBytes > o.MaxQueueBytes {
		o.LowQueueBytes = o.MaxQueueBytes / 2
	}
	if o.MaxStreamBytes <= 0 {
		o.MaxStreamBytes = 1 << 30
	}
	o.MaxStreamBytes = max(o.MaxStreamBytes, int64(o.MaxBodyBytes))
	if o.BodyTimeout <= 0 {
		o.BodyTimeout = time.Minute
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
	requests gate
	streams  gate
	refused  tally
	drains   chan []byte // buffers for reading refused bodies, nil until used
}

// New returns an open bus.
func New(o Options) *Bus {
	o = o.withDefaults()
	b := &Bus{
		o: o, source: "http/" + o.Name, queue: newQueue(&o),
		posts: budget{max: o.MaxPostBytes}, decoders: make(chan struct{}, runtime.GOMAXPROCS(0)),
		requests: gate{max: int64(o.MaxRequests)}, streams: gate{max: int64(o.MaxStreams)},
		drains: make(chan []byte, 2*runtime.GOMAXPROCS(0)),
	}
	for range cap(b.drains) {
		b.drains <- nil
	}
	return b
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

// Drain refuses later posts with 503; what was taken before is still given to Poll and answered.
func (b *Bus) Drain() { b.queue.drain() }

// Close refuses later posts and answers what was not polled: both are 503, code stopping.
func (b *Bus) Close() error {
	for _, r := range b.queue.close() {
		r.Answer(messagebus.Answer{Err: errClosed})
	}
	return nil
}

// ServeEvents is POST /v1/events: one event, an array of them or NDJSON, and nothing but events. See the package's answers in answer.go.
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
	if !b.requests.enter() {
		b.refuse(w, r, tooMany("requests"))
		return
	}
	defer b.requests.leave()
	problem := checkRequest(r)
	if problem == nil {
		if err := b.queue.expect(b.announced(r)); err != nil {
			problem = b.queueProblem(err) // the body is not even looked at
		}
	}
	if problem == nil && eventsOnly {
		problem = b.eventsRefused()
	}
	if problem != nil {
		if problem.Status == nethttp.StatusMethodNotAllowed {
			w.Header().Set("Allow", nethttp.MethodPost)
		}
		b.refuse(w, r, problem)
		return
	}
	if isLines(r) {
		b.serveLines(w, r, eventsOnly)
		return
	}
	p, problem := b.receive(w, r, eventsOnly)
	if problem != nil {
		b.refuse(w, r, problem)
		return
	}
	b.answer(w, r, p)
}

// answer waits for what the engine says to each message of a post and tells the client.
func (b *Bus) answer(w nethttp.ResponseWriter, r *nethttp.Request, p *post) {
	select {
	case <-p.done:
		_ = nethttp.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout)) // the server's own began with the request
		if problem := p.write(w); problem != nil {
			b.refuse(w, r, problem)
		}
		p.free()
	case <-r.Context().Done(): // the records are the engine's now. Mostly the client went away; if not, it must not get an empty 200
		b.refuse(w, r, stopping(errGone))
	}
}

// answerTimeout is how long a client may take to read its answer.
const answerTimeout = time.Minute

// refuse answers with a problem and counts it.
func (b *Bus) refuse(w nethttp.ResponseWriter, r *nethttp.Request, p *Problem) {
	b.refused.add(p.Code)
	if p.RetryAfter > 0 {
		b.drain(w, r)
	}
	WriteProblem(w, r, p)
}
