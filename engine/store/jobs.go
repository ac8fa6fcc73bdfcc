package store

import (
	"math"

	"github.com/weftbox/weftbox/activity"
)

// JobState says where a batch job is; its number is on disk and never changes its meaning.
type JobState uint8

// The states of a batch job.
const (
	JobPlanned JobState = 1
	JobRunning JobState = 2
	JobDone    JobState = 3
	JobStopped JobState = 4
	JobFailed  JobState = 5
)

var jobStates = [...]string{"unknown", "planned", "running", "done", "stopped", "failed"}

// String returns planned, running, done, stopped or failed.
func (s JobState) String() string {
	if int(s) < len(jobStates) {
		return jobStates[s]
	}
	return jobStates[0]
}

// Ended reports whether the job does nothing any more.
func (s JobState) Ended() bool { return s >= JobDone }

// ThreadFilter chooses threads of one activity; a zero field chooses all. Statuses are either all of live threads or all of ended runs.
type ThreadFilter struct {
	Activity    uint32
	Statuses    []activity.Status // none: every live one
	Action      string            // where they stand, or ended
	Version     string            // of the definition
	IdleMs      int64             // unchanged for so long at least
	Where       string            // a condition over var(…), config(…) and the thread; one that can not be computed chooses none
	HasAlarm    bool              // an alarm is set
	AlarmFromMs int64             // it is due then or later
	AlarmToMs   int64             // it is due before then; 0: whenever
	BornUntilMs int64             // born then or before; 0: whenever
}

// JobCounts is how far a job is.
type JobCounts struct {
	Seen    int64 // threads looked at; one that is looked at again after a crash counts once
	Hit     int64 // threads that took the operation
	Refused int64 // threads whose status does not allow it
	Skipped int64 // threads that had gone on meanwhile, so that the filter no longer chose them
	Errors  int64 // threads for which the condition could not be computed
}

// Add adds up.
func (c *JobCounts) Add(o JobCounts) {
	c.Seen += o.Seen
	c.Hit += o.Hit
	c.Refused += o.Refused
	c.Skipped += o.Skipped
	c.Errors += o.Errors
}

// Job is a batch job: one operation for all threads that a filter chooses, slot after slot.
type Job struct {
	ID        uint64
	Operation string
	Args      map[string]any // of the operation
	Filter    ThreadFilter
	Rate      int64 // threads a second
	Limit     int64 // threads at most; 0: all
	DryRun    bool  // only count
	State     JobState
	Slot      uint16    // the slot it is at, or one before it
	Counts    JobCounts // of the slots before it; when it has ended, of all
	Error     string    // why it failed, or the last condition that could not be computed
	CreatedMs int64
	StartedMs int64
	EndedMs   int64
	Cleaned   bool // it has ended and its rows in the slots are gone
}

// JobSlot is how far a job is in one slot; it is written in the group of what the job did there.
type JobSlot struct {
	Domain string // the last one done
	Run    uint64 // the last one done of it, where the job is about ended runs
	Counts JobCounts
	Before JobCounts // of the slots before it
}

// Tags of job rows.
const (
	jobOperation = 1
	jobArgs      = 2
	jobActivity  = 3
	jobStatuses  = 4 // one byte each
	jobAction    = 5
	jobVersion   = 6
	jobIdle      = 7
	jobWhere     = 8
	jobHasAlarm  = 9
	jobAlarmFrom = 10
	jobAlarmTo   = 11
	jobBornUntil = 12
	jobRate      = 13
	jobLimit     = 14
	jobDryRun    = 15
	jobState     = 16
	jobSlot      = 17
	jobCounts    = 18
	jobError     = 19
	jobCreated   = 20
	jobStarted   = 21
	jobEnded     = 22
	jobCleaned   = 23

	jobSlotDomain = 1
	jobSlotRun    = 2
	jobSlotCounts = 3
	jobSlotBefore = 4
)

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func appendCounts(dst []byte, tag uint64, c JobCounts) []byte {
	dst, at := openField(dst, tag)
	for i, n := range []int64{c.Seen, c.Hit, c.Refused, c.Skipped, c.Errors} {
		dst = appendUintField(dst, uint64(i+1), uint64(n))
	}
	return closeField(dst, at)
}

