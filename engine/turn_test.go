package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// explode is an action type that panics, for the tests of isolation.
type explode struct{}

func (explode) Start(*activity.Scope) activity.Outcome { panic("boom") }
func (explode) Receive(*activity.Scope, activity.Message) activity.Outcome {
	return activity.Ignore()
}

func init() {
	activity.Register(&definitions.Spec{Type: "explode", Doc: "Panics.", Shape: definitions.ShapeAny}, explode{})
}

const askFlow = `
activity:
  name: ask
  domain_id_strategy: user
  trigger: eventTypeIs("go")
  actions:
    - name: ask
      type: oracle
      args:
        request: {n: 1}
        timeout: minutes(1)
      ctrl:
        - when: resultOk()
          context_vars: {answer: resultVar("answer")}
          then: call("done")
        - when: resultTimeout()
          then: call("ask")
        - default: failBecause("no luck")
    - name: done
      type: receive
      args:
        - when: eventTypeIs("bye")
          then: finish()
`

func asking(t *testing.T) (*rig, uint32) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("oracle")
	return r, r.flow(askFlow)
}

func reply(id string, answer any) *messagebus.Record {
	return &messagebus.Record{Source: "http/default", Incoming: messagebus.Incoming{Reply: &messagebus.Reply{RequestID: id,
		Result: expr.Result{Data: map[string]any{"answer": answer}}}}}
}

// requestIDs returns the ids of the bodies the fake producer was given, in order.
func (r *rig) requestIDs() []string {
	var ids []string
	for _, body := range r.seen {
		v, err := messagebus.DecodeValue(body)
		r.must(err)
		ids = append(ids, v.(map[string]any)["attr"].(map[string]any)["request_id"].(string))
	}
	return ids
}

func TestRequestIsSentAfterTheCommitAndRepeatedWithTheSameBytes(t *testing.T) {
	r, n := asking(t)
	r.fail = errors.New("connection refused")
	r.put(event("go", "", "user", "u1"))
	r.quiet()
	r.fail = nil
	r.restart()
	r.e.RelayNow(t.Context())
	first := append([][]byte(nil), r.seen...)
	r.restart() // before the turn that deletes the row
	r.e.RelayNow(t.Context())
	if len(first) != 1 || len(r.seen) != 2 || string(r.seen[0]) != string(r.seen[1]) {
		t.Fatalf("the service saw %q, want the same body twice", r.seen)
	}
	r.quiet()
	r.restart()
	if sent, _ := r.e.RelayNow(t.Context()); sent != 0 {
		t.Errorf("%d rows are sent again after the delivery was committed, want 0", sent)
	}
	id := r.requestIDs()[0]
	a := r.put(reply(id, "yes"), reply(id, "no"))
	if a[0].Verdicts[0].Kind != activity.VerdictTaken || a[1].Verdicts[0].Kind != activity.VerdictLate {
		t.Errorf("a reply and its double are %v and %v, want taken and late", a[0].Verdicts, a[1].Verdicts)
	}
	r.is(n, "u1", "waiting done answer=yes")
	if a := r.put(reply(id, "again"))[0]; a.Verdicts[0].Kind != activity.VerdictLate {
		t.Errorf("a reply in a later turn is %v, want late", a.Verdicts)
	}
	if a := r.put(reply("zzzzzzzz-0-1", "x"))[0]; a.Verdicts[0].Kind != activity.VerdictLate {
		t.Errorf("a reply to another store's request is %v, want late", a.Verdicts)
	}
}

func TestAnswerInTheBodyAndDeletionShareATurn(t *testing.T) {
	r, n := asking(t)
	r.put(event("go", "", "user", "u1"))
	rows, err := r.store.OutboxRows(r.e.turn.slotNumber("u1"), 1, 0, 10, 1<<20, nil)
	r.must(err)
	if len(rows) != 1 {
		t.Fatalf("the outbox has %d rows, want 1", len(rows))
	}
	r.sent = []messagebus.Incoming{{Reply: &messagebus.Reply{RequestID: r.e.turn.requestID(rows[0].Slot, rows[0].Seq), Result: expr.Result{Data: map[string]any{"answer": int64(7)}}}}}
	if sent, err := r.e.RelayNow(t.Context()); sent != 1 || err != nil {
		t.Fatalf("the relay sent %d rows (%v), want 1", sent, err)
	}
	turns := r.e.Stats().Turns.Load()
	r.quiet()
	if got := r.e.Stats().Turns.Load() - turns; got != 1 {
		t.Errorf("the answer and the deletion took %d turns, want 1", got)
	}
	r.is(n, "u1", "waiting done answer=7")
}

