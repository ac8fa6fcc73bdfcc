package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// startNow starts a job on an engine whose turns are driven here.
func (r *rig) startNow(j store.Job) store.Job {
	r.t.Helper()
	j, err := r.tryStart(j)
	r.must(err)
	return j
}

func (r *rig) tryStart(j store.Job) (store.Job, error) {
	type outcome struct {
		job store.Job
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		got, err := r.e.StartJob(context.Background(), j)
		done <- outcome{got, err}
	}()
	for {
		select {
		case o := <-done:
			return o.job, o.err
		case <-r.e.wake:
			r.e.Turn()
		}
	}
}

func (r *rig) finishJobs() {
	r.t.Helper()
	for range 10_000 {
		if !r.e.RunJobsNow() {
			return
		}
	}
	r.t.Fatal("the batch jobs do not end")
}

func (r *rig) job(id uint64) store.Job {
	r.t.Helper()
	j, err := r.e.Job(id)
	r.must(err)
	return j
}

// crowdOf gives birth to n threads u0, u1, … of a counter; every tenth has n = 2.
func crowdOf(t testing.TB, n int) (*rig, uint32) {
	r, number := newPicky(t, false, "1h")
	var records []*messagebus.Record
	for i := range n {
		records = append(records, event("a", "", "user", fmt.Sprint("u", i)))
		if i%10 == 0 {
			records = append(records, event("a", "", "user", fmt.Sprint("u", i)))
		}
	}
	r.put(records...)
	return r, number
}

// statuses counts the threads u0 … by status.
func (r *rig) statuses(number uint32, n int) map[string]int {
	r.t.Helper()
	out := map[string]int{}
	for i := range n {
		out[r.thread(number, fmt.Sprint("u", i)).Status.String()]++
	}
	return out
}

func TestJobPausesWhatItsFilterChooses(t *testing.T) {
	r, number := crowdOf(t, 300)
	j := r.startNow(store.Job{Operation: "pause", Filter: store.ThreadFilter{Activity: number, Action: "wait", Where: `var("n") == 2`}})
	if j.ID != 1 || j.State != store.JobPlanned || j.Rate != usualJobRate {
		t.Errorf("the job begins as %+v, want number 1, planned, with the usual rate", j)
	}
	r.finishJobs()
	if got, want := fmt.Sprint(r.statuses(number, 300)), "map[paused:30 waiting:270]"; got != want {
		t.Errorf("the job leaves %s, want %s", got, want)
	}
	if got, want := r.job(1), (store.JobCounts{Seen: 300, Hit: 30}); got.State != store.JobDone || got.Counts != want {
		t.Errorf("the job ended %v with %+v, want done with %+v", got.State, got.Counts, want)
	}
	if !strings.Contains(r.counted(number), "1/wait command -1 taken=30") {
		t.Errorf("the counters say %s, want 30 commands taken", r.counted(number))
	}
	r.restart()
	if got := r.job(1); got.State != store.JobDone || got.Counts.Hit != 30 || r.e.RunJobsNow() {
		t.Errorf("after a restart the job is %+v, want it done", got)
	}
	r.startNow(store.Job{Operation: "resume", Filter: store.ThreadFilter{Activity: number}, Limit: 7})
	r.finishJobs()
	if got, want := fmt.Sprint(r.statuses(number, 300)), "map[paused:23 waiting:277]"; got != want {
		t.Errorf("a job limited to 7 leaves %s, want %s", got, want)
	}
}

func TestDryRunOnlyCounts(t *testing.T) {
	r, number := crowdOf(t, 100)
	r.startNow(store.Job{Operation: "kill", DryRun: true, Filter: store.ThreadFilter{Activity: number, Where: `var("n") == 2 OR var("nosuch") > 1`}})
	r.finishJobs()
	if got := r.job(1); got.Counts.Hit != 10 || got.Counts.Errors != 90 || !strings.Contains(got.Error, "nosuch") {
		t.Errorf("the dry run counted %+v with error %q, want 10 hits and 90 errors that name nosuch", got.Counts, got.Error)
	}
	if got := r.statuses(number, 100)["waiting"]; got != 100 {
		t.Errorf("after a dry run %d threads wait, want 100", got)
	}
}

func TestRemoveKeepsNothing(t *testing.T) {
	r, number := crowdOf(t, 50)
	r.put(event("end", "", "user", "u7"))
	r.startNow(store.Job{Operation: OperationRemove, Filter: store.ThreadFilter{Activity: number, Statuses: []activity.Status{activity.Finished}}})
	r.finishJobs()
	if got := r.thread(number, "u7").Status; got != activity.Absent {
		t.Errorf("the ended run that was removed is %s", got)
	}
	r.startNow(store.Job{Operation: OperationRemove, Filter: store.ThreadFilter{Activity: number}})
	r.finishJobs()
	if got := r.statuses(number, 50)["absent"]; got != 50 {
		t.Errorf("after all were removed %d of 50 threads are absent", got)
	}
	if r.job(1).Counts.Hit != 1 || r.job(2).Counts.Hit != 49 {
		t.Errorf("the jobs removed %d and %d, want 1 and 49", r.job(1).Counts.Hit, r.job(2).Counts.Hit)
	}
}

