package engine

import (
	"cmp"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weftbox/weftbox/activity"
)

// Stats counts what the engine did since it was opened.
type Stats struct {
	Turns          atomic.Int64
	Messages       atomic.Int64 // records of all kinds
	Events         atomic.Int64
	Replies        atomic.Int64
	Duplicates     atomic.Int64 // repeats that were not applied
	Late           atomic.Int64 // replies and alarms nobody waited for
	AlarmsFired    atomic.Int64 // alarms that reached their threads
	Requests       atomic.Int64 // rows put into the outbox for services
	Mails          atomic.Int64 // rows put into the outbox for other threads
	DeliveryErrors atomic.Int64 // batches a destination did not take
	DeadLetters    atomic.Int64

	DeadLettersDropped atomic.Int64 // the oldest, to keep their bounds
	KeysDropped        atomic.Int64 // idempotency keys forgotten early, to keep their bound

	LinesDropped atomic.Int64 // printed by the stdout action, and not written because nobody read them

	StrategyErrors atomic.Int64
	TriggerErrors  atomic.Int64
	Spawned        atomic.Int64
	Dropped        atomic.Int64 // messages a live thread had no use for
}

// Stats returns the counters; they may be read at any time.
func (e *Engine) Stats() *Stats { return &e.stats }

func (l *lane) count(v activity.Verdict, m activity.Message) {
	s := &l.e.stats
	alarm, isAlarm := m.(*activity.Alarm)
	switch v.Kind {
	case activity.VerdictSpawned:
		s.Spawned.Add(1)
	case activity.VerdictDropped:
		s.Dropped.Add(1)
	case activity.VerdictLate:
		s.Late.Add(1)
	case activity.VerdictError:
		s.TriggerErrors.Add(1)
		l.e.warn("a trigger's condition could not be computed", errors.New(v.Error))
	case activity.VerdictTaken:
		if isAlarm && alarm.Kind == activity.AlarmAction {
			s.AlarmsFired.Add(1)
		}
	}
}

// warn logs a line about a fault that may come with every message: at most one a minute for each text.
func (e *Engine) warn(text string, err error) {
	key := text + "\x00" + err.Error()
	e.mu.Lock()
	now := time.Now()
	last, seen := e.warned[key]
	quiet := seen && now.Sub(last) < time.Minute
	if !quiet {
		if len(e.warned) > 1000 {
			clear(e.warned)
		}
		e.warned[key] = now
	}
	e.mu.Unlock()
	if !quiet {
		e.o.Log.Warn(text, "err", err)
	}
}

// exitCode is the process's exit code after a fault that ends the engine: 10 when the disk is full.
func exitCode(err error) int {
	if errors.Is(err, syscall.ENOSPC) {
		return 10
	}
	return 1
}

func slicesByNumber(all []*destination) {
	slices.SortFunc(all, func(a, b *destination) int { return cmp.Compare(a.number, b.number) })
}
