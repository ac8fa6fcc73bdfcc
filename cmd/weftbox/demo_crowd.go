package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// crowd drives many shoppers through the node while it is killed three times, and then checks the books: every event carries an id and is
// repeated until it is acknowledged; each shopper's visit_count must be the number of views sent for it.
type crowd struct {
	d        *demo
	batches  [][]map[string]any // by client: the clients own different shoppers
	total    int64
	acked    atomic.Int64
	repeated atomic.Int64 // batches sent again
	known    atomic.Int64 // events that a repeat found applied already

	mu  sync.Mutex
	lat []time.Duration // of acknowledged batches; guarded by mu
}

const (
	crowdGoods   = 7
	crowdClients = 4
	crowdBatch   = 100
)

// crowdViews is how often a shopper looks: once or twice, too seldom for a coupon.
func crowdViews(shopper int) int { return 1 + shopper%2 }

func (d *demo) crowd(ctx context.Context) error {
	c := &crowd{d: d}
	before, err := d.node.metric(ctx, "weftbox_store_disk_bytes")
	if err != nil {
		return err
	}
	began := time.Now()
	errs := make([]error, crowdClients+1)
	var wg sync.WaitGroup
	for shopper := range d.o.shoppers {
		c.total += int64(crowdViews(shopper))
	}
	for client := range crowdClients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[client] = c.client(ctx, client)
		}()
	}
	wg.Add(1)
	var restarts []time.Duration
	go func() {
		defer wg.Done()
		restarts, errs[crowdClients] = c.killer(ctx)
	}()
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	took := time.Since(began)
	d.say("\nshoppers   %d, events %d, each with an id, in arrays of %d over %d connections", d.o.shoppers, c.total, crowdBatch, crowdClients)
	d.say("kill -9    %d times on the way, ready again after %s; arrays sent again %d, events found applied already %d", len(restarts), list(restarts), c.repeated.Load(), c.known.Load())
	d.say("rate       %.0f events/s, deaths included; acknowledgement of an array p50 %.1f ms, p99 %.1f ms", float64(c.total)/took.Seconds(), c.quantile(0.50), c.quantile(0.99))
	return c.books(ctx, before)
}

func list(times []time.Duration) string {
	var texts []string
	for _, t := range times {
		texts = append(texts, strconv.FormatInt(t.Milliseconds(), 10))
	}
	return strings.Join(texts, ", ") + " ms"
}

// client sends the views of its shoppers, first all first views, then the second ones.
func (c *crowd) client(ctx context.Context, client int) error {
	var batch []map[string]any
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := c.post(ctx, batch)
		batch = batch[:0]
		return err
	}
	for view := range 2 {
		for shopper := client; shopper < c.d.o.shoppers; shopper += crowdClients {
			if view >= crowdViews(shopper) {
				continue
			}
			e := c.d.event("查看商品详情")
			e["id"] = fmt.Sprintf("view-%d-%d", shopper, view)
			attr := e["attr"].(map[string]any)
			attr["user_id"], attr["goods_id"] = shopper, crowdGoods
			if batch = append(batch, e); len(batch) == crowdBatch {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// post sends a batch until it is acknowledged.
func (c *crowd) post(ctx context.Context, batch []map[string]any) error {
	for {
		began := time.Now()
		var a demoAnswer
		err := c.d.node.call(ctx, "POST", "/v1/events", batch, &a)
		if err == nil {
			c.mu.Lock()
			c.lat = append(c.lat, time.Since(began))
			c.mu.Unlock()
			c.acked.Add(int64(len(batch)))
			c.known.Add(int64(a.Duplicates))
			return nil
		}
		if !errors.Is(err, errNoAnswer) || ctx.Err() != nil {
			return err
		}
		c.repeated.Add(1)
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// killer kills the node when a quarter, half and nearly all of the events are acknowledged.
func (c *crowd) killer(ctx context.Context) ([]time.Duration, error) {
	var restarts []time.Duration
	for _, share := range []float64{0.25, 0.5, 0.95} {
		for float64(c.acked.Load()) < share*float64(c.total) {
			if ctx.Err() != nil {
				return restarts, ctx.Err()
			}
			time.Sleep(time.Millisecond)
		}
		c.d.node.kill()
		took, err := c.d.node.start()
		if err != nil {
			return restarts, err
		}
		restarts = append(restarts, took)
	}
	return restarts, nil
}

func (c *crowd) quantile(q float64) float64 {
	slices.Sort(c.lat)
	return float64(c.lat[int(q*float64(len(c.lat)-1))].Microseconds()) / 1000
}

// books compares what the node holds of every shopper with what was sent.
func (c *crowd) books(ctx context.Context, diskBefore float64) error {
	seen := make([]int, c.d.o.shoppers)
	waiting, cursor := 0, ""
	for {
		var page struct {
			Items []demoThread `json:"items"`
			Next  string       `json:"next_cursor"`
		}
		if err := c.d.node.call(ctx, "GET", "/v1/activities/"+demoActivity+"/threads?limit=1000&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
			return err
		}
		for _, t := range page.Items {
			var shopper, goods int
			if n, _ := fmt.Sscanf(t.Domain, "%d_%d", &shopper, &goods); n != 2 || goods != crowdGoods {
				continue
			}
			waiting++
			count, _ := t.Vars["visit_count"].(float64)
			seen[shopper] = int(count)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	lost, doubled := 0, 0
	for shopper, n := range seen {
		lost += max(0, crowdViews(shopper)-n)
		doubled += max(0, n-crowdViews(shopper))
	}
	disk, err := c.d.node.metric(ctx, "weftbox_store_disk_bytes")
	if err != nil {
		return err
	}
	c.d.say("disk       %d threads wait; the folder grew by %.0f bytes for each, log and timers included", waiting, (disk-diskBefore)/float64(max(1, waiting)))
	c.d.say("ledger     %d events acknowledged, %d lost, %d doubled", c.acked.Load(), lost, doubled)
	if lost+doubled > 0 {
		return fmt.Errorf("the books do not balance: %d lost, %d doubled", lost, doubled)
	}
	return nil
}
