package http

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	nethttp "net/http"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/weftbox/weftbox/messagebus"
)

const (
	maxKeyBytes    = 255      // of the header Idempotency-Key
	firstReadBytes = 16 << 10 // a body's buffer begins so and grows with what came, whatever Content-Length says
)

// receive reads, decodes and queues a post: all of it or nothing. It returns neither post nor problem when the client went away.
func (b *Bus) receive(w nethttp.ResponseWriter, r *nethttp.Request, eventsOnly bool) (*post, *Problem) {
	if problem := checkRequest(r); problem != nil {
		if problem.Status == nethttp.StatusMethodNotAllowed {
			w.Header().Set("Allow", nethttp.MethodPost)
		}
		return nil, problem
	}
	if err := b.queue.check(); err != nil {
		return nil, queueProblem(err)
	}
	body, reserved, problem := b.readBody(w, r)
	p := &post{reserved: reserved, budget: &b.posts, wait: r.URL.Query().Get("wait") == "processed", done: make(chan struct{})}
	if problem != nil {
		p.release()
		return nil, problem
	}
	records, sizes, problem := b.decode(r, p, body, eventsOnly)
	if problem != nil || records == nil {
		p.release()
		return nil, problem
	}
	if len(records) == 0 {
		p.release()
		close(p.done)
		return p, nil
	}
	if err := b.queue.put(records, sizes); err != nil {
		p.release()
		return nil, queueProblem(err)
	}
	return p, nil
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
		return refuse(nethttp.StatusUnsupportedMediaType, "unsupported_media_type", "Multipart bodies cannot be read", "post JSON: one message object or an array of them, as application/json")
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

// readBody reads the whole body. reserved is what it took of the budget, with an error too.
func (b *Bus) readBody(w nethttp.ResponseWriter, r *nethttp.Request) (body []byte, reserved int, problem *Problem) {
	most := b.o.MaxBodyBytes
	if r.ContentLength > int64(most) {
		w.Header().Set("Connection", "close") // or the server would read on to keep the connection
		return nil, 0, b.bodyTooLarge()
	}
	if r.ContentLength >= 0 {
		most = int(r.ContentLength)
	}
	in := nethttp.MaxBytesReader(w, r.Body, int64(b.o.MaxBodyBytes))
	for {
		if len(body) == cap(body) {
			size := min(max(2*cap(body), firstReadBytes), most+1) // one more, to see the end
			size = max(size, len(body)+1)
			if !b.posts.take(size - cap(body)) {
				return nil, reserved, queueProblem(errFull)
			}
			reserved += size - cap(body)
			grown := make([]byte, len(body), size)
			copy(grown, body)
			body = grown
		}
		n, err := in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		var tooLarge *nethttp.MaxBytesError
		switch {
		case err == io.EOF:
			return body, reserved, nil
		case errors.As(err, &tooLarge):
			return nil, reserved, b.bodyTooLarge()
		case err != nil:
			return nil, reserved, &Problem{Status: nethttp.StatusBadRequest, Code: "body_cut_short", Title: "The body did not come whole", Detail: err.Error(), Retryable: true}
		}
	}
}

func (b *Bus) bodyTooLarge() *Problem {
	return &Problem{Status: nethttp.StatusRequestEntityTooLarge, Code: "body_too_large", Title: "The body is too large",
		Detail: fmt.Sprintf("it may have %d bytes: post it in parts", b.o.MaxBodyBytes)}
}

// decode makes the records of a body, each answering to p. It returns nil and no problem when the client went away.
func (b *Bus) decode(r *nethttp.Request, p *post, body []byte, eventsOnly bool) ([]messagebus.Record, []int, *Problem) {
	select {
	case b.decoders <- struct{}{}:
		defer func() { <-b.decoders }()
	case <-r.Context().Done():
		return nil, nil, nil
	}
	nowMs := b.o.NowMs()
	m, err := messagebus.Decode(body, nowMs, b.o.Limits)
	if err != nil {
		return nil, nil, decodeProblem(err)
	}
	if eventsOnly {
		if problem := onlyEvents(m.Items, m.Single); problem != nil {
			return nil, nil, problem
		}
	}
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
			recordKey = key + "#" + strconv.Itoa(i)
		}
		records[i] = messagebus.Record{Source: b.source, TimeMs: nowMs, Incoming: in, Raw: m.Raws[i], Key: recordKey, BodyHash: xxhash.Sum64(m.Raws[i]), Answer: s.set}
		m.HeapBytes[i] += len(m.Raws[i])
	}
	return records, m.HeapBytes, nil
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

func onlyEvents(items []messagebus.Incoming, single bool) *Problem {
	for i, in := range items {
		if in.Event != nil {
			continue
		}
		what := `an answer of a service (type "res")`
		if in.Command != nil {
			what = `a command (type "SYSTEM")`
		}
		message := fmt.Sprintf("message %d is %s", i, what)
		p := &Problem{Status: nethttp.StatusBadRequest, Code: "not_an_event", Title: "Only events can be posted here",
			Detail: message + ": post it to /v1/buses/{name}; nothing of this request was taken", Errors: []ProblemError{{Message: message}}}
		if !single {
			p.Errors[0].Index = &i
		}
		return p
	}
	return nil
}

// jitter returns 1 to most seconds, so that those who were refused together do not come back together.
func jitter(most int) int { return 1 + rand.IntN(most) }
