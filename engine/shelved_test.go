package engine

import (
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

const repairFlow = `
activity:
  name: mend
  domain_id_strategy: user
  trigger: eventTypeIs("open")
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("break")
          then: repair("broken")
        - after: seconds(10)
          then: finish()
`

// TestMailAloneDoesNotUpdateAThread: who looks for idle threads must find those that stand still, however many messages come for them.
func TestMailAloneDoesNotUpdateAThread(t *testing.T) {
	r, n := counter(t)
	r.put(event("hit", "", "user", "u"))
	r.put(&messagebus.Record{Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: "pause"}}}})
	r.clock.Advance(60_000)
	r.put(event("hit", "", "user", "u"), event("hit", "", "user", "u"))
	if th := r.thread(n, "u"); th.Parked != 2 || th.UpdatedMs != startMs {
		t.Errorf("the paused thread has %d messages and was updated %d ms after its pause, want 2 and 0", th.Parked, th.UpdatedMs-startMs)
	}
	r.put(&messagebus.Record{Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: "resume"}}}})
	if th := r.thread(n, "u"); th.UpdatedMs != startMs+60_000 {
		t.Errorf("the resumed thread was updated %d ms after its pause, want 60,000", th.UpdatedMs-startMs)
	}
}

// TestMailDoesNotWakeWhoWaitsForRepair: its alarm rests, and a message is one step, not two; one that it does not want leaves its row alone.
func TestMailDoesNotWakeWhoWaitsForRepair(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(repairFlow)
	r.put(event("open", "", "user", "u"), event("break", "", "user", "u"))
	r.clock.Advance(60_000)
	r.quiet() // the alarm's row goes
	before := r.thread(n, "u")
	if before.Problem != "broken" || before.AlarmDue == 0 || before.Alarm != (activity.AlarmRow{}) {
		t.Fatalf("the thread is %+v, want it to wait for repair with an alarm that rests", before)
	}
	r.clock.Advance(60_000)
	sequence := r.e.slots[r.e.turn.slotNumber("u")].Sequence
	r.put(event("other", "", "user", "u"))
	if took := r.e.slots[r.e.turn.slotNumber("u")].Sequence - sequence; took != 1 {
		t.Errorf("a message for a thread that waits for repair is %d steps, want 1", took)
	}
	if th := r.thread(n, "u"); th.UpdatedMs != before.UpdatedMs {
		t.Errorf("the thread was updated %d ms later by a message that it does not want, want it left alone", th.UpdatedMs-before.UpdatedMs)
	}
}
