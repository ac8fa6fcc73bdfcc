package engine

import (
	"fmt"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

const tickFlow = `
activity:
  name: tick
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("go")'}
    context_vars: {at: eventAttr("at"), ticks: 0}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("off")
          then: call("off")
        - after: var("at")
          context_vars:
            ticks: var("ticks") + 1
          then: call("wait")
    - name: off
      type: receive
      args:
        - when: eventTypeIs("end")
          then: finish()
`

// TestManyAlarmsFireOnceEach lets thousands of alarms come due at few moments (more than a turn takes), with restarts between the turns and
// alarms set and cancelled around the cursor.
func TestManyAlarmsFireOnceEach(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(tickFlow)
	r.e.o.MaxAlarms = 150
	const threads = 2000
	var records []*messagebus.Record
	for i := range threads {
		records = append(records, event("go", "", "user", fmt.Sprint("u", i), "at", int64(1000+1000*(i%4))))
	}
	r.put(records...)
	records = nil
	for i := 0; i < threads; i += 10 {
		records = append(records, event("off", "", "user", fmt.Sprint("u", i)))
	}
	r.put(records...)
	r.clock.Advance(4000)
	turns := 0
	for r.e.Turn() {
		if turns++; turns%5 == 0 {
			r.restart()
			r.e.o.MaxAlarms = 150
		}
	}
	for i := range threads {
		th := r.thread(n, fmt.Sprint("u", i))
		ticks, _ := th.Vars.Get("ticks")
		want := int64(1)
		if i%10 == 0 {
			want = 0
		}
		if ticks != want {
			t.Fatalf("thread %d, whose alarm was due after %d ms, ticked %v times, want %d", i, 1000+1000*(i%4), ticks, want)
		}
	}
	// Each thread waits anew since the moment its alarm fired: advancing finds every next one, exactly once a period.
	r.e.o.MaxAlarms = 0x7fffffff
	if fired := r.advance(4000); fired == 0 {
		t.Fatal("no alarm fired in the next span")
	}
	for i := 1; i < threads; i += 10 {
		th := r.thread(n, fmt.Sprint("u", i))
		ticks, _ := th.Vars.Get("ticks")
		if period := int64(1 + i%4); ticks != 1+4/period {
			t.Fatalf("thread %d with a period of %d s ticked %v times, want %d", i, period, ticks, 1+4/period)
		}
	}
}
