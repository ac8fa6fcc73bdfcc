package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestMemoryIsSharedOut(t *testing.T) {
	for _, total := range []int64{leastMemory, 128 << 20, defaultMemory, 8 << 30} {
		s := shareMemory(total)
		// The queue counts thrice: bodies being read and not yet answered may take twice as much again.
		if sum := s.blocks + 3*s.memTable + 3*s.queue + s.threads; sum > total*3/4 || sum < total/2 {
			t.Errorf("of %d bytes %d are shared out, expected between a half and three quarters", total, sum)
		}
		if s.turn <= 0 || s.turn > 16<<20 || s.turn > s.queue {
			t.Errorf("of %d bytes a turn takes %d, expected no more than the queue and 16 MiB", total, s.turn)
		}
	}
	if shareMemory(0) != shareMemory(defaultMemory) {
		t.Error("expected no size to mean the default")
	}
}

func TestServeRefusesTooLittleMemory(t *testing.T) {
	for _, size := range []string{"1MiB", "much", "-5"} {
		code, text := refused(t, "serve", "--data", t.TempDir(), "--random-ports", "--memory", size)
		if code != exitUsage || !strings.Contains(text, "--memory") {
			t.Errorf("--memory %s: expected exit code %d and the flag's name, got %d %s", size, exitUsage, code, text)
		}
	}
}

const millionFlow = `
activity:
  name: million
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("hit")'}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("hit")
          then: call("wait")
`

// threads posts events that give birth to the threads from to below until, in arrays.
func (c *child) threads(from, until, size int) {
	c.t.Helper()
	var next atomic.Int64
	next.Store(int64(from))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				at := int(next.Add(int64(size))) - size
				if at >= until || c.t.Failed() {
					return
				}
				var body bytes.Buffer
				for i := at; i < min(at+size, until); i++ {
					fmt.Fprintf(&body, `,{"type":"hit","attr":{"user":"user-%07d"}}`, i)
				}
				text := "[" + body.String()[1:] + "]"
				for {
					response, err := http.Post(c.url+"/v1/events", "application/json", strings.NewReader(text))
					if err != nil {
						c.t.Errorf("events from %d: %v", at, err)
						return
					}
					response.Body.Close()
					if response.StatusCode == 202 {
						break
					}
					if response.StatusCode != 429 {
						c.t.Errorf("events from %d: expected 202 or 429, got %d", at, response.StatusCode)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// status reads a line of the process's status, in KiB.
func (c *child) status(name string) int64 {
	c.t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/status")
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				c.t.Fatal(err)
			}
			return n
		}
	}
	c.t.Fatalf("/proc/…/status has no %s", name)
	return 0
}

// metric reads one number of /metrics.
func (c *child) metric(name string) float64 {
	c.t.Helper()
	for line := range strings.Lines(c.must(200, "GET", "/metrics", "")) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				c.t.Fatal(err)
			}
			return v
		}
	}
	c.t.Fatalf("/metrics has no %s", name)
	return 0
}

// TestMillionThreads: a node of 128 MiB holds a million waiting threads, and a start after kill -9 reads few keys whatever their number.
func TestMillionThreads(t *testing.T) {
	count, _ := strconv.Atoi(os.Getenv("WEFTBOX_TEST_MILLION"))
	if count == 0 {
		t.Skip("takes minutes: WEFTBOX_TEST_MILLION=1000000 runs it (scripts/test full does)")
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("needs /proc to read a process's memory")
	}
	args := []string{"--data", t.TempDir(), "--random-ports", "--memory", "128MiB"}
	c := serveChild(t, nil, args...)
	c.must(201, "POST", "/v1/strategies", `{"name":"user","when":"containsAttr(\"user\")","domain_id":"eventAttr(\"user\")"}`)
	c.must(201, "POST", "/v1/definitions", millionFlow)
	c.must(201, "POST", "/v1/activities", `{"name":"million","definition":"million"}`)
	began := time.Now()
	c.threads(0, count, 500)
	loaded := time.Since(began)
	if live := c.metric(`weftbox_activity_threads{action="wait",activity="million",status="waiting"}`); live != float64(count) {
		t.Fatalf("expected %d waiting threads, got %.0f", count, live)
	}
	most := c.status("VmHWM")
	c.signal(syscall.SIGKILL)
	began = time.Now()
	c = serveChild(t, nil, args...)
	started := time.Since(began)
	keys := c.metric("weftbox_store_keys_read_total")
	c.threads(0, min(count, 20_000), 500)
	again := c.status("VmHWM")
	t.Logf("%d threads in %v: at most %d MiB resident; start after kill -9 %d ms, %.0f keys read; then at most %d MiB", count, loaded.Round(time.Millisecond), most>>10, started.Milliseconds(), keys, again>>10)
	if most >= 200<<10 || again >= 200<<10 {
		t.Errorf("expected less than 200 MiB resident, got %d and after the start %d MiB", most>>10, again>>10)
	}
	if keys >= 10_000 {
		t.Errorf("expected a start to read fewer than 10,000 keys, got %.0f", keys)
	}
}