func TestTimeoutAsksAgainAndTheOldAnswerIsLate(t *testing.T) {
	r, n := asking(t)
	r.put(event("go", "", "user", "u1"))
	r.quiet()
	if fired := r.advance(60_000); fired != 1 {
		t.Fatalf("%d alarms fired after a minute, want 1", fired)
	}
	r.quiet()
	ids := r.requestIDs()
	if len(ids) != 2 || ids[0] == ids[1] {
		t.Fatalf("the requests are %v, want two different ones", ids)
	}
	if a := r.put(reply(ids[0], "old"))[0]; a.Verdicts[0].Kind != activity.VerdictLate {
		t.Errorf("the answer to the timed out request is %v, want late", a.Verdicts)
	}
	unnamed := reply("", "new")
	unnamed.Incoming.Reply.Activity, unnamed.Incoming.Reply.Domain, unnamed.Incoming.Reply.Action = n, "u1", "ask"
	if a := r.put(unnamed)[0]; a.Verdicts[0].Kind != activity.VerdictTaken {
		t.Errorf("an answer without a request id is %v, want taken by the single open request", a.Verdicts)
	}
	r.is(n, "u1", "waiting done answer=new")
	if fired := r.advance(24 * 3600_000); fired != 0 {
		t.Errorf("%d alarms fired after the answer, want 0: the timer was cancelled", fired)
	}
}

func TestOneSlotKeepsItsOrderForADestination(t *testing.T) {
	r, _ := asking(t)
	var records []*messagebus.Record
	for i := range 500 {
		records = append(records, event("go", "", "user", fmt.Sprintf("u%d", i)))
	}
	r.put(records...)
	r.quiet()
	last := map[string]string{}
	for _, id := range r.requestIDs() {
		part := strings.SplitN(id, "-", 3)
		slot, seq := part[1], fmt.Sprintf("%20s", part[2])
		if seq <= last[slot] {
			t.Fatalf("slot %s sends %s after %s, want ascending", slot, seq, last[slot])
		}
		last[slot] = seq
	}
	if len(r.seen) != 500 {
		t.Fatalf("the service saw %d requests, want 500", len(r.seen))
	}
}

const spinFlow = `
activity:
  name: spin
  domain_id_strategy: user
  trigger: eventTypeIs("go")
  actions:
    - name: count
      type: compute
      args:
        - n: var("n", 0) + 1
      ctrl:
        - when: var("n") >= 2500
          then: call("wait")
        - default: call("count")
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("add")
          context_vars:
            got: str("%s%s", var("got", ""), eventAttr("c"))
          then: call("wait")
        - when: eventTypeIs("end")
          then: finish()
`

func TestYieldedThreadGetsItsMailInOrder(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(spinFlow)
	a := r.put(event("go", "", "user", "u"), event("add", "", "user", "u", "c", "a"), event("add", "", "user", "u", "c", "b"))
	if a[0].Verdicts[0].Status != activity.Running || a[1].Verdicts[0].Kind != activity.VerdictParked {
		t.Fatalf("after 1,000 actions the verdicts are %v, want a running thread and parked mail", a)
	}
	r.restart()
	r.put(event("add", "", "user", "u", "c", "c"))
	r.restart()
	r.quiet()
	r.is(n, "u", "waiting wait n=2500 got=abc")
	th := r.thread(n, "u")
	mail, err := r.store.MailOf(r.e.turn.slotNumber("u"), th.ID, 10)
	r.must(err)
	if th.Parked != 0 || len(mail) != 0 {
		t.Errorf("%d messages are still parked in %d rows, want none", th.Parked, len(mail))
	}
}

func TestMailOfAnEndedThreadIsOfferedToTheTrigger(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(spinFlow)
	r.put(event("go", "", "user", "u"), event("end", "", "user", "u"), event("go", "", "user", "u"), event("add", "", "user", "u", "c", "z"))
	first := r.thread(n, "u").Run
	r.quiet()
	r.is(n, "u", "waiting wait n=2500 got=z")
	if again := r.thread(n, "u").Run; again == first {
		t.Errorf("the run is still %d, want the next life", again)
	}
	if old, err := r.e.Thread(activity.ID{Activity: n, Domain: "u"}, first); err != nil || old.Status != activity.Finished {
		t.Errorf("the first run is %v (%v), want finished and kept", old.Status, err)
	}
}

func TestFullMailboxMakesDeadLetters(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(spinFlow)
	records := []*messagebus.Record{event("go", "", "user", "u")}
	for range activity.MaxParked + 5 {
		records = append(records, event("add", "", "user", "u", "c", "x"))
	}
	r.put(records...)
	r.quiet()
	th := r.thread(n, "u")
	if got, _ := th.Vars.Get("got"); len(got.(string)) != activity.MaxParked {
		t.Errorf("%d messages reached the thread, want %d", len(got.(string)), activity.MaxParked)
	}
	letters, err := r.e.DeadLetters(100)
	r.must(err)
	if len(letters) != 5 || letters[0].Reason != "mailbox_full" {
		t.Errorf("%d dead letters (%v), want 5 for a full mailbox", len(letters), letters)
	}
}

