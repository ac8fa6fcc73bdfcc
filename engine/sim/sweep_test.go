package sim

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/metadata"
)

const crowdFlow = `activity:
  name: crowd
  domain_id_strategy: user
  trigger: eventTypeIs("hello")
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("end")
          then: finish()
        - after: hours(1)
          then: failBecause("late")
`

// crowd gives a world an activity with n threads.
func crowd(t *testing.T, w *World, n int) uint32 {
	t.Helper()
	ctx := context.Background()
	if _, _, p, err := w.Metadata().PutDefinition(ctx, []byte(crowdFlow), ""); err != nil || len(p) > 0 {
		t.Fatal(p, err)
	}
	a, _, p, err := w.Metadata().PutActivity(ctx, metadata.Activity{Definition: "crowd"})
	if err != nil || len(p) > 0 {
		t.Fatal(p, err)
	}
	var body bytes.Buffer
	for i := range n {
		fmt.Fprintf(&body, `%c{"type":"hello","attr":{"user":"u%d"}}`, ",["[b2i(i == 0)], i)
	}
	body.WriteByte(']')
	must(t, w.Post(body.Bytes()))
	if live := liveOf(t, w, a.Number); live != n {
		t.Fatalf("expected %d threads to begin with, there are %d", n, live)
	}
	return a.Number
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func liveOf(t *testing.T, w *World, number uint32) int {
	t.Helper()
	n, err := w.Live(number)
	must(t, err)
	return n
}

func command(t *testing.T, w *World, number uint32, name string) {
	t.Helper()
	if _, _, err := w.Metadata().CommandActivity(context.Background(), number, name, metadata.AnyRevision); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestAKilledActivityIsCleanedUpInParts: a turn ends a bounded number of threads, a node that dies in between goes on where it was, and a state
// that changed while the node was down is seen.
func TestAKilledActivityIsCleanedUpInParts(t *testing.T) {
	for _, slotwise := range []bool{false, true} {
		w := newWorld(t, Options{})
		const all, most = 1500, 256
		number := crowd(t, w, all)
		w.o.CommitSlots = slotwise
		w.Crash()
		command(t, w, number, "kill")
		w.Crash() // before any turn has seen it
		turns := 0
		for left := all; left > 0; turns++ {
			if !w.Engine().Turn() {
				t.Fatalf("with %d threads of a killed activity left: expected a turn with something to do", left)
			}
			now := liveOf(t, w, number)
			if now > left || left-now > most {
				t.Fatalf("one turn: expected it to end at most %d threads, it went from %d to %d", most, left, now)
			}
			if left = now; turns%2 == 1 {
				w.Crash()
			}
			if turns > 40 {
				t.Fatalf("after %d turns %d threads are left", turns, left)
			}
		}
		if turns < all/most {
			t.Errorf("expected %d turns at least, there were %d", all/most, turns)
		}
		must(t, w.Settle())
		if n, err := w.Ended(number); err != nil || n != all {
			t.Errorf("expected %d runs that ended, once each, got %d, %v", all, n, err)
		}
		must(t, w.Audit())
		w.Crash()
		if w.Engine().Turn() {
			t.Error("after the clean-up and a restart: expected nothing to do")
		}
	}
}

// TestAResumedActivityWakesItsThreads: alarms that came due during the pause ring, whoever has mail gets it, after a crash on the way too.
func TestAResumedActivityWakesItsThreads(t *testing.T) {
	w := newWorld(t, Options{})
	const all = 700
	number := crowd(t, w, all)
	command(t, w, number, "pause")
	for i := range 10 {
		must(t, w.Post(fmt.Appendf(nil, `{"type":"end","attr":{"user":"u%d"}}`, i)))
	}
	must(t, w.Advance(2*3600*1000))
	if live := liveOf(t, w, number); live != all {
		t.Fatalf("while the activity is paused: expected %d live threads, there are %d", all, live)
	}
	command(t, w, number, "resume")
	w.Engine().Turn()
	w.Crash()
	must(t, w.Settle())
	if live := liveOf(t, w, number); live != 0 {
		t.Errorf("after the resume: expected every alarm to ring, %d threads are left", live)
	}
	for domain, want := range map[string]activity.Status{"u0": activity.Finished, "u9": activity.Finished, "u10": activity.Failed, "u699": activity.Failed} {
		th, err := w.Engine().Thread(activity.ID{Activity: number, Domain: domain}, 0)
		if err != nil || th.Status != want {
			t.Errorf("%s: expected %s, its mail before its alarm, got %s, %v", domain, want, th.Status, err)
		}
	}
	must(t, w.Audit())
}
