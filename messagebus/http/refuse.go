package http

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	nethttp "net/http"
	"sync"
	"sync/atomic"
	"time"
)

var errGone = errors.New("the request ended before its answer was there")

// queueProblem turns a refusal of the queue into the client's answer.
func (b *Bus) queueProblem(err error) *Problem {
	switch {
	case errors.Is(err, errClosed):
		return &Problem{Status: nethttp.StatusServiceUnavailable, Code: "stopping", Title: "The node is stopping",
			Detail: "nothing of this request was taken: repeat it when the node is back", Retryable: true, RetryAfter: jitter(3)}
	case errors.Is(err, errNeverFits):
		return &Problem{Status: nethttp.StatusRequestEntityTooLarge, Code: "body_too_large", Title: "The request is too large",
			Detail: "these messages need more room than the whole queue has: post them in parts"}
	}
	return &Problem{Status: nethttp.StatusTooManyRequests, Code: "queue_full", Title: "Too many messages are waiting",
		Detail: "nothing of this request was taken: repeat it later", Retryable: true, RetryAfter: jitter(b.queue.drainSeconds())}
}

// tooMany is for requests that would be one too many.
func tooMany(what string) *Problem {
	return &Problem{Status: nethttp.StatusTooManyRequests, Code: "too_many_requests", Title: "Too many " + what + " are under way",
		Detail: "nothing of this request was taken: repeat it later, or post more messages with each request", Retryable: true, RetryAfter: jitter(1)}
}

func stopping(err error) *Problem {
	return &Problem{Status: nethttp.StatusServiceUnavailable, Code: "stopping", Title: "The engine could not take the messages",
		Detail: err.Error() + "; what became of them is not known: repeat the request, with the same ids or Idempotency-Key", Retryable: true, RetryAfter: jitter(3)}
}

// announced returns how long the body of an array will be, 0 when that is not known or when it will be taken as a stream.
func (b *Bus) announced(r *nethttp.Request) int {
	if r.ContentLength > int64(b.o.MaxBodyBytes) {
		return 0
	}
	return int(max(r.ContentLength, 0))
}

func (b *Bus) bodyTooLarge() *Problem {
	return &Problem{Status: nethttp.StatusRequestEntityTooLarge, Code: "body_too_large", Title: "The body is too large",
		Detail: fmt.Sprintf("it may have %d bytes: post it in parts, or as application/x-ndjson", b.o.MaxBodyBytes)}
}

const (
	drainedByServer = 256 << 10 // what net/http itself reads of a body that a handler left, to keep the connection
	drainBytes      = 64 << 10  // read at once: eight times what net/http does
)

// drain reads on to the end of a refused body that could have been an array: a client that writes its request whole before it reads finds the
// answer then instead of a broken connection, and keeps its connection for the next try. A longer body, one that does not come in BodyTimeout,
// and one whose client asks before it sends (Expect: 100-continue) end with their connection.
func (b *Bus) drain(w nethttp.ResponseWriter, r *nethttp.Request) {
	most := int64(b.o.MaxBodyBytes)
	if w.Header().Get("Connection") == "close" || r.Header.Get("Expect") != "" || r.ContentLength > most || 0 <= r.ContentLength && r.ContentLength < firstReadBytes {
		return
	}
	in := io.LimitReader(r.Body, most+1)
	deadline := nethttp.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(b.o.BodyTimeout))
	var err error
	select {
	case buffer := <-b.drains:
		if buffer == nil {
			buffer = make([]byte, drainBytes)
		}
		for err == nil {
			_, err = in.Read(buffer)
		}
		b.drains <- buffer
	default: // slow bodies have all buffers
		if 0 <= r.ContentLength && r.ContentLength < drainedByServer {
			return
		}
		if _, err = io.Copy(io.Discard, in); err == nil {
			err = io.EOF
		}
	}
	if err == io.EOF {
		_ = deadline.SetReadDeadline(time.Time{})
	} // any other error, and a body that is too long, net/http meets again: it closes the connection
}

// jitter returns seconds to three times as many, so that those who were refused together do not come back together.
func jitter(seconds int) int { return seconds + rand.IntN(2*seconds+1) }

// gate bounds how many are inside.
type gate struct {
	max    int64
	inside atomic.Int64
}

func (g *gate) enter() bool {
	if g.inside.Add(1) > g.max {
		g.inside.Add(-1)
		return false
	}
	return true
}

func (g *gate) leave() { g.inside.Add(-1) }

// tally counts refusals by their code; codes are a closed list.
type tally struct {
	mu     sync.Mutex
	counts map[string]int64
}

func (t *tally) add(code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]int64{}
	}
	t.counts[code]++
}

// Stats is what a bus holds at a moment, and what it refused since it was opened.
type Stats struct {
	QueueMessages int              // decoded, not yet polled
	QueueBytes    int              // of memory that they take
	BodyBytes     int              // bodies being read, and those not yet answered
	Requests      int              // posts being read or waiting for their answers
	Streams       int              // those of them that are streams
	Refused       map[string]int64 // answers that were problems, by their code
}

// Stats may be read at any time.
func (b *Bus) Stats() Stats {
	s := Stats{Requests: int(b.requests.inside.Load()), Streams: int(b.streams.inside.Load())}
	b.queue.mu.Lock()
	s.QueueMessages, s.QueueBytes = b.queue.messages, b.queue.bytes
	b.queue.mu.Unlock()
	b.posts.mu.Lock()
	s.BodyBytes = b.posts.used
	b.posts.mu.Unlock()
	b.refused.mu.Lock()
	s.Refused = maps.Clone(b.refused.counts)
	b.refused.mu.Unlock()
	return s
}
