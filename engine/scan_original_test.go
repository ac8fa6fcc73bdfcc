package engine

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// pool gives birth to 100 threads u0 … u99, as the original's tests of its thread pool do.
func pool(t *testing.T) (*rig, uint32) {
	r, n := counter(t)
	r.put(hits(0, 1)...)
	return r, n
}

func hits(first, step int) (out []*messagebus.Record) {
	for i := first; i < 100; i += step {
		out = append(out, event("hit", "", "user", fmt.Sprint("u", i)))
	}
	return out
}

// listed counts all that a scan lists, page by page.
func (r *rig) listed(f store.ThreadFilter, page int) (n int) {
	r.t.Helper()
	place, done := Place{}, false
	for !done {
		var threads []activity.Thread
		var err error
		threads, place, done, err = r.e.Scan(f, place, page)
		r.must(err)
		n += len(threads)
	}
	return n
}

// TestScanCountsAllThreads: a scan lists every thread once, whatever the page.
func TestScanCountsAllThreads(t *testing.T) {
	r, n := pool(t)
	for _, page := range []int{1, 50, 1000} {
		if got := r.listed(store.ThreadFilter{Activity: n}, page); got != 100 {
			t.Errorf("a scan in pages of %d lists %d threads, want 100", page, got)
		}
	}
}

// TestScanStopsAtFifty: a listing ends at its limit and goes on from there. A job stops at its limit too, and leaves the others alone.
func TestScanStopsAtFifty(t *testing.T) {
	r, n := pool(t)
	threads, place, done, err := r.e.Scan(store.ThreadFilter{Activity: n}, Place{}, 50)
	r.must(err)
	if len(threads) != 50 || done {
		t.Errorf("the scan lists %d threads, done %v; want 50 and not done", len(threads), done)
	}
	rest, _, _, err := r.e.Scan(store.ThreadFilter{Activity: n}, place, 1000)
	r.must(err)
	if len(rest) != 50 {
		t.Errorf("the rest are %d threads, want 50", len(rest))
	}
	j := r.startNow(store.Job{Operation: "pause", Limit: 50, Filter: store.ThreadFilter{Activity: n}})
	r.finishJobs()
	if got, want := fmt.Sprint(r.statuses(n, 100), r.job(j.ID).Counts.Hit), "map[paused:50 waiting:50] 50"; got != want {
		t.Errorf("the job leaves %s, want %s", got, want)
	}
}

// TestScanRemovesEvenIdsThenTheyAreTriggeredAgain: what a scan removed begins anew, the others go on.
func TestScanRemovesEvenIdsThenTheyAreTriggeredAgain(t *testing.T) {
	r, n := pool(t)
	j := r.startNow(store.Job{Operation: OperationRemove, Filter: store.ThreadFilter{Activity: n, Where: `domainId matches ".*[02468]"`}})
	r.finishJobs()
	if got := r.job(j.ID); got.Counts.Hit != 50 || got.Counts.Errors != 0 {
		t.Errorf("the job removed %d threads with %d errors (%s), want 50 and none", got.Counts.Hit, got.Counts.Errors, got.Error)
	}
	if got, want := fmt.Sprint(r.statuses(n, 100)), "map[absent:50 waiting:50]"; got != want {
		t.Errorf("after the job there are %s, want %s", got, want)
	}
	born := 0
	for _, a := range r.put(hits(0, 1)...) {
		if a.Verdicts[0].Kind == activity.VerdictSpawned {
			born++
		}
	}
	if born != 50 {
		t.Errorf("%d events gave birth to a thread, want 50", born)
	}
	for i := range 100 {
		want := int64(1 + i%2)
		if got, _ := r.thread(n, "u"+strconv.Itoa(i)).Vars.Get("n"); got != want {
			t.Errorf("thread u%d has counted %v, want %d", i, got, want)
		}
	}
	if got := r.listed(store.ThreadFilter{Activity: n}, 7); got != 100 {
		t.Errorf("a scan lists %d threads, want 100", got)
	}
	if strings.TrimSpace(r.job(j.ID).Error) != "" {
		t.Errorf("the job says %s, want nothing", r.job(j.ID).Error)
	}
}
