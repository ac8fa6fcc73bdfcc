package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine/store"
)

type advanceRequest struct {
	ctx    context.Context
	byMs   int64
	answer chan advanceAnswer
}

// ErrBusyClock says that an advance stopped early, at the moment it names: threads are busy there without end.
var ErrBusyClock = errors.New("the clock can not go on")

type advanceAnswer struct {
	nowMs int64
	fired int64
	err   error
}

// ErrWallClock says that only a node with a manual clock can be advanced.
var ErrWallClock = errors.New("this node runs on the wall clock: start it with --clock manual to turn the clock by hand")

// Advance turns a manual clock forward by byMs: it moves to the earliest alarm that is due not after the target, runs turns until none is
// due, and so on, so that alarms set inside the span fire in it, each at its due time. It returns the new time and how many alarms
// reached their threads, after the last commit; it does not wait for services. It needs a running loop.
func (e *Engine) Advance(ctx context.Context, byMs int64) (nowMs, fired int64, err error) {
	if _, ok := e.o.Clock.(*clock.Manual); !ok {
		return 0, 0, ErrWallClock
	}
	r := advanceRequest{ctx: ctx, byMs: byMs, answer: make(chan advanceAnswer, 1)}
	select {
	case e.advance <- r:
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
	select {
	case a := <-r.answer:
		return a.nowMs, a.fired, a.err
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
}

// AdvanceNow is Advance for a caller that drives the turns itself, instead of Run.
func (e *Engine) AdvanceNow(byMs int64) (nowMs, fired int64, err error) {
	a := e.moveClock(advanceRequest{ctx: context.Background(), byMs: byMs})
	return a.nowMs, a.fired, a.err
}

func (e *Engine) moveClock(r advanceRequest) advanceAnswer {
	manual, ok := e.o.Clock.(*clock.Manual)
	if !ok {
		return advanceAnswer{err: ErrWallClock}
	}
	if r.byMs < 0 || e.now()+r.byMs < e.now() {
		return advanceAnswer{err: fmt.Errorf("the clock can not be moved by %d ms", r.byMs)}
	}
	target := e.now() + r.byMs
	before := e.stats.AlarmsFired.Load()
	for {
		if err := e.settle(r.ctx); err != nil {
			return advanceAnswer{err: err}
		}
		due := e.nextDue()
		if due > target {
			break
		}
		manual.Set(max(due, e.now()))
		e.Turn() // one that finds only a cancelled alarm has found the next one: that is progress too
	}
	manual.Set(target)
	e.floorMs = target
	b := e.store.NewBatch()
	b.Begin(store.NodeSlot)
	b.PutNodeMeta(e.nodeMeta())
	if err := b.Commit(); err != nil {
		e.o.Fatal(err)
		return advanceAnswer{err: err}
	}
	return advanceAnswer{nowMs: target, fired: e.stats.AlarmsFired.Load() - before}
}

// settle turns until no alarm is due at this moment and no thread has mail from another, at least once; what others send meanwhile is not waited for.
func (e *Engine) settle(ctx context.Context) error {
	for range e.o.MaxTurnsAtOnce {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.Turn()
		due := e.nextDue() <= e.now()
		if due && e.releasedByMailMs(e.now()) == e.now() {
			continue
		}
		if left, err := e.carryMail(ctx); err != nil || !left && !due {
			return err
		}
	}
	return fmt.Errorf("%w: after %d turns at %d ms there is still something to do; a definition that goes round without waiting does that", ErrBusyClock, e.o.MaxTurnsAtOnce, e.now())
}

func (e *Engine) nodeMeta() store.NodeMeta {
	m := e.nodes
	m.FloorMs = e.floorMs
	return m
}

// carryMail hands what threads have sent to each other to the next turn; it reports whether any was left. Rows that a goroutine of the relay has in
// hand are waited for a moment: they come with the inbox.
func (e *Engine) carryMail(ctx context.Context) (left bool, err error) {
	ready, busy := e.relay.mail()
	for _, d := range ready {
		if _, err := e.relay.sendBatch(ctx, d); err != nil {
			return true, err
		}
	}
	if len(ready) == 0 && busy {
		select {
		case <-e.wake:
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
	return len(ready) > 0 || busy, nil
}