func (r *reader) counts() (c JobCounts) {
	r.inField(func(in *reader) {
		for in.next() {
			n := int64(in.small(math.MaxInt64))
			switch in.tag {
			case 1:
				c.Seen = n
			case 2:
				c.Hit = n
			case 3:
				c.Refused = n
			case 4:
				c.Skipped = n
			case 5:
				c.Errors = n
			}
		}
	})
	return c
}

func appendJob(dst []byte, j *Job) ([]byte, error) {
	f := &j.Filter
	dst = appendTextField(append(dst, rowFormat), jobOperation, j.Operation)
	if len(j.Args) > 0 {
		var at int
		var err error
		dst, at = openField(dst, jobArgs)
		if dst, err = appendValue(dst, j.Args, 0); err != nil {
			return dst, err
		}
		dst = closeField(dst, at)
	}
	dst = appendUintField(dst, jobActivity, uint64(f.Activity))
	var statuses []byte
	for _, s := range f.Statuses {
		statuses = append(statuses, byte(s))
	}
	dst = appendBytesField(dst, jobStatuses, statuses)
	dst = appendTextField(dst, jobAction, f.Action)
	dst = appendTextField(dst, jobVersion, f.Version)
	dst = appendTextField(dst, jobWhere, f.Where)
	for _, x := range []struct {
		tag uint64
		n   int64
	}{{jobIdle, f.IdleMs}, {jobAlarmFrom, f.AlarmFromMs}, {jobAlarmTo, f.AlarmToMs}, {jobBornUntil, f.BornUntilMs}, {jobRate, j.Rate}, {jobLimit, j.Limit},
		{jobCreated, j.CreatedMs}, {jobStarted, j.StartedMs}, {jobEnded, j.EndedMs}} {
		dst = appendIntField(dst, x.tag, x.n)
	}
	dst = appendUintField(dst, jobHasAlarm, flag(f.HasAlarm))
	dst = appendUintField(dst, jobDryRun, flag(j.DryRun))
	dst = appendUintField(dst, jobCleaned, flag(j.Cleaned))
	dst = appendUintField(dst, jobState, uint64(j.State))
	dst = appendUintField(dst, jobSlot, uint64(j.Slot))
	dst = appendCounts(dst, jobCounts, j.Counts)
	return appendTextField(dst, jobError, j.Error), nil
}

func decodeJob(value string, j *Job) error {
	f := &j.Filter
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case jobOperation:
			j.Operation = r.body
		case jobArgs:
			r.inField(func(in *reader) { j.Args, _ = in.value(0).(map[string]any) })
		case jobActivity:
			f.Activity = uint32(r.small(math.MaxUint32))
		case jobStatuses:
			for _, s := range []byte(r.body) {
				if f.Statuses = append(f.Statuses, activity.Status(s)); s > byte(activity.Killed) {
					r.fail(errStatus)
				}
			}
		case jobAction:
			f.Action = r.body
		case jobVersion:
			f.Version = r.body
		case jobWhere:
			f.Where = r.body
		case jobError:
			j.Error = r.body
		case jobState:
			j.State = JobState(r.small(uint64(JobFailed)))
		case jobSlot:
			j.Slot = uint16(r.small(math.MaxUint16))
		case jobCounts:
			j.Counts = r.counts()
		default:
			decodeJobNumber(&r, j)
		}
	}
	return r.err
}

func decodeJobNumber(r *reader, j *Job) {
	f := &j.Filter
	switch r.tag {
	case jobIdle:
		f.IdleMs = r.int()
	case jobAlarmFrom:
		f.AlarmFromMs = r.int()
	case jobAlarmTo:
		f.AlarmToMs = r.int()
	case jobBornUntil:
		f.BornUntilMs = r.int()
	case jobHasAlarm:
		f.HasAlarm = r.uint() != 0
	case jobRate:
		j.Rate = r.int()
	case jobLimit:
		j.Limit = r.int()
	case jobDryRun:
		j.DryRun = r.uint() != 0
	case jobCreated:
		j.CreatedMs = r.int()
	case jobStarted:
		j.StartedMs = r.int()
	case jobEnded:
		j.EndedMs = r.int()
	case jobCleaned:
		j.Cleaned = r.uint() != 0
	}
}

