package http

import (
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
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
	body, reserved, whole, problem := b.readBody(w, r, r.Body)
	if problem == nil && !whole {
		w.Header().Set("Connection", "close")
		problem = b.bodyTooLarge()
	}
	p := b.newPost(r, reserved)
	if problem != nil {
		p.release()
		return nil, problem
	}
	m, nowMs, problem := b.decode(r, func(nowMs int64) (messagebus.Body, error) { return messagebus.Decode(body, nowMs, b.o.Limits) })
	if problem == nil && eventsOnly {
		problem = onlyEvents(&m, 0)
	}
	if problem == nil {
		problem = b.enqueue(r, p, &m, 0, nowMs)
	}
	if problem != nil {
		p.release()
		return nil, problem
	}
	return p, nil
}

// newPost makes the post of a request whose body took reserved bytes of the budget.
func (b *Bus) newPost(r *nethttp.Request, reserved int) *post {
	return &post{reserved: reserved, budget: &b.posts, wait: r.URL.Query().Get("wait") == "processed", done: make(chan struct{})}
}

// enqueue hands the messages of a post, the first of them having a number in its request, to the engine.
func (b *Bus) enqueue(r *nethttp.Request, p *post, m *messagebus.Body, first int, nowMs int64) *Problem {
	if len(m.Items) == 0 {
		p.release()
		close(p.done)
		return nil
	}
	if err := b.queue.put(b.records(r, p, m, first, nowMs)); err != nil {
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
	query := r.URL.Query()
	for name := range query {
		if name != "wait" {
			return refuse(nethttp.StatusBadRequest, "invalid_parameter", "There is no such parameter", fmt.Sprintf(`%q is not known here: the only parameter is wait=processed`, name))
		}
	}
	if wait := query.Get("wait"); wait != "" && wait != "processed" {
		return refuse(nethttp.StatusBadRequest, "invalid_parameter", "The parameter wait is wrong", `wait may be "processed"`)
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKeyBytes || strings.ContainsFunc(key, func(c rune) bool { return c < 0x20 || c == 0x7f || c == '\uFFFD' }) {
		return refuse(nethttp.StatusBadRequest, "invalid_idempotency_key", "The header Idempotency-Key is wrong",
			fmt.Sprintf("it is a text of at most %d bytes without control characters", maxKeyBytes))
	}
	return nil
}

// readBody reads a body to its end, or more than MaxBodyBytes of it: then whole is false. reserved is what it took of the budget, with a
// problem too.
func (b *Bus) readBody(w nethttp.ResponseWriter, r *nethttp.Request, in io.Reader) (body []byte, reserved int, whole bool, problem *Problem) {
	most := b.o.MaxBodyBytes
	if r.ContentLength >= 0 {
		most = min(most, int(r.ContentLength))
	}
	deadline := nethttp.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(b.o.BodyTimeout)) // there is none where there is no network
	for {
		if len(body) == cap(body) {
			if len(body) > b.o.MaxBodyBytes {
				return body, reserved, false, nil
			}
			size := min(max(2*cap(body), firstReadBytes), most+1) // one more, to see the end
			size = max(size, len(body)+1)
			if !b.posts.take(size - cap(body)) {
				return nil, reserved, false, b.queueProblem(errFull)
			}
			reserved += size - cap(body)
			grown := make([]byte, len(body), size)
			copy(grown, body)
			body = grown
		}
		n, err := in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if err == io.EOF {
			_ = deadline.SetReadDeadline(time.Time{}) // or it would end the wait for the answer
			return body, reserved, true, nil
		}
		if err != nil {
			return nil, reserved, false, cutShort(err)
		}
	}
}

// cutShort is the answer to a body that did not come whole.
func cutShort(err error) *Problem {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &Problem{Status: nethttp.StatusRequestTimeout, Code: "body_timeout", Title: "The body came too slowly",
			Detail: "nothing of this request was taken: repeat it, or post less with each request", Retryable: true}
	}
	return &Problem{Status: nethttp.StatusBadRequest, Code: "body_cut_short", Title: "The body did not come whole", Detail: err.Error(), Retryable: true}
}

// decode runs a decoder when its turn has come.
func (b *Bus) decode(r *nethttp.Request, decoder func(nowMs int64) (messagebus.Body, error)) (m messagebus.Body, nowMs int64, problem *Problem) {
	select {
	case b.decoders <- struct{}{}:
		defer func() { <-b.decoders }()
	case <-r.Context().Done():
		return m, 0, &Problem{Status: nethttp.StatusServiceUnavailable, Code: "stopping", Title: "The request ended early", Detail: "nothing of it was taken", Retryable: true}
	}
	nowMs = b.o.NowMs()
	m, err := decoder(nowMs)
	if err != nil {
		return m, nowMs, decodeProblem(err)
	}
	return m, nowMs, b.itemsRefused(m.Items)
}

// records makes the records of a post, each answering to it, and what memory each takes.
func (b *Bus) records(r *nethttp.Request, p *post, m *messagebus.Body, first int, nowMs int64) ([]messagebus.Record, []int) {
	p.single, p.slots = m.Single, make([]slot, len(m.Items))
	p.left.Store(int64(len(m.Items)))
	records := make([]messagebus.Record, len(m.Items))
	key := r.Header.Get("Idempotency-Key")
	for i, in := range m.Items {
		s := &p.slots[i]
		s.post, s.reply = p, in.Reply != nil
		if in.Event != nil {
			s.id = in.Event.ID
		}
		recordKey := s.id
		if recordKey == "" && key != "" {
			recordKey = key + "#" + strconv.Itoa(first+i)
		}
		records[i] = messagebus.Record{Source: b.source, TimeMs: nowMs, Incoming: in, Raw: m.Raws[i], Key: recordKey, BodyHash: xxhash.Sum64(m.Raws[i]), Answer: s.set}
		m.HeapBytes[i] += len(m.Raws[i])
	}
	return records, m.HeapBytes
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
	for i, in := range m.Items {
		if in.Event != nil {
			continue
		}
		what := `an answer of a service (type "res")`
		if in.Command != nil {
			what = `a command (type "SYSTEM")`
		}
		i += first
		message := fmt.Sprintf("message %d is %s", i, what)
		p := &Problem{Status: nethttp.StatusBadRequest, Code: "not_an_event", Title: "Only events can be posted here",
			Detail: message + ": post it to /v1/buses/{name}; nothing of this request was taken", Errors: []ProblemError{{Message: message}}}
		if !m.Single {
			p.Errors[0].Index = &i
		}
		return p
	}
	return nil
}
