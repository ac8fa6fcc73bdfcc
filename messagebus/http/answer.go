package http

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// post is a request whose records are on their way. The answers of its records come from any goroutine, each once.
type post struct {
	*load
	wait     bool // verdicts are wanted
	slots    []slot
	verdicts [][]messagebus.Verdict // by message; nil when the client is told none
	left     atomic.Int64
	done     chan struct{} // closed when every record has its answer
	budget   *budget
	reserved int // bytes of the budget, given back when the body is no longer held

	mu       sync.Mutex // of the next two
	failed   error      // why the engine did not take the first of those that it did not take
	failedAt int
}

// slot is the place of one record's answer. It is never used for another record: an answer that came twice would be another client's.
type slot struct {
	post     *post
	index    int32
	answered atomic.Bool

	duplicate, conflict bool
}

// set is the record's Answer. A second call changes nothing.
func (s *slot) set(a messagebus.Answer) {
	if s.answered.Swap(true) {
		return
	}
	p := s.post
	s.duplicate, s.conflict = a.Duplicate, a.Conflict
	if p.verdicts != nil {
		p.verdicts[s.index] = a.Verdicts
	}
	if a.Err != nil {
		p.fail(int(s.index), a.Err)
	}
	if p.left.Add(-1) == 0 {
		p.release()
		close(p.done)
	}
}

func (p *post) release() { p.budget.give(p.reserved) }

func (p *post) fail(index int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil || index < p.failedAt {
		p.failed, p.failedAt = err, index
	}
}

// counts are what became of messages.
type counts struct{ accepted, duplicates, conflicts int }

// count adds up the answers; the error is that of the first message that the engine could not take.
func (p *post) count() (c counts, err error) {
	p.mu.Lock()
	err = p.failed
	p.mu.Unlock()
	if err != nil {
		return c, err
	}
	for i := range p.slots {
		switch s := &p.slots[i]; {
		case s.conflict:
			c.conflicts++
		case s.duplicate:
			c.duplicates++
		default:
			c.accepted++
		}
	}
	return c, nil
}

// write answers the client: 202 with one result for each message in order. Otherwise it writes nothing and returns a problem: 503 when the
// engine could not take one of them, since then what became of the whole is unknown; 422 when the message is a single one whose key is known
// with another body.
func (p *post) write(w nethttp.ResponseWriter) *Problem {
	c, err := p.count()
	if err != nil {
		return stopping(err)
	}
	if p.m.Single && c.conflicts > 0 {
		return conflict(p.id(0))
	}
	out := append(p.out[:0], `{"accepted":`...)
	out = strconv.AppendInt(out, int64(c.accepted), 10)
	out = append(out, `,"duplicates":`...)
	out = strconv.AppendInt(out, int64(c.duplicates), 10)
	out = append(out, `,"results":[`...)
	for i := range p.slots {
		if i > 0 {
			out = append(out, ',')
		}
		out = p.append(out, i)
	}
	p.out = append(out, "]}\n"...)
	if writeAccepted(w, p.out) != nil {
		p.out = nil // HTTP/2 returns while it may still be read
	}
	return nil
}

// id returns the id of an event, "" for one without.
func (p *post) id(i int) string {
	if e := p.m.Items[i].Event; e != nil {
		return e.ID
	}
	return ""
}

// writeAccepted writes the answer 202. A client that went away needs none: the error says only that out may still be on its way.
func writeAccepted(w nethttp.ResponseWriter, out []byte) error {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(nethttp.StatusAccepted)
	_, err := w.Write(out)
	return err
}

// append writes the result of a message.
func (p *post) append(out []byte, i int) []byte {
	s, id := &p.slots[i], p.id(i)
	out = append(out, '{')
	if id != "" {
		out = append(out, `"id":`...)
		out = append(messagebus.EncodeText(out, id), ',')
	}
	out = append(out, `"duplicate":`...)
	out = strconv.AppendBool(out, s.duplicate)
	if s.conflict {
		problem := conflict(id).complete()
		text, err := json.Marshal(&problem)
		if err == nil {
			out = append(append(out, `,"error":`...), text...)
		}
	}
	if p.wait || p.late(i) {
		out = append(out, `,"verdicts":[`...)
		for k := range p.verdicts[i] {
			if k > 0 {
				out = append(out, ',')
			}
			out = appendVerdict(out, &p.verdicts[i][k])
		}
		out = append(out, ']')
	}
	return append(out, '}')
}

// late tells whether a message is an answer of a service that nobody waits for: its sender is always told.
func (p *post) late(i int) bool {
	if p.verdicts == nil || p.m.Items[i].Reply == nil {
		return false
	}
	return slices.ContainsFunc(p.verdicts[i], func(v messagebus.Verdict) bool { return v.Kind == activity.VerdictLate })
}

// appendVerdict writes {"strategy","activity","activity_name","domain_id","verdict","action","status","error"}; what is empty is left out.
func appendVerdict(out []byte, v *messagebus.Verdict) []byte {
	out = append(out, `{"verdict":`...)
	out = messagebus.EncodeText(out, string(v.Kind))
	if v.Activity != 0 {
		out = append(out, `,"activity":`...)
		out = strconv.AppendUint(out, uint64(v.Activity), 10)
	}
	status := ""
	if v.Status != activity.Absent {
		status = v.Status.String()
	}
	for _, f := range [...]struct{ key, value string }{
		{"activity_name", v.ActivityName}, {"strategy", v.Strategy}, {"domain_id", v.DomainID}, {"action", v.Action}, {"status", status}, {"error", v.Error},
	} {
		if f.value != "" {
			out = append(append(append(out, `,"`...), f.key...), `":`...)
			out = messagebus.EncodeText(out, f.value)
		}
	}
	return append(out, '}')
}

func conflict(id string) *Problem {
	what := "this Idempotency-Key"
	if id != "" {
		what = fmt.Sprintf("the id %.80q", id)
	}
	return &Problem{Status: nethttp.StatusUnprocessableEntity, Code: "idempotency_conflict", Title: "The key is known with another body",
		Detail: what + " came before with a different message; this one was not applied: give a new message a new id"}
}