// PutJob writes a batch job. It panics outside NodeSlot.
func (b *Batch) PutJob(j *Job) {
	b.mustBeNode("PutJob")
	b.key = appendJobKey(b.key[:0], b.slot, j.ID)
	var err error
	if b.value, err = appendJob(b.value[:0], j); err != nil {
		b.fail(err)
		return
	}
	b.set()
}

// PutJobSlot writes how far a job is in the batch's slot.
func (b *Batch) PutJobSlot(job uint64, p JobSlot) {
	b.key = appendJobKey(b.key[:0], b.slot, job)
	b.value = appendTextField(append(b.value[:0], rowFormat), jobSlotDomain, p.Domain)
	b.value = appendUintField(b.value, jobSlotRun, p.Run)
	b.value = appendCounts(b.value, jobSlotCounts, p.Counts)
	b.value = appendCounts(b.value, jobSlotBefore, p.Before)
	b.set()
}

// DeleteJob deletes the row of a job in the batch's slot: in NodeSlot the job itself.
func (b *Batch) DeleteJob(job uint64) {
	b.key = appendJobKey(b.key[:0], b.slot, job)
	b.remove()
}

// Jobs reads all batch jobs, oldest first.
func (s *Store) Jobs() ([]Job, error) {
	lower := appendHead(nil, NodeSlot, letterJob)
	c, err := s.rangeCursor(lower, appendEnd(nil, lower))
	if err != nil {
		return nil, err
	}
	var out []Job
	for ok := c.First(); ok; ok = c.Next() {
		r := keyReader{rest: c.Key()[len(lower):]}
		j := Job{ID: r.u64()}
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		e := decodeJob(value, &j)
		if !r.done() {
			e = errKey
		}
		if e != nil {
			err = corrupt(c.Key(), e)
			break
		}
		out = append(out, j)
	}
	return out, c.finish(err)
}

// JobSlot reads how far a job is in a slot, ok false when it has done nothing there.
func (s *Store) JobSlot(slot uint16, job uint64) (p JobSlot, ok bool, err error) {
	key := func(dst []byte) []byte { return appendJobKey(dst, slot, job) }
	value, ok, err := s.lookup(key)
	if !ok || err != nil {
		return JobSlot{}, false, err
	}
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case jobSlotDomain:
			p.Domain = r.body
		case jobSlotRun:
			p.Run = r.uint()
		case jobSlotCounts:
			p.Counts = r.counts()
		case jobSlotBefore:
			p.Before = r.counts()
		}
	}
	if r.err != nil {
		return JobSlot{}, false, corrupt(key(nil), r.err)
	}
	return p, true, nil
}

// EndedAfter reads ended runs of an activity in a slot, ascending by domain id and run, after the run named ("", 0: from the start), until it has
// limit of them or has looked at scan rows. domain and last say where to go on while more is true.
func (s *Store) EndedAfter(slot uint16, number uint32, domain string, run uint64, limit, scan int) (out []activity.Thread, last string, lastRun uint64, more bool, err error) {
	lower := appendHead(nil, slot, letterEnded)
	end := appendEnd(nil, lower)
	switch {
	case domain != "" && run == math.MaxUint64:
		lower = appendEnd(nil, appendDomainPrefix(nil, slot, letterEnded, domain))
	case domain != "":
		lower = append(appendU64(appendIDPrefix(nil, slot, letterEnded, activity.ID{Activity: number, Domain: domain}), run), 0)
	}
	c, err := s.rangeCursor(lower, end)
	if err != nil {
		return nil, domain, run, false, err
	}
	last, lastRun = domain, run
	ok := c.First()
	for ; ok && len(out) < limit && scan > 0; ok = c.Next() {
		scan--
		r := keyReader{rest: c.Key()[3:]}
		t := activity.Thread{ID: activity.ID{Domain: r.text(), Activity: r.u32()}}
		of := r.u64()
		if !r.done() {
			err = corrupt(c.Key(), errKey)
			break
		}
		if t.ID.Activity != number {
			c.visited++
			if last, lastRun = t.ID.Domain, 0; t.ID.Activity > number {
				lastRun = math.MaxUint64 // the domain is done
			}
			continue
		}
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		if e := decodeThread(value, &t); e != nil {
			err = corrupt(c.Key(), e)
			break
		}
		out, last, lastRun = append(out, t), t.ID.Domain, of
	}
	return out, last, lastRun, ok && err == nil, c.finish(err)
}
