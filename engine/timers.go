package engine

import (
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
)

// findHead asks the store for the first alarm of a slot.
func (e *Engine) findHead(slot uint16) error {
	due, ok, err := e.store.NextDue(slot, e.slots[slot].CursorMs)
	if err != nil {
		return err
	}
	if !ok {
		due = never
	}
	e.heads[slot] = due
	return nil
}

// nextDue returns when the first alarm is due; it may be too early (a cancelled alarm), never too late.
func (e *Engine) nextDue() int64 {
	next := int64(never)
	for _, due := range e.heads {
		next = min(next, due)
	}
	return next
}

// manyAlarms is from how many alarms of a slot on their rows are deleted by one range instead of one by one.
const manyAlarms = 16

// dueAlarms reads the alarms that are due now, slot by slot, within the turn's bound, and moves the slots' cursors over them; fromMs is where
// the slot's cursor was.
func (e *Engine) dueAlarms(nowMs int64, found func(slot uint16, fromMs int64, a store.DueAlarm)) error {
	left := e.o.MaxAlarms
	first := e.firstDue
	for i := range e.heads { // beginning where the last turn had to stop, so that no slot starves the others
		slot := (first + i) % len(e.heads)
		if e.heads[slot] > nowMs {
			continue
		}
		if left == 0 {
			e.firstDue = slot
			return nil
		}
		fromMs := e.slots[slot].CursorMs
		due, err := e.store.Due(uint16(slot), fromMs, nowMs, left, e.turn.due[:0])
		if err != nil {
			return err
		}
		e.turn.due = due
		left -= len(due)
		if left == 0 && !fault.On("cursor-ahead") { // rows of the last due time may be left: they are at the cursor
			e.slots[slot].CursorMs = due[len(due)-1].Alarm.DueMs
			e.heads[slot] = e.slots[slot].CursorMs
		} else {
			e.slots[slot].CursorMs = max(fromMs, nowMs)
			e.heads[slot] = never // found again after the commit
		}
		e.turn.fired = append(e.turn.fired, uint16(slot))
		for _, a := range due {
			found(uint16(slot), fromMs, a)
		}
	}
	return nil
}
