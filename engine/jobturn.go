package engine

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// jobOp is what a turn does for batch jobs: rows of jobs that are written or deleted, and a chunk of one job in one slot. The chunk's effects and
// how far the job is then lie in one group: after a crash it goes on there, and no thread is hit twice.
type jobOp struct {
	put    *store.Job // nil: none
	drop   uint64     // a job whose row is deleted; 0: none
	clean  []uint16   // slots whose rows of that job are deleted
	of     uint64
	chunk  *jobChunk
	answer func(error)
}

// jobChunk is the part of a job that one turn carries out.
type jobChunk struct {
	job     uint64
	slot    uint16
	command activity.Command
	threads []activity.ID
	runs    []uint64 // of ended runs, which are forgotten; nil: the threads are given the command
	match   *matcher // what the threads must still be; used by the turn alone until it answers
	start   store.JobSlot
	before  store.JobCounts // of the slots before
	after   Place
	seen    int64
	errors  int64
	records []record
	result  store.JobSlot // how far the job is in the slot after the commit
}

// takeJob takes up an operation; what belongs to a slot is written when the slot is stepped.
func (t *turn) takeJob(op *jobOp) {
	t.jobs = append(t.jobs, op)
	for _, slot := range op.clean {
		t.batch.Begin(slot)
		t.batch.DeleteJob(op.of)
	}
	c := op.chunk
	if c == nil {
		return
	}
	w := t.slot(c.slot)
	w.chunks = append(w.chunks, c)
	if c.runs != nil {
		return
	}
	c.records = make([]record, len(c.threads))
	c.command.TimeMs = t.nowMs
	for i, id := range c.threads {
		c.records[i] = record{Record: messagebus.Record{Source: "batch"}, chunk: c}
		w.send(id, &c.command, c.records[i].part(c.slot))
	}
}

// skips reports whether a command of a batch job finds its thread no longer as the job's filter wants it: between the reading and this turn it may
// have gone on.
func (l *lane) skips(tw *threadWork, d *delivery) bool {
	return d.part != nil && d.part.record.chunk != nil && !d.part.record.chunk.match.takes(l.t.snap, &tw.now, l.t.nowMs)
}

// settleChunks counts what became of the jobs' commands in a slot and writes how far they are.
func (l *lane) settleChunks(w *slotWork) {
	for _, c := range w.chunks {
		p := store.JobSlot{Domain: c.after.Domain, Run: c.after.Run, Counts: c.start.Counts, Before: c.before}
		p.Counts.Seen += c.seen
		p.Counts.Errors += c.errors
		for i, run := range c.runs {
			l.batch.DeleteEnded(c.threads[i], run)
			l.forgetLines(w, c.threads[i], run)
			p.Counts.Hit++
		}
		for i := range c.records {
			switch kind := c.records[i].first.verdicts[0].Kind; kind {
			case activity.VerdictTaken:
				p.Counts.Hit++
			case "": // skipped
				p.Counts.Skipped++
			default:
				p.Counts.Refused++
			}
		}
		l.batch.PutJobSlot(c.job, p)
		c.result = p
	}
}

// writeJobs writes the rows of the jobs themselves into the node's slot.
func (t *turn) writeJobs() {
	for _, op := range t.jobs {
		if op.put != nil {
			t.batch.Begin(store.NodeSlot)
			t.batch.PutJob(op.put)
		}
		if op.drop != 0 {
			t.batch.Begin(store.NodeSlot)
			t.batch.DeleteJob(op.drop)
		}
	}
}

func (t *turn) tellJobs() {
	for _, op := range t.jobs {
		op.answer(nil)
	}
	clear(t.jobs)
	t.jobs = t.jobs[:0]
}
