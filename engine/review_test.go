package engine

import (
	"fmt"
	"testing"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

const chattyFlow = `
activity:
  name: chatty
  domain_id_strategy: user
  config:
    $schedule.max_continue_periods: 100000
  trigger:
    type: event
    args: {condition: 'eventTypeIs("go")'}
    context_vars: {n: 0}
  actions:
    - name: count
      type: compute
      args:
        - n: var("n") + 1
      ctrl: call("tell")
    - name: tell
      type: oracle
      args:
        request: var("n")
      await: false
      ctrl:
        - when: var("n") < 2500
          then: call("count")
        - default: finish()
`

func TestManyRequestsOfOneMessageKeepTheirNumbersApart(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("oracle")
	n := r.flow(chattyFlow)
	r.put(event("go", "", "user", "u"))
	r.is(n, "u", "running count n=1000")
	r.quiet()
	r.is(n, "u", "finished tell n=2500")
	ids := map[string]bool{}
	for _, id := range r.requestIDs() {
		ids[id] = true
	}
	if len(r.seen) != 2500 || len(ids) != 2500 {
		t.Errorf("the service saw %d requests with %d ids, want 2,500 of each", len(r.seen), len(ids))
	}
}

// TestTimerCursorAheadOfTheClock is a death between a slot's group, which moved its timer cursor, and the node's, which would have moved the clock.
func TestTimerCursorAheadOfTheClock(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.flow(tickFlow)
	slot := r.e.turn.slotNumber("u")
	b := r.store.NewBatch()
	b.Begin(slot)
	b.PutSlotMeta(store.SlotMeta{Sequence: 7, CursorMs: startMs + 60_000})
	r.must(b.Commit())
	r.restart()
	r.put(event("go", "", "user", "u", "at", int64(10_000)))
	r.restart()
	if fired := r.advance(100_000); fired != 10 {
		t.Errorf("%d alarms fired in 100 s, want one every 10 s: the first was set behind the cursor", fired)
	}
}

const titledFlow = `
activity:
  name: titled
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("go")'}
    context_vars:
      title: eventAttr("title")
      n: 1
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("more")
          context_vars:
            n: var("n") + 1
          then: call("wait")
`

func TestReplayedEventDoesNotHideABirthOfItsTurn(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(titledFlow)
	untitled := event("go", "", "user", "u")
	untitled.Raw = []byte(`{"type":"go","attr":{"user":"u"}}`)
	r.put(untitled)
	letters, err := r.e.DeadLetters(10)
	r.must(err)
	if len(letters) != 1 {
		t.Fatalf("there are %d dead letters, want the event without a title", len(letters))
	}
	r.must(r.e.SubmitDeadLetters([]store.DeadID{letters[0].ID()}, true, func([]DeadResult, error) {}))
	r.put(event("go", "", "user", "u", "title", "T"), event("more", "", "user", "u"))
	r.is(n, "u", "waiting wait title=T n=2")
}

func TestSpareMemoryDoesNotGrowWithHotThreads(t *testing.T) {
	r, _ := counter(t)
	for turn := range 20 {
		var records []*messagebus.Record
		for i := range 2000 {
			user := "hot"
			if i%40 == 0 {
				user = fmt.Sprint("u", turn, i)
			}
			records = append(records, event("hit", "", "user", user))
		}
		r.put(records...)
	}
	r.e.Turn()
	room := 0
	for _, w := range r.e.turn.work {
		if w == nil {
			continue
		}
		for _, tw := range w.spare {
			for class := range tw.mail {
				room = max(room, cap(tw.mail[class]))
			}
		}
	}
	if room > maxSpareMail {
		t.Errorf("a spare keeps room for %d messages, want at most %d", room, maxSpareMail)
	}
}
