package engine

import (
	"testing"

	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// lackingReplyFlow asks a service, and sends what it answers to a service that the trigger's event names.
const lackingReplyFlow = `
activity:
  name: passing
  domain_id_strategy: user
  trigger: {type: event, args: {condition: 'eventTypeIs("open")'}, context_vars: {to: 'eventAttr("to")', n: 0}}
  actions:
    - name: ask
      type: oracle
      args: {request: {q: 1}}
      ctrl:
        - when: resultOk()
          context_vars: {n: resultVar("n")}
          then: call("tell")
    - name: tell
      type: send
      args: {service: var("to"), messages: [{type: '"told"', attributes: {n: var("n")}}]}
      ctrl: finish()
`

// TestAReplyWaitsForTheServiceThatItsThreadNeeds: an answer is parked as it came, over a restart, and taken once when the service is there; the same
// answer again comes too late each time.
func TestAReplyWaitsForTheServiceThatItsThreadNeeds(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("oracle")
	n := r.flow(lackingReplyFlow)
	r.put(event("open", "", "user", "u", "to", "audit"))
	r.quiet()
	if len(r.seen) != 1 {
		t.Fatalf("the oracle got %d requests, want 1", len(r.seen))
	}
	id := r.thread(n, "u").Requests[0]
	slot := r.e.turn.slotNumber("u")
	reply := func() string {
		in := messagebus.Incoming{Reply: &messagebus.Reply{RequestID: r.e.turn.requestID(slot, id), Activity: n, Domain: "u", Action: "ask",
			Result: expr.Result{Data: map[string]any{"n": int64(7)}}}}
		return string(r.put(&messagebus.Record{Source: "reply", Incoming: in})[0].Verdicts[0].Kind)
	}
	if v := reply(); v != "parked" {
		t.Errorf("the answer is %s, want parked", v)
	}
	r.lacks(n, "stalled ask service_missing, 1 parked, from waiting")
	if v := reply(); v != "parked" && v != "late" {
		t.Errorf("the same answer once more is %s, want parked or late", v)
	}
	r.restart()
	r.seen = nil
	r.service("audit")
	r.quiet()
	r.is(n, "u", "finished tell to=audit n=7")
	if got := r.told(); len(got) != 1 || got[0] != "7" {
		t.Errorf("the service got %v, want what was answered, once", got)
	}
	if _, open, err := r.store.OpenRequest(slot, id); err != nil || open {
		t.Errorf("the request is open (%v, %v), want it closed", open, err)
	}
	if v := reply(); v != "late" {
		t.Errorf("the answer after its request was closed is %s, want late", v)
	}
	if left := r.letters(); len(left) != 0 {
		t.Errorf("there are %d dead letters, want none", len(left))
	}
}