func TestAlarmsAreFiredAndDeletedByJobs(t *testing.T) {
	r, number := crowdOf(t, 20)
	r.startNow(store.Job{Operation: OperationDeleteAlarms, Filter: store.ThreadFilter{Activity: number, Where: `var("n") == 2`}})
	r.finishJobs()
	r.advance(120_000)
	if got, want := fmt.Sprint(r.statuses(number, 20)), "map[failed:18 waiting:2]"; got != want {
		t.Errorf("with the alarms of two deleted there are %s, want %s", got, want)
	}
	r.put(event("a", "", "user", "v1"))
	r.startNow(store.Job{Operation: OperationFireAlarms, Filter: store.ThreadFilter{Activity: number}})
	r.finishJobs()
	r.quiet()
	if got := r.thread(number, "v1").Status; got != activity.Failed {
		t.Errorf("a thread whose alarm was fired is %s, want failed by its timeout", got)
	}
	if got := r.job(2).Counts; got.Hit != 1 || got.Refused != 0 {
		t.Errorf("alarms were fired at %+v, want the one thread that has one", got)
	}
}

// A thread that goes on between the job's reading and the turn is left alone.
func TestJobLooksAgainInTheTurn(t *testing.T) {
	r, number := crowdOf(t, 1)
	r.startNow(store.Job{Operation: "kill", Filter: store.ThreadFilter{Activity: number, Where: `var("n") == 2`}})
	j := r.e.jobs.all[1]
	done := false
	for range 100 {
		if done {
			break
		}
		_, err := r.e.jobs.step(j, func(op *jobOp) error {
			if op.chunk != nil {
				r.put(event("a", "", "user", "u0"))
				done = true
			}
			op.answer = func(error) {}
			r.must(r.e.put(input{job: op}, 0))
			r.e.Turn()
			return nil
		})
		r.must(err)
	}
	r.is(number, "u0", "waiting wait n=3")
	if r.finishJobs(); r.job(1).Counts.Skipped != 1 || r.job(1).Counts.Hit != 0 {
		t.Errorf("the job counted %+v, want one thread skipped", r.job(1).Counts)
	}
}

func TestStoppedJobStaysStopped(t *testing.T) {
	r, number := crowdOf(t, 500)
	r.startNow(store.Job{Operation: "kill", Rate: 100, Filter: store.ThreadFilter{Activity: number}})
	r.e.RunJobsNow()
	answered := make(chan store.Job)
	go func() {
		j, err := r.e.StopJob(context.Background(), 1)
		if err != nil {
			t.Error(err)
		}
		answered <- j
	}()
	until(t, "the job to be told to stop", func() bool {
		r.e.jobs.mu.Lock()
		defer r.e.jobs.mu.Unlock()
		return r.e.jobs.all[1].stop
	})
	select {
	case j := <-answered:
		t.Fatalf("the stop is answered with %v before its turn", j.State)
	default:
	}
	r.e.RunJobsNow()
	stopped := <-answered
	if rows, err := r.store.Jobs(); err != nil || len(rows) != 1 || rows[0].State != store.JobStopped || rows[0].Counts != stopped.Counts {
		t.Errorf("the stop is answered while the disk says %+v (%v), want stopped, with %+v", rows, err, stopped.Counts)
	}
	r.finishJobs()
	if again, err := r.e.StopJob(t.Context(), 1); err != nil || again.State != store.JobStopped || again.Counts != stopped.Counts {
		t.Errorf("a job that has ended is stopped with %+v (%v), want it as it is", again, err)
	}
	if stopped.State != store.JobStopped || stopped.Counts.Hit == 0 || stopped.Counts.Hit >= 500 || int(stopped.Counts.Hit) != r.statuses(number, 500)["killed"] {
		t.Errorf("the stopped job says %+v, want what it killed: %d", stopped, r.statuses(number, 500)["killed"])
	}
	r.restart()
	r.finishJobs()
	if got := r.job(1); got.Counts != stopped.Counts || got.State != store.JobStopped {
		t.Errorf("after a restart the stopped job is %+v", got)
	}
	if _, err := r.e.StopJob(t.Context(), 9); !errors.Is(err, ErrNoJob) {
		t.Errorf("stopping job 9: %v, want ErrNoJob", err)
	}
}

