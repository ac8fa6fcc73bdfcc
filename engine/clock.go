package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine/store"
)

type advanceRequest struct {
	byMs   int64
	answer chan advanceAnswer
}

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
	r := advanceRequest{byMs: byMs, answer: make(chan advanceAnswer, 1)}
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
	a := e.moveClock(advanceRequest{byMs: byMs})
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
		for e.Turn() {
		}
		due := e.nextDue()
		if due > target {
			break
		}
		manual.Set(max(due, e.now()))
		if !e.Turn() { // the head was that of a cancelled alarm: finding the next one is progress too
			continue
		}
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

func (e *Engine) nodeMeta() store.NodeMeta {
	m := e.nodes
	m.FloorMs = e.floorMs
	return m
}
