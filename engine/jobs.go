package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// Bounds of batch jobs.
const (
	maxActiveJobs = 100    // not ended
	maxEndedJobs  = 100    // kept to be looked at
	maxChunk      = 200    // commands of a job in one turn
	jobSeenRate   = 50_000 // threads a job reads in a second, so that it leaves the machine to the loop
	usualJobRate  = 1000   // threads a second, where a job does not say
	jobSaveEvery  = time.Second
)

// Operations of batch jobs that are no command to a live thread.
const (
	OperationRemove       = "remove" // live threads: ended, nothing is kept of them; ended runs: forgotten
	OperationFireAlarms   = "fire_alarms"
	OperationDeleteAlarms = "delete_alarms"
)

// commandOf returns the command that an operation gives to each thread.
func commandOf(operation string) string {
	switch operation {
	case OperationFireAlarms:
		return activity.CommandFireAlarm
	case OperationDeleteAlarms:
		return activity.CommandDeleteAlarm
	}
	return operation
}

// usualStatuses are those an operation is for, where its filter names none.
var usualStatuses = map[string][]activity.Status{
	"pause":               {activity.Running, activity.Waiting},
	"repair":              {activity.Waiting, activity.Stalled},
	"resume":              {activity.Paused, activity.Stalled},
	OperationFireAlarms:   {activity.Waiting},
	OperationDeleteAlarms: {activity.Waiting, activity.Paused},
}

// JobOperations returns what batch jobs can do: every command of a thread, and the same for alarms.
func JobOperations() []string {
	names := []string{OperationFireAlarms, OperationDeleteAlarms, "repair"}
	for _, name := range activity.Commands() {
		if name != activity.CommandFireAlarm && name != activity.CommandDeleteAlarm && name != "repair" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ErrManyJobs says that too many batch jobs are planned or running.
var ErrManyJobs = fmt.Errorf("%d batch jobs are planned or running: wait until one has ended, or stop one", maxActiveJobs)

// ErrNoJob says that there is no batch job of that number.
var ErrNoJob = errors.New("there is no such batch job")

// jobBook owns the batch jobs of a node; at most maxActiveJobs + maxEndedJobs are known.
type jobBook struct {
	e    *Engine
	mu   sync.Mutex
	all  map[uint64]*job // guarded by mu
	wake chan struct{}
	gone chan struct{} // closed when no job is carried out any more
}

// job is one batch job under way. The runner's goroutine owns what is not guarded.
type job struct {
	row    store.Job // guarded by the book's mu: Counts are of the slots before Slot
	here   store.JobSlot
	stop   bool          // guarded by mu
	ended  chan struct{} // closed when the end is on disk; guarded by mu, nil while nobody waits for it
	match  *matcher
	check  *matcher // the turn's own: the two work at the same time
	loaded bool     // here is that of the slot
	nextAt time.Time
	saved  time.Time
}

// openJobs reads the jobs; those under way go on when the loop runs.
func (e *Engine) openJobs() error {
	e.jobs = &jobBook{e: e, all: map[uint64]*job{}, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	rows, err := e.store.Jobs()
	for i := range rows {
		e.jobs.all[rows[i].ID] = &job{row: rows[i]}
	}
	return err
}

// StartJob begins a batch job and returns it once it is on disk: it goes on after a crash where it stood. j says Operation, Args, Filter, Rate,
// Limit and DryRun. Errors are *BadFilter, ErrManyJobs, ErrBusy or a failure. It needs a running loop.
func (e *Engine) StartJob(ctx context.Context, j store.Job) (store.Job, error) {
	b := e.jobs
	if err := e.checkJob(&j); err != nil {
		return j, err
	}
	b.mu.Lock()
	active := 0
	var ended []uint64
	for id, x := range b.all {
		j.ID = max(j.ID, id)
		if !x.row.State.Ended() {
			active++
		} else if x.row.Cleaned {
			ended = append(ended, id)
		}
	}
	if active >= maxActiveJobs {
		b.mu.Unlock()
		return j, ErrManyJobs
	}
	j.ID++
	op := &jobOp{put: &j}
	if len(ended) >= maxEndedJobs {
		op.drop = slices.Min(ended)
	}
	b.all[j.ID] = &job{row: store.Job{ID: j.ID}} // holds the number; begins when the row is on disk
	b.mu.Unlock()
	done := make(chan error, 1)
	op.answer = func(err error) { // also where nobody waits any more: what is on disk is carried out
		b.placed(&j, op.drop, err)
		done <- err
	}
	if err := e.put(input{job: op}, maxInbox); err != nil {
		b.placed(&j, 0, err)
		return j, err
	}
	select {
	case err := <-done:
		return j, err
	case <-ctx.Done():
		return j, ctx.Err()
	}
}

// placed begins a job whose row is on disk, or gives its number back.
func (b *jobBook) placed(j *store.Job, dropped uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		delete(b.all, j.ID)
		return
	}
	delete(b.all, dropped)
	b.all[j.ID] = &job{row: *j}
	b.poke()
}

// checkJob completes a job that is to be started.
func (e *Engine) checkJob(j *store.Job) error {
	if !slices.Contains(JobOperations(), j.Operation) {
		return &BadFilter{Text: fmt.Sprintf("there is no operation %q: write one of %v", j.Operation, JobOperations())}
	}
	if j.Operation == OperationFireAlarms || j.Operation == OperationDeleteAlarms {
		j.Filter.HasAlarm = true
	}
	if len(j.Filter.Statuses) == 0 {
		j.Filter.Statuses = usualStatuses[j.Operation]
	}
	if j.Rate < 0 || j.Limit < 0 {
		return &BadFilter{Text: "rate and limit must not be negative"}
	}
	if j.Rate == 0 {
		j.Rate = usualJobRate
	}
	m, err := newMatcher(j.Filter)
	if err != nil {
		return err
	}
	if m.ended && j.Operation != OperationRemove {
		return &BadFilter{Text: "of ended runs nothing can be done but " + OperationRemove}
	}
	j.State, j.CreatedMs = store.JobPlanned, e.NowMs()
	j.Filter.BornUntilMs = j.CreatedMs // who is born meanwhile is not meant
	return nil
}

// Jobs returns the batch jobs, the newest first, with their present counts.
func (e *Engine) Jobs() []store.Job {
	b := e.jobs
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []store.Job
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(b.all))) {
		if j := b.all[id]; j.row.CreatedMs != 0 {
			out = append(out, j.view())
		}
	}
	return out
}

