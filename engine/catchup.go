package engine

import (
	"time"

	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/messagebus"
)

// behindMs is how far a source may fall behind while the node runs before alarms wait for it.
const behindMs = 10_000

// catchUp says whether alarms wait for a source: without it, after a standstill, every buyer of the time between would be told that the coupon
// expires, because the alarms are at hand and the purchases still have to be read.
type catchUp struct {
	source messagebus.Lagging // nil: it is never behind
	behind bool
	since  time.Time // when it fell behind
	given  bool      // waited for long enough: it is not waited for until it has caught up
}

func startCatchUp(c messagebus.Consumer) catchUp {
	l, ok := c.(messagebus.Lagging)
	if !ok {
		return catchUp{}
	}
	_, unread := l.Lag()
	return catchUp{source: l, behind: unread, since: time.Now()}
}

// releasedMs returns up to which due time alarms are released now: no alarm goes ahead of a record that was stamped before it and is still unread at a
// source that is behind, nor of what a thread sent before it in an earlier life of the node. It is asked before the sources are polled, since a turn
// gives a thread its alarms before its events.
func (e *Engine) releasedMs(nowMs int64) int64 {
	released := nowMs
	for i := range e.sources {
		c := &e.sources[i].lag
		if c.source == nil {
			continue
		}
		oldestMs, unread := c.source.Lag()
		switch {
		case !unread:
			c.behind, c.given = false, false
			continue
		case !c.behind && !c.given && nowMs-oldestMs > behindMs:
			c.behind, c.since = true, time.Now()
		case c.behind && time.Since(c.since) > e.o.CatchUpMax:
			c.behind, c.given = false, true
			e.o.Log.Warn("alarms are released although a source still has older records unread: it was waited for long enough",
				"source", e.sources[i].consumer.Name(), "catchup_max", e.o.CatchUpMax)
		}
		if c.behind && holdBack() {
			released = min(released, oldestMs)
		}
	}
	return min(released, e.releasedByMailMs(nowMs))
}

// releasedByMailMs returns up to which due time old mail releases alarms.
func (e *Engine) releasedByMailMs(nowMs int64) int64 {
	oldestMs, since, ok := e.relay.holds()
	if !ok || e.mailGiven || fault.On("mail-no-catch-up") {
		return nowMs
	}
	if time.Since(since) > e.o.CatchUpMax {
		e.mailGiven = true
		e.o.Log.Warn("alarms are released although what threads sent to threads before the start is not all handed over: it was waited for long enough",
			"catchup_max", e.o.CatchUpMax)
		return nowMs
	}
	return min(nowMs, oldestMs)
}
