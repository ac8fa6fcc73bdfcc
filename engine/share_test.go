package engine

import (
	"testing"

	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/mem"
)

// TestAFullInboxLeavesRoomForTheSources lets callers fill every turn, and counts what sources get beside them.
func TestAFullInboxLeavesRoomForTheSources(t *testing.T) {
	const turns = 40
	for _, most := range []int{1, 7, 10} {
		logs := []*mem.Log{mem.NewLog(), mem.NewLog()}
		r, n := counter(t, logs[0].Consumer("mem/a"), logs[1].Consumer("mem/b"))
		r.e.o.MaxMessages = most
		for range turns * most {
			for i, log := range logs {
				log.Append([]byte(`{"type":"hit","attr":{"user":"`+[]string{"a", "b"}[i]+`"}}`), startMs)
			}
			r.must(r.e.Submit(event("hit", "", "user", "c")))
		}
		for i := range turns {
			before := r.e.Stats().Messages.Load()
			if r.e.Turn(); r.e.Stats().Messages.Load()-before != int64(most) {
				t.Fatalf("turn %d of %d messages took %d, want it full", i, most, r.e.Stats().Messages.Load()-before)
			}
		}
		got := func(domain string) int { v, _ := r.thread(n, domain).Vars.Get("n"); c, _ := v.(int64); return int(c) }
		a, b, c := got("a"), got("b"), got("c")
		if all := turns * most; a < all/5 || b < all/5 || c < all*2/5 || a+b+c != all {
			t.Errorf("%d turns of %d messages gave the sources %d and %d and callers %d, want about a quarter, a quarter and a half", turns, most, a, b, c)
		}
	}
}

// TestAnInboxTakesWhatTheSourcesLeave: a turn is full while sources are asked in vain, and none is without work while callers wait.
func TestAnInboxTakesWhatTheSourcesLeave(t *testing.T) {
	log := mem.NewLog()
	r, n := counter(t, log.Consumer("mem/a"))
	r.e.o.MaxMessages = 4
	var records []*messagebus.Record
	for range 40 {
		records = append(records, event("hit", "", "user", "c"))
	}
	for _, rec := range records {
		r.must(r.e.Submit(rec))
	}
	for range 10 {
		if !r.e.Turn() {
			t.Fatal("a turn finds nothing to do while callers wait")
		}
	}
	r.is(n, "c", "waiting wait n=40")
}
