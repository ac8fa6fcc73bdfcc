package main

import (
	"bytes"
	"context"
	"maps"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/bench/ledger"
)

// TestThreeDeaths builds weftbox and kills it three times while 3,000 events flow.
func TestThreeDeaths(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	o := options{kills: 3, events: 3000, seed: 42, domains: 200, limit: 2 * time.Minute}
	if err := prove(context.Background(), o, &out); err != nil {
		t.Fatalf("expected a ledger that agrees, got %v\n%s", err, &out)
	}
	text := out.String()
	if n := strings.Count(text, "\nkill "); n != 3 {
		t.Errorf("expected 3 deaths to be printed, got %d:\n%s", n, text)
	}
	for _, want := range []string{
		`(?m)^seed      42$`, `(?m)^events    (3\d{3}|[4-9]\d{3}|\d{5,}), acknowledged \d+, sent again \d+,`, `(?m)^threads   200; dead letters [1-9]`, `(?m)^requests  [1-9]\d+, .*answered [1-9]`,
		`(?m)^alarms    fired [1-9]\d*, cancelled [1-9]`, `(?m)^restart .* [3-5] times$`, `(?m)^deaths    3, of which 3 while all clients sent and \d before the node was ready again; 1 more after the last event$`, `(?m)^counters  ([89]|1\d) verdict counters held against the books$`, `(?m)^ledger: 0 lost, 0 doubled$`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("expected a line like %s in:\n%s", want, text)
		}
	}
}

// TestLoadLastsUntilTheLastDeath: however few events are asked for, clients send as long as the node is killed.
func TestLoadLastsUntilTheLastDeath(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	o := options{kills: 4, events: 1, seed: 7, domains: 200, limit: 2 * time.Minute}
	if err := prove(context.Background(), o, &out); err != nil || !strings.Contains(out.String(), "\ndeaths    4, of which 4 while all clients sent") {
		t.Fatalf("expected four deaths under load and a ledger that agrees, got %v\n%s", err, &out)
	}
}

func newTestClient() *client {
	c := &client{number: 1, random: rand.New(rand.NewPCG(1, 2)), poison: 50}
	for i := range 6 {
		c.users = append(c.users, &domain{kind: ledger.User, name: string(rune('a' + i))})
		c.items = append(c.items, &domain{kind: ledger.Item, name: string(rune('A' + i))})
	}
	return c
}

// awake ends all rests, as the threads would.
func (c *client) awake() {
	for _, d := range c.resting {
		switch {
		case d.kind == ledger.Item:
			c.items = append(c.items, d)
		case asks(d.n + 1):
			c.eager = append(c.eager, d)
		default:
			c.users = append(c.users, d)
		}
	}
	c.resting = nil
}

// TestClientsLetThreadsWait checks what the ledger builds on: numbers without a gap, nothing for a domain whose thread waits, both kinds
// of alarms, poisoned events of users of their own.
func TestClientsLetThreadsWait(t *testing.T) {
	const events = 5000
	c := newTestClient()
	last := map[string]int64{}
	var total, asked, held, cancelled, poisoned int
	for total < events {
		rests := map[string]bool{}
		batch := c.compose(min(1+c.random.IntN(30), events-total))
		for _, e := range batch {
			total++
			if rests[e.User] || rests[e.Item] {
				t.Fatalf("event %s goes to %s and %s, of which one waits for an answer or an alarm", e.ID, e.User, e.Item)
			}
			if e.Poison {
				poisoned++
				if e.N != 0 || e.Ask || wire(&e)["attr"].(map[string]any)["amount"] != nil {
					t.Fatalf("a poisoned event is nobody's, asks nothing and has no amount, got %+v", e)
				}
			} else if last[e.User]++; e.N != last[e.User] {
				t.Fatalf("event %s has number %d of its user, expected %d", e.ID, e.N, last[e.User])
			}
			if last[e.Item]++; e.M != last[e.Item] {
				t.Fatalf("event %s has number %d of its item, expected %d", e.ID, e.M, last[e.Item])
			}
			switch {
			case e.Hold && !e.Arm:
				t.Fatalf("event %s holds an alarm that it does not set", e.ID)
			case e.Hold:
				held++
			case e.Arm:
				cancelled++
			}
			if e.Ask {
				asked++
			}
			rests[e.User], rests[e.Item] = e.Ask, e.Hold
		}
		if len(batch) == 0 && len(c.resting) == 0 {
			t.Fatal("nothing can be sent and nobody rests")
		}
		c.awake()
	}
	if total != events || poisoned != events/50 {
		t.Errorf("expected %d events and %d poisoned ones, got %d and %d", events, events/50, total, poisoned)
	}
	if asked < events/20 || held < events/50 || cancelled < events/50 {
		t.Errorf("expected many asks, held and cancelled alarms in %d events, got %d, %d, %d", events, asked, held, cancelled)
	}
}

func TestFirstCauseLeavesOutThoseToldToStop(t *testing.T) {
	cause := &refusal{422, "no"}
	if got := firstCause([]error{context.Canceled, nil, cause}); got == nil || strings.Contains(got.Error(), "canceled") || !strings.Contains(got.Error(), "422") {
		t.Errorf("expected the refusal alone, got %v", got)
	}
	if got := firstCause([]error{nil, context.Canceled}); got == nil {
		t.Error("expected the interruption when there is nothing else, got nil")
	}
	if got := firstCause(make([]error, 3)); got != nil {
		t.Errorf("expected no error, got %v", got)
	}
}

func TestQuantile(t *testing.T) {
	all := []time.Duration{5, 1, 3, 2, 4}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0, 1}, {0.5, 3}, {1, 5}} {
		if got := quantile(all, c.q); got != c.want {
			t.Errorf("quantile %v of 1..5: expected %v, got %v", c.q, c.want, got)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("quantile of nothing: expected 0, got %v", got)
	}
}

// TestOwedCountsTheBooks: births, what clauses and waits took, and dead letters, from the history of one user and one item.
func TestOwedCountsTheBooks(t *testing.T) {
	l := ledger.New(alarmMs)
	for i, e := range []ledger.Event{{}, {Ask: true}, {Arm: true}, {Arm: true}, {}, {Arm: true, Hold: true}, {Arm: true}, {}} {
		e.ID, e.User, e.Item, e.N, e.M = string(rune('a'+i)), "u", "i", int64(i+1), int64(i+1)
		l.Send(e)
	}
	l.Send(ledger.Event{ID: "x", User: "p", Item: "i", Poison: true, M: 9})
	l.DeadLetter("x", "p")
	l.Thread(ledger.User, "u", ledger.State{Trace: "o"})
	l.Thread(ledger.Item, "i", ledger.State{Trace: "ccff"})
	got := owed(l.Check())
	want := map[verdict]int{
		{ledger.User, "", "event", "spawned", -1}: 1, {ledger.User, "loop", "event", "taken", 0}: 1, {ledger.User, "loop", "event", "taken", 1}: 6,
		{ledger.User, "oracle", "reply", "taken", -1}: 1, {ledger.User, "", "event", "dead_letter", -1}: 1,
		{ledger.Item, "", "event", "spawned", -1}: 1, {ledger.Item, "loop", "event", "taken", 0}: 3, {ledger.Item, "loop", "event", "taken", 1}: 3,
		{ledger.Item, "armed", "event", "taken", 0}: 2, {ledger.Item, "armed", "alarm", "taken", 1}: 2,
	}
	if !maps.Equal(got, want) {
		t.Errorf("the books of two domains call for %+v, want %+v", got, want)
	}
}
