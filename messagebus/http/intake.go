package http

import (
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/weftbox/weftbox/messagebus"
)

const (
	maxKeyBytes    = 255      // of the header Idempotency-Key
	firstReadBytes = 16 << 10 // a body's buffer begins so and grows with what came, whatever Content-Length says
)

// receive reads, decodes and queues a post: all of it or nothing.
func (b *Bus) receive(w nethttp.ResponseWriter, r *nethttp.Request, eventsOnly bool) (*post, *Problem) {
	if r.ContentLength > int64(b.o.MaxBodyBytes) {
		w.Header().Set("Connection", "close") // or the server would read on to keep the connection
		return nil, b.bodyTooLarge()
	}
	l := newLoad()
	reserved, whole, problem := b.readBody(w, r, r.Body, l)
	if problem == nil && !whole {
		w.Header().Set("Connection", "close")
		problem = b.bodyTooLarge()
	}
	var nowMs int64
	if problem == nil {
		nowMs, problem = b.decode(r, &l.m, func(nowMs int64) error {
			if err := b.queue.expect(len(l.body)); err != nil { // it may have filled up since the body began to come
				return err
			}
			return l.m.Decode(l.body, nowMs, b.o.Limits)
		})
	}
	if problem == nil && eventsOnly {
		problem = onlyEvents(&l.m, 0)
	}
	p := b.newPost(r, l, reserved)
	if problem == nil {
		problem = b.enqueue(r, p, nowMs)
	}
	if problem != nil {
		p.release()
		l.free()
		return nil, problem
	}
	return p, nil
}

// newPost makes the post of a request whose body took reserved bytes of the budget.
func (b *Bus) newPost(r *nethttp.Request, l *load, reserved int) *post {
	return &post{load: l, reserved: reserved, budget: &b.posts, wait: isWait(r), done: make(chan struct{})}
}

// isWait reports whether the client wants to be told the verdicts.
func isWait(r *nethttp.Request) bool {
	return r.URL.RawQuery != "" && r.URL.Query().Get("wait") == "processed"
}

// enqueue hands the messages of a post to the engine.
func (b *Bus) enqueue(r *nethttp.Request, p *post, nowMs int64) *Problem {
	if len(p.m.Items) == 0 {
		p.release()
		close(p.done)
		return nil
	}
	if err := b.queue.put(b.records(r, p, 0, nowMs)); err != nil {
		return b.queueProblem(err)
	}
	return nil
}

// checkRequest looks at what comes before the body.
func checkRequest(r *nethttp.Request) *Problem {
	refuse := func(status int, code, title, detail string) *Problem {
		return &Problem{Status: status, Code: code, Title: title, Detail: detail}
	}
	if r.Method != nethttp.MethodPost {
		return refuse(nethttp.StatusMethodNotAllowed, "method_not_allowed", "Only POST is possible here", "messages are posted")
	}
	if kind := strings.TrimSpace(r.Header.Get("Content-Type")); len(kind) >= 10 && strings.EqualFold(kind[:10], "multipart/") {
		return refuse(nethttp.StatusUnsupportedMediaType, "unsupported_media_type", "Multipart bodies cannot be read", "post JSON: one message object or an array of them, as application/json, or one on each line, as application/x-ndjson")
	}
	for _, encoding := range r.Header.Values("Content-Encoding") {
		if e := strings.TrimSpace(encoding); e != "" && !strings.EqualFold(e, "identity") {
			return refuse(nethttp.StatusUnsupportedMediaType, "unsupported_encoding", "Compressed bodies cannot be read", "post without Content-Encoding")
		}
	}
	if r.URL.RawQuery != "" {
		query := r.URL.Query()
		for name := range query {
			if name != "wait" {
				return refuse(nethttp.StatusBadRequest, "invalid_parameter", "There is no such parameter", fmt.Sprintf(`%q is not known here: the only parameter is wait=processed`, name))
			}
		}
		if wait := query.Get("wait"); wait != "" && wait != "processed" {
			return refuse(nethttp.StatusBadRequest, "invalid_parameter", "The parameter wait is wrong", `wait may be "processed"`)
		}
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKeyBytes || strings.ContainsFunc(key, func(c rune) bool { return c < 0x20 || c == 0x7f || c == '\uFFFD' }) {
		return refuse(nethttp.StatusBadRequest, "invalid_idempotency_key", "The header Idempotency-Key is wrong",
			fmt.Sprintf("it is a text of at most %d bytes without control characters", maxKeyBytes))
	}
	return nil
}

// readBody reads a body to its end, or more than MaxBodyBytes of it: then whole is false. reserved is what its memory took of the budget, with
// a problem too.
func (b *Bus) readBody(w nethttp.ResponseWriter, r *nethttp.Request, in io.Reader, l *load) (reserved int, whole bool, problem *Problem) {
	most := b.o.MaxBodyBytes
	if r.ContentLength >= 0 {
		most = min(most, int(r.ContentLength))
	}
	deadline := nethttp.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(b.o.BodyTimeout)) // there is none where there is no network
	var body []byte
	defer func() { l.body = body }()
	for {
		if len(body) == cap(body) {
			if len(body) > b.o.MaxBodyBytes {
				return reserved, false, nil
			}
			size := min(max(2*cap(body), firstReadBytes), most+1) // one more, to see the end
			size = max(size, len(body)+1)
			if body == nil && l.fits(size) {
				size = cap(l.body)
			}
			if !b.posts.take(size - reserved) {
				return reserved, false, b.queueProblem(errFull)
			}
			reserved = size
			body = l.room(body, size)
		}
		n, err := in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			_ = deadline.SetReadDeadline(time.Time{})           // or it would end the wait for the answer
			return reserved, len(body) <= b.o.MaxBodyBytes, nil // memory of another bus may have had room for more
		}
		if err != nil {
			return reserved, false, cutShort(err)
		}
	}
}

