package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells the time in milliseconds since 1970, UTC. NowMs is safe for concurrent use and never answers less than it answered before,
// except after Manual.Set to an earlier time.
type Clock interface {
	NowMs() int64
}

// Wall is the machine's clock. When the machine is set back, a Wall stands still until the old time is reached again. The zero value is
// ready; copies of a Wall do not know of each other, so one is shared by its address.
type Wall struct {
	last atomic.Int64
	now  func() int64 // nil: the machine's; tests set it
}

// NowMs returns the machine's time, or the last answer when that is later.
func (w *Wall) NowMs() int64 {
	var now int64
	if w.now != nil {
		now = w.now()
	} else {
		// Without its monotonic part: what is asked for is the time of day, which an administrator may have corrected.
		now = time.Now().UnixMilli()
	}
	for {
		last := w.last.Load()
		if now <= last {
			return last
		}
		if w.last.CompareAndSwap(last, now) {
			return now
		}
	}
}

// Manual is a clock that stands still until it is told to move. The zero value stands at 1970.
type Manual struct {
	mu  sync.Mutex
	now int64
}

// NewManual returns a clock that stands at ms.
func NewManual(ms int64) *Manual { return &Manual{now: ms} }

// NowMs returns the time the clock was set to.
func (m *Manual) NowMs() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Set moves the clock to ms, also backwards.
func (m *Manual) Set(ms int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = ms
}

// Advance moves the clock forward by ms and returns the new time. A negative ms moves nothing; the end of time is not passed.
func (m *Manual) Advance(ms int64) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ms > 0 {
		if m.now += ms; m.now < 0 && m.now-ms >= 0 {
			m.now = 1<<63 - 1
		}
	}
	return m.now
}
