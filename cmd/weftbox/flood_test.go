package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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
	floodBodies  = 5   // different posts, each to threads of its own
	floodEvents  = 400 // of one post, each to another thread
	floodClients = 200 // posts at once: more messages than queue and turn hold together
	floodFactor  = 10  // what is offered, in what the node takes
	floodMiB     = 512 // the node's memory at most
)

// flood posts from many clients at once and counts the answers.
type flood struct {
	url    string
	client *http.Client
	bodies [floodBodies]string
	acked  [floodBodies]atomic.Int64
	codes  [600]atomic.Int64
	failed atomic.Int64 // posts without an answer

	mu   sync.Mutex
	took []time.Duration // of accepted posts
	bad  string          // the first answer that must not be
}

func newFlood(url string) *flood {
	f := &flood{url: url, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: floodClients}, Timeout: patience}}
	for i := range f.bodies {
		var b strings.Builder
		for k := range floodEvents {
			fmt.Fprintf(&b, "%c{\"type\":\"hit\",\"attr\":{\"user\":\"u%d\",\"page\":\"/goods/PS5\",\"price\":499.90}}", "[,"[min(k, 1)], i*floodEvents+k)
		}
		f.bodies[i] = b.String() + "]"
	}
	return f
}

func (f *flood) post(i int) {
	began := time.Now()
	r, err := f.client.Post(f.url+"/v1/events", "application/json", strings.NewReader(f.bodies[i]))
	if err != nil {
		f.note(&f.failed, err.Error())
		return
	}
	text, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		f.note(&f.failed, err.Error())
		return
	}
	f.codes[r.StatusCode].Add(1)
	switch {
	case r.StatusCode == 202:
		f.acked[i].Add(1)
		f.mu.Lock()
		f.took = append(f.took, time.Since(began))
		f.mu.Unlock()
	case (r.StatusCode != 429 && r.StatusCode != 503) || r.Header.Get("Retry-After") == "":
		f.note(new(atomic.Int64), fmt.Sprintf("%d %v %s", r.StatusCode, r.Header, text))
	}
}

func (f *flood) note(n *atomic.Int64, text string) {
	n.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.bad == "" {
		f.bad = text
	}
}

// run posts for a while with so many clients; rate is how many posts a second are begun at most, 0 for no bound. It returns how many were
// accepted and how many were offered.
func (f *flood) run(span time.Duration, clients int, rate float64) (accepted, offered int64) {
	before := f.codes[202].Load()
	var begun atomic.Int64
	start := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for time.Since(start) < span {
				n := begun.Add(1)
				if rate > 0 {
					if ahead := time.Duration(float64(n)/rate*float64(time.Second)) - time.Since(start); ahead > 0 {
						time.Sleep(ahead) // the pace of the load
					}
				}
				f.post(int(n) % floodBodies)
			}
		})
	}
	all.Wait()
	return f.codes[202].Load() - before, begun.Load()
}

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

// TestFlood offers a node many times what it can take: its memory stays bounded, it stays ready, it answers nothing but 202, 429 and 503, and
// what it acknowledged is applied exactly once. WEFTBOX_FLOOD=60s makes it longer.
func TestFlood(t *testing.T) {
	span := 3 * time.Second
	if text := os.Getenv("WEFTBOX_FLOOD"); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatalf("WEFTBOX_FLOOD=%s: %v", text, err)
		}
	} else if testing.Short() {
		t.Skip("it takes seconds")
	}
	admin := freeAddr(t)
	c := serveChild(t, nil, "--data", t.TempDir(), "--http-addr", "127.0.0.1:0", "--admin-addr", admin)
	c.must(201, "POST", "/v1/strategies", `{"name":"user","when":"containsAttr(\"user\")","domain_id":"eventAttr(\"user\")"}`)
	c.must(201, "POST", "/v1/definitions", floodFlow)
	c.must(201, "POST", "/v1/activities", `{"name":"flood","definition":"flood"}`)
	f := newFlood(c.url)
	f.run(500*time.Millisecond, 16, 0) // warm
	accepted, _ := f.run(time.Second, 16, 0)
	able := float64(accepted)
	f.mu.Lock()
	f.took = nil
	f.mu.Unlock()

	stop, watched := make(chan struct{}), make(chan struct{})
	var resident, heap, queued float64
	go func() {
		defer close(watched)
		for {
			g := gauges(t, "http://"+admin)
			resident, heap, queued = max(resident, g["process_resident_memory_bytes"]), max(heap, g["go_memstats_heap_inuse_bytes"]), max(queued, g["weftbox_intake_queue_messages"])
			if r, err := http.Get("http://" + admin + "/readyz"); err != nil || r.StatusCode != 200 {
				t.Errorf("expected the node to stay ready: %v %v", r, err)
			} else {
				_ = r.Body.Close()
			}
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	accepted, offered := f.run(span, floodClients, floodFactor*able)
	close(stop)
	<-watched
	f.report(t, span, able, accepted, offered, resident, heap, queued)
	if f.bad != "" || f.failed.Load() > 0 {
		t.Errorf("expected no answer but 202, 429 and 503 with Retry-After; %d had none, the first of the others is %s", f.failed.Load(), f.bad)
	}
	if f.codes[429].Load() == 0 {
		t.Error("expected the node to refuse some of the flood: this was none")
	}
	if resident > floodMiB<<20 || heap > floodMiB<<20 {
		t.Errorf("expected at most %d MiB, the node took %.0f MiB (heap %.0f)", floodMiB, resident/(1<<20), heap/(1<<20))
	}
	f.check(t, c)
}

func (f *flood) report(t *testing.T, span time.Duration, able float64, accepted, offered int64, resident, heap, queued float64) {
	slices.Sort(f.took)
	at := func(q float64) time.Duration {
		if len(f.took) == 0 {
			return 0
		}
		return f.took[int(q*float64(len(f.took)-1))].Round(10 * time.Microsecond)
	}
	t.Logf("flood of %s: without it the node takes %.0f events/s (16 connections, posts of %d); offered %.0f/s = %.1f times as many, %d at once", span,
		able*floodEvents, floodEvents, float64(offered)*floodEvents/span.Seconds(), float64(offered)/span.Seconds()/able, floodClients)
	t.Logf("accepted %.0f events/s; answers 202: %d, 429: %d, 503: %d, none: %d", float64(accepted)*floodEvents/span.Seconds(), f.codes[202].Load(), f.codes[429].Load(),
		f.codes[503].Load(), f.failed.Load())
	t.Logf("acknowledgement of accepted posts: p50 %s, p99 %s, max %s; memory at most %.0f MiB resident, %.0f MiB of heap; queue at most %.0f messages", at(.5), at(.99), at(1),
		resident/(1<<20), heap/(1<<20), queued)
}

// check compares every thread with what was acknowledged to it.
func (f *flood) check(t *testing.T, c *child) {
	t.Helper()
	wrong := 0
	for i := range floodBodies * floodEvents {
		var thread struct{ Vars struct{ N int64 } }
		if err := json.Unmarshal([]byte(c.must(200, "GET", threadPath("flood", fmt.Sprintf("u%d", i)), "")), &thread); err != nil {
			t.Fatal(err)
		}
		if want := f.acked[i/floodEvents].Load(); thread.Vars.N != want {
			if wrong++; wrong <= 5 {
				t.Errorf("thread u%d: expected the %d acknowledged events to be applied once each, it counts %d", i, want, thread.Vars.N)
			}
		}
	}
}
