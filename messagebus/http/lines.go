package http

import (
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

const (
	partMessages = 1000    // of a stream that are committed before more of it is read
	partBytes    = 1 << 20 // read at once
	maxListed    = 100     // messages of a stream with a result of their own
)

// isLines reports whether a request says that its body is NDJSON.
func isLines(r *nethttp.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return true
	}
	return false
}

// serveLines takes NDJSON. What an array could hold is treated as an array: all or nothing, a result for each message. What is larger is a
// stream: part by part, each committed before more is read, and answered at its end.
func (b *Bus) serveLines(w nethttp.ResponseWriter, r *nethttp.Request, eventsOnly bool) {
	s := &stream{b: b, w: w, r: r, eventsOnly: eventsOnly, in: nethttp.MaxBytesReader(w, r.Body, b.o.MaxStreamBytes)}
	s.load = newLoad()
	var p *post
	var problem *Problem
	if r.ContentLength <= int64(b.o.MaxBodyBytes) {
		p, problem = s.whole()
	}
	if p != nil {
		b.answer(w, r, p)
		return
	}
	if problem == nil {
		problem = s.run()
	}
	b.posts.give(s.reserved)
	s.reserved = 0
	s.load.free()
	if problem != nil {
		b.refuse(w, r, problem)
		return
	}
	s.answer()
}

// stream is a body of lines being taken.
type stream struct {
	b          *Bus
	w          nethttp.ResponseWriter
	r          *nethttp.Request
	eventsOnly bool

	load *load // that of the part under way, and of the body while it may be small

	in       io.Reader
	unread   []byte // read from in, not yet decoded
	end      bool   // in has nothing more
	reserved int    // bytes of the budget

	at      messagebus.Place // before it everything is committed
	counts  counts
	listed  []byte // results of messages that are told of one by one
	results int    // that there were, listed or not
}

// whole reads a body that may be small. It returns neither post nor problem when it is a stream; what was read is unread then.
func (s *stream) whole() (*post, *Problem) {
	b, l := s.b, s.load
	reserved, end, problem := b.readBody(s.w, s.r, s.in, l)
	s.reserved = reserved
	if problem != nil {
		return nil, problem
	}
	body := l.body
	s.unread, s.end = body, end
	if !end {
		l.body = nil // it is the stream's, and in parts the engine's
		return nil, nil
	}
	limits := b.o.Limits
	limits.MaxMessages = b.maxMessages()
	var at messagebus.Place
	n := 0
	nowMs, problem := b.decode(s.r, &l.m, func(nowMs int64) (err error) {
		if err := b.queue.expect(len(body)); err != nil {
			return err
		}
		n, err = l.m.DecodeLines(body, &at, true, nowMs, limits)
		return err
	})
	if problem == nil && n < len(body) {
		l.body = nil
		return nil, nil
	}
	if problem == nil && s.eventsOnly {
		problem = onlyEvents(&l.m, 0)
	}
	if problem != nil {
		return nil, problem
	}
	p := b.newPost(s.r, l, s.reserved)
	if problem := b.enqueue(s.r, p, nowMs); problem != nil {
		return nil, problem
	}
	s.reserved = 0 // the post gives it back
	return p, nil
}

// maxMessages is how many messages one answer covers: what an array may have and the queue can hold.
func (b *Bus) maxMessages() int {
	if most := b.o.Limits.MaxMessages; most > 0 {
		return min(most, b.o.MaxQueueMessages)
	}
	return min(10_000, b.o.MaxQueueMessages)
}

// run takes the stream part by part and answers it.
func (s *stream) run() *Problem {
	b := s.b
	if isWait(s.r) {
		return s.refused(&Problem{Status: nethttp.StatusRequestEntityTooLarge, Code: "body_too_large", Title: "The body is too large for wait=processed",
			Detail: fmt.Sprintf("verdicts are told for bodies of at most %d bytes and %d messages: post it in parts, or without wait=processed", b.o.MaxBodyBytes, b.maxMessages())})
	}
	if s.r.ContentLength > b.o.MaxStreamBytes {
		return s.refused(s.tooLarge())
	}
	if !b.streams.enter() {
		return s.refused(tooMany("streams"))
	}
	defer b.streams.leave()
	if need := 2*s.window() - s.reserved; need > 0 { // the part that is read, and the one before it that the engine may still hold
		if !b.posts.take(need) {
			return s.refused(b.queueProblem(errFull))
		}
		s.reserved += need
	}
	for !s.end || len(s.unread) > 0 {
		if problem := s.part(); problem != nil {
			return s.refused(problem)
		}
	}
	return nil
}

// window is how much of the stream is in memory at once: a part, or a line that is larger.
func (s *stream) window() int {
	line := s.b.o.Limits.MaxMessageBytes
	if line <= 0 {
		line = 256 << 10
	}
	return max(partBytes, line+2)
}

// part takes what there is of the next part, and reads more when that is no whole line.
func (s *stream) part() *Problem {
	b := s.b
	limits := b.o.Limits
	limits.MaxMessages = min(partMessages, b.maxMessages())
	limits.PartBytes = b.o.MaxQueueBytes / 4
	data := s.unread[:min(len(s.unread), s.window())]
	at, n, l := s.at, 0, s.load
	nowMs, problem := b.decode(s.r, &l.m, func(nowMs int64) (err error) {
		n, err = l.m.DecodeLines(data, &at, s.end && len(data) == len(s.unread), nowMs, limits)
		return err
	})
	if problem == nil && s.eventsOnly {
		problem = onlyEvents(&l.m, s.at.Messages)
	}
	if problem == nil && n == 0 {
		return s.fill()
	}
	if problem == nil {
		problem = s.commit(nowMs)
	}
	if problem == nil {
		s.at, s.unread = at, s.unread[n:]
	}
	return problem
}