func TestJobsThatCanNotBeAreRefused(t *testing.T) {
	r, number := crowdOf(t, 1)
	for want, j := range map[string]store.Job{
		"there is no operation":     {Operation: "explode"},
		"not both":                  {Operation: "kill", Filter: store.ThreadFilter{Statuses: []activity.Status{activity.Waiting, activity.Failed}}},
		"nothing can be done but":   {Operation: "kill", Filter: store.ThreadFilter{Statuses: []activity.Status{activity.Failed}}},
		"1:1: ":                     {Operation: "kill", Filter: store.ThreadFilter{Where: "nosuch(1)"}},
		"must not be negative":      {Operation: "kill", Rate: -1},
		"idle time must not be neg": {Operation: "kill", Filter: store.ThreadFilter{IdleMs: -1}},
	} {
		j.Filter.Activity = number
		_, err := r.tryStart(j)
		var bad *BadFilter
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), want) {
			t.Errorf("job %+v: %v, want a refusal with %q", j, err, want)
		}
	}
	if n := len(r.e.Jobs()); n != 0 {
		t.Errorf("%d jobs are there after refusals, want none", n)
	}
}

func TestScanFindsWhatItsFilterChooses(t *testing.T) {
	r, number := crowdOf(t, 300)
	r.clock.Set(startMs + 30_000)
	r.put(event("a", "", "user", "u5"), event("end", "", "user", "u6"))
	for want, f := range map[int]store.ThreadFilter{
		299: {},
		1:   {Statuses: []activity.Status{activity.Finished}},
		298: {IdleMs: 20_000},
		31:  {Where: `var("n") == 2`},
		0:   {Action: "elsewhere"},
		268: {Where: `var("n") == 2 ? false : true`, AlarmToMs: startMs + 70_000, Version: "1", IdleMs: 1},
	} {
		f.Activity = number
		for _, page := range []int{1, 7, 1000} {
			got, place := map[string]bool{}, Place{}
			for pages, done := 0, false; !done; pages++ {
				var threads []activity.Thread
				var err error
				threads, place, done, err = r.e.Scan(f, place, page)
				r.must(err)
				for _, th := range threads {
					if got[th.ID.Domain] {
						t.Errorf("filter %+v lists %s twice", f, th.ID.Domain)
					}
					got[th.ID.Domain] = true
				}
				if pages > 400 {
					t.Fatalf("filter %+v in pages of %d does not end", f, page)
				}
			}
			if len(got) != want {
				t.Errorf("filter %+v in pages of %d chooses %d threads, want %d", f, page, len(got), want)
			}
		}
	}
}

// A job whose caller went away before the commit is on disk and is carried out all the same.
func TestJobOfACallerThatWentAway(t *testing.T) {
	r, number := crowdOf(t, 10)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := r.e.StartJob(ctx, store.Job{Operation: "kill", Filter: store.ThreadFilter{Activity: number}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("starting a job with a context that is done: %v", err)
	}
	r.e.Turn()
	if r.finishJobs(); r.statuses(number, 10)["killed"] != 10 || r.job(1).State != store.JobDone {
		t.Errorf("the job is %+v, want it done", r.job(1))
	}
}

// A job that has reached its limit and could not write its end hits nobody any more, neither when it tries again nor after a death.
func TestJobAtItsLimitHitsNobodyMore(t *testing.T) {
	for _, dies := range []bool{false, true} {
		r, number := crowdOf(t, 300)
		r.startNow(store.Job{Operation: "pause", Limit: 7, Filter: store.ThreadFilter{Activity: number}})
		j, refused := r.e.jobs.all[1], false
		for rounds := 0; !refused; rounds++ {
			if rounds > 100 {
				t.Fatal("the job never came to its end")
			}
			_, err := r.e.jobs.step(j, func(op *jobOp) error {
				if op.put != nil && op.put.State.Ended() {
					refused = true
					return ErrBusy
				}
				op.answer = func(error) {}
				r.must(r.e.put(input{job: op}, 0))
				r.e.Turn()
				return nil
			})
			if err != nil && !refused {
				t.Fatal(err)
			}
		}
		if dies {
			r.restart()
		}
		r.finishJobs()
		if got, want := fmt.Sprint(r.statuses(number, 300)), "map[paused:7 waiting:293]"; got != want {
			t.Errorf("dies %v: a job limited to 7 leaves %s, want %s", dies, got, want)
		}
		if got := r.job(1); got.State != store.JobDone || got.Counts.Hit != 7 {
			t.Errorf("dies %v: the job ended %v with %+v, want done with 7 hits", dies, got.State, got.Counts)
		}
	}
}

func TestStopOfAJobOnANodeThatStops(t *testing.T) {
	r, number := crowdOf(t, 10)
	r.startNow(store.Job{Operation: "kill", Filter: store.ThreadFilter{Activity: number}})
	ctx, end := context.WithCancel(t.Context())
	end()
	r.e.jobs.run(ctx)
	if _, err := r.e.StopJob(t.Context(), 1); !errors.Is(err, errStopping) {
		t.Errorf("the stop of a job that nobody carries out any more: %v, want %v", err, errStopping)
	}
	r.restart()
	if _, err := r.e.StopJob(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("the stop of a job by a caller who is gone: %v, want %v", err, context.Canceled)
	}
}
