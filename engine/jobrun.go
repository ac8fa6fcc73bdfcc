package engine

import (
	"context"
	"errors"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// run carries the jobs out, chunk by chunk and by turns, until ctx is done.
func (b *jobBook) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer close(b.gone)
	for ctx.Err() == nil {
		next := b.round(time.Now(), func(op *jobOp) error { return b.e.doJob(ctx, op) })
		timer.Reset(max(0, time.Until(next)))
		select {
		case <-ctx.Done():
		case <-b.wake:
		case <-timer.C:
		}
	}
}

// RunJobsNow is one round of the batch jobs for a caller that drives the turns itself: each does its next chunk, whatever its rate. It reports
// whether any job is left that has not ended.
func (e *Engine) RunJobsNow() (left bool) {
	next := e.jobs.round(time.Time{}, func(op *jobOp) error {
		err := errStopping
		op.answer = func(failed error) { err = failed }
		if err := e.put(input{job: op}, 0); err != nil {
			return err
		}
		e.Turn()
		return err
	})
	return !next.Equal(never0)
}

var never0 = time.Unix(1<<40, 0)

// round lets each job whose time has come do a chunk, and returns when the next one is due. The zero now is for all.
func (b *jobBook) round(now time.Time, do func(*jobOp) error) (next time.Time) {
	b.mu.Lock()
	var due []*job
	next = never0
	for _, j := range b.all {
		switch {
		case j.row.State.Ended() && j.row.Cleaned:
		case now.IsZero() || !j.nextAt.After(now) || j.stop && !j.row.State.Ended():
			due = append(due, j)
		case j.nextAt.Before(next):
			next = j.nextAt
		}
	}
	b.mu.Unlock()
	for _, j := range due {
		if j.row.CreatedMs == 0 { // its number is held while its row is being written
			continue
		}
		wait, err := b.step(j, do)
		switch {
		case errors.Is(err, ErrBusy):
			wait = 100 * time.Millisecond
		case errors.Is(err, errStopping) || errors.Is(err, context.Canceled):
			return never0
		case err != nil:
			err = b.end(j, store.JobFailed, err.Error(), do)
			if err != nil {
				wait = time.Second
			}
		}
		if earliest := time.Now().Add(-time.Second); j.nextAt.Before(earliest) { // what a job did not use of its rate is not saved up for long
			j.nextAt = earliest
		}
		j.nextAt = j.nextAt.Add(wait)
		if b.left(j) && j.nextAt.Before(next) {
			next = j.nextAt
		}
	}
	return next
}

func (b *jobBook) left(j *job) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !j.row.State.Ended() || !j.row.Cleaned
}

// step does the next chunk of a job and says how long it rests then.
func (b *jobBook) step(j *job, do func(*jobOp) error) (wait time.Duration, err error) {
	b.mu.Lock()
	state, stop := j.row.State, j.stop
	b.mu.Unlock()
	switch {
	case state.Ended():
		return 0, b.clean(j, do)
	case stop:
		return 0, b.end(j, store.JobStopped, "", do)
	case j.match == nil:
		if err := b.begin(j, do); err != nil {
			return 0, err
		}
	case int(j.row.Slot) >= len(b.e.slots):
		return 0, b.end(j, store.JobDone, j.row.Error, do)
	}
	if !j.loaded {
		p, _, err := b.e.store.JobSlot(j.row.Slot, j.row.ID)
		if err != nil {
			return 0, err
		}
		b.here(j, p)
		j.loaded = true
	}
	return b.chunk(j, do)
}

func (b *jobBook) here(j *job, p store.JobSlot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	j.here = p
}

// begin compiles the job's filter, also after a start of the node.
func (b *jobBook) begin(j *job, do func(*jobOp) error) (err error) {
	if b.e.o.Metadata().Activities[j.row.Filter.Activity] == nil {
		return errors.New("the activity is not there any more")
	}
	if j.check, err = newMatcher(j.row.Filter); err != nil {
		return err
	}
	if j.match, err = newMatcher(j.row.Filter); err != nil {
		return err
	}
	if j.row.State == store.JobRunning {
		return b.catchUp(j)
	}
	return b.save(j, do, func(row *store.Job) { row.State, row.StartedMs = store.JobRunning, b.e.NowMs() })
}

