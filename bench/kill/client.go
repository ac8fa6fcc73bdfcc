package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weftbox/weftbox/bench/ledger"
)

const (
	clients   = 8   // connections, each with users and items of its own
	maxBatch  = 100 // events of one array
	askEvery  = 15  // of a user's events, two in a row ask: what comes late for the first finds the second waiting
	armEvery  = 15  // of an item's events, one sets an alarm; half of those that cancel one set it anew
	stuckTime = time.Minute
)

// domain is a user or an item, as its client knows it.
type domain struct {
	kind  ledger.Kind
	name  string
	n     int64     // events made so far
	armed bool      // item: its next event cancels an alarm
	due   time.Time // resting: when to look whether its thread has gone on
	since time.Time // resting: since when
}

// client owns a part of the domains and has one array under way at a time, so that the order of each domain's events is defined. A
// domain whose thread waits for an answer, or for an alarm that nothing shall cancel, rests until the thread has gone on.
type client struct {
	number  int
	node    *node
	books   *books
	http    *http.Client
	random  *rand.Rand
	more    func() bool // whether further events are wanted
	poison  int         // one event of so many is poisoned
	made    int
	users   []*domain // ready
	eager   []*domain // users, ready, whose next event asks again
	items   []*domain // ready
	urgent  []*domain // items whose next event shall come soon, to cancel an alarm
	resting []*domain
	acked   *atomic.Int64 // of all clients
	poke    func()        // called after each acknowledgement

	latency []time.Duration // of acknowledged arrays, the try that was answered
}

