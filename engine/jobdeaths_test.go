package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// TestJobGoesOnWhereItStoodAfterEachDeath ends the engine after every round of the job: each thread is hit once, and the counts say so.
func TestJobGoesOnWhereItStoodAfterEachDeath(t *testing.T) {
	r, number := crowdOf(t, 200)
	r.startNow(store.Job{Operation: "pause", Rate: 50, Filter: store.ThreadFilter{Activity: number}})
	for rounds := 0; r.e.RunJobsNow(); rounds++ {
		for i := range 200 { // what it paused goes on at once: a second hit would find it
			if th := r.thread(number, fmt.Sprint("u", i)); th.Status == activity.Paused {
				r.must(r.e.Command(th.ID, activity.Command{Name: "resume"}, func(messagebus.Answer) {}))
			}
		}
		r.e.Turn()
		r.restart()
		if rounds > 1000 {
			t.Fatal("the job does not end")
		}
	}
	if got := r.job(1); got.State != store.JobDone || got.Counts.Hit != 200 {
		t.Errorf("the job ended %v with %+v, want 200 hits", got.State, got.Counts)
	}
	if !strings.Contains(r.counted(number), "1/wait command -1 taken=400") {
		t.Errorf("the counters say %s, want 200 commands to pause and 200 to resume", r.counted(number))
	}
	for slot := range uint16(8) {
		if _, ok, err := r.store.JobSlot(slot, 1); ok || err != nil {
			t.Errorf("slot %d still has a row of the job that is done (%v)", slot, err)
		}
	}
}

// TestJobAfterADeathAtAnyPoint cuts the power before and after each commit of a job, where slots are committed one by one, and lets it go on on what
// the disk holds: in the end each thread was hit once.
func TestJobAfterADeathAtAnyPoint(t *testing.T) {
	r, number := crowdOf(t, 0)
	r.must(r.store.Close())
	disk := vfs.NewCrashableMem()
	var clones []vfs.FS
	recording := false
	hook := func(point string) {
		if recording && (point == PointBeforeCommit || point == PointAfterCommit) {
			clones = append(clones, disk.CrashClone(vfs.CrashCloneCfg{}))
		}
	}
	open := func(fs vfs.FS) {
		var err error
		r.store, err = store.Open("state", store.Options{FS: fs, Slots: 8, CommitSlots: true})
		r.must(err)
		r.e, err = New(Options{Store: r.store, Clock: r.clock, Metadata: r.cache.Load, Producer: r, Stdout: &r.out, Log: r.e.o.Log, Hook: hook,
			Fatal: func(err error) { r.t.Fatalf("the engine gave up: %v", err) }})
		r.must(err)
	}
	const threads = 40
	open(disk)
	for i := range threads {
		r.put(event("a", "", "user", fmt.Sprint("u", i)))
	}
	recording = true
	r.startNow(store.Job{Operation: "pause", Rate: 30, Filter: store.ThreadFilter{Activity: number}})
	r.finishJobs()
	recording = false
	if len(clones) < 2*threads/3 {
		t.Fatalf("%d deaths were recorded, want at least two for each commit of three threads", len(clones))
	}
	started := 0
	for i, fs := range clones {
		r.must(r.store.Close())
		open(fs)
		if len(r.e.Jobs()) == 0 { // it died before the job was on disk: nobody was told of it
			continue
		}
		started++
		r.finishJobs()
		if got := r.job(1); got.State != store.JobDone || got.Counts.Hit != threads || got.Counts.Refused != 0 || r.statuses(number, threads)["paused"] != threads {
			t.Errorf("after death %d the job ended %v with %+v and %v, want %d hits and paused threads", i, got.State, got.Counts, r.statuses(number, threads), threads)
		}
		if !strings.Contains(r.counted(number), fmt.Sprintf("1/wait command -1 taken=%d", threads)) {
			t.Errorf("after death %d the counters say %s, want %d commands taken", i, r.counted(number), threads)
		}
	}
	if started < len(clones)-2 {
		t.Errorf("of %d deaths only %d left the job, want all but those of its own commit", len(clones), started)
	}
}

// A job that hits few writes few rows: what it looked at where it hit nobody is counted after a death all the same, and once.
func TestJobCountsWhatItLookedAtAcrossDeaths(t *testing.T) {
	const threads = 60
	for rounds := 1; rounds < 30; rounds++ {
		r, number := crowdOf(t, threads)
		r.startNow(store.Job{Operation: "pause", Filter: store.ThreadFilter{Activity: number, Where: `var("n") == 2`}})
		for range rounds {
			r.e.RunJobsNow()
		}
		r.restart()
		r.finishJobs()
		if got, want := r.job(1).Counts, (store.JobCounts{Seen: threads, Hit: threads / 10}); got != want {
			t.Errorf("a job whose node ended after %d rounds counts %+v, want %+v", rounds, got, want)
		}
	}
}