func TestPanicHarmsOnlyItsMessage(t *testing.T) {
	r, counter := counter(t)
	bad := r.flow("activity:\n  name: bad\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"hit\") AND eventAttr(\"user\") == \"u2\"\n  actions:\n    - name: boom\n      type: explode\n      args: 1\n      ctrl: finish()\n")
	answers := r.put(event("hit", "a", "user", "u1"), event("hit", "b", "user", "u2"), event("hit", "c", "user", "u3"))
	for i, user := range []string{"u1", "u2", "u3"} {
		if answers[i].Err != nil {
			t.Errorf("event %d is answered with %v", i, answers[i].Err)
		}
		r.is(counter, user, "waiting wait n=1")
	}
	r.is(bad, "u2", "absent ")
	letters, err := r.e.DeadLetters(10)
	r.must(err)
	if len(letters) != 1 || letters[0].Reason != "panic" || letters[0].Domain != "u2" || letters[0].Activity != bad {
		t.Fatalf("the dead letters are %+v, want one for the panic of activity %d", letters, bad)
	}
	if again := r.put(event("hit", "b", "user", "u2"))[0]; !again.Duplicate {
		t.Errorf("the repeat of the event is answered %+v, want duplicate: its dead letter is kept once", again)
	}
}

func TestTriggerVariablesThatCannotBeComputedAreADeadLetterWithItsPlace(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow("activity:\n  name: born\n  domain_id_strategy: user\n  trigger:\n    type: event\n    args: {condition: eventTypeIs(\"hit\")}\n    context_vars:\n      title: eventAttr(\"title\")\n  actions:\n    - name: wait\n      type: receive\n      args:\n        - after: days(1)\n          then: finish()\n")
	a := r.put(event("hit", "", "user", "u"))[0]
	if a.Verdicts[0].Kind != activity.VerdictDead || !strings.HasPrefix(a.Verdicts[0].Error, "8:14: ") {
		t.Fatalf("the verdict is %+v, want a dead letter at 8:14", a.Verdicts)
	}
	r.is(n, "u", "absent ")
	letters, err := r.e.DeadLetters(10)
	r.must(err)
	if len(letters) != 1 || letters[0].Reason != "trigger" || letters[0].Error != a.Verdicts[0].Error {
		t.Errorf("the dead letters are %+v, want the same text", letters)
	}
}

func TestCountersMatchTheThreads(t *testing.T) {
	r, n := counter(t)
	for i := range 30 {
		r.put(event("hit", "", "user", fmt.Sprint("u", i)))
	}
	for i := range 12 {
		r.put(event("end", "", "user", fmt.Sprint("u", i)))
	}
	counters, err := r.e.Counters(n)
	r.must(err)
	want := map[activity.Status]int64{activity.Waiting: 18, activity.Finished: 12}
	for _, c := range counters {
		if c.Action != "wait" || c.Version != "1" || want[c.Status] != c.N {
			t.Errorf("counter %+v, want %v at action wait of version 1", c, want)
		}
		delete(want, c.Status)
	}
	if len(want) > 0 {
		t.Errorf("the counters %v are missing", want)
	}
	var domains []string
	cursor, done := Cursor{}, false
	for !done {
		var page []activity.Thread
		page, cursor, done, err = r.e.Threads(n, cursor, 7)
		r.must(err)
		for _, th := range page {
			domains = append(domains, th.ID.Domain)
		}
	}
	if len(domains) != 18 {
		t.Errorf("the list has %d threads, want 18: %v", len(domains), domains)
	}
}

func TestStartReadsNoThread(t *testing.T) {
	r, _ := counter(t)
	var keys [2]int64
	for i, threads := range []int{100, 2000} {
		var records []*messagebus.Record
		for j := range threads {
			records = append(records, event("hit", "", "user", fmt.Sprint("u", j)))
		}
		r.put(records...)
		r.restart()
		keys[i] = r.store.Usage().KeysRead
	}
	if keys[0] != keys[1] || keys[0] > 100 {
		t.Errorf("a start reads %d keys with 100 threads and %d with 2,000, want the same small number", keys[0], keys[1])
	}
}

func TestCommandsAndParkedMail(t *testing.T) {
	r, n := counter(t)
	r.put(event("hit", "", "user", "u"))
	command := func(name string) messagebus.Verdict {
		return r.put(&messagebus.Record{Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: name}}}})[0].Verdicts[0]
	}
	if v := command("resume"); v.Kind != activity.VerdictDropped || v.Error == "" {
		t.Errorf("resume of a waiting thread is %+v, want refused with a reason", v)
	}
	command("pause")
	r.put(event("hit", "", "user", "u"), event("hit", "", "user", "u"))
	r.is(n, "u", "paused wait n=1")
	r.restart()
	if v := command("continue"); v.Kind != activity.VerdictTaken {
		t.Errorf("continue of a paused thread is %+v, want taken", v)
	}
	r.is(n, "u", "waiting wait n=3")
	command("kill")
	r.is(n, "u", "killed wait n=3")
	r.advance(8 * 24 * 3600_000)
	r.is(n, "u", "absent ")
}

