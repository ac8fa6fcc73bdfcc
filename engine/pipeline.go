package engine

import (
	"fmt"

	"github.com/weftbox/weftbox/internal/fault"
)

// pipeline lets the loop decide one turn while the one before is being synced. Two turns take turns: the loop decides and applies one, hands it to
// the teller, and takes the other; the teller waits for the disk and lets the world hear, in the order in which turns were applied. The next
// turn reads what is applied; whatever follows from it is told later than what it stands on.
type pipeline struct {
	e       *Engine
	free    chan *turn // told; has room for both
	applied chan *turn // to be synced and told
	done    chan struct{}
}

func newPipeline(e *Engine) *pipeline {
	p := &pipeline{e: e, free: make(chan *turn, 2), applied: make(chan *turn, 2), done: make(chan struct{})}
	p.free <- e.turn
	p.free <- newTurn(e)
	go p.teller()
	return p
}

// turn does one round up to its commit; it reports whether there was anything to do.
func (p *pipeline) turn() bool {
	e := p.e
	t := <-p.free
	e.turn = t
	if !t.decide() {
		p.free <- t
		return false
	}
	if fault.On("ack-before-commit") {
		t.answerEarly()
	}
	if err := t.batch.Apply(); err != nil {
		e.o.Fatal(fmt.Errorf("a turn could not be committed: %w", err))
		p.free <- t
		return false
	}
	t.armAgain()
	p.applied <- t
	return true
}

func (p *pipeline) teller() {
	defer close(p.done)
	for t := range p.applied {
		if err := t.batch.Wait(); err != nil {
			p.e.o.Fatal(fmt.Errorf("a turn could not be committed: %w", err))
		}
		if p.e.failed.Load() { // what comes after a lost turn stands on it
			p.free <- t
			continue
		}
		p.e.at(PointAfterCommit)
		t.tell()
		p.free <- t
	}
}

// flush returns when everything that was applied is told.
func (p *pipeline) flush() {
	a, b := <-p.free, <-p.free
	p.free <- a
	p.free <- b
}

// close tells what was applied and ends the teller.
func (p *pipeline) close() {
	close(p.applied)
	<-p.done
}