// catchUp finds how far a job was when the node ended: where the job's row is behind, the rows in the slots say more.
func (b *jobBook) catchUp(j *job) error {
	row := j.row
	for slot := int(j.row.Slot); slot < len(b.e.slots); slot++ {
		p, ok, err := b.e.store.JobSlot(uint16(slot), row.ID)
		if err != nil {
			return err
		}
		if ok { // the slots before it are done
			row.Slot, row.Counts = uint16(slot), p.Before
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	j.row = row
	return nil
}

// save changes the job's row, on disk first.
func (b *jobBook) save(j *job, do func(*jobOp) error, change func(*store.Job)) error {
	row := j.row
	change(&row)
	if err := do(&jobOp{put: &row}); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if row.State.Ended() && !j.row.State.Ended() && j.ended != nil {
		close(j.ended)
	}
	j.row, j.saved = row, time.Now()
	return nil
}

// chunk reads the job's next threads and has a turn deal with those that the filter chooses.
func (b *jobBook) chunk(j *job, do func(*jobOp) error) (time.Duration, error) {
	e, row := b.e, &j.row
	if row.Limit > 0 && row.Counts.Hit+j.here.Counts.Hit >= row.Limit { // reached before, and its end did not come to disk
		return 0, b.end(j, store.JobDone, j.lastError(), do)
	}
	from := Place{row.Slot, j.here.Domain, j.here.Run}
	threads, after, done, err := e.read(j.match, from, seenAtOnce)
	if err != nil {
		return 0, err
	}
	most := int64(maxChunk)
	if most = min(most, max(1, row.Rate/10)); row.Limit > 0 {
		most = min(most, row.Limit-row.Counts.Hit-j.here.Counts.Hit)
	}
	c := &jobChunk{job: row.ID, slot: row.Slot, match: j.check, start: j.here, before: row.Counts, after: after, command: activity.Command{Name: commandOf(row.Operation), Args: row.Args}}
	snap, nowMs, wrong := e.o.Metadata(), e.NowMs(), j.match.errors
	for i := range threads {
		if c.seen++; !j.match.takes(snap, &threads[i], nowMs) {
			continue
		}
		c.threads = append(c.threads, threads[i].ID)
		if j.match.ended {
			c.runs = append(c.runs, threads[i].Run)
		}
		if int64(len(c.threads)) == most {
			c.after, done = j.match.place(row.Slot, &threads[i]), false
			break
		}
	}
	c.errors = j.match.errors - wrong
	if err := b.carryOut(j, c, do); err != nil {
		return 0, err
	}
	wait := time.Duration(c.seen+1) * time.Second / jobSeenRate
	if !row.DryRun {
		wait = max(wait, time.Duration(len(c.threads))*time.Second/time.Duration(row.Rate))
	}
	hit := row.Counts.Hit + j.here.Counts.Hit
	switch {
	case row.Limit > 0 && hit >= row.Limit:
		return 0, b.end(j, store.JobDone, j.lastError(), do)
	case done:
		return wait, b.leave(j, do)
	}
	return wait, nil
}

// carryOut does the chunk. Where nothing is hit no commit is made: after a crash those threads are looked at again.
func (b *jobBook) carryOut(j *job, c *jobChunk, do func(*jobOp) error) error {
	if len(c.threads) == 0 || j.row.DryRun {
		p := c.start
		p.Domain, p.Run = c.after.Domain, c.after.Run
		p.Counts.Add(store.JobCounts{Seen: c.seen, Hit: int64(len(c.threads)), Errors: c.errors})
		b.here(j, p)
		return nil
	}
	if err := do(&jobOp{chunk: c}); err != nil {
		return err
	}
	b.here(j, c.result)
	return nil
}

func (j *job) lastError() string {
	if j.match != nil && j.match.err != nil {
		return j.match.err.Error()
	}
	return j.row.Error
}

// leave goes to the next slot. The row is written now and then only: where it is behind, the rows in the slots say how far the job is.
func (b *jobBook) leave(j *job, do func(*jobOp) error) error {
	row := j.row
	row.Counts.Add(j.here.Counts)
	row.Slot++
	row.Error = j.lastError()
	last := int(row.Slot) >= len(b.e.slots)
	b.mu.Lock()
	j.row, j.here, j.loaded = row, store.JobSlot{}, false
	b.mu.Unlock()
	if last {
		return b.end(j, store.JobDone, row.Error, do)
	}
	if time.Since(j.saved) < jobSaveEvery {
		return nil
	}
	return b.save(j, do, func(*store.Job) {})
}

// end writes how the job ended.
func (b *jobBook) end(j *job, state store.JobState, why string, do func(*jobOp) error) error {
	slot := j.row.Slot
	err := b.save(j, do, func(row *store.Job) {
		row.Counts.Add(j.here.Counts)
		row.State, row.EndedMs, row.Slot = state, b.e.NowMs(), min(slot, uint16(len(b.e.slots)-1))
		if why != "" {
			row.Error = why
		}
	})
	if err == nil {
		b.here(j, store.JobSlot{})
	}
	return err
}

// clean deletes the job's rows in the slots: they are of no use once its end is on disk.
func (b *jobBook) clean(j *job, do func(*jobOp) error) error {
	op := &jobOp{of: j.row.ID}
	for slot := range uint16(len(b.e.slots)) {
		_, ok, err := b.e.store.JobSlot(slot, j.row.ID)
		if err != nil {
			return err
		}
		if ok {
			op.clean = append(op.clean, slot)
		}
	}
	row := j.row
	row.Cleaned = true
	op.put = &row
	if err := do(op); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	j.row = row
	return nil
}
