package engine

import (
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// besideFlow sleeps for an hour beside a question.
const besideFlow = `
activity:
  name: beside
  domain_id_strategy: user
  trigger: {type: event, args: {condition: eventTypeIs("go")}, context_vars: {ended: 0}}
  actions:
    - name: both
      type: concurrent
      args:
        actions: [{name: nap}, {name: ask}]
        default_result_handle: [{default: {ended: var("ended") + 1}}]
        ctrl:
          - when: false AND var("ended") > 5
            then: fail()
          - default: finish()
    - {name: nap, type: sleep, args: {time: hours(1)}}
    - {name: ask, type: shop, args: {request: 1, timeout: days(9)}}
`

func newBeside(t *testing.T) (*rig, activity.ID) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("shop")
	n := r.flow(besideFlow)
	r.put(event("go", "", "user", "u"))
	return r, activity.ID{Activity: n, Domain: "u"}
}

func (r *rig) order(id activity.ID, name string) {
	r.t.Helper()
	r.must(r.e.Command(id, activity.Command{Name: name}, func(a messagebus.Answer) {
		if len(a.Verdicts) != 1 || a.Verdicts[0].Kind != activity.VerdictTaken {
			r.t.Errorf("%s is answered %+v, want taken", name, a)
		}
	}))
	r.e.Turn()
}

// To fire the alarm of a thread that waits for several things is to fire the first of theirs.
func TestFiredAlarmReachesTheActionBesideOthers(t *testing.T) {
	r, id := newBeside(t)
	r.order(id, activity.CommandFireAlarm)
	r.quiet()
	r.is(id.Activity, "u", "waiting both ended=1")
}

// A deleted alarm does not come back when something else that runs beside it ends.
func TestDeletedAlarmStaysDeletedBesideOthers(t *testing.T) {
	r, id := newBeside(t)
	r.order(id, activity.CommandDeleteAlarm)
	r.must(r.e.Submit(&messagebus.Record{Source: "http/default", Incoming: messagebus.Incoming{Reply: &messagebus.Reply{Activity: id.Activity, Domain: "u", Action: "ask",
		Result: activity.Result{}}}}))
	r.quiet()
	r.is(id.Activity, "u", "waiting both ended=1")
	r.advance(2 * 3600_000)
	r.is(id.Activity, "u", "waiting both ended=1")
}
