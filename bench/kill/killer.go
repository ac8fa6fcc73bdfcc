package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// killer ends the node and starts it again. The deaths that were asked for come at random places of the flow of events, some of them while the
// node is still starting after the last one; the clients send until the last of them is over. A few more come after the flow, while alarms
// fire and requests go out.
type killer struct {
	node   *node
	random *rand.Rand
	out    io.Writer
	began  time.Time
	acked  *atomic.Int64
	events int
	total  int           // deaths planned in the flow
	wake   chan struct{} // something was acknowledged
	over   atomic.Bool   // the last of them is over
	active *atomic.Int64 // clients that send

	kills    int
	loaded   int // of them, while all clients sent
	early    int // of them, before the node was ready
	late     int // deaths after the flow
	restarts []time.Duration
}

// flow kills as often as was asked for, spread over the events that are sent at least.
func (k *killer) flow(ctx context.Context) error {
	defer k.over.Store(true)
	places := make([]int64, k.total)
	for i := range places {
		places[i] = k.random.Int64N(int64(k.events))
	}
	slices.Sort(places)
	for _, place := range places {
		if k.kills == k.total { // early deaths left places over
			return nil
		}
		for k.acked.Load() < place {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-k.wake:
			}
		}
		if err := k.death(ctx, 40); err != nil {
			return err
		}
		k.count()
		if k.random.IntN(8) == 0 && k.kills < k.total {
			if err := k.again(ctx); err != nil {
				return err
			}
			k.early++
			k.count()
		}
		if err := k.birth(ctx); err != nil {
			return err
		}
	}
	return nil
}

// count notes a death in the flow.
func (k *killer) count() {
	k.kills++
	if k.active.Load() == clients {
		k.loaded++
	}
	fmt.Fprintf(k.out, "kill %2d at %6.2f s, %d acknowledged\n", k.kills, time.Since(k.began).Seconds(), k.acked.Load())
}

// drain kills one time more for each twenty of the flow, at least once, when nothing is sent any more.
func (k *killer) drain(ctx context.Context) error {
	for range (k.total + 19) / 20 {
		if err := k.death(ctx, 150); err != nil {
			return err
		}
		k.late++
		if err := k.birth(ctx); err != nil {
			return err
		}
	}
	return nil
}

// death ends the node after a random while.
func (k *killer) death(ctx context.Context, withinMs int64) error {
	if err := pause(ctx, time.Duration(k.random.Int64N(withinMs*1000))*time.Microsecond); err != nil {
		return err
	}
	return k.node.kill()
}

// again starts the node and ends it while it starts.
func (k *killer) again(ctx context.Context) error {
	if _, err := k.node.launch(); err != nil {
		return err
	}
	return k.death(ctx, 60)
}

// birth starts the node and waits until it is ready.
func (k *killer) birth(ctx context.Context) error {
	began := time.Now()
	l, err := k.node.launch()
	if err != nil {
		return err
	}
	if err := k.node.ready(ctx, l); err != nil {
		return err
	}
	k.restarts = append(k.restarts, time.Since(began))
	return nil
}
