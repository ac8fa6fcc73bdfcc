package crash

import (
	"fmt"

	"github.com/weftbox/weftbox/activity"
)

// said is what a thread sent to a thread: a user's "tell" to a hub, or the hub's "echo".
type said struct {
	seq       uint64 // as the engine numbers it in the sender's slot
	kind      string
	from, to  activity.ID
	n, amount int64
	atMs      int64
	heard     bool // by a turn on disk
	waits     bool // it lay in the outbox when the node started, and no turn has given it to its thread yet
}

// line is what a slot's threads send to one thread: it arrives in order.
type line struct {
	from uint16
	to   activity.ID
}

// String shows it as the end of the id that the engine gives it.
func (q request) String() string { return fmt.Sprintf("%d-%d", q.slot, q.seq) }

// ofThread reports whether a thread has sent an event.
func ofThread(e *activity.Event) bool { return e.Type == "tell" || e.Type == "echo" }

// given is the fact that a thread was given the event; idle says that it had no use for it.
func (e *event) given(idle bool) fact {
	if e.kind != "" {
		return fact{heard: e.sent}
	}
	return fact{event: e.n, idle: idle}
}

// say sends an event to the thread that t.to names. No flow makes a request in the same delivery: the engine would number that first.
func (s *stepper) say(kind string) {
	to := activity.ID{Activity: hubs, Domain: s.t.to}
	if kind == "echo" {
		to.Activity = users
	}
	s.facts = append(s.facts, fact{said: &said{seq: s.number<<16 | s.place, kind: kind, from: s.id, to: to, n: s.t.n, amount: s.t.sum, atMs: s.nowMs}})
	s.place++
}

// eventAt finds what a thread was given: what a thread sent by its id, else what was sent by the number in its attributes.
func (r *run) eventAt(id activity.ID, e *activity.Event) *event {
	if !ofThread(e) {
		return r.event(e.Attrs)
	}
	q, err := r.parseID(e.ID)
	m := r.ledger.said[q]
	if err != nil || m == nil {
		r.fail("thread %v was given %s %s, which no turn on disk has sent: %v", id, e.Type, e.ID, err)
		return &event{kind: e.Type, sent: q}
	}
	n, amount := number64(e.Attrs["n"]), number64(e.Attrs["amount"])
	if e.Type != m.kind || id != m.to || n != m.n || amount != m.amount {
		r.fail("thread %v was given %s %v with n %d and amount %d, but thread %v sent %s to %v with n %d and amount %d", id, e.Type, q, n, amount, m.from, m.kind, m.to, m.n, m.amount)
	}
	m.waits = false
	return &event{kind: m.kind, from: m.from.Domain, sent: q, n: m.n, amount: m.amount}
}

// keepSaid notes that a turn on disk sent this.
func (r *run) keepSaid(q request, m *said) {
	if r.ledger.said[q] != nil {
		r.fail("thread %v sends %s %v, whose number was given to another one before", m.from, m.kind, q)
	}
	r.ledger.said[q] = m
}

// startSaid notes what a node finds in its outboxes when it starts.
func (r *run) startSaid() {
	for _, m := range r.ledger.said {
		m.waits = !m.heard
	}
}

// notAhead: an alarm rings when what was sent before it, and found in an outbox at the start, is with its thread.
func (r *run) notAhead(id activity.ID, dueMs int64) {
	for q, m := range r.ledger.said {
		if m.waits && m.atMs < dueMs {
			r.fail("thread %v was given its alarm of %d ms although %s %v, sent %d ms earlier, lay in an outbox since the start", id, dueMs, m.kind, q, dueMs-m.atMs)
			return
		}
	}
}

// keepHeard notes that a turn on disk gave this to its thread: once, in the order in which the sender's slot has sent it.
func (r *run) keepHeard(q request, id activity.ID) {
	l := r.ledger
	m, at := l.said[q], line{q.slot, id}
	switch {
	case m == nil: // said when it was observed
		return
	case m.heard:
		r.fail("%s %v of thread %v was given to %v twice", m.kind, q, m.from, id)
	case l.heard[at] > q.seq:
		r.fail("%s %v of thread %v was given to %v after number %d of the same slot", m.kind, q, m.from, id, l.heard[at])
	}
	m.heard = true
	l.heard[at] = max(l.heard[at], q.seq)
}

// taken reports whether the disk says that a slot has taken what a thread of another slot, or of the same one, has sent.
func (r *run) taken(slot uint16, q request) (bool, error) {
	high, err := r.node.store.HighWater(slot, fmt.Sprintf("slot/%d", q.slot))
	return high >= q.seq, err
}

// auditSaid: what a thread sent lies in the outbox or was given to its thread. It takes what it knows out of the outboxes' rows.
func (r *run) auditSaid(boxes map[request]bool) error {
	for q, m := range r.ledger.said {
		if !m.heard && !boxes[q] {
			return fmt.Errorf("%s %v of thread %v to %v is lost: it lies in no outbox and was never given to its thread", m.kind, q, m.from, m.to)
		}
		delete(boxes, q)
	}
	return nil
}
