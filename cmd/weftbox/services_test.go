package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/metadata"
)

const (
	allServices  = 1000
	fastServices = 10 // the others hang or refuse until they are let go
	askers       = 20 // threads, each of which asks every service once
)

// town is a thousand services on one port, each a path.
type town struct {
	t       *testing.T
	release chan struct{} // closed: all services work

	mu     sync.Mutex
	got    map[string]int    // by service and request id
	last   map[string]uint64 // by service and slot
	counts [allServices]int
	wrong  []string
}

func (s *town) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	var batch []request
	if err == nil {
		err = json.NewDecoder(r.Body).Decode(&batch)
	}
	if err != nil {
		s.t.Errorf("a service was asked %s: %v", r.URL, err)
		return
	}
	if number >= fastServices {
		select {
		case <-s.release:
		default:
			if number%2 == 0 { // dead
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			select { // it hangs
			case <-s.release:
			case <-r.Context().Done():
				return
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range batch {
		s.counts[number]++
		s.got[fmt.Sprintf("%d %s", number, q.Attr.RequestID)]++
		parts := strings.Split(q.Attr.RequestID, "-")
		place := fmt.Sprintf("%d-%s", number, parts[1])
		seq, _ := strconv.ParseUint(parts[2], 10, 64)
		if seq <= s.last[place] && len(s.wrong) < 5 {
			s.wrong = append(s.wrong, fmt.Sprintf("service %d: %s came after number %d of its slot", number, q.Attr.RequestID, s.last[place]))
		}
		s.last[place] = seq
	}
}

// sum returns how many requests the services from first to last-1 have taken.
func (s *town) sum(first, last int) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.counts[first:last] {
		n += c
	}
	return n
}

func (s *town) until(what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(2 * patience); !done(); time.Sleep(time.Millisecond) { // between two looks
		if time.Now().After(deadline) {
			s.t.Fatalf("expected %s, it did not come", what)
		}
	}
}

// asksAll is a definition whose threads ask each service once and wait for none.
func asksAll() string {
	var b strings.Builder
	b.WriteString("activity:\n  name: all\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"go\")\n  actions:\n")
	for i := range allServices {
		next := fmt.Sprintf("call(\"a%d\")", i+1)
		if i == allServices-1 {
			next = "finish()"
		}
		fmt.Fprintf(&b, "    - {name: a%d, type: s%d, await: false, args: {request: {n: %d}}, ctrl: [{default: '%s'}]}\n", i, i, i, next)
	}
	return b.String()
}

// TestDeadServicesCostOnlyThemselves: of 1,000 services 990 are dead or hang. The ten others get all their requests meanwhile; the dead ones cost
// no goroutine while they rest, the hanging ones one sender each; afterwards every service has every request once, in order.
func TestDeadServicesCostOnlyThemselves(t *testing.T) {
	s := &town{t: t, release: make(chan struct{}), got: map[string]int{}, last: map[string]uint64{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	n, err := openNode(t.Context(), nodeConfig{Dir: t.TempDir(), HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Durability: store.Memory, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	n.start()
	t.Cleanup(func() { _ = n.Close(t.Context()) })
	put := func(what string, outcome metadata.Outcome, problems any, err error) {
		t.Helper()
		if err != nil || outcome == 0 {
			t.Fatalf("%s: %v %v", what, problems, err)
		}
	}
	for i := range allServices {
		_, outcome, problems, err := n.cache.PutService(t.Context(), metadata.Service{Name: fmt.Sprintf("s%d", i), URL: fmt.Sprintf("%s/%d", server.URL, i)})
		put("service", outcome, problems, err)
	}
	_, outcome, problems, err := n.cache.PutStrategy(t.Context(), metadata.Strategy{Name: "user", When: "true", DomainID: `eventAttr("user")`})
	put("strategy", outcome, problems, err)
	_, outcome, problems, err = n.cache.PutDefinition(t.Context(), []byte(asksAll()), "")
	put("definition", outcome, problems, err)
	_, outcome, problems, err = n.cache.PutActivity(t.Context(), metadata.Activity{Definition: "all"})
	put("activity", outcome, problems, err)

	began := time.Now()
	for i := range askers {
		r, err := http.Post(n.URL+"/v1/events", "application/json", strings.NewReader(fmt.Sprintf(`{"type":"go","attr":{"user":"u%d"}}`, i)))
		if err != nil || r.StatusCode != 202 {
			t.Fatalf("expected 202, got %v %v", r, err)
		}
		_ = r.Body.Close()
	}
	stats := n.engine.Stats()
	s.until("all requests of the services that work", func() bool { return s.sum(0, fastServices) == fastServices*askers })
	took := time.Since(began)
	s.until("every dead service to have failed", func() bool { return stats.DeliveryErrors.Load() >= (allServices-fastServices)/2 })
	if late := s.sum(fastServices, allServices); late != 0 {
		t.Errorf("expected the others to have taken nothing yet, they took %d", late)
	}
	stacks := make([]byte, 64<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	senders := strings.Count(string(stacks), "engine.(*relay).sender(")
	if hanging := (allServices - fastServices) / 2; senders > hanging+hanging/4 {
		t.Errorf("expected at most a sender for each of the %d services that hang, and few more that try, got %d", hanging, senders)
	}
	t.Logf("%d of %d services dead or hanging: the others had their %d requests after %s; %d senders, %d goroutines in all (services included), %d failures", allServices-fastServices,
		allServices, fastServices*askers, took.Round(time.Millisecond), senders, runtime.NumGoroutine(), stats.DeliveryErrors.Load())
	close(s.release)
	s.until("all requests", func() bool { return s.sum(0, allServices) >= allServices*askers })
	if len(s.got) != allServices*askers || len(s.wrong) > 0 {
		t.Errorf("expected %d different requests in order, got %d; %v", allServices*askers, len(s.got), s.wrong)
	}
	for id, times := range s.got {
		if times != 1 {
			t.Errorf("expected service and request %s once, it came %d times", id, times)
			break
		}
	}
}