func (j *job) view() store.Job {
	row := j.row
	if !row.State.Ended() {
		row.Counts.Add(j.here.Counts)
	}
	return row
}

// Job returns a batch job with its present counts, or ErrNoJob.
func (e *Engine) Job(id uint64) (store.Job, error) {
	b := e.jobs
	b.mu.Lock()
	defer b.mu.Unlock()
	if j := b.all[id]; j != nil && j.row.CreatedMs != 0 {
		return j.view(), nil
	}
	return store.Job{}, ErrNoJob
}

// StopJob stops a job that has not ended: it does no more than what is under way, and does not go on later. It returns once the end is on disk, with
// the job as it ended: it may have been done, or have failed, just before. Errors are ErrNoJob or a failure: then the job may be stopped or not. It
// needs a running loop.
func (e *Engine) StopJob(ctx context.Context, id uint64) (store.Job, error) {
	b := e.jobs
	b.mu.Lock()
	j := b.all[id]
	if j == nil || j.row.CreatedMs == 0 {
		b.mu.Unlock()
		return store.Job{}, ErrNoJob
	}
	j.stop = true
	if j.ended == nil {
		j.ended = make(chan struct{})
		if j.row.State.Ended() {
			close(j.ended)
		}
	}
	ended := j.ended
	b.mu.Unlock()
	b.poke()
	var err error
	select {
	case <-ended:
	case <-b.gone:
		err = errStopping
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if j.row.State.Ended() {
		err = nil
	}
	return j.view(), err
}

func (b *jobBook) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// doJob has a turn carry out an operation and waits for the commit.
func (e *Engine) doJob(ctx context.Context, op *jobOp) error {
	done := make(chan error, 1)
	op.answer = func(err error) { done <- err }
	if err := e.put(input{job: op}, maxInbox); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