const bombFlow = `
activity:
  name: bomb
  domain_id_strategy: user
  trigger: eventTypeIs("go")
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("defuse")
          context_vars:
            safe: true
          then: call("wait")
        - after: minutes(1)
          then: call("bang")
    - name: bang
      type: case
      args:
        - when: var("safe", false)
          then: finish()
        - default: "list.count(range(1000).![range(1000).![#this]], 1) > 0 ? finish() : fail()"
`

func TestAlarmThatHitsALimitStallsItsThread(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(bombFlow)
	r.put(event("go", "", "user", "u"))
	r.advance(61_000)
	r.is(n, "u", "stalled wait because limit")
	r.put(event("defuse", "", "user", "u"))
	r.restart()
	r.is(n, "u", "stalled wait because limit")
	letters, err := r.e.DeadLetters(10)
	r.must(err)
	if len(letters) != 1 || letters[0].Reason != "limit" {
		t.Fatalf("the dead letters are %+v, want the alarm's", letters)
	}
	resume := messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: "resume"}}}
	r.put(&messagebus.Record{Incoming: resume})
	r.is(n, "u", "waiting wait safe=true")
	r.advance(60_000)
	r.is(n, "u", "finished bang safe=true")
}

func TestMailOfAKilledThreadGoesWithIt(t *testing.T) {
	r, n := counter(t)
	r.put(event("hit", "", "user", "u"))
	command := func(name string) {
		r.put(&messagebus.Record{Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: name}}}})
	}
	command("pause")
	r.put(event("hit", "", "user", "u"), event("hit", "", "user", "u"))
	command("kill")
	r.is(n, "u", "killed wait n=1")
	r.put(event("hit", "", "user", "u"))
	r.is(n, "u", "waiting wait n=1")
	mail, err := r.store.MailOf(r.e.turn.slotNumber("u"), activity.ID{Activity: n, Domain: "u"}, 10)
	r.must(err)
	if len(mail) != 0 {
		t.Errorf("%d parked messages outlived their thread", len(mail))
	}
}

const growFlow = `
activity:
  name: grow
  domain_id_strategy: user
  trigger: eventTypeIs("go")
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("more")
          context_vars:
            text: var("text", "") + eventAttr("add")
          then: call("wait")
        - when: eventTypeIs("nest")
          context_vars:
            text: "{var('text', 1)}"
          then: call("wait")
`

func TestVariablesAreBounded(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(growFlow)
	r.put(event("go", "", "user", "u"), event("go", "", "user", "v"))
	for range 3 {
		r.put(event("more", "", "user", "u", "add", strings.Repeat("x", 30_000)))
	}
	for range store.MaxDepth + 10 {
		r.put(event("nest", "", "user", "v"))
	}
	text, _ := r.thread(n, "u").Vars.Get("text")
	if len(text.(string)) != 60_000 {
		t.Errorf("the variable has %d bytes, want the 60,000 of the two steps that fitted", len(text.(string)))
	}
	letters, err := r.e.DeadLetters(100)
	r.must(err)
	kinds := map[string]int{}
	for _, l := range letters {
		kinds[l.Domain+" "+l.Reason]++
	}
	if kinds["u limit"] != 1 || kinds["v limit"] < 5 {
		t.Errorf("the dead letters are %v, want one for u and several for v, all for a limit", kinds)
	}
	r.restart()
	r.is(n, "u", "waiting wait text="+text.(string))
}

func TestThreadThatNeverWaitsDoesNotHoldTheClockForEver(t *testing.T) {
	r, n := counter(t)
	r.put(event("hit", "", "user", "other"))
	r.flow("activity:\n  name: whirl\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"whirl\")\n  actions:\n    - name: again\n      type: compute\n      args:\n        - x: 1\n      ctrl: call(\"again\")\n")
	r.put(event("whirl", "", "user", "w"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if a := r.e.moveClock(advanceRequest{ctx: ctx, byMs: 1000}); !errors.Is(a.err, context.Canceled) {
		t.Errorf("an advance whose caller has gone is answered %v, want its own error", a.err)
	}
	if _, _, err := r.e.AdvanceNow(1000); !errors.Is(err, ErrBusyClock) {
		t.Errorf("an advance past a thread that never waits is answered %v, want ErrBusyClock", err)
	}
	r.put(event("hit", "", "user", "other"))
	r.is(n, "other", "waiting wait n=2")
}
