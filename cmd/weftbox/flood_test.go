package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"
)

const floodFlow = `activity:
  name: flood
  domain_id_strategy: user
  trigger: {type: event, args: {condition: eventTypeIs("hit")}, context_vars: {n: 1}}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("hit")
          context_vars: {n: var("n") + 1}
          then: call("wait")
`

const (
	floodFactor      = 10  // what is offered, in what the node takes
	floodPace        = 12  // the pace set, in the same: what is offered falls a little short of it
	floodConnections = 64  // that write at once: more messages than queue and turn hold together
	ableConnections  = 8   // that keep the node busy without a refusal
	floodMiB         = 512 // the node's memory at most
)

var gauge = regexp.MustCompile(`(?m)^(\w+) (\S+)$`)

// gauges reads the metrics without labels.
func gauges(t *testing.T, admin string) map[string]float64 {
	t.Helper()
	r, err := http.Get(admin + "/metrics")
	if err != nil {
		t.Errorf("expected metrics during the flood: %v", err)
		return nil
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Errorf("expected metrics during the flood: %v", err)
	}
	out := map[string]float64{}
	for _, m := range gauge.FindAllStringSubmatch(string(text), -1) {
		out[m[1]], _ = strconv.ParseFloat(m[2], 64) // what is no number is not looked at
	}
	return out
}

// TestFlood offers a node ten times what it can take: its memory stays bounded, it stays ready, it answers nothing but 202, 429 and 503, keeps
// the connections of those it refuses, and what it acknowledged is applied exactly once. WEFTBOX_FLOOD=60s makes it longer and insists on the
// ten times, which the short one, on a machine that others use too, only tells. Offered is what was written whole, header and body, and answered.
func TestFlood(t *testing.T) {
	span, long := 3*time.Second, false
	if text := os.Getenv("WEFTBOX_FLOOD"); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatalf("WEFTBOX_FLOOD=%s: %v", text, err)
		}
		long = true
	} else if testing.Short() {
		t.Skip("it takes seconds")
	}
	admin := freeAddr(t)
	c := serveChild(t, nil, "--data", t.TempDir(), "--http-addr", "127.0.0.1:0", "--admin-addr", admin)
	c.must(201, "POST", "/v1/strategies", `{"name":"user","when":"containsAttr(\"user\")","domain_id":"eventAttr(\"user\")"}`)
	c.must(201, "POST", "/v1/definitions", floodFlow)
	c.must(201, "POST", "/v1/activities", `{"name":"flood","definition":"flood"}`)
	f := newFlood(c.url)
	f.run(500*time.Millisecond, ableConnections, 0) // warm
	able := f.run(min(max(time.Second, span/10), 5*time.Second), ableConnections, 0)
	refusals := f.codes[429].Load() + f.codes[503].Load()
	f.took = nil

	stop, watched := make(chan struct{}), make(chan struct{})
	var held peak
	go func() {
		defer close(watched)
		held.watch(t, "http://"+admin, stop)
	}()
	flooded := f.run(span, floodConnections, floodPace*float64(able.accepted)/able.took.Seconds())
	close(stop)
	<-watched
	factor := flooded.events(flooded.posts) / able.events(able.accepted)
	f.report(t, &able, &flooded, &held)
	if factor < floodFactor {
		t.Logf("the flood was only %.1f times what the node takes", factor)
		if long {
			t.Errorf("expected a flood of at least %d times", floodFactor)
		}
	}
	if len(f.bad) > 0 {
		t.Errorf("expected no answer but 202, 429 and 503 with Retry-After; %d were others or none, the first is %s", len(f.bad), f.bad[0])
	}
	if f.codes[429].Load() == refusals {
		t.Error("expected the node to refuse some of the flood: this was none")
	}
	if most := int64(2*ableConnections + floodConnections); f.dials.Load() > most {
		t.Errorf("expected connections to outlive refusals: %d had to be opened, %d would do", f.dials.Load(), most)
	}
	if held.resident > floodMiB<<20 || held.heap > floodMiB<<20 {
		t.Errorf("expected at most %d MiB, the node took %.0f MiB (heap %.0f)", floodMiB, held.resident/(1<<20), held.heap/(1<<20))
	}
	f.check(t, c)
}

// peak is the most that a node held.

type peak struct{ resident, heap, queued float64 }

// watch looks until it is stopped.
func (p *peak) watch(t *testing.T, admin string, stop <-chan struct{}) {
	for {
		g := gauges(t, admin)
		p.resident, p.heap = max(p.resident, g["process_resident_memory_bytes"]), max(p.heap, g["go_memstats_heap_inuse_bytes"])
		p.queued = max(p.queued, g["weftbox_intake_queue_messages"])
		if r, err := http.Get(admin + "/readyz"); err != nil || r.StatusCode != 200 {
			t.Errorf("expected the node to stay ready: %v %v", r, err)
		} else {
			_ = r.Body.Close()
		}
		select {
		case <-stop:
			return
		case <-time.After(250 * time.Millisecond): // a look costs the node some ms
		}
	}
}

func (f *flood) report(t *testing.T, able, flooded *offer, held *peak) {
	slices.Sort(f.took)
	at := func(q float64) time.Duration {
		if len(f.took) == 0 {
			return 0
		}
		return f.took[int(q*float64(len(f.took)-1))].Round(10 * time.Microsecond)
	}
	t.Logf("flood of %s: without it the node takes %.0f events/s (%d connections, posts of %d); offered %.0f/s = %.1f times as many (%d connections; every post written whole and answered)",
		flooded.took.Round(100*time.Millisecond), able.events(able.accepted), ableConnections, floodEvents, flooded.events(flooded.posts), flooded.events(flooded.posts)/able.events(able.accepted),
		floodConnections)
	t.Logf("accepted %.0f events/s; answers 202: %d, 429: %d, 503: %d, others or none: %d; connections opened %d", flooded.events(flooded.accepted), f.codes[202].Load(), f.codes[429].Load(),
		f.codes[503].Load(), len(f.bad), f.dials.Load())
	t.Logf("acknowledgement of accepted posts: p50 %s, p99 %s, max %s; memory at most %.0f MiB resident, %.0f MiB of heap; queue at most %.0f messages", at(.5), at(.99), at(1),
		held.resident/(1<<20), held.heap/(1<<20), held.queued)
}

// check compares every thread with what was acknowledged to it.
func (f *flood) check(t *testing.T, c *child) {
	t.Helper()
	counts := map[string]int64{}
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				DomainID string `json:"domain_id"`
				Vars     struct{ N int64 }
			}
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(c.must(200, "GET", "/v1/activities/flood/threads?limit=1000"+cursor, "")), &page); err != nil {
			t.Fatal(err)
		}
		for _, thread := range page.Items {
			counts[thread.DomainID] = thread.Vars.N
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(page.NextCursor)
	}
	if len(counts) != floodBodies*floodEvents {
		t.Errorf("expected %d threads, there are %d", floodBodies*floodEvents, len(counts))
	}
	wrong := 0
	for i := range floodBodies * floodEvents {
		user := fmt.Sprintf("u%d", i)
		if want := f.acked[i/floodEvents].Load(); counts[user] != want {
			if wrong++; wrong <= 5 {
				t.Errorf("thread %s: expected the %d acknowledged events to be applied once each, it counts %d", user, want, counts[user])
			}
		}
	}
}
