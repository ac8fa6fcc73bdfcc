package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/mem"
)

// TestASourceDoesNotStarveOthers: whichever of them is flooded, each source has something in every turn.
func TestASourceDoesNotStarveOthers(t *testing.T) {
	logs := []*mem.Log{mem.NewLog(), mem.NewLog(), mem.NewLog()}
	r, n := counter(t, logs[0].Consumer("a"), logs[1].Consumer("b"), logs[2].Consumer("c"))
	r.e.o.MaxMessages = 9
	for i := range 100 {
		logs[0].Append(hit("flood", i), startMs)
	}
	for i := range 6 {
		logs[1].Append(hit("b", i), startMs)
		logs[2].Append(hit("c", i), startMs)
	}
	for turns := range 2 {
		r.e.Turn()
		for _, user := range []string{"b", "c"} {
			r.is(n, user, fmt.Sprintf("waiting wait n=%d", 3*(turns+1)))
		}
	}
	r.is(n, "flood", "waiting wait n=6")
	r.e.Turn() // the others have nothing more: what they leave is the flooded one's
	r.is(n, "flood", "waiting wait n=15")
	r.e.o.MaxMessages = 1
	logs[1].Append(hit("b", 6), startMs)
	logs[2].Append(hit("c", 6), startMs)
	for range 3 {
		r.e.Turn()
	}
	r.is(n, "b", "waiting wait n=7")
	r.is(n, "c", "waiting wait n=7")
}

// stutter is a consumer that gives what it gave before when it is asked again.
type stutter struct{ *mem.Consumer }

func (s stutter) Poll(max, maxBytes int) ([]messagebus.Record, error) {
	if err := s.Seek(1); err != nil {
		return nil, err
	}
	return s.Consumer.Poll(max, maxBytes)
}

// TestASourceReadTwiceInATurn: a turn has room for more of a source, and the source goes back.
func TestASourceReadTwiceInATurn(t *testing.T) {
	log, other := mem.NewLog(), mem.NewLog()
	r, n := counter(t, stutter{log.Consumer("a")}, other.Consumer("b"))
	r.e.o.MaxMessages = 8
	for i := range 4 {
		log.Append(hit("u", i), startMs)
	}
	r.e.Turn()
	r.is(n, "u", "waiting wait n=4")
}

// TestAPositionNeverGoesBack: what was told to be applied may be gone from its log when the node starts again.
func TestAPositionNeverGoesBack(t *testing.T) {
	log := mem.NewLog()
	consumer := log.Consumer("a")
	r, n := counter(t, consumer)
	for i := range 4 {
		log.Append(hit("u", i), startMs)
	}
	r.e.Turn()
	r.must(consumer.Seek(2))
	r.e.o.MaxMessages = 1
	r.e.Turn()
	next, _, err := r.store.Position(consumer.Name())
	r.must(err)
	if next != 5 || consumer.Committed() != 5 {
		t.Errorf("after the source went back the position is %d, and %d is told, want 5", next, consumer.Committed())
	}
	r.is(n, "u", "waiting wait n=4")
}

// failing is a consumer whose bus breaks.
type failing struct {
	*mem.Consumer
	err error
}

func (f *failing) Poll(max, maxBytes int) ([]messagebus.Record, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Consumer.Poll(max, maxBytes)
}

// TestNothingFollowsAFault: an engine that can not go on, in a process that lives, commits and tells nothing any more, and its batch is empty.
func TestNothingFollowsAFault(t *testing.T) {
	bus := &failing{Consumer: mem.NewLog().Consumer("a")}
	r, n := counter(t, bus)
	var fatal []error
	r.engineOn(func(o *Options) { o.Fatal = func(err error) { fatal = append(fatal, err) } })
	if a := r.put(event("hit", "1", "user", "u")); len(a) != 1 {
		t.Fatalf("expected an answer, got %v", a)
	}
	bus.err = errors.New("the bus is gone")
	told := 0
	rec := event("hit", "2", "user", "u")
	rec.Answer = func(messagebus.Answer) { told++ }
	r.must(r.e.Submit(rec))
	r.e.turn.batch.Begin(0)
	r.e.turn.batch.PutMember(activity.ID{Activity: n, Domain: "torn"}) // as a turn leaves it that stopped half-way
	if r.e.Turn() || len(fatal) != 1 {
		t.Fatalf("expected the turn to fail once, got %v", fatal)
	}
	bus.err = nil
	if r.e.Turn() || told > 0 || len(fatal) != 1 {
		t.Errorf("expected no turn after the fault, %d were told, faults %v", told, fatal)
	}
	if !r.e.turn.batch.Empty() {
		t.Error("expected the writes of a turn that was not decided to be dropped")
	}
	r.is(n, "u", "waiting wait n=1")
}

// pipe is an output that somebody begins to read when it is opened.
type pipe struct {
	opened chan struct{}
	mu     sync.Mutex
	lines  int
	calls  int
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.calls++
	p.mu.Unlock()
	<-p.opened
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines += strings.Count(string(b), "\n")
	return len(b), nil
}

