package engine

import (
	"fmt"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
)

// pipeline lets the loop decide one turn while the one before goes into the store and to the disk. Two turns take turns: the loop decides one, starts
// its commit, hands it to the teller, and takes the next; the teller waits for the disk and lets the world hear, in the order in which turns
// were started. A turn that reads the store waits until the one before has gone in; whatever follows from it is told later than what it stands on.
type pipeline struct {
	e       *Engine
	free    chan *turn // told; has room for all
	applied chan *turn // to be synced and told
	done    chan struct{}
	most    int // messages that the next turn may take
}

// maxUnderWay is how many turns there are: one being decided, one that goes into the store and to the disk. With a third the same load comes in more and
// smaller turns, which cost more for an event.
const maxUnderWay = 2

func newPipeline(e *Engine) *pipeline {
	p := &pipeline{e: e, free: make(chan *turn, maxUnderWay), applied: make(chan *turn, maxUnderWay), done: make(chan struct{})}
	p.free <- e.turn
	for range maxUnderWay - 1 {
		p.free <- newTurn(e)
	}
	go p.teller()
	return p
}

// fewMessages is what a turn may take where syncing is quicker than deciding. Without a bound all senders that wait for their answers would fall
// into step with one turn: nothing would be left to decide while it is synced, and nothing to sync while the next one is decided.
const fewMessages = 2000

// next returns the turn to be decided. Whether it has to be waited for tells which of the two, syncing or deciding, is behind: where it is
// syncing turns may grow.
func (p *pipeline) next() *turn {
	select {
	case t := <-p.free:
		p.most = max(p.most/2, fewMessages)
		return t
	default:
		t := <-p.free
		p.most = min(2*p.most, p.e.o.MaxMessages)
		return t
	}
}

// turn does one round up to its commit; it reports whether there was anything to do.
func (p *pipeline) turn() bool {
	t := p.next()
	t.most = min(p.most, p.e.o.MaxMessages)
	if !t.apply((*store.Batch).Start) {
		p.free <- t
		return false
	}
	p.applied <- t
	return true
}

func (p *pipeline) teller() {
	defer close(p.done)
	for t := range p.applied {
		if t.wait() {
			t.tell()
		}
		t.clear()
		p.free <- t
	}
}

// apply decides a turn and hands it to the store by Batch.Apply or Start; it reports whether there was anything to do.
func (t *turn) apply(by func(*store.Batch) error) bool {
	e := t.e
	e.turn = t
	if !t.decide() {
		return false
	}
	if fault.On("ack-before-commit") {
		t.answerEarly()
	}
	if err := by(t.batch); err != nil {
		e.o.Fatal(fmt.Errorf("a turn could not be committed: %w", err))
		return false
	}
	if fault.On("tell-before-wait") {
		t.answerEarly()
	}
	e.at(PointApplied)
	t.armAgain()
	return true
}

// wait returns when an applied turn is on disk and may be told. What comes after a lost turn stands on it: none of it is told.
func (t *turn) wait() bool {
	if err := t.batch.Wait(); err != nil {
		t.e.o.Fatal(fmt.Errorf("a turn could not be committed: %w", err))
	}
	if t.e.failed.Load() && !fault.On("tell-after-failure") {
		return false
	}
	t.e.at(PointAfterCommit)
	if fault.On("tell-two-at-once") {
		t.e.turn.answerEarly() // the turn applied last, which may still wait
	}
	return true
}

// flush returns when everything that was applied is told.
func (p *pipeline) flush() {
	var all [maxUnderWay]*turn
	for i := range all {
		all[i] = <-p.free
	}
	for _, t := range all {
		p.free <- t
	}
}

// close tells what was applied and ends the teller.
func (p *pipeline) close() {
	close(p.applied)
	<-p.done
}
