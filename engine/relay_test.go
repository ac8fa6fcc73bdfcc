package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// gatedProducer refuses while down, and counts how many requests are under way to its one destination and how many bodies each has.
type gatedProducer struct {
	mu          sync.Mutex
	down        bool
	now, most   int
	calls, rows int
	largest     int
	taken       map[string]int
}

func (p *gatedProducer) Publish(_ context.Context, _ messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	p.mu.Lock()
	p.now++
	p.calls++
	p.most, p.largest = max(p.most, p.now), max(p.largest, len(bodies))
	down := p.down
	p.mu.Unlock()
	runtime.Gosched() // others may come in meanwhile
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now--
	if down {
		return nil, errors.New("down")
	}
	for _, b := range bodies {
		p.taken[string(b)]++
	}
	p.rows += len(bodies)
	return nil, nil
}

func relaySenders() int {
	stacks := make([]byte, 4<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "engine.(*relay).sender(")
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("expected %s, it did not come", what)
		}
	}
}

// TestRelayProbesAFailedDestination: after a failure one small request goes alone, no goroutine waits for it, and once it is taken everything
// comes, each row once.
func TestRelayProbesAFailedDestination(t *testing.T) {
	const threads = 2000
	before := relaySenders() // those of nodes that died in other tests
	r, _ := asking(t)
	p := &gatedProducer{down: true, taken: map[string]int{}}
	r.e.o.Producer = p
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { r.e.Run(ctx) })
	for i := range threads {
		r.must(r.e.Submit(event("go", "", "user", fmt.Sprintf("u%d", i))))
	}
	until(t, "five failures", func() bool { return r.e.Stats().DeliveryErrors.Load() >= 5 && r.e.Stats().Requests.Load() == threads })
	p.mu.Lock()
	most, calls := p.most, p.calls
	p.largest = 0 // of probes from now on
	p.mu.Unlock()
	if most != 1 {
		t.Errorf("a destination that never took anything had %d requests under way at once, want 1", most)
	}
	until(t, "another probe", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.calls > calls && p.now == 0 })
	p.mu.Lock()
	if p.largest > probeRows {
		t.Errorf("a probe carried %d rows, want at most %d", p.largest, probeRows)
	}
	p.mu.Unlock()
	r.e.relay.mu.Lock()
	resting, senders := 0, 0
	for _, d := range r.e.relay.dests {
		senders += d.senders
		if d.rest != nil {
			resting++
		}
	}
	r.e.relay.mu.Unlock()
	if senders+resting == 0 || senders > 1 {
		t.Errorf("a destination that fails has %d senders and %d rests, want one of either", senders, resting)
	}
	p.mu.Lock()
	p.down = false
	p.mu.Unlock()
	until(t, "all rows", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.rows >= threads })
	until(t, "no backlog", func() bool { r.e.relay.mu.Lock(); defer r.e.relay.mu.Unlock(); return len(r.e.relay.dests) == 0 })
	cancel()
	ended.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.taken) != threads || p.rows != threads || p.most > relayWindow {
		t.Errorf("%d rows of %d requests arrived with at most %d under way, want %d each once and a window of %d", p.rows, len(p.taken), p.most, threads, relayWindow)
	}
	if r.e.relay.extra != 0 || r.e.relay.bytes != 0 || relaySenders() > before {
		t.Errorf("the relay ended with %d extra senders, %d bytes and %d goroutines, want none", r.e.relay.extra, r.e.relay.bytes, relaySenders()-before)
	}
}
