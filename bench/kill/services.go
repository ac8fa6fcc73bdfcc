package main

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weftbox/weftbox/bench/ledger"
)

// books is the ledger behind a lock.
type books struct {
	mu sync.Mutex
	*ledger.Ledger
}

func (b *books) with(do func(*ledger.Ledger)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do(b.Ledger)
}

// services are the oracle and the bell. They outlive the node, and are no better than services are: they refuse batches, cut answers
// short, answer late, twice, or never.
type services struct {
	books  *books
	seed   uint64
	node   string // URL
	url    string
	server *http.Server
	client *http.Client
	ctx    context.Context

	mu      sync.Mutex
	random  *rand.Rand
	rung    map[string]bool // requests that reached the bell
	asked   map[string]bool // requests that reached the oracle
	pending atomic.Int64    // answers that are still to be posted
	late    atomic.Int64    // answers that came when nobody waited
	faults  atomic.Int64    // batches refused or answered badly
}

func startServices(ctx context.Context, b *books, seed uint64, node string) (*services, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &services{books: b, seed: seed, node: node, url: "http://" + l.Addr().String(), ctx: ctx, random: rand.New(rand.NewPCG(seed, 77)),
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8, MaxConnsPerHost: 8}}, rung: map[string]bool{}, asked: map[string]bool{}}
	s.server = &http.Server{Handler: s}
	go func() { _ = s.server.Serve(l) }() // it ends with Close
	return s, nil
}

func (s *services) close() { _ = s.server.Close() }

// reached returns how many different requests have reached the oracle and the bell.
func (s *services) reached() (oracle, bell int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked), len(s.rung)
}

// mood is what happens to a batch.
type mood int

const (
	fine    mood = iota
	refuse       // 503, nothing is looked at
	hangUp       // everything is looked at, then the connection is cut
	cutBody      // everything is looked at, then the answer is cut short
)

func (s *services) draw() (mood, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delay := time.Duration(s.random.IntN(20)) * time.Millisecond
	switch p := s.random.IntN(100); {
	case p < 3:
		return refuse, delay
	case p < 6:
		return hangUp, delay
	case p < 8:
		return cutBody, delay
	}
	return fine, delay
}

func (s *services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	how, delay := s.draw()
	body, err := io.ReadAll(r.Body)
	if err != nil { // the node died while it was sending
		return
	}
	if how == refuse {
		s.faults.Add(1)
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(body, &batch); err != nil {
		batch = []json.RawMessage{body} // the ledger notes it as no request
	}
	var answers []byte
	for _, q := range s.receive(batch) {
		if q.Service == "oracle" {
			answers = s.oracle(q, answers)
		}
	}
	if answers != nil {
		answers = append(answers, ']')
	}
	time.Sleep(delay) // a slow service
	s.reply(w, how, answers)
}

// receive notes the whole batch at once, in its order.
func (s *services) receive(batch []json.RawMessage) (out []*ledger.Request) {
	s.books.with(func(l *ledger.Ledger) {
		for _, raw := range batch {
			if q, err := l.Receive(raw); err == nil {
				out = append(out, q)
			}
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range out {
		if q.Service == "oracle" {
			s.asked[q.ID] = true
		} else {
			s.rung[q.ID] = true
		}
	}
	return out
}

func (s *services) reply(w http.ResponseWriter, how mood, answers []byte) {
	switch how {
	case hangUp:
		s.faults.Add(1)
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	case cutBody:
		s.faults.Add(1)
		w.Header().Set("Content-Length", fmt.Sprint(len(answers)+10))
		_, _ = w.Write(answers)
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(answers) // whether the node lives to read it is the point of the test
}

// oracle decides by seed, domain and number how a request is answered, so that a repeated one is treated as the first was.
func (s *services) oracle(q *ledger.Request, answers []byte) []byte {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %d", s.seed, q.Domain, q.N)
	plan := h.Sum64() % 100
	if plan < 10 {
		return answers // never answered
	}
	s.books.with(func(l *ledger.Ledger) { l.Answered(q.ID) })
	text := fmt.Appendf(nil, `{"type":"res","attr":{"request_id":%q,"status":"ok","data":{"echo":%d}}}`, q.ID, q.Echo())
	now := plan < 70
	switch {
	case plan < 50: // at once, and no more
	case plan < 60: // at once and again later
		s.post(text, plan)
	case plan < 70: // at once, twice in one body
		answers = appendAnswer(answers, text)
	case plan < 85: // later
		s.post(text, plan)
	case plan < 93: // later, twice
		s.post(text, plan)
		s.post(text, plan-60)
	default: // when the thread has stopped waiting, and perhaps waits for the next answer
		s.post(text, timeoutMs+40+h.Sum64()/100%150)
	}
	if now {
		answers = appendAnswer(answers, text)
	}
	return answers
}

func appendAnswer(answers, text []byte) []byte {
	sep := byte(',')
	if answers == nil {
		sep = '['
	}
	return append(append(answers, sep), text...)
}

// post sends an answer to the node's bus after a while, until the node takes it.
func (s *services) post(text []byte, afterMs uint64) {
	s.pending.Add(1)
	time.AfterFunc(time.Duration(afterMs)*time.Millisecond, func() {
		defer s.pending.Add(-1)
		var answer struct {
			Results []struct {
				Verdicts []struct{ Verdict string }
			}
		}
		_, _, err := insist(s.ctx, s.client, http.MethodPost, s.node+"/v1/buses/default", text, &answer, nil)
		if err != nil {
			return // the run is over, or the threads will tell
		}
		for _, r := range answer.Results {
			for _, v := range r.Verdicts {
				if v.Verdict == "late" {
					s.late.Add(1)
				}
			}
		}
	})
}
