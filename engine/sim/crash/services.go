package crash

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// letter is an answer of the oracle on its way.
type letter struct {
	dueMs  int64
	reply  messagebus.Reply
	copies int  // how often it comes
	sent   bool // it waits in the node for its turn
}

// courier carries requests to the services of a run.
type courier struct{ n *node }

var errLost = errors.New("the connection broke")

// Publish loses requests, or the word that they arrived; what arrived is answered in the body, later, several times or never.
func (c *courier) Publish(_ context.Context, d messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	r := c.n.r
	if c.n.dead.Load() {
		return nil, errLost
	}
	if !r.ending && r.rng.IntN(8) == 0 {
		r.note("  requests to %s are lost", d.Name)
		return nil, errLost
	}
	var replies []messagebus.Incoming
	var answered []*asked
	for _, body := range bodies {
		reply, err := r.serve(d.Name, body)
		if err != nil {
			r.fail("%v", err)
			return nil, err
		}
		if reply != nil {
			replies = append(replies, messagebus.Incoming{Reply: reply})
			if q, err := r.parseID(reply.RequestID); err == nil {
				answered = append(answered, r.ledger.asks[q])
			}
		}
	}
	if !r.ending && r.rng.IntN(8) == 0 {
		r.note("  requests to %s arrived, their answer is lost", d.Name)
		return nil, errLost
	}
	for _, a := range answered {
		a.inBody = true
	}
	return replies, nil
}

// serve takes a request and says what is answered at once.
func (r *run) serve(service string, body []byte) (*messagebus.Reply, error) {
	v, err := messagebus.DecodeValue(body)
	if err != nil {
		return nil, fmt.Errorf("a request that is not JSON: %w", err)
	}
	m, _ := v.(map[string]any)
	attr, _ := m["attr"].(map[string]any)
	args, _ := attr["args"].(map[string]any)
	id, _ := attr["request_id"].(string)
	q, err := r.parseID(id)
	if err != nil {
		return nil, err
	}
	a := r.ledger.asks[q]
	if a == nil {
		return nil, fmt.Errorf("%s got request %s, which no turn on disk has made: %s", service, id, body)
	}
	if got := [3]int64{number64(args["n"]), number64(args["sum"]), number64(args["count"])}; a.service != service || got != a.args {
		return nil, fmt.Errorf("%s got request %s with n, sum, count %v, the thread asked %s with %v", service, id, got, a.service, a.args)
	}
	again := a.body != ""
	if again && a.body != string(body) {
		return nil, fmt.Errorf("request %s came with another body:\n    %s\n    %s", id, a.body, body)
	}
	line := destinationSlot{service, q.slot}
	if !again && r.sent[line] >= q.seq {
		return nil, fmt.Errorf("request %s came to %s after one of number %d of the same slot", id, service, r.sent[line])
	}
	r.sent[line] = max(r.sent[line], q.seq)
	a.body, a.inBody = string(body), false
	r.note("  %s gets %s", service, id)
	if service != "oracle" {
		return nil, nil
	}
	domain, _ := attr["domain"].(string)
	reply := messagebus.Reply{RequestID: id, Activity: uint32(number64(attr["activity"])), Domain: domain, Action: "oracle", TimeMs: r.nowMs(),
		Result: activity.Result{Data: map[string]any{"echo": a.args[1] % 1000, "seq": int64(q.seq)}}}
	atOnce := r.rng.IntN(3) == 0
	if r.rng.IntN(4) > 0 {
		l := &letter{dueMs: r.nowMs() + r.rng.Int64N(timeoutMs*5/4), reply: reply, copies: 1 + r.rng.IntN(2)}
		switch r.rng.IntN(6) {
		case 0, 1:
			l.dueMs = r.nowMs()
		case 2: // together with the timeout's alarm
			l.dueMs = max(r.nowMs(), number64(m["time"])+timeoutMs)
		}
		if r.rng.IntN(4) == 0 { // it does not say which request it answers
			l.reply.RequestID = ""
			l.reply.Result.Data = map[string]any{"echo": a.args[1] % 1000, "seq": int64(q.seq), "nameless": true}
		}
		r.letters = append(r.letters, l)
	}
	if atOnce {
		return &reply, nil
	}
	return nil, nil
}

type destinationSlot struct {
	service string
	slot    uint16
}

func (r *run) parseID(id string) (request, error) {
	parts := strings.Split(id, "-")
	if len(parts) != 3 || parts[0] != r.node.store.Node().StoreID {
		return request{}, fmt.Errorf("the request id %q is not of this store", id)
	}
	slot, err1 := strconv.ParseUint(parts[1], 10, 16)
	seq, err2 := strconv.ParseUint(parts[2], 10, 64)
	return request{uint16(slot), seq}, errors.Join(err1, err2)
}

// mail gives the node answers that are due, each until it was heard.
func (r *run) mail() {
	n := r.node
	for _, l := range r.letters {
		if l.copies == 0 || l.sent || l.dueMs > r.nowMs() || !r.ending && r.rng.IntN(2) == 0 {
			continue
		}
		l.sent = true
		reply := l.reply
		r.submit(&messagebus.Record{Source: "http/replies", TimeMs: r.nowMs(), Incoming: messagebus.Incoming{Reply: &reply}, Answer: func(a messagebus.Answer) {
			if n.dead.Load() {
				return
			}
			l.sent = false
			if a.Err == nil && (r.ending || r.rng.IntN(6) > 0) { // otherwise its 2xx is lost: it comes again
				l.copies--
			}
		}})
	}
}
