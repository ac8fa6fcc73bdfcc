package engine

// NextDueMs returns when the first alarm is due, ok false if there is none. It may be too early (a cancelled alarm), never too late.
// It is for a caller that drives the turns itself, instead of Run, and stops the clock at each alarm.
func (e *Engine) NextDueMs() (dueMs int64, ok bool) {
	due := e.nextDue()
	return due, due != never
}
