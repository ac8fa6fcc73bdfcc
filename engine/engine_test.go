package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	_ "github.com/weftbox/weftbox/actions"
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/metadata"
	metapebble "github.com/weftbox/weftbox/metadata/pebble"
)

// rig is an engine driven by its test: every turn is a call, the disk is in memory, the clock is turned by hand.
type rig struct {
	t     testing.TB
	fs    vfs.FS
	clock *clock.Manual
	cache *metadata.Cache
	store *store.Store
	e     *Engine
	out   strings.Builder
	sent  []messagebus.Incoming // what the fake producer answers next
	seen  [][]byte              // bodies the fake producer was given
	fail  error                 // what the fake producer answers instead
	feeds []messagebus.Consumer
	more  func(*Options) // what a test wants otherwise
}

const startMs = int64(1_700_000_000_000)

func newRig(t testing.TB, feeds ...messagebus.Consumer) *rig { return newRigWith(t, nil, feeds...) }

func newRigWith(t testing.TB, more func(*Options), feeds ...messagebus.Consumer) *rig {
	r := &rig{t: t, fs: vfs.NewMem(), clock: clock.NewManual(startMs), feeds: feeds, more: more}
	meta, err := metapebble.Open("meta", metapebble.Options{FS: vfs.NewMem()})
	r.must(err)
	builtin, service := activity.Specs()
	r.cache, err = metadata.NewCache(context.Background(), meta, metadata.Options{Specs: builtin, Service: service, NowMs: r.clock.NowMs})
	r.must(err)
	r.open()
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Publish makes the rig its own producer.
func (r *rig) Publish(_ context.Context, _ messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	if r.fail != nil {
		return nil, r.fail
	}
	r.seen = append(r.seen, bodies...)
	answers := r.sent
	r.sent = nil
	return answers, nil
}

func (r *rig) open() {
	var err error
	r.store, err = store.Open("state", store.Options{FS: r.fs, Slots: 8})
	r.must(err)
	o := Options{Store: r.store, Clock: r.clock, Metadata: r.cache.Load, Consumers: r.feeds, Producer: r, Stdout: &r.out, MaxTurnsAtOnce: 200,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Fatal: func(err error) { r.t.Fatalf("the engine gave up: %v", err) }}
	if r.more != nil {
		r.more(&o)
	}
	r.e, err = New(o)
	r.must(err)
}

// restart closes the store and starts a new engine on it, as after a crash: the engine itself is given no word.
func (r *rig) restart() {
	r.must(r.store.Close())
	r.open()
}

func (r *rig) strategy(name, when, domain string) {
	_, outcome, problems, err := r.cache.PutStrategy(context.Background(), metadata.Strategy{Name: name, When: when, DomainID: domain})
	if err != nil || outcome == 0 {
		r.t.Fatalf("strategy %s: %v %v", name, problems, err)
	}
}

func (r *rig) service(name string) {
	_, outcome, problems, err := r.cache.PutService(context.Background(), metadata.Service{Name: name, URL: "http://127.0.0.1:9/" + name})
	if err != nil || outcome == 0 {
		r.t.Fatalf("service %s: %v %v", name, problems, err)
	}
}

func (r *rig) flow(text string) uint32 {
	v, outcome, problems, err := r.cache.PutDefinition(context.Background(), []byte(text), "")
	if err != nil || outcome == 0 {
		r.t.Fatalf("definition: %v %v", problems, err)
	}
	a, outcome, problems, err := r.cache.PutActivity(context.Background(), metadata.Activity{Definition: v.Name})
	if err != nil || outcome == 0 {
		r.t.Fatalf("activity: %v %v", problems, err)
	}
	return a.Number
}

// evaluations counts the expressions that threads and triggers have had computed.
func (r *rig) evaluations() (n uint64) {
	for _, l := range r.e.lanes {
		n += l.scope.Evaluations()
	}
	return n
}

// event makes a record of an event with attributes given as name, value, name, value …
func event(kind, key string, attrs ...any) *messagebus.Record {
	e := &activity.Event{Type: kind, ID: key, Attrs: map[string]any{}}
	text := kind
	for i := 0; i < len(attrs); i += 2 {
		e.Attrs[attrs[i].(string)] = attrs[i+1]
		text += fmt.Sprintf(" %v=%v", attrs[i], attrs[i+1])
	}
	var hash uint64
	for _, c := range text {
		hash = hash*31 + uint64(c)
	}
	return &messagebus.Record{Source: "http/default", Incoming: messagebus.Incoming{Event: e}, Raw: []byte(text), Key: key, BodyHash: hash}
}

// put gives records to one turn and returns their answers.
func (r *rig) put(records ...*messagebus.Record) []messagebus.Answer {
	r.t.Helper()
	answers := make([]messagebus.Answer, len(records))
	got := 0
	for i, rec := range records {
		rec.Answer = func(a messagebus.Answer) { answers[i] = a; got++ }
		r.must(r.e.Submit(rec))
	}
	r.e.Turn()
	if got != len(records) {
		r.t.Fatalf("one turn answered %d of %d records", got, len(records))
	}
	return answers
}

// quiet turns and relays until nothing is left to do.
func (r *rig) quiet() {
	r.t.Helper()
	for range 10_000 {
		worked := r.e.Turn()
		sent, _ := r.e.RelayNow(context.Background())
		if !worked && sent == 0 {
			return
		}
	}
	r.t.Fatal("the engine does not come to rest")
}

func (r *rig) thread(number uint32, domain string) activity.Thread {
	r.t.Helper()
	th, err := r.e.Thread(activity.ID{Activity: number, Domain: domain}, 0)
	r.must(err)
	return th
}

// is checks status, action and variables ("n=3 done=true") of a thread.
func (r *rig) is(number uint32, domain, want string) {
	r.t.Helper()
	th := r.thread(number, domain)
	got := th.Status.String() + " " + th.Action
	for _, v := range th.Vars {
		got += fmt.Sprintf(" %s=%v", v.Name, v.Value)
	}
	if th.Reason != "" {
		got += " because " + th.Reason
	}
	if got != want {
		r.t.Fatalf("thread %s of activity %d is %q, want %q (%s)", domain, number, got, want, th.Error)
	}
}

const counterFlow = `
activity:
  name: counter
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("hit")'}
    context_vars: {n: 1}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("hit")
          context_vars: {n: var("n") + 1}
          then: call("wait")
        - when: eventTypeIs("end")
          then: finish()
`

func counter(t testing.TB, feeds ...messagebus.Consumer) (*rig, uint32) {
	r := newRig(t, feeds...)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	return r, r.flow(counterFlow)
}

func TestRepeatedEventIsAppliedOnce(t *testing.T) {
	r, n := counter(t)
	first := r.put(event("hit", "a", "user", "u1"))[0]
	if first.Duplicate || first.Verdicts[0].Kind != activity.VerdictSpawned {
		t.Fatalf("the first post is answered %+v, want spawned and no duplicate", first)
	}
	r.put(event("hit", "b", "user", "u1"))
	r.restart()
	again := r.put(event("hit", "a", "user", "u1"), event("hit", "b", "user", "u1"))
	for i, a := range again {
		if !a.Duplicate || a.Conflict {
			t.Errorf("repeat %d is answered %+v, want duplicate", i, a)
		}
	}
	r.is(n, "u1", "waiting wait n=2")
	// The same key in one turn, and the same key with another body.
	same := r.put(event("hit", "c", "user", "u1"), event("hit", "c", "user", "u1"), event("hit", "c", "user", "u2"))
	if same[0].Duplicate || !same[1].Duplicate || !same[2].Conflict {
		t.Errorf("three of one key are answered %+v, want applied, duplicate, conflict", same)
	}
	if a := r.put(event("hit", "a", "user", "u9"))[0]; !a.Conflict && !a.Duplicate && len(a.Verdicts) == 0 {
		t.Errorf("a key used for another slot's event is answered %+v", a)
	}
	r.is(n, "u1", "waiting wait n=3")
	r.is(n, "u2", "absent ")
}

func TestKeyOfAnEventNobodyTookIsNotRemembered(t *testing.T) {
	r, n := counter(t)
	if a := r.put(event("other", "k", "user", "u1"))[0]; a.Duplicate || a.Verdicts[0].Kind != activity.VerdictNoTrigger {
		t.Fatalf("an event without a taker is answered %+v, want no_trigger", a)
	}
	if a := r.put(event("other", "k", "user", "u1"))[0]; a.Duplicate {
		t.Errorf("its repeat is answered duplicate, want evaluated anew")
	}
	r.is(n, "u1", "absent ")
}

func TestKeysAreForgottenAfterTwoDays(t *testing.T) {
	r, n := counter(t)
	r.put(event("hit", "a", "user", "u1"))
	r.advance(20 * 3600_000)
	if a := r.put(event("hit", "a", "user", "u1"))[0]; !a.Duplicate {
		t.Fatalf("a repeat after 20 h is answered %+v, want duplicate", a)
	}
	r.advance(48 * 3600_000)
	if a := r.put(event("hit", "a", "user", "u1"))[0]; a.Duplicate {
		t.Fatalf("a repeat after 68 h is answered %+v, want a new event", a)
	}
	r.is(n, "u1", "waiting wait n=2")
}

func (r *rig) advance(ms int64) (fired int64) {
	r.t.Helper()
	_, fired, err := r.e.AdvanceNow(ms)
	r.must(err)
	return fired
}