// run sends events as long as more are wanted.
func (c *client) run(ctx context.Context) error {
	for c.more() {
		if err := c.wake(ctx); err != nil {
			return err
		}
		batch := c.compose(1 + c.random.IntN(maxBatch))
		if len(batch) == 0 {
			if err := pause(ctx, time.Until(c.nextDue())); err != nil {
				return err
			}
			continue
		}
		if err := c.post(ctx, batch); err != nil {
			return err
		}
		c.acked.Add(int64(len(batch)))
		c.poke()
		if c.random.IntN(20) == 0 { // a client that forgot that it was answered
			if err := c.post(ctx, batch); err != nil {
				return err
			}
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func (c *client) nextDue() time.Time {
	next := time.Now().Add(time.Second)
	for _, d := range c.resting {
		if d.due.Before(next) {
			next = d.due
		}
	}
	return next
}

// wake looks at the resting domains whose time has come: those whose thread waits for events again are ready.
func (c *client) wake(ctx context.Context) error {
	now := time.Now()
	rest := c.resting[:0]
	for _, d := range c.resting {
		if d.due.After(now) {
			rest = append(rest, d)
			continue
		}
		t, err := c.node.thread(ctx, c.http, d.kind, d.name)
		if err != nil {
			return err
		}
		switch {
		case t.Action == "loop" && d.kind == ledger.User && asks(d.n+1):
			c.eager = append(c.eager, d)
		case t.Action == "loop" && d.kind == ledger.User:
			c.users = append(c.users, d)
		case t.Action == "loop":
			c.items = append(c.items, d)
		case now.Sub(d.since) > stuckTime:
			return fmt.Errorf("%s %s has stood at %s (%s) for %v: its answer, timeout or alarm is lost", d.kind, d.name, t.Action, t.Status, stuckTime)
		default:
			d.due = now.Add(40 * time.Millisecond)
			rest = append(rest, d)
		}
	}
	c.resting = rest
	return nil
}

func (c *client) rest(d *domain, wait time.Duration) {
	d.since = time.Now()
	d.due = d.since.Add(wait)
	c.resting = append(c.resting, d)
}

// compose makes up to size events of ready domains.
func (c *client) compose(size int) (batch []ledger.Event) {
	waiting := c.urgent // items whose alarm shall be cancelled in another array than the one that set it
	c.urgent = nil
	for len(batch) < size {
		if len(c.users)+len(c.eager) == 0 || len(c.items)+len(c.urgent)+len(waiting) == 0 {
			break
		}
		var user, item *domain
		if len(c.eager) > 0 {
			user, c.eager = c.eager[0], c.eager[1:]
		} else {
			user = take(&c.users, c.random)
		}
		switch {
		case len(waiting) > 0:
			item, waiting = waiting[0], waiting[1:]
		case len(c.urgent) > 0 && (c.random.IntN(2) == 0 || len(c.items) == 0):
			item, c.urgent = c.urgent[0], c.urgent[1:]
		case len(c.items) > 0:
			item = take(&c.items, c.random)
		}
		batch = append(batch, c.event(user, item))
	}
	c.urgent = append(waiting, c.urgent...)
	return batch
}

func take(list *[]*domain, r *rand.Rand) *domain {
	l := *list
	i, last := r.IntN(len(l)), len(l)-1
	d := l[i]
	l[i] = l[last]
	*list = l[:last]
	return d
}

// event makes the next event of a user and an item, and puts both where they belong now.
func (c *client) event(user, item *domain) ledger.Event {
	c.made++
	e := ledger.Event{ID: fmt.Sprintf("c%d-%d", c.number, c.made), User: user.name, Item: item.name, Amount: c.random.Int64N(10_000), Weight: c.random.Int64N(10_000)}
	if c.made%c.poison == 0 {
		e.User, e.Poison = fmt.Sprintf("p%d-%d", c.number, c.made), true
	} else {
		user.n++
		e.N = user.n
		e.Ask = asks(e.N)
	}
	item.n++
	e.M = item.n
	e.Arm = item.n%armEvery == 0 || item.armed && c.random.IntN(2) == 0
	e.Hold = e.Arm && c.random.IntN(2) == 0
	item.armed = e.Arm && !e.Hold
	switch {
	case e.Ask:
		c.rest(user, 30*time.Millisecond)
	default:
		c.users = append(c.users, user)
	}
	switch {
	case e.Hold:
		c.rest(item, (alarmMs+20)*time.Millisecond)
	case item.armed:
		c.urgent = append(c.urgent, item)
	default:
		c.items = append(c.items, item)
	}
	return e
}

// asks reports whether a user's n-th event asks.
func asks(n int64) bool { return n > 1 && n%askEvery <= 1 }

// wire is an event as it is posted. A poisoned one has no amount.
func wire(e *ledger.Event) map[string]any {
	attr := map[string]any{"user": e.User, "item": e.Item, "n": e.N, "m": e.M, "weight": e.Weight}
	if !e.Poison {
		attr["amount"] = e.Amount
	}
	if e.Ask {
		attr["ask"] = true
	}
	if e.Arm {
		attr["arm"] = true
	}
	return map[string]any{"id": e.ID, "type": "order", "attr": attr}
}

// post sends an array until it is acknowledged, always the same bytes.
func (c *client) post(ctx context.Context, batch []ledger.Event) error {
	messages := make([]map[string]any, len(batch))
	for i := range batch {
		messages[i] = wire(&batch[i])
	}
	body, err := json.Marshal(messages)
	if err != nil {
		return err
	}
	var answer struct {
		Results []struct {
			ID        string
			Duplicate bool
			Error     json.RawMessage
		}
	}
	sent := func() {
		c.books.with(func(l *ledger.Ledger) {
			for _, e := range batch {
				l.Send(e)
			}
		})
	}
	_, took, err := insist(ctx, c.http, http.MethodPost, c.node.url+"/v1/events", body, &answer, sent)
	if err != nil {
		return err
	}
	c.latency = append(c.latency, took)
	if len(answer.Results) != len(batch) {
		return fmt.Errorf("%d events were answered with %d results", len(batch), len(answer.Results))
	}
	c.books.with(func(l *ledger.Ledger) {
		for i, r := range answer.Results {
			if r.Error != nil || r.ID != batch[i].ID {
				err = fmt.Errorf("event %s was answered with %q, error %s", batch[i].ID, r.ID, r.Error)
				return
			}
			l.Acknowledge(r.ID, r.Duplicate)
		}
	})
	return err
}
