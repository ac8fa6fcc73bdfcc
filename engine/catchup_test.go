package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/mem"
)

const remindFlow = `
activity:
  name: remind
  domain_id_strategy: user
  trigger: eventTypeIs("coupon")
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("buy")
          then: finish()
        - after: days(2)
          then: call("push")
    - name: push
      type: push
      args:
        request: 1
      await: false
      ctrl: finish()
`

const shoppers = 300

// standstill lets shoppers get coupons, stops the node, and starts it again two and a half days later, with purchases of the first half of the
// shoppers waiting on the bus, stamped a day after the coupons.
func standstill(t *testing.T) (*rig, *mem.Log) {
	log := mem.NewLog()
	r := newRig(t, log.Consumer("mem/shop"))
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("push")
	r.flow(remindFlow)
	for i := range shoppers {
		log.Append(fmt.Appendf(nil, `{"type":"coupon","attr":{"user":"u%d"}}`, i), startMs)
	}
	r.quiet()
	for i := range shoppers / 2 {
		log.Append(fmt.Appendf(nil, `{"type":"buy","attr":{"user":"u%d"}}`, i), startMs+24*3600_000)
	}
	r.clock.Advance(60 * 3600_000)
	r.feeds = []messagebus.Consumer{log.Consumer("mem/shop")}
	r.restart()
	return r, log
}

func TestBuyersOfAStandstillAreNotReminded(t *testing.T) {
	r, _ := standstill(t)
	r.e.o.MaxMessages = 50 // several turns until the source has caught up
	r.quiet()
	if len(r.seen) != shoppers-shoppers/2 {
		t.Errorf("%d reminders are sent, want the %d of those who did not buy", len(r.seen), shoppers-shoppers/2)
	}
	for i := range shoppers / 2 {
		if th := r.thread(1, fmt.Sprint("u", i)); th.Status != activity.Finished || th.Action != "wait" {
			t.Fatalf("buyer %d is %v at %s, want finished at wait", i, th.Status, th.Action)
		}
	}
}

func TestCatchUpIsBounded(t *testing.T) {
	r, _ := standstill(t)
	r.e.o.CatchUpMax = time.Nanosecond
	r.e.Turn()
	if got := r.e.Stats().AlarmsFired.Load(); got != shoppers {
		t.Errorf("%d alarms fired in the first turn although the wait is over, want all %d", got, shoppers)
	}
}

func TestASourceThatKeepsUpHoldsNothing(t *testing.T) {
	log := mem.NewLog()
	r := newRig(t, log.Consumer("mem/shop"))
	log.Append([]byte(`{"type":"x"}`), startMs-5_000)
	if got := r.e.releasedMs(startMs); got != startMs {
		t.Errorf("alarms are held back to %d for a record 5 s old, want none held", got-startMs)
	}
	log2 := mem.NewLog()
	r2 := newRig(t, log2.Consumer("mem/shop"))
	log2.Append([]byte(`{"type":"x"}`), startMs-15_000)
	if got := r2.e.releasedMs(startMs); got != startMs-15_000 {
		t.Errorf("alarms are held back to %d for a record 15 s old, want to its stamp", got-startMs)
	}
	r2.quiet()
	if got := r2.e.releasedMs(startMs); got != startMs {
		t.Errorf("alarms are held back to %d after the source has caught up, want none held", got-startMs)
	}
}

func TestNoAlarmGoesAheadOfRecordsThatAreGone(t *testing.T) {
	r, log := standstill(t)
	log.Trim(shoppers + 2) // the first purchase is gone unread: the turn that reads on can not go on
	var fatal error
	r.e.o.Fatal = func(err error) { fatal = err }
	r.e.o.MaxMessages = 1
	// It fills the turn, which asks no source then.
	r.must(r.e.Submit(&messagebus.Record{Source: "test", Incoming: messagebus.Incoming{Event: &activity.Event{Type: "none", TimeMs: startMs}}}))
	r.e.Turn()
	if got := r.e.Stats().AlarmsFired.Load(); got != 0 || fatal != nil {
		t.Errorf("expected no alarm to fire ahead of a record that is gone unread, %d did (fatal: %v)", got, fatal)
	}
	if r.e.Turn(); fatal == nil {
		t.Error("expected the turn that asks the source to say that its position is gone, it did not")
	}
}
