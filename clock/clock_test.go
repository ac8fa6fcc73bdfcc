package clock

import (
	"math"
	"sync"
	"testing"
	"time"
)

// conform is what every Clock must keep: concurrent readers never see it go back.
func conform(t *testing.T, c Clock, move func()) {
	t.Helper()
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			last := c.NowMs()
			for range 2000 {
				now := c.NowMs()
				if now < last {
					t.Errorf("the clock went from %d back to %d", last, now)
					return
				}
				last = now
			}
		})
	}
	for range 500 {
		move()
	}
	readers.Wait()
	if a, b := c.NowMs(), c.NowMs(); b < a {
		t.Errorf("the clock went from %d back to %d", a, b)
	}
}

func TestConformance(t *testing.T) {
	t.Run("wall", func(t *testing.T) { conform(t, &Wall{}, func() {}) })
	t.Run("wall set back", func(t *testing.T) {
		var mu sync.Mutex
		now := int64(1_000_000)
		w := &Wall{now: func() int64 { mu.Lock(); defer mu.Unlock(); return now }}
		conform(t, w, func() { mu.Lock(); defer mu.Unlock(); now -= 7 })
	})
	t.Run("manual", func(t *testing.T) {
		m := NewManual(5)
		conform(t, m, func() { m.Advance(3) })
	})
}

func TestWallIsTheTimeOfDay(t *testing.T) {
	before := time.Now().UnixMilli()
	now := (&Wall{}).NowMs()
	if after := time.Now().UnixMilli(); now < before || now > after {
		t.Errorf("NowMs() = %d, want between %d and %d", now, before, after)
	}
}

func TestWallStandsStillWhenSetBack(t *testing.T) {
	at := []int64{100, 50, 99, 101, 40}
	i := 0
	w := &Wall{now: func() int64 { i++; return at[i-1] }}
	for step, want := range []int64{100, 100, 100, 101, 101} {
		if got := w.NowMs(); got != want {
			t.Errorf("step %d: NowMs() = %d, want %d", step, got, want)
		}
	}
}

func TestManual(t *testing.T) {
	m := NewManual(1000)
	for _, c := range []struct {
		do   func()
		want int64
	}{
		{func() {}, 1000},
		{func() { m.Advance(500) }, 1500},
		{func() { m.Advance(-9) }, 1500},
		{func() { m.Set(20) }, 20},
		{func() { m.Advance(math.MaxInt64) }, math.MaxInt64},
		{func() { m.Set(-5); m.Advance(3) }, -2},
	} {
		if c.do(); m.NowMs() != c.want {
			t.Errorf("NowMs() = %d, want %d", m.NowMs(), c.want)
		}
	}
	if got := NewManual(1).Advance(2); got != 3 {
		t.Errorf("Advance(2) from 1 = %d, want 3", got)
	}
}

func TestManualAdvancesAddUp(t *testing.T) {
	m := &Manual{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				m.Advance(1)
			}
		})
	}
	all.Wait()
	if got := m.NowMs(); got != 8000 {
		t.Errorf("8,000 advances of 1 ms: NowMs() = %d, want 8000", got)
	}
}
