package engine

import "github.com/weftbox/weftbox/engine/store"

// NextDueMs returns when the first alarm is due, ok false if there is none. It may be too early (a cancelled alarm), never too late.
// It is for a caller that drives the turns itself, instead of Run, and stops the clock at each alarm.
func (e *Engine) NextDueMs() (dueMs int64, ok bool) {
	due := e.nextDue()
	return due, due != never
}

// Stepper is the pipeline of Run taken step by step, on the caller's goroutine: a turn is decided and applied while the ones before it wait for
// the disk. It takes the place of Run and Turn: none of them may be called beside it.
type Stepper struct {
	e      *Engine
	free   []*turn
	flight []*turn // applied, oldest first
	synced int     // of flight: on disk, and not yet told
}

// Stepper returns the engine's pipeline at rest.
func (e *Engine) Stepper() *Stepper {
	s := &Stepper{e: e, free: []*turn{e.turn}}
	for range maxUnderWay - 1 {
		s.free = append(s.free, newTurn(e))
	}
	return s
}

// Apply decides a turn and hands it to the disk. It reports whether there was one: not when there is nothing to do, nor when as many turns are
// under way as Run allows.
func (s *Stepper) Apply() bool {
	if len(s.free) == 0 {
		return false
	}
	t := s.free[len(s.free)-1]
	if !t.apply((*store.Batch).Apply) {
		return false
	}
	s.free, s.flight = s.free[:len(s.free)-1], append(s.flight, t)
	return true
}

// UnderWay returns how many turns are applied and not yet told, and how many of them, the oldest, are known to be on disk.
func (s *Stepper) UnderWay() (turns, synced int) { return len(s.flight), s.synced }

// Wait waits until the oldest turn that is not on disk is; it reports whether there was one.
func (s *Stepper) Wait() bool {
	if s.synced == len(s.flight) {
		return false
	}
	if !s.flight[s.synced].wait() {
		s.drop(s.synced)
		return true
	}
	s.synced++
	return true
}

// Tell lets the world hear of the oldest turn under way, once it is on disk; it reports whether it did.
func (s *Stepper) Tell() bool {
	if s.synced == 0 {
		return false
	}
	s.flight[0].tell()
	s.drop(0)
	return true
}

// drop takes a turn that is told, or lost, out of those under way.
func (s *Stepper) drop(i int) {
	s.free = append(s.free, s.flight[i])
	s.flight = append(s.flight[:i:i], s.flight[i+1:]...)
	if i < s.synced {
		s.synced--
	}
}