// fill reads until a window is full or the body ends. What was read before may still be the engine's: it is not overwritten.
func (s *stream) fill() *Problem {
	window := make([]byte, s.window())
	n := copy(window, s.unread)
	deadline := nethttp.NewResponseController(s.w)
	_ = deadline.SetReadDeadline(time.Now().Add(s.b.o.BodyTimeout))
	for n < len(window) && !s.end {
		read, err := s.in.Read(window[n:])
		n += read
		switch {
		case err == io.EOF:
			s.end = true
			_ = deadline.SetReadDeadline(time.Time{})
		case isTooLarge(err):
			return s.tooLarge()
		case err != nil:
			return cutShort(err)
		}
	}
	s.unread = window[:n]
	return nil
}

// commit gives a part to the engine and waits until it is committed. Where there is no room it waits for room: the client waits with its
// connection, which is not read meanwhile.
func (s *stream) commit(nowMs int64) *Problem {
	if len(s.load.m.Items) == 0 {
		return nil
	}
	b := s.b
	p := b.newPost(s.r, s.load, 0)
	s.load = newLoad() // unless every record is answered, p's may be the engine's still
	records, sizes := b.records(s.r, p, s.at.Messages, nowMs)
	gone := s.r.Context().Done()
	for {
		err := b.queue.put(records, sizes)
		if err == nil {
			break
		}
		if err != errFull {
			return b.queueProblem(err)
		}
		select {
		case <-b.queue.wait():
		case <-gone:
			return stopping(errGone)
		}
	}
	select {
	case <-p.done:
	case <-gone:
		return stopping(errGone)
	}
	defer p.free()
	c, err := p.count()
	if err != nil {
		return stopping(err)
	}
	s.counts.accepted += c.accepted
	s.counts.duplicates += c.duplicates
	s.counts.conflicts += c.conflicts
	for i := range p.slots {
		if p.slots[i].conflict || p.late(i) {
			s.list(p, i)
		}
	}
	return nil
}

// list keeps the result of a message that is neither accepted nor a duplicate.
func (s *stream) list(p *post, i int) {
	if s.results++; s.results > maxListed {
		return
	}
	if s.results > 1 {
		s.listed = append(s.listed, ',')
	}
	s.listed = strconv.AppendInt(append(s.listed, `{"index":`...), int64(s.at.Messages+i), 10)
	s.listed = append(s.listed, ',')
	result := p.append(nil, i)
	s.listed = append(s.listed, result[1:]...)
}

// answer is that of a stream taken to its end: counts, and the results that are not plain.
func (s *stream) answer() {
	out := []byte(`{"accepted":`)
	for _, f := range [...]struct {
		name string
		n    int
	}{{"", s.counts.accepted}, {`,"duplicates":`, s.counts.duplicates}, {`,"conflicts":`, s.counts.conflicts}, {`,"messages":`, s.at.Messages},
		{`,"results_left_out":`, max(0, s.results-maxListed)}} {
		out = strconv.AppendInt(append(out, f.name...), int64(f.n), 10)
	}
	out = append(append(append(out, `,"results":[`...), s.listed...), "]}\n"...)
	_ = nethttp.NewResponseController(s.w).SetWriteDeadline(time.Now().Add(answerTimeout))
	_ = writeAccepted(s.w, out) // who went away needs no answer
}

// refused completes the answer of a stream that ends early: what was committed stays, and the client is told where to go on.
func (s *stream) refused(p *Problem) *Problem {
	_ = nethttp.NewResponseController(s.w).SetWriteDeadline(time.Now().Add(answerTimeout))
	s.w.Header().Set("Connection", "close") // or the server would read on to keep the connection
	if s.at.Bytes == 0 {
		return p
	}
	q := *p
	q.Progress = &Progress{Messages: s.at.Messages, Accepted: s.counts.accepted, Duplicates: s.counts.duplicates, Conflicts: s.counts.conflicts, NextLine: s.at.Lines + 1}
	reason, _, _ := strings.Cut(p.Detail, "; ")
	reason, _, _ = strings.Cut(reason, ": repeat it")
	if strings.Contains(reason, "nothing of this request") { // not true of a stream that has come so far
		reason = p.Title
	}
	again := "go on with line " + strconv.Itoa(q.Progress.NextLine)
	if p.Code == "stopping" {
		again = "what became of the lines from there on is not known: repeat them if their events carry ids"
	}
	if s.r.Header.Get("Idempotency-Key") != "" {
		again = "repeat the whole body with the same Idempotency-Key: what is known is answered as duplicate"
	}
	q.Detail = fmt.Sprintf("%s; the %d messages before line %d are committed: %s", reason, s.at.Messages, q.Progress.NextLine, again)
	return &q
}

func isTooLarge(err error) bool {
	var tooLarge *nethttp.MaxBytesError
	return errors.As(err, &tooLarge)
}

func (s *stream) tooLarge() *Problem {
	return &Problem{Status: nethttp.StatusRequestEntityTooLarge, Code: "body_too_large", Title: "The stream is too large",
		Detail: fmt.Sprintf("it may have %d bytes", s.b.o.MaxStreamBytes)}
}
