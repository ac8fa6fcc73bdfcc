package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// TestRunTellsOnlyWhatIsOnDisk drives the pipelined loop from several sides at once: callers that wait for their answers and then read the thread,
// and an advance. After a restart everything that was answered must be there.
func TestRunTellsOnlyWhatIsOnDisk(t *testing.T) {
	r, n := counter(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.e.Run(ctx)
	}()
	const callers, each = 8, 60
	var wg sync.WaitGroup
	for c := range callers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			user := fmt.Sprint("u", c)
			for i := range each {
				answered := make(chan messagebus.Answer, 1)
				rec := event("hit", fmt.Sprint(user, i), "user", user)
				rec.Answer = func(a messagebus.Answer) { answered <- a }
				if err := r.e.Submit(rec); err != nil {
					t.Error(err)
					return
				}
				if a := <-answered; a.Err != nil || a.Duplicate {
					t.Errorf("event %d of %s is answered %+v", i, user, a)
				}
				th, err := r.e.Thread(activity.ID{Activity: n, Domain: user}, 0)
				if got, _ := th.Vars.Get("n"); err != nil || got != int64(i+1) {
					t.Errorf("after the answer to event %d the thread of %s has n=%v (%v)", i, user, got, err)
				}
			}
		}()
	}
	wg.Wait()
	if _, _, err := r.e.Advance(ctx, 1000); err != nil {
		t.Errorf("the clock can not be advanced: %v", err)
	}
	if err := r.store.Barrier(); err != nil {
		t.Error(err)
	}
	stop()
	<-done
	r.restart()
	for c := range callers {
		r.is(n, fmt.Sprint("u", c), fmt.Sprintf("waiting wait n=%d", each))
	}
}

func TestAdvanceOfABusyNodeIsAnswered(t *testing.T) {
	r, _ := counter(t)
	r.flow("activity:\n  name: whirl\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"whirl\")\n  actions:\n    - name: again\n      type: compute\n      args:\n        - x: 1\n      ctrl: call(\"again\")\n")
	r.put(event("whirl", "", "user", "w"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.e.Run(ctx)
	}()
	if _, _, err := r.e.Advance(ctx, 1000); err == nil {
		t.Error("an advance past a thread that never waits is answered without an error, want ErrBusyClock")
	}
	stop()
	<-done
}
