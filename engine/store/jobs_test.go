package store

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

func TestJobsAreKeptWhole(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4})
	counts := JobCounts{Seen: 1, Hit: 2, Refused: 3, Skipped: 4, Errors: 5}
	whole := Job{ID: 7, Operation: "repair", Args: map[string]any{"goto": "x", "n": int64(3)}, Rate: 10, Limit: 20, DryRun: true, State: JobRunning, Slot: 3, Counts: counts,
		Error: "1:2: no", CreatedMs: 4, StartedMs: 5, EndedMs: 6, Cleaned: true, Filter: ThreadFilter{Activity: 9, Statuses: []activity.Status{activity.Waiting, activity.Paused},
			Action: "wait", Version: "2", IdleMs: 11, Where: `var("n") > 1`, HasAlarm: true, AlarmFromMs: 12, AlarmToMs: 13, BornUntilMs: 14}}
	least := Job{ID: 3, Operation: "kill", State: JobPlanned}
	progress := JobSlot{Domain: "u", Run: 8, Counts: counts, Before: JobCounts{Seen: 9, Hit: 8}}
	b := s.NewBatch()
	b.Begin(NodeSlot)
	b.PutJob(&whole)
	b.PutJob(&least)
	b.Begin(2)
	b.PutJobSlot(7, progress)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, "the jobs", must(s.Jobs())(t), []Job{least, whole})
	got, ok, err := s.JobSlot(2, 7)
	if !ok || err != nil || got != progress {
		t.Errorf("the job in slot 2 is %+v, %v, %v, want %+v", got, ok, err, progress)
	}
	if _, ok, err := s.JobSlot(1, 7); ok || err != nil {
		t.Errorf("the job in slot 1: %v, %v, want none", ok, err)
	}
	b.Begin(NodeSlot)
	b.DeleteJob(7)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, "after the deletion", must(s.Jobs())(t), []Job{least})
}

// Ended runs of one activity among those of others, read in pages of any size, come once each and in order.
func TestEndedAfterMeetsEachRunOnce(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4})
	draw := rand.New(rand.NewPCG(3, 4))
	var want []string
	b := s.NewBatch()
	b.Begin(1)
	for d := range 40 {
		domain := fmt.Sprintf("d%02d", d)
		for number := uint32(1); number <= 3; number++ {
			for run := range uint64(draw.IntN(4)) {
				b.PutEnded(&activity.Thread{ID: id(number, domain), Status: activity.Failed, Run: run + 1})
				if number == 2 {
					want = append(want, fmt.Sprint(domain, run+1))
				}
			}
		}
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, page := range [][2]int{{1, 1000}, {7, 1000}, {1000, 1}, {1000, 3}, {5, 5}} {
		var got []string
		domain, run, more := "", uint64(0), true
		for steps := 0; more; steps++ {
			var threads []activity.Thread
			var err error
			if threads, domain, run, more, err = s.EndedAfter(1, 2, domain, run, page[0], page[1]); err != nil || steps > 1000 {
				t.Fatalf("pages of %v: step %d: %v", page, steps, err)
			}
			for _, th := range threads {
				got = append(got, fmt.Sprint(th.ID.Domain, th.Run))
			}
		}
		expect(t, fmt.Sprintf("the runs in pages of %v", page), got, want)
	}
}
