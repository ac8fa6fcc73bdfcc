package engine

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/internal/fault"
)

// The points at which Options.Hook is called, in the order of a turn. Those of sending are the relay's and may be called on its goroutines.
const (
	PointCollected    = "collected"     // messages are taken in and routed
	PointStepped      = "stepped"       // every thread had its messages
	PointBeforeCommit = "before-commit" // the batch is whole
	PointApplied      = "applied"       // the batch is handed to the disk; in the pipeline only
	PointAfterCommit  = "after-commit"  // it is on disk, nobody was told
	PointBeforeAnswer = "before-answer" // once for each record that is answered
	PointAfterAnswer  = "after-answer"
	PointBarrier      = "barrier"     // what was read is shown only when all that it could have seen is on disk
	PointBeforeSend   = "before-send" // once for each batch that goes to a destination
	PointAfterSend    = "after-send"  // the destination took it or not; no turn has heard of it
)

// at tells a simulation where the engine stands.
func (e *Engine) at(point string) {
	if e.o.Hook != nil {
		e.o.Hook(point)
	}
}

// barrier returns when all that a read which has returned could have seen is on disk.
func (e *Engine) barrier() error {
	e.at(PointBarrier)
	return e.store.Barrier()
}

// shown is the barrier of what callers read.
func (e *Engine) shown() error {
	if fault.On("read-before-sync") {
		return nil
	}
	return e.barrier()
}

// observation is what Options.Observe is told of one message.
type observation struct {
	slot    uint16
	id      activity.ID
	number  uint64
	message activity.Message
	verdict activity.Verdict
}

// observe keeps what was given to a thread and what became of it until a simulation is shown it.
func (l *lane) observe(slot uint16, id activity.ID, number uint64, m activity.Message, v activity.Verdict) {
	if l.e.o.Observe != nil {
		l.observed = append(l.observed, observation{slot, id, number, m, v})
	}
}

// showObserved shows a simulation what the lane's slots were given.
func (l *lane) showObserved() {
	for _, o := range l.observed {
		l.e.o.Observe(o.slot, o.id, o.number, o.message, o.verdict)
	}
	clear(l.observed)
	l.observed = l.observed[:0]
}
