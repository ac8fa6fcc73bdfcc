package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

const crowdFlow = `
activity:
  name: crowd
  domain_id_strategy: user
  trigger: {type: event, args: {condition: eventTypeIs("born")}, context_vars: {k: eventAttr("k"), n: 0}}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("hit")
          context_vars: {n: var("n") + 1}
          then: call("wait")
`

// flood gives an engine events at a rate, and knows how long they waited and how long the loop was away.
type flood struct {
	e            *Engine
	draw         *rand.Rand
	threads      int
	sent         int64
	answered     atomic.Int64
	longestWait  atomic.Int64 // ns from giving an event to its answer
	longestPause atomic.Int64 // ns between two turns
	lastTurn     atomic.Int64
}

func raise(max *atomic.Int64, n int64) {
	for old := max.Load(); n > old && !max.CompareAndSwap(old, n); old = max.Load() {
	}
}

func (f *flood) hook(point string) {
	if point != PointBeforeCommit {
		return
	}
	now := time.Now().UnixNano()
	if last := f.lastTurn.Swap(now); last != 0 {
		raise(&f.longestPause, now-last)
	}
}

// flow gives 50 events every 10 ms, 5,000 in a second, until done says so, and then waits for their answers. It returns what the longest were.
func (f *flood) flow(t *testing.T, done func(ticks int) bool) (wait, pause time.Duration) {
	f.longestWait.Store(0)
	f.longestPause.Store(0)
	f.lastTurn.Store(0)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for ticks := 0; !done(ticks); ticks++ {
		<-tick.C
		for range 50 {
			i := f.draw.IntN(f.threads)
			if i%10 == 0 {
				i++ // those are killed
			}
			f.sent++
			r, began := event("hit", "", "user", fmt.Sprint("u", i)), time.Now()
			r.Answer = func(messagebus.Answer) {
				raise(&f.longestWait, time.Since(began).Nanoseconds())
				f.answered.Add(1)
			}
			if err := f.e.Submit(r); err != nil {
				t.Fatalf("event %d was not taken: %v", f.sent, err)
			}
		}
	}
	for range tick.C {
		if f.answered.Load() == f.sent {
			break
		}
	}
	return time.Duration(f.longestWait.Load()), time.Duration(f.longestPause.Load())
}

// TestAJobAmongManyThreadsWhileEventsFlow kills a tenth of many threads (WEFTBOX_TEST_MILLION=1: of a million) while 5,000 events flow in a second,
// and prints how long the loop was away and events waited, without the job and with it.
func TestAJobAmongManyThreadsWhileEventsFlow(t *testing.T) {
	threads, before := 5_000, 20
	if os.Getenv("WEFTBOX_TEST_MILLION") != "" {
		threads, before = 1_000_000, 1000
	}
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	number := r.flow(crowdFlow)
	r.must(r.store.Close())
	f := &flood{draw: rand.New(rand.NewPCG(5, 6)), threads: threads}
	s, err := store.Open(t.TempDir(), store.Options{})
	r.must(err)
	defer s.Close()
	f.e, err = New(Options{Store: s, Clock: r.clock, Metadata: r.cache.Load, Producer: r, Stdout: &r.out, Log: r.e.o.Log, Hook: f.hook, Fatal: func(err error) { t.Errorf("the engine gave up: %v", err) }})
	r.must(err)
	began := time.Now()
	for i := 0; i < threads; {
		for range min(4000, threads-i) {
			r.must(f.e.Submit(event("born", "", "user", fmt.Sprint("u", i), "k", int64(i%10))))
			i++
		}
		f.e.Turn()
	}
	t.Logf("%d threads were born in %v", threads, time.Since(began).Round(time.Millisecond))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { f.e.Run(ctx); close(ended) }()
	defer func() { stop(); <-ended }()

	wait, pause := f.flow(t, func(ticks int) bool { return ticks == before })
	t.Logf("without a job: the loop was away for %v at most, an event waited for %v", pause, wait)
	j, err := f.e.StartJob(ctx, store.Job{Operation: "kill", Rate: 20_000, Filter: store.ThreadFilter{Activity: number, Action: "wait", Where: `var("k") == 0`}})
	r.must(err)
	began = time.Now()
	wait, pause = f.flow(t, func(int) bool {
		j, err = f.e.Job(j.ID)
		return err != nil || j.State.Ended()
	})
	t.Logf("with the job, which took %v: the loop was away for %v at most, an event waited for %v; %d events", time.Since(began).Round(time.Millisecond), pause, wait, f.sent)
	if want := (store.JobCounts{Seen: int64(threads), Hit: int64(threads / 10)}); err != nil || j.State != store.JobDone || j.Counts != want {
		t.Errorf("the job is %v with %+v (%v), want done with %+v", j.State, j.Counts, err, want)
	}
	counters, err := f.e.Counters(number)
	r.must(err)
	got := map[activity.Status]int64{}
	for _, c := range counters {
		got[c.Status] += c.N
	}
	if got[activity.Killed] != int64(threads/10) || got[activity.Waiting] != int64(threads-threads/10) {
		t.Errorf("the counters say %v, want a tenth of %d killed", got, threads)
	}
	verdicts, err := f.e.Verdicts(number)
	r.must(err)
	for _, v := range verdicts {
		if v.Sort == store.SortEvent && v.Verdict == activity.VerdictTaken && v.N != f.sent {
			t.Errorf("%d events were taken, %d were answered", v.N, f.sent)
		}
	}
}
