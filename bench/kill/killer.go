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

// killer ends the node and starts it again. Most deaths come at random places of the flow of events, some of them while the node is
// still starting after the last one; the last tenth come after the flow, while alarms fire and requests go out.
type killer struct {
	node   *node
	random *rand.Rand
	out    io.Writer
	began  time.Time
	acked  *atomic.Int64
	events int
	total  int           // deaths planned
	wake   chan struct{} // something was acknowledged

	kills    int
	early    int // of them, before the node was ready
	restarts []time.Duration
}

// flow kills until the flow has passed the last of its places.
func (k *killer) flow(ctx context.Context) error {
	places := make([]int64, k.total-k.total/10)
	for i := range places {
		places[i] = k.random.Int64N(int64(k.events))
	}
	slices.Sort(places)
	for _, place := range places {
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
		if k.random.IntN(8) == 0 && k.kills < len(places) {
			k.early++
			if err := k.again(ctx); err != nil {
				return err
			}
		}
		if err := k.birth(ctx); err != nil {
			return err
		}
		if k.kills >= len(places) {
			return nil
		}
	}
	return nil
}

// drain kills what is left of the plan.
func (k *killer) drain(ctx context.Context) error {
	for k.kills < k.total {
		if err := k.death(ctx, 150); err != nil {
			return err
		}
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
	if err := k.node.kill(); err != nil {
		return err
	}
	k.kills++
	fmt.Fprintf(k.out, "kill %2d at %6.2f s, %d acknowledged\n", k.kills, time.Since(k.began).Seconds(), k.acked.Load())
	return nil
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
