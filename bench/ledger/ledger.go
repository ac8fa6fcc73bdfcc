// Package ledger owns the books of the kill test: what the client sent and was told, what the services received and answered, and what
// the threads and the dead letters say in the end. It shares no code with what it checks and does not know how that works: events of
// one domain are folded in the order in which the client sent them, and everything else must follow from that.
//
// Room: door.
package ledger

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The rolling hash of a thread: hash = (hash*Factor + number of the event) % Modulus, from 0.
const Factor, Modulus = 31, 1_000_000_007

// Kind tells the two threads of an event apart: users ask the oracle, items set alarms and ring the bell when one fires.
type Kind string

const User, Item Kind = "user", "item" // the kinds of thread

// Event is one event as the client made it. It concerns the thread of its user and the thread of its item.
type Event struct {
	ID             string
	User, Item     string // domain ids
	N, M           int64  // place in the user's and in the item's history, from 1
	Amount, Weight int64  // what the user thread and the item thread add up
	Ask            bool   // the user thread asks the oracle with its sum
	Arm            bool   // the item thread sets an alarm that its next event cancels
	Hold           bool   // the client sends the item nothing more before that alarm has fired
	Poison         bool   // lacks what the user's trigger needs: for the user a dead letter, for the item an event like others
}

// State is what a thread holds in the end.
type State struct {
	Count, Sum, Hash int64
	Trace            string // one letter a wait: user o (answered) or t (timeout), item f (fired) or c (cancelled)
	Echoes           int64  // user: sum of the answers' echoes
}

// Request is what a service received.
type Request struct {
	ID      string
	Service string // "oracle" or "bell"
	Domain  string
	N       int64 // number of the event that led to it
	Sum     int64 // oracle: the user's running sum
	Waited  int64 // bell: ms between setting the alarm and its firing

	body     string
	times    int // how often it was delivered
	answered bool
}

// Echo is what the oracle answers: it depends on the request, so that an answer that reached another request shows.
func (r *Request) Echo() int64 { return 3*r.Sum + r.N }

type entry struct {
	Event
	sent, acked, dead int // times sent and acknowledged, dead letters that carry it
}

// account is what is known of one domain of one kind.
type account struct {
	Kind  Kind
	where string               // "user u17"
	Sent  []*entry             // in the client's order
	asked map[int64][]*Request // by number of the event
	Got   State                // in the end
}

// Ledger is the books. It is not safe for concurrent use.
type Ledger struct {
	alarmMs  int64
	events   map[string]*entry
	accounts map[string]*account
	requests map[string]*Request
	lastSeq  map[string]uint64 // by service and slot: the highest number delivered
	report   Report
}

// New returns empty books. Alarms are set for alarmMs milliseconds: none may fire before.
func New(alarmMs int64) *Ledger {
	return &Ledger{alarmMs: alarmMs, events: map[string]*entry{}, accounts: map[string]*account{}, requests: map[string]*Request{}, lastSeq: map[string]uint64{}}
}

func (l *Ledger) account(k Kind, domain string) *account {
	where := string(k) + " " + domain
	if l.accounts[where] == nil {
		l.accounts[where] = &account{Kind: k, where: where, asked: map[int64][]*Request{}}
	}
	return l.accounts[where]
}

// Send notes that an event is about to be sent, for the first time or again. The order of first sendings is the order of its domains.
func (l *Ledger) Send(e Event) {
	if old := l.events[e.ID]; old != nil {
		old.sent++
		return
	}
	rec := &entry{Event: e, sent: 1}
	l.events[e.ID] = rec
	if !e.Poison {
		user := l.account(User, e.User)
		user.Sent = append(user.Sent, rec)
	}
	item := l.account(Item, e.Item)
	item.Sent = append(item.Sent, rec)
}

// Acknowledge notes what the node said of an event: applied now, or a duplicate of one applied before.
func (l *Ledger) Acknowledge(id string, duplicate bool) {
	e := l.events[id]
	switch {
	case e == nil:
		l.found(Other, "event "+id, "acknowledged, but never sent")
		return
	case duplicate && e.sent == 1:
		l.found(Lost, "event "+id, "called a duplicate at its first sending", e)
	case !duplicate && e.acked > 0:
		l.found(Doubled, "event "+id, "acknowledged before, and now applied again", e)
	}
	e.acked++
	if duplicate {
		l.report.Duplicates++
	}
}

// Receive notes a request as a service got it, in the wire form, and returns it read. It is called for every delivery, in order.
func (l *Ledger) Receive(raw []byte) (*Request, error) {
	var wire struct {
		Type, Receiver string
		Attr           struct {
			RequestID string `json:"request_id"`
			Domain    string
			Args      struct{ N, Sum, Waited int64 }
		}
	}
	a := &wire.Attr
	if err := json.Unmarshal(raw, &wire); err != nil || wire.Type != "req" || a.RequestID == "" {
		err = fmt.Errorf("no request: %s (%v)", raw, err)
		l.found(Other, "service", err.Error())
		return nil, err
	}
	if old := l.requests[a.RequestID]; old != nil {
		if old.times++; old.body != string(raw) {
			l.found(Other, "request "+old.ID, "two bodies for one id: "+old.body+" and "+string(raw))
		}
		return old, nil
	}
	r := &Request{ID: a.RequestID, Service: wire.Receiver, Domain: a.Domain, N: a.Args.N, Sum: a.Args.Sum, Waited: a.Args.Waited, body: string(raw), times: 1}
	l.requests[r.ID] = r
	from := l.account(map[bool]Kind{false: User, true: Item}[r.Service == "bell"], r.Domain)
	from.asked[r.N] = append(from.asked[r.N], r)
	cut := strings.LastIndexByte(r.ID, '-') + 1 // "<store>-<slot>-<number>": the new requests of a slot come in order
	line := r.Service + " " + r.ID[:cut]
	seq, err := strconv.ParseUint(r.ID[cut:], 10, 64)
	if err != nil || seq <= l.lastSeq[line] {
		l.found(Other, "request "+r.ID, fmt.Sprintf("reached %s after number %d of its slot", r.Service, l.lastSeq[line]))
	}
	l.lastSeq[line] = max(seq, l.lastSeq[line])
	return r, nil
}

// Answered notes that the oracle is about to answer a request.
func (l *Ledger) Answered(id string) { l.requests[id].answered = true }

// DeadLetter notes a dead letter: the event in it and the domain id it was for.
func (l *Ledger) DeadLetter(id, domain string) {
	if e := l.events[id]; e != nil && e.Poison && domain == e.User {
		e.dead++
		return
	}
	l.found(Other, "dead letter "+id, "for "+domain+": nothing was wrong with it")
}

// Thread notes what a thread holds in the end.
func (l *Ledger) Thread(k Kind, domain string, s State) {
	l.account(k, domain).Got = s
	l.report.Threads++
}
