package engine

import (
	"context"
	"fmt"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/metadata"
)

// A thread that lacks a service goes on as soon as it is registered: without a command, without time going by, and also where the node dies before any
// turn has seen the registration.
func TestAServiceThatIsRegisteredWakesWhoLacksIt(t *testing.T) {
	for _, dies := range []bool{false, true} {
		r, n := lacking(t)
		r.put(event("go", "", "user", "u", "to", "audit", "n", int64(5)))
		r.lacks(n, "stalled wait service_missing, 1 parked, from waiting")
		r.service("other")
		r.quiet()
		r.lacks(n, "stalled wait service_missing, 1 parked, from waiting")
		r.service("audit")
		if dies {
			r.restart()
		}
		r.quiet()
		r.lacks(n, "waiting wait , 0 parked, from absent")
		if got := r.told(); len(got) != 1 || got[0] != "5" {
			t.Errorf("dies %v: the service got %v, want what waited for it, once", dies, got)
		}
		r.restart()
		if r.e.Turn() {
			t.Errorf("dies %v: after the sweep and a restart there is something to do, want nothing", dies)
		}
	}
}

// The sweep for a registered service reads threads only where some are stalled.
func TestARegisteredServiceReadsNoThreadThatIsWell(t *testing.T) {
	r, _ := counter(t)
	var keys [2]int64
	for i, threads := range []int{10, 1000} {
		var records []*messagebus.Record
		for j := range threads {
			records = append(records, event("hit", "", "user", fmt.Sprint("u", j)))
		}
		r.put(records...)
		before := r.store.Usage().KeysRead
		r.service(fmt.Sprint("s", i))
		r.quiet()
		keys[i] = r.store.Usage().KeysRead - before
	}
	if slots := int64(8); keys[0] > slots || keys[1] > slots {
		t.Errorf("a registered service has %d keys read with 10 threads and %d with 1,000, want at most a counter for each of the %d slots", keys[0], keys[1], slots)
	}
}

const tellOnceFlow = `
activity:
  name: once
  domain_id_strategy: user
  trigger: eventTypeIs("hello")
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("end")
          then: finish()
        - after: hours(1)
          then: call("tell")
    - {name: tell, type: tell, args: {request: 1}, await: false, ctrl: finish()}
`

// tellOnce gives a rig threads of a flow that names a service.
func tellOnce(t *testing.T, threads int) (*rig, uint32) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("tell")
	n := r.flow(tellOnceFlow)
	var records []*messagebus.Record
	for i := range threads {
		records = append(records, event("hello", "", "user", fmt.Sprint("u", i)))
	}
	r.put(records...)
	return r, n
}

// count returns how many of the threads are of a status.
func (r *rig) count(n uint32, threads int, status activity.Status) (count int) {
	for i := range threads {
		if r.thread(n, fmt.Sprint("u", i)).Status == status {
			count++
		}
	}
	return count
}

// A sweep that a version began which is loadable again survives deaths: before any turn has seen it, and on its way.
func TestASweepForALoadableVersionSurvivesDeaths(t *testing.T) {
	const threads = 3 * sweepThreads
	for _, early := range []bool{false, true} {
		r, n := tellOnce(t, threads)
		if _, err := r.cache.DeleteService(context.Background(), "tell", metadata.AnyRevision, true); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(2 * 3600_000)
		r.quiet()
		if got := r.count(n, threads, activity.Stalled); got != threads {
			t.Fatalf("%d threads are stalled, want all %d", got, threads)
		}
		r.restart()
		r.service("tell")
		if early {
			r.restart()
		}
		r.e.Turn()
		if got := r.count(n, threads, activity.Stalled); got == 0 {
			t.Fatal("one turn has woken all threads, want a part of them")
		}
		r.restart()
		r.quiet()
		if got := r.count(n, threads, activity.Finished); got != threads {
			t.Errorf("dies early %v: %d threads have gone on to their ends, want all %d", early, got, threads)
		}
		if len(r.seen) != threads {
			t.Errorf("dies early %v: the service got %d requests, want %d", early, len(r.seen), threads)
		}
	}
}

// What lets threads of a paused activity go on is swept for also where the node dies before any turn has seen it.
func TestASweepForASettingSurvivesADeath(t *testing.T) {
	r, n := tellOnce(t, 3)
	ctx := context.Background()
	if _, _, err := r.cache.CommandActivity(ctx, n, "pause", metadata.AnyRevision); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(2 * 3600_000)
	r.quiet()
	if got := r.count(n, 3, activity.Waiting); got != 3 {
		t.Fatalf("%d threads of the paused activity wait, want 3", got)
	}
	_, _, problems, err := r.cache.EditConfig(ctx, n, metadata.AnyRevision, func(c map[string]any) error { c["$schedule.pause_continue_old"] = true; return nil })
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	r.restart()
	r.quiet()
	if got := r.count(n, 3, activity.Finished); got != 3 {
		t.Errorf("%d threads have gone on, want 3", got)
	}
}

// A start reads no row of an activity that was never swept, and begins nothing where nothing changed.
func TestAStartSweepsNothingWithoutAReason(t *testing.T) {
	r, _ := tellOnce(t, 100)
	r.quiet()
	r.restart()
	if r.e.sweeper.pending() || r.e.Turn() {
		t.Error("a start after which nothing has changed has something to sweep, want nothing")
	}
}
