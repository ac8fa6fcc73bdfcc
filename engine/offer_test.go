package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/slots"
)

// flowOf is a flow that is born by events of one type, counts all events of its domain, and ends by the type "end".
func flowOf(name, strategy, birth string) string {
	return fmt.Sprintf(`
activity:
  name: %s
  domain_id_strategy: %s
  trigger: {type: event, args: {condition: eventTypeIs("%s")}, context_vars: {n: 1}}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("end")
          then: finish()
        - when: "true"
          context_vars: {n: var("n") + 1}
          then: call("wait")
`, name, strategy, birth)
}

// deliveries is how many delivery numbers the slot of a domain id has drawn.
func (r *rig) deliveries(domain string) uint64 { return r.e.slots[slots.Of(domain, 8)].Sequence }

func shown(verdicts []messagebus.Verdict) string {
	var out []string
	for _, v := range verdicts {
		out = append(out, fmt.Sprintf("%s/%d/%s %s", v.Strategy, v.Activity, v.DomainID, v.Kind))
	}
	return strings.Join(out, ", ")
}

// TestUnrelatedActivitiesCostNothing: of 300 activities on one strategy only those are given an event that have a thread or may get one.
func TestUnrelatedActivitiesCostNothing(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	var numbers []uint32
	for i := range 300 {
		numbers = append(numbers, r.flow(flowOf(fmt.Sprint("flow", i), "user", fmt.Sprint("start", i))))
	}
	before, evals := r.deliveries("u1"), r.evaluations()
	if got, want := shown(r.put(event("other", "", "user", "u1"))[0].Verdicts), "user/0/u1 no_trigger"; got != want {
		t.Errorf("an event that concerns none of 300 activities is answered %q, want %q", got, want)
	}
	if drawn, asked := r.deliveries("u1")-before, r.evaluations()-evals; drawn != 0 || asked != 0 {
		t.Errorf("an event that concerns no activity made %d deliveries and %d evaluations, want none", drawn, asked)
	}
	if got, want := shown(r.put(event("start7", "", "user", "u1"))[0].Verdicts), fmt.Sprintf("user/%d/u1 spawned", numbers[7]); got != want {
		t.Errorf("the event that starts flow 7 is answered %q, want %q", got, want)
	}
	before = r.deliveries("u1")
	want := fmt.Sprintf("user/%d/u1 taken, user/%d/u1 spawned", numbers[7], numbers[9])
	if got := shown(r.put(event("start9", "", "user", "u1"))[0].Verdicts); got != want {
		t.Errorf("an event for a live thread and a trigger is answered %q, want %q", got, want)
	}
	if drawn := r.deliveries("u1") - before; drawn != 2 {
		t.Errorf("an event for two of 300 activities made %d deliveries, want 2", drawn)
	}
	r.is(numbers[7], "u1", "waiting wait n=2")
	r.is(numbers[9], "u1", "waiting wait n=1")
	r.is(numbers[8], "u1", "absent ")
}

// TestNewbornGetsTheRestOfItsTurn: a thread born in a turn is given the events after it, whose type its trigger does not know.
func TestNewbornGetsTheRestOfItsTurn(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	a, b := r.flow(flowOf("one", "user", "one")), r.flow(flowOf("two", "user", "two"))
	answers := r.put(event("other", "", "user", "u"), event("one", "", "user", "u"), event("other", "", "user", "u"), event("two", "", "user", "u"),
		event("end", "", "user", "u"), event("other", "", "user", "u"), event("two", "", "user", "u"))
	want := []string{"user/0/u no_trigger", fmt.Sprintf("user/%d/u spawned", a), fmt.Sprintf("user/%d/u taken", a),
		fmt.Sprintf("user/%d/u taken, user/%d/u spawned", a, b), fmt.Sprintf("user/%d/u taken, user/%d/u taken", a, b),
		fmt.Sprintf("user/%d/u no_trigger, user/%d/u no_trigger", a, b), fmt.Sprintf("user/%d/u no_trigger, user/%d/u spawned", a, b)}
	for i, w := range want {
		if got := shown(answers[i].Verdicts); got != w {
			t.Errorf("event %d is answered %q, want %q", i, got, w)
		}
	}
	r.is(a, "u", "finished wait n=3")
	r.is(b, "u", "waiting wait n=1")
}

// TestVerdictsOfSeveralSlots: the verdicts of one event stand in the order of strategies, whatever the slots of their domain ids.
func TestVerdictsOfSeveralSlots(t *testing.T) {
	r := newRig(t)
	var want []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		r.strategy(name, fmt.Sprintf(`containsAttr("%s")`, name), fmt.Sprintf(`eventAttr("%s")`, name))
		want = append(want, fmt.Sprintf("%s/%d/of_%s spawned", name, r.flow(flowOf("flow_"+name, name, "go")), name))
	}
	e := func(kind string) *messagebus.Record {
		return event(kind, "k"+kind, "a", "of_a", "b", "of_b", "c", "of_c", "d", "of_d", "e", "of_e")
	}
	if got := shown(r.put(e("go"))[0].Verdicts); got != strings.Join(want, ", ") {
		t.Errorf("an event of five strategies is answered %q, want %q", got, strings.Join(want, ", "))
	}
	again := r.put(e("go"))[0]
	if got, want := shown(again.Verdicts), strings.ReplaceAll(strings.Join(want, ", "), "spawned", "duplicate"); got != want || !again.Duplicate {
		t.Errorf("its repeat is answered %q, duplicate %v, want %q", got, again.Duplicate, want)
	}
}

// TestOneDeliveryForTwoStrategies: two strategies that lead an event to the same thread give it the event once.
func TestOneDeliveryForTwoStrategies(t *testing.T) {
	r := newRig(t)
	r.strategy("first", `containsAttr("user")`, `eventAttr("user")`)
	r.strategy("second", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(flowOf("flow", "first", "go"))
	r.put(event("go", "", "user", "u"))
	r.flowVersion(flowOf("flow", "second", "go"))
	if got, want := shown(r.put(event("note", "", "user", "u"))[0].Verdicts), fmt.Sprintf("first/%d/u taken", n); got != want {
		t.Errorf("an event that two strategies lead to a thread is answered %q, want %q", got, want)
	}
	r.is(n, "u", "waiting wait n=2")
	r.put(event("end", "", "user", "u"))
	if got, want := shown(r.put(event("go", "", "user", "u"))[0].Verdicts), fmt.Sprintf("first/%d/u no_trigger, second/%d/u spawned", n, n); got != want {
		t.Errorf("an event that may give birth by the later version's strategy is answered %q, want %q", got, want)
	}
	if got := r.thread(n, "u").Status; got != activity.Waiting {
		t.Errorf("the thread of the later version is %s, want waiting", got)
	}
}

// flowVersion stores a further version of a flow that has an activity.
func (r *rig) flowVersion(text string) {
	_, outcome, problems, err := r.cache.PutDefinition(context.Background(), []byte(text), "")
	if err != nil || outcome == 0 {
		r.t.Fatalf("definition: %v %v", problems, err)
	}
}
