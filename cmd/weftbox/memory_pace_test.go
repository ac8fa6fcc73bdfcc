package main

import (
	"runtime"
	"testing"
	"time"
)

// TestPaceFollowsTheLoad: much garbage may gather while collections come often, and little again once they do not.
func TestPaceFollowsTheLoad(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	p := pace{last: now}
	for i, step := range []struct {
		after time.Duration
		want  int
	}{
		{2 * time.Minute, restPercent}, // the one that Go forces at rest
		{time.Minute, restPercent},
		{time.Second, loadPercent},
		{4 * time.Second, loadPercent}, // they come more rarely because more may gather
		{restSpan, restPercent},
		{4 * time.Second, restPercent},
		{time.Millisecond, loadPercent},
	} {
		now = now.Add(step.after)
		if got := p.collected(now); got != step.want {
			t.Errorf("collection %d, %v after the one before: expected %d %%, got %d", i, step.after, step.want, got)
		}
	}
	if got := p.waited(); got != restPercent {
		t.Errorf("after no collection for %v: expected %d %%, got %d", restSpan, restPercent, got)
	}
}

func TestCyclesAreSeen(t *testing.T) {
	cycles := make(chan struct{}, 1)
	for range 3 {
		watchCycles(cycles)
		for i, seen := 0, false; !seen; i++ { // what was made while a collection was under way goes with the next one
			if i == 30 {
				t.Fatal("expected a value after a collection, none came")
			}
			runtime.GC()
			select {
			case <-cycles:
				seen = true
			case <-time.After(time.Second):
			}
		}
	}
}
