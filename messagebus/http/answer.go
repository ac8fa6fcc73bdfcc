package http

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"strconv"
	"sync/atomic"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// post is a request whose records are on their way. The answers of its records come from any goroutine, each once.
type post struct {
	single   bool // one object, not an array
	wait     bool // verdicts are wanted
	slots    []slot
	left     atomic.Int64
	done     chan struct{} // closed when every record has its answer
	budget   *budget
	reserved int // bytes of the budget, given back when the body is no longer held
}

// slot is the place of one record's answer.
type slot struct {
	post     *post
	id       string
	reply    bool
	answered atomic.Bool
	answer   messagebus.Answer
}

// set is the record's Answer. A second call changes nothing.
func (s *slot) set(a messagebus.Answer) {
	if s.answered.Swap(true) {
		return
	}
	s.answer = a
	if s.post.left.Add(-1) == 0 {
		s.post.release()
		close(s.post.done)
	}
}

func (p *post) release() { p.budget.give(p.reserved) }

// counts are what became of messages.
type counts struct{ accepted, duplicates, conflicts int }

// count adds up the answers; the error is that of the first message that the engine could not take.
func (p *post) count() (c counts, err error) {
	for i := range p.slots {
		switch a := &p.slots[i].answer; {
		case a.Err != nil:
			return c, a.Err
		case a.Conflict:
			c.conflicts++
		case a.Duplicate:
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
	if p.single && c.conflicts > 0 {
		return conflict(p.slots[0].id)
	}
	out := make([]byte, 0, 64+48*len(p.slots))
	out = append(out, `{"accepted":`...)
	out = strconv.AppendInt(out, int64(c.accepted), 10)
	out = append(out, `,"duplicates":`...)
	out = strconv.AppendInt(out, int64(c.duplicates), 10)
	out = append(out, `,"results":[`...)
	for i := range p.slots {
		if i > 0 {
			out = append(out, ',')
		}
		out = p.slots[i].append(out, p.wait)
	}
	writeAccepted(w, append(out, "]}\n"...))
	return nil
}

func writeAccepted(w nethttp.ResponseWriter, out []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(nethttp.StatusAccepted)
	_, _ = w.Write(out) // a client that went away needs no answer
}

// append writes the record's result.
func (s *slot) append(out []byte, wait bool) []byte {
	out = append(out, '{')
	if s.id != "" {
		out = append(out, `"id":`...)
		out = append(messagebus.EncodeValue(out, s.id), ',')
	}
	out = append(out, `"duplicate":`...)
	out = strconv.AppendBool(out, s.answer.Duplicate)
	if s.answer.Conflict {
		problem := conflict(s.id).complete()
		text, err := json.Marshal(&problem)
		if err == nil {
			out = append(append(out, `,"error":`...), text...)
		}
	}
	if wait || s.late() {
		out = append(out, `,"verdicts":[`...)
		for i := range s.answer.Verdicts {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendVerdict(out, &s.answer.Verdicts[i])
		}
		out = append(out, ']')
	}
	return append(out, '}')
}

// late tells whether the record is an answer that nobody waits for: its sender is always told.
func (s *slot) late() bool {
	if s.reply {
		for i := range s.answer.Verdicts {
			if s.answer.Verdicts[i].Kind == activity.VerdictLate {
				return true
			}
		}
	}
	return false
}

// appendVerdict writes {"strategy","activity","activity_name","domain_id","verdict","action","status","error"}; what is empty is left out.
func appendVerdict(out []byte, v *messagebus.Verdict) []byte {
	out = append(out, `{"verdict":`...)
	out = messagebus.EncodeValue(out, string(v.Kind))
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
			out = messagebus.EncodeValue(out, f.value)
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
