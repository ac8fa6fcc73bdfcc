package engine

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/slots"
)

// TestTurnsUnderWayShareNothing lets everything that outlives a turn go on at once while the loop has turns under way: batch jobs that pause and resume
// the threads whose events come meanwhile, threads that write to each other, dead letters that are replayed, and readers. Each event must count once.
func TestTurnsUnderWayShareNothing(t *testing.T) {
	r := newRigWith(t, func(o *Options) { o.Workers, o.MaxVarsBytes = 2, 2000 })
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n, rally, words := r.flow(counterFlow), r.flow(rallyFlow), r.flow(strings.ReplaceAll(wordFlow, `"hit"`, `"word"`))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.e.Run(ctx) }()
	post := func(rec *messagebus.Record) messagebus.Answer {
		answered := make(chan messagebus.Answer, 1)
		rec.Answer = func(a messagebus.Answer) { answered <- a }
		if err := r.e.Submit(rec); err != nil {
			t.Error(err)
			return messagebus.Answer{}
		}
		return <-answered
	}
	const users, each, last = 6, 120, 30
	for u := range users {
		post(event("hit", "", "user", fmt.Sprint("u", u)))
		post(event("serve", "", "user", fmt.Sprint("b", u), "other", fmt.Sprint("a", u), "last", int64(last)))
		post(event("serve", "", "user", fmt.Sprint("a", u), "other", fmt.Sprint("b", u), "last", int64(last), "first", true))
		post(posted("word", "", "user", fmt.Sprint("p", u), "text", strings.Repeat("x", 3000), "list", []any{}))
	}
	job := func(operation string) {
		j, err := r.e.StartJob(ctx, store.Job{Operation: operation, Rate: 1_000_000, Filter: store.ThreadFilter{Activity: n}})
		for err == nil && !j.State.Ended() {
			runtime.Gosched()
			j, err = r.e.Job(j.ID)
		}
		if err != nil || j.State != store.JobDone {
			t.Errorf("the job to %s ends as %+v (%v), want done", operation, j, err)
		}
	}
	var clients, others sync.WaitGroup
	var sent atomic.Bool
	var parked, replays atomic.Int64
	for u := range users {
		clients.Go(func() {
			for i := range each {
				user := fmt.Sprint("u", u)
				if a := post(event("hit", fmt.Sprint(user, "-", i), "user", user)); a.Err != nil || a.Duplicate || a.Conflict || len(a.Verdicts) != 1 || a.Verdicts[0].DomainID != user {
					t.Errorf("event %d of %s is answered %+v", i, user, a)
				} else if a.Verdicts[0].Kind == activity.VerdictParked {
					parked.Add(1)
				}
				if _, err := r.e.Story(activity.ID{Activity: n, Domain: user}, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	others.Go(func() {
		for !sent.Load() {
			job("pause")
			job("resume")
		}
	})
	others.Go(func() {
		for !sent.Load() {
			letters, _, _, err := r.store.FindDead(store.DeadFilter{Activity: words, Slots: []uint16{0, 1, 2, 3, 4, 5, 6, 7}}, nil, 10, 100)
			if err != nil {
				t.Error(err)
				return
			}
			ids := make([]store.DeadID, len(letters))
			for i := range letters {
				ids[i] = letters[i].ID()
			}
			results, err := r.e.ReplayDeadLetters(ctx, ids)
			if err != nil {
				t.Error(err)
			}
			for _, result := range results {
				if result.Deleted {
					replays.Add(1)
				}
			}
		}
	})
	clients.Wait()
	sent.Store(true)
	others.Wait()
	if parked.Load() == 0 || replays.Load() == 0 {
		t.Errorf("%d events found their threads paused, and %d letters were replayed: want some", parked.Load(), replays.Load())
	}
	t.Logf("%d events found their threads paused, %d letters were replayed", parked.Load(), replays.Load())
	has := func(domain string, number uint32, want int64) bool {
		th, err := r.e.Thread(activity.ID{Activity: number, Domain: domain}, 0)
		if err != nil {
			t.Error(err)
			return true
		}
		got, _ := th.Vars.Get("n")
		return got == want
	}
	for u := range users {
		if !has(fmt.Sprint("u", u), n, each+1) {
			t.Errorf("the thread of u%d did not count its %d events", u, each+1)
		}
		for !has(fmt.Sprint("a", u), rally, last) || !has(fmt.Sprint("b", u), rally, last) { // the balls that are under way
			if post(event("nothing", "", "user", "nobody")).Err != nil || t.Failed() {
				t.Fatalf("the balls of pair %d do not come to their end", u)
			}
		}
		slot := slots.Of(fmt.Sprint("p", u), 8)
		letters, _, _, err := r.store.FindDead(store.DeadFilter{Activity: words, Domain: fmt.Sprint("p", u), Slots: []uint16{slot}}, nil, 10, 1000)
		if err != nil || len(letters) != 1 {
			t.Errorf("of p%d there are %d dead letters (%v), want the one that is a letter again after each replay", u, len(letters), err)
		}
	}
	stop()
	<-done
	r.restart()
	r.recount()
}
