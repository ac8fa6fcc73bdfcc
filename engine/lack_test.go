package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// lackingFlow sends to the service that an event, or the thread's variable, names.
const lackingFlow = `
activity:
  name: lacking
  domain_id_strategy: user
  config: {$mailbox: keep}
  trigger:
    type: event
    args: {condition: 'eventTypeIs("open")'}
    context_vars: {to: 'eventAttr("to", "")', n: 0}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("go")
          context_vars: {to: eventAttr("to"), n: eventAttr("n")}
          then: call("tell")
        - when: eventTypeIs("next")
          then: call("later")
        - when: eventTypeIs("end")
          then: finish()
        - after: seconds(10)
          then: call("tell")
    - name: later
      type: receive
      args:
        - when: eventTypeIs("note")
          context_vars: {n: eventAttr("n")}
          then: call("tell")
    - name: tell
      type: send
      args: {service: var("to"), messages: [{type: '"told"', attributes: {n: var("n")}}]}
      ctrl: call("wait")
`

func lacking(t *testing.T) (*rig, uint32) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(lackingFlow)
	r.put(event("open", "", "user", "u", "to", "audit"))
	return r, n
}

// told returns the numbers in the order in which the service got them.
func (r *rig) told() (out []string) {
	for _, body := range r.seen {
		in, _, _, err := messagebus.DecodeJSON(body, startMs, messagebus.Limits{})
		r.must(err)
		out = append(out, fmt.Sprint(in[0].Event.Attrs["n"]))
	}
	return out
}

func (r *rig) lacks(n uint32, want string) {
	r.t.Helper()
	th := r.thread(n, "u")
	if got := fmt.Sprintf("%s %s %s, %d parked, from %s", th.Status, th.Action, th.Reason, th.Parked, th.PausedFrom); got != want {
		r.t.Errorf("the thread is %s (%s), want %s", got, th.Error, want)
	}
	if letters := r.letters(); len(letters) != 0 {
		r.t.Errorf("there are %d dead letters, want none: what the thread was given waits for it", len(letters))
	}
}

// TestAServiceThatIsNotThereStallsTheThread: what needs it waits in order, over a restart, and goes on by a command once the service is registered.
func TestAServiceThatIsNotThereStallsTheThread(t *testing.T) {
	r, n := lacking(t)
	resume := func() activity.VerdictKind {
		a := r.put(&messagebus.Record{Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: "resume"}}}})
		return a[0].Verdicts[0].Kind
	}
	for i, kind := range []activity.VerdictKind{activity.VerdictParked, activity.VerdictParked, activity.VerdictParked} {
		a := r.put(event("go", fmt.Sprint("k", i), "user", "u", "to", "audit", "n", int64(i)))
		if got := a[0].Verdicts[0].Kind; got != kind {
			t.Errorf("event %d: the verdict is %s, want %s", i, got, kind)
		}
		r.lacks(n, fmt.Sprintf("stalled wait service_missing, %d parked, from waiting", i+1))
	}
	if v := resume(); v != activity.VerdictTaken {
		t.Errorf("the command is %s, want taken", v)
	}
	r.lacks(n, "stalled wait service_missing, 3 parked, from waiting")
	r.restart()
	r.lacks(n, "stalled wait service_missing, 3 parked, from waiting")
	r.service("audit")
	resume()
	r.quiet()
	r.lacks(n, "waiting wait , 0 parked, from absent")
	if got, want := r.told(), []string{"0", "1", "2"}; !slices.Equal(got, want) {
		t.Errorf("the service got %v, want %v", got, want)
	}
	if v := r.put(event("go", "k1", "user", "u", "to", "audit", "n", int64(1)))[0]; !v.Duplicate {
		t.Error("a repeat of what was parked is not known as one")
	}
}

// TestAKeptMessageWaitsForItsService: it was kept for a later action, which needs the service; then it is parked, and nothing counts it twice.
func TestAKeptMessageWaitsForItsService(t *testing.T) {
	r, n := lacking(t)
	r.put(event("note", "", "user", "u", "n", int64(7)))
	if th := r.thread(n, "u"); th.Kept != 1 || th.Parked != 1 {
		t.Fatalf("the thread keeps %d of %d messages, want the note to be kept", th.Kept, th.Parked)
	}
	r.put(event("next", "", "user", "u"))
	r.lacks(n, "stalled later service_missing, 1 parked, from waiting")
	if th := r.thread(n, "u"); th.Kept != 0 {
		t.Errorf("the thread keeps %d messages, want none: the note is parked", th.Kept)
	}
	r.restart()
	r.service("audit")
	r.quiet()
	r.lacks(n, "waiting wait , 0 parked, from absent")
	if got := r.told(); !slices.Equal(got, []string{"7"}) {
		t.Errorf("the service got %v, want the note, once", got)
	}
}

// TestAStalledThreadLooksAgainForItsService: nobody commands it, no sweep comes by, and the alarm that needed the service is honoured then.
func TestAStalledThreadLooksAgainForItsService(t *testing.T) {
	r, n := lacking(t)
	r.advance(10_000)
	r.lacks(n, "stalled wait service_missing, 0 parked, from waiting")
	r.advance(activity.RecheckMs)
	r.lacks(n, "stalled wait service_missing, 0 parked, from waiting")
	r.service("audit")
	r.e.sweeper.snap = r.cache.Load()
	r.advance(activity.RecheckMs)
	r.quiet()
	if got := r.told(); len(got) == 0 || got[0] != "0" {
		t.Errorf("the service got %v, want what the alarm sent", got)
	}
	r.put(event("end", "", "user", "u"))
	if th := r.thread(n, "u"); th.Status != activity.Finished {
		t.Errorf("the thread is %s, want finished", th.Status)
	}
}
