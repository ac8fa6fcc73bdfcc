package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/slots"
)

// rallyFlow plays a ball back and forth between two threads, n times each.
const rallyFlow = `
activity:
  name: rally
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("serve")'}
    context_vars: {n: 0, other: eventAttr("other"), last: eventAttr("last"), first: 'eventAttr("first", false)'}
  actions:
    - name: begin
      type: case
      args:
        - when: var("first")
          then: call("play")
        - default: call("wait")
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("ball") AND var("n") + 1 == var("last") AND var("first")
          context_vars: {n: var("n") + 1}
          then: call("stay")
        - when: eventTypeIs("ball")
          context_vars: {n: var("n") + 1}
          then: call("play")
    - name: play
      type: send
      args: {messages: [{type: '"ball"', attributes: {user: var("other")}}]}
      ctrl:
        - when: var("n") == var("last")
          then: call("stay")
        - default: call("wait")
    - name: stay
      type: receive
      args:
        - when: eventTypeIs("ball")
          context_vars: {n: var("n") + 1000}
          then: call("stay")
`

// TestThreadsTalkWhileTheEngineRuns lets pairs of threads in different slots write to each other through the loop, the relay and its goroutines.
func TestThreadsTalkWhileTheEngineRuns(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(rallyFlow)
	const pairs, last = 6, 40
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.e.Run(ctx)
	}()
	for i := range pairs {
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		r.must(r.e.Submit(event("serve", "", "user", b, "other", a, "last", int64(last))))
		r.must(r.e.Submit(event("serve", "", "user", a, "other", b, "last", int64(last), "first", true)))
	}
	until(t, "every ball to be played and every row to be deleted", func() bool {
		for slot := range uint16(8) {
			if heads, err := r.store.OutboxHead(slot); err != nil || len(heads) > 0 {
				return false
			}
		}
		return r.e.Stats().Mails.Load() == 2*pairs*last
	})
	stop()
	<-done
	r.restart()
	for i := range pairs {
		for _, name := range []string{"a", "b"} {
			th := r.thread(n, fmt.Sprint(name, i))
			if got, _ := th.Vars.Get("n"); got != int64(last) || th.Action != "stay" {
				t.Errorf("thread %s%d has got %v balls and stands at %s, want %d at stay", name, i, got, th.Action, last)
			}
		}
	}
}

func TestAnEventToAServiceIsSentAsItIs(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("audit")
	n := r.flow("activity:\n  name: teller\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"go\")\n  actions:\n    - name: tell\n      type: send\n      args:\n        service: audit\n" +
		"        messages:\n          - {type: '\"seen\"', attributes: {n: 1, price: 2.50}}\n          - {type: '\"seen\"'}\n      ctrl: finish()\n")
	r.put(event("go", "", "user", "u"))
	r.is(n, "u", "finished tell")
	r.fail = fmt.Errorf("the service is away")
	_, _ = r.e.RelayNow(context.Background())
	r.fail = nil
	r.quiet()
	slot := slots.Of("u", 8)
	id := func(place int) string {
		return fmt.Sprintf("%s-%d-%d", r.store.Node().StoreID, slot, 1<<16|place)
	}
	want := []string{
		fmt.Sprintf(`{"type":"seen","id":%q,"sender":"weftbox","receiver":"audit","attr":{"n":1,"price":2.5},"time":%d}`, id(0), startMs),
		fmt.Sprintf(`{"type":"seen","id":%q,"sender":"weftbox","receiver":"audit","time":%d}`, id(1), startMs),
	}
	var got []string
	for _, body := range r.seen {
		got = append(got, string(body))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the service got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestMailIsAppliedOnceWhateverTheRelayRepeats gives the same rows to the loop again, in a turn of their own and twice in one turn.
func TestMailIsAppliedOnceWhateverTheRelayRepeats(t *testing.T) {
	r, n := counter(t)
	teller := r.flow("activity:\n  name: teller\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"go\")\n  actions:\n    - name: tell\n      type: send\n      args:\n" +
		"        messages:\n          - {type: '\"hit\"', attributes: {user: '\"x\"'}}\n          - {type: '\"hit\"', attributes: {$ACTIVITY: '\"counter\"', $DID: '\"x\"'}}\n      ctrl: finish()\n")
	r.put(event("go", "", "user", "u"))
	r.is(teller, "u", "finished tell")
	to := store.ToSlot(slots.Of("x", 8))
	rows, err := r.store.OutboxRows(slots.Of("u", 8), to, 0, 100, 1<<20, nil)
	r.must(err)
	if len(rows) != 2 {
		t.Fatalf("%d rows are written for the slot of x, want 2", len(rows))
	}
	for range 2 {
		r.must(r.e.put(input{mail: &mailbag{destination: to, rows: rows}}, 0))
	}
	r.e.Turn()
	r.is(n, "x", "waiting wait n=2")
	r.restart()
	r.must(r.e.put(input{mail: &mailbag{destination: to, rows: rows}}, 0))
	r.quiet()
	r.is(n, "x", "waiting wait n=2")
	if left, err := r.store.OutboxRows(slots.Of("u", 8), to, 0, 100, 1<<20, nil); err != nil || len(left) > 0 {
		t.Errorf("%d rows are left (%v), want none", len(left), err)
	}
}