// TestOutputThatNobodyReads: a full pipe stops no turn; what does not fit into the queue is counted, the rest is written once somebody reads.
func TestOutputThatNobodyReads(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.flow("activity:\n  name: talker\n  domain_id_strategy: user\n  trigger:\n    type: event\n    args: {condition: eventTypeIs(\"hit\")}\n    context_vars: {text: eventAttr(\"text\")}\n  actions:\n    - name: say\n      type: stdout\n      args: var(\"text\")\n      ctrl: finish()\n")
	out := &pipe{opened: make(chan struct{})}
	r.e.o.Stdout = out
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { r.e.Run(ctx) })
	const events = 400
	text := strings.Repeat("x", 8<<10) // three times what is kept
	for i := range events {
		answered := make(chan struct{})
		rec := event("hit", "", "user", fmt.Sprintf("u%d", i))
		rec.Incoming.Event.Attrs["text"] = text
		rec.Answer = func(messagebus.Answer) { close(answered) }
		r.must(r.e.Submit(rec))
		<-answered
	}
	r.e.printer.mu.Lock()
	waiting := r.e.printer.waiting.Len()
	r.e.printer.mu.Unlock()
	if waiting > printBytes {
		t.Errorf("%d bytes wait to be printed, want at most %d", waiting, printBytes)
	}
	close(out.opened)
	cancel()
	ended.Wait()
	dropped := int(r.e.Stats().LinesDropped.Load())
	if dropped == 0 || out.lines+dropped != events {
		t.Errorf("%d lines were written and %d dropped, want some of both and %d in all", out.lines, dropped, events)
	}
}

// TestLargeBodiesAreCounted: what rows take beyond their request's allotment is counted, and bounded: one always gets on.
func TestLargeBodiesAreCounted(t *testing.T) {
	r := newRig(t)
	y := r.e.relay
	dest := func(number uint32) (*destination, []store.Outbox) {
		y.dirty(number, 3)
		d := y.dests[number]
		unset(d.waiting, 3)
		set(d.busy, 3)
		return d, []store.Outbox{{Slot: 3}}
	}
	a, rows := dest(1)
	_, allotted := y.reserve(a)
	if !y.grow(a, rows, 2*relayLarge) || y.bytes != allotted+2*relayLarge {
		t.Fatalf("expected the first large body to go on alone and to be counted, %d bytes are", y.bytes)
	}
	b, rows := dest(2)
	_, small := y.reserve(b)
	if y.grow(b, rows, 1) || !b.held || !has(b.waiting, 3) || has(b.busy, 3) {
		t.Error("expected the second one to wait, its row put back")
	}
	y.release(small, 0)
	c, rows := dest(3)
	if !y.grow(c, rows, 0) {
		t.Error("expected a request within its allotment to go on")
	}
	y.release(allotted, 2*relayLarge)
	if b.held || y.bytes != 0 || y.large != 0 {
		t.Errorf("expected room again and nothing under way, got held %v, %d bytes, %d large", b.held, y.bytes, y.large)
	}
}

// talkative answers each request in the body, at length.
type talkative struct {
	mu    sync.Mutex
	calls int
}

func (p *talkative) Publish(context.Context, messagebus.Destination, [][]byte) ([]messagebus.Incoming, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	return []messagebus.Incoming{{Bad: &messagebus.Undecoded{Raw: make([]byte, relayUnread+1), Err: io.ErrUnexpectedEOF}}}, nil
}

// TestAnswersThatNoTurnTakes: the relay begins no request while too much of what services answered waits for the loop.
func TestAnswersThatNoTurnTakes(t *testing.T) {
	r, _ := asking(t)
	p := &talkative{}
	r.e.o.Producer = p
	for i := range 50 {
		r.put(event("go", "", "user", fmt.Sprintf("u%d", i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	r.e.relay.dests[destinationOf(r)].batch = 1
	r.e.relay.start(ctx, &wg) // without a loop
	until(t, "the relay to stop", func() bool {
		r.e.relay.mu.Lock()
		defer r.e.relay.mu.Unlock()
		return r.e.relay.unread > relayUnread && len(r.e.relay.dests) == 1 && r.e.relay.dests[destinationOf(r)].senders == 0
	})
	p.mu.Lock()
	before := p.calls
	p.mu.Unlock()
	if before > relayWindow {
		t.Errorf("expected at most a window of %d requests, there were %d", relayWindow, before)
	}
	r.e.Turn()
	until(t, "another request", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.calls > before })
	cancel()
	wg.Wait()
}

func destinationOf(r *rig) uint32 {
	for number := range r.e.relay.dests {
		return number
	}
	return 0
}

// TestAnInboxIsTakenInParts: what callers and services left is taken by as many turns as it needs.
func TestAnInboxIsTakenInParts(t *testing.T) {
	r, n := counter(t)
	r.e.o.MaxMessages = 4
	for range 10 {
		r.must(r.e.Submit(event("hit", "", "user", "u")))
	}
	for _, want := range []int{4, 8, 10} {
		r.e.Turn()
		r.is(n, "u", fmt.Sprintf("waiting wait n=%d", want))
	}
}