// cutShort is the answer to a body that did not come whole.
func cutShort(err error) *Problem {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &Problem{Status: nethttp.StatusRequestTimeout, Code: "body_timeout", Title: "The body came too slowly",
			Detail: "nothing of this request was taken: repeat it, or post less with each request", Retryable: true}
	}
	return &Problem{Status: nethttp.StatusBadRequest, Code: "body_cut_short", Title: "The body did not come whole", Detail: "it ended too early (" + err.Error() + "): send the request again", Retryable: true}
}

// decode runs a decoder into m when its turn has come. The decoder may answer with what the queue says.
func (b *Bus) decode(r *nethttp.Request, m *messagebus.Body, decoder func(nowMs int64) error) (nowMs int64, problem *Problem) {
	select {
	case b.decoders <- struct{}{}:
		defer func() { <-b.decoders }()
	case <-r.Context().Done():
		return 0, &Problem{Status: nethttp.StatusServiceUnavailable, Code: "stopping", Title: "The request ended early", Detail: "nothing of it was taken", Retryable: true}
	}
	nowMs = b.o.NowMs()
	switch err := decoder(nowMs); err {
	case nil:
	case errFull, errClosed:
		return nowMs, b.queueProblem(err)
	default:
		return nowMs, decodeProblem(err)
	}
	return nowMs, b.itemsRefused(m.Items)
}

// records makes the records of a post, each answering to it, and what memory each takes. first is the number of the first one in its request.
func (b *Bus) records(r *nethttp.Request, p *post, first int, nowMs int64) ([]messagebus.Record, []int) {
	m, n := &p.m, len(p.m.Items)
	p.slots = make([]slot, n)
	p.left.Store(int64(n))
	if p.wait || slices.ContainsFunc(m.Items, func(in messagebus.Incoming) bool { return in.Reply != nil }) {
		p.verdicts = make([][]messagebus.Verdict, n)
	}
	p.records = slices.Grow(p.records[:0], n)[:n]
	header := r.Header.Get("Idempotency-Key")
	for i := range m.Items {
		s := &p.slots[i]
		s.post, s.index = p, int32(i)
		key := p.id(i)
		if key == "" && header != "" {
			key = header + "#" + strconv.Itoa(first+i)
		}
		p.records[i] = messagebus.Record{Source: b.source, TimeMs: nowMs, Incoming: m.Items[i], Raw: m.Raws[i], Key: key, BodyHash: xxhash.Sum64(m.Raws[i]), Answer: s.set}
		m.HeapBytes[i] += len(m.Raws[i])
	}
	return p.records, m.HeapBytes
}

func decodeProblem(err error) *Problem {
	p := &Problem{Status: nethttp.StatusBadRequest, Code: "invalid_body", Title: "The body cannot be read", Detail: err.Error() + "; nothing of this request was taken"}
	var d *messagebus.DecodeError
	if errors.As(err, &d) {
		if d.TooLarge {
			p.Status, p.Code, p.Title = nethttp.StatusRequestEntityTooLarge, "body_too_large", "The body is too large"
		}
		p.Errors = []ProblemError{{Index: &d.Index, Offset: &d.Offset, Line: d.Line, Message: d.Message}}
		if d.Single {
			p.Errors[0].Index = nil
		}
	}
	return p
}

// onlyEvents refuses what is no event; first is the number of the first message in its request.
func onlyEvents(m *messagebus.Body, first int) *Problem {
	for i := range m.Items {
		if m.Items[i].Event != nil {
			continue
		}
		what := `an answer of a service (type "res")`
		if m.Items[i].Command != nil {
			what = `a command (type "SYSTEM")`
		}
		number := first + i
		message := fmt.Sprintf("message %d is %s", number, what)
		p := &Problem{Status: nethttp.StatusBadRequest, Code: "not_an_event", Title: "Only events can be posted here",
			Detail: message + ": post it to /v1/buses/{name}; nothing of this request was taken", Errors: []ProblemError{{Message: message}}}
		if !m.Single {
			p.Errors[0].Index = &number
		}
		return p
	}
	return nil
}
