package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// bookFlow counts the events of a user, folds their numbers in their order, and tells the bell of each.
const bookFlow = `
activity:
  name: book
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("hit")'}
    context_vars: {n: 1, fold: eventAttr("i"), pad: eventAttr("pad")}
  actions:
    - name: bell
      args:
        request: {n: var("n"), fold: var("fold")}
      await: false
      ctrl: call("loop")
    - name: loop
      type: receive
      args:
        - when: eventTypeIs("hit")
          context_vars: {n: var("n") + 1, fold: (var("fold") * 31 + eventAttr("i")) % 1000003, pad: eventAttr("pad")}
          then: call("bell")
`

const (
	bookUsers  = 4
	bookEvents = 30              // of each user
	bookWait   = 2 * time.Minute // decides nothing but when to give up
)

// books are the client's and the service's side of a run.
type books struct {
	number      uint32 // of the activity
	sent, acked [bookUsers]atomic.Int64

	mu    sync.Mutex
	rings map[string]string // "user n" → body
	wrong string            // the first ring that contradicts an earlier one
}

// bell is the service as one life of the node reaches it.
type bell struct {
	*books
	life *mortal
}

func (b bell) Publish(_ context.Context, _ messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.life.ended.Load() {
		return nil, errors.New("the process has ended")
	}
	for _, body := range bodies {
		var ring struct {
			Attr struct {
				Domain string
				Args   struct{ N int64 }
			}
		}
		if err := json.Unmarshal(body, &ring); err != nil {
			return nil, err
		}
		what := fmt.Sprint(ring.Attr.Domain, " ", ring.Attr.Args.N)
		switch old, known := b.rings[what]; {
		case !known:
			b.rings[what] = string(body)
		case old != string(body):
			b.wrong = fmt.Sprintf("request %s was sent as %s and as %s", what, old, body)
		}
	}
	return nil, nil
}

func hitOf(user, i int) *messagebus.Record {
	return event("hit", fmt.Sprintf("u%d-%d", user, i), "user", fmt.Sprint("u", user), "i", int64(i), "pad", strings.Repeat("x", 2500))
}

// client sends a user's events one after the other, each after the answer to the one before, until the node ends.
func (b *books) client(e *Engine, life *mortal, user int, ended <-chan struct{}) {
	for i := 1; i <= bookEvents; i++ {
		answered := make(chan messagebus.Answer, 1)
		rec := hitOf(user, i)
		rec.Answer = func(a messagebus.Answer) { answered <- a }
		b.sent[user].Add(1)
		if e.Submit(rec) != nil {
			return
		}
		select {
		case a := <-answered:
			if a.Err != nil || life.ended.Load() {
				return
			}
			b.acked[user].Add(1)
		case <-ended:
			return
		}
	}
}

// mortal is a logger, and a Fatal, that end the process as far as a test can: who calls them does not come back.
type mortal struct {
	cause chan error
	ended atomic.Bool // what is said from now on counts no more
}

func (m *mortal) Infof(string, ...any)  {}
func (m *mortal) Errorf(string, ...any) {}
func (m *mortal) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	for _, a := range args {
		if cause, ok := a.(error); ok {
			err = errors.Join(err, cause)
		}
	}
	m.die(err)
}

func (m *mortal) die(err error) {
	select {
	case m.cause <- err:
	default:
	}
	select {}
}

func (b *books) engine(r *rig, fs vfs.FS, m *mortal) (*store.Store, *Engine, error) {
	s, err := store.Open("store", store.Options{FS: fs, Slots: 4, MemTableBytes: 64 << 10, CacheBytes: 1 << 20, Logger: m, Beacon: true, BallastBytes: -1})
	if err != nil {
		return nil, nil, err
	}
	e, err := New(Options{Store: s, Clock: r.clock, Metadata: r.cache.Load, Producer: bell{b, m}, Stdout: io.Discard, Log: slog.New(slog.DiscardHandler), Fatal: m.die})
	return s, e, err
}

// faultyLife runs a node under load on a disk on which from its k-th operation on all fail with cause. It returns the disk as the next process
// finds it, whether there was a k-th operation, and whether the node ended by it.
func (b *books) faultyLife(r *rig, k int64, cause error) (rest *vfs.MemFS, reached, stopped bool) {
	r.t.Helper()
	var ops atomic.Int64
	var armed, ended atomic.Bool
	disk := vfs.NewCrashableMem()
	fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if ended.Load() {
			select {} // an ended process does nothing
		}
		// A full disk can be read. Closing and removing go well, so that only what is written counts.
		if !armed.Load() || (cause == syscall.ENOSPC && op.Kind.ReadOrWrite() == errorfs.OpIsRead) || op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpRemove ||
			ops.Add(1) < k {
			return nil
		}
		return cause
	}))
	m := &mortal{cause: make(chan error, 1)}
	s, e, err := b.engine(r, fs, m)
	r.must(err)
	armed.Store(true)
	ctx, stop := context.WithCancel(r.t.Context())
	defer stop()
	gone, ran, served := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() { e.Run(ctx); close(ran) }()
	var clients sync.WaitGroup
	for user := range bookUsers {
		clients.Go(func() { b.client(e, m, user, gone) })
	}
	go func() { clients.Wait(); close(served) }()
	select {
	case <-served:
		select {
		case err = <-m.cause: // it refused the rest on its way to the end
		default:
		}
	case err = <-m.cause:
	case <-time.After(bookWait):
		r.t.Fatalf("operation %d failed with %v, and the node neither answers nor ends", k, cause)
	}
	if err == nil {
		armed.Store(false)
		stop()
		<-ran
		r.must(s.Close())
		return disk, ops.Load() >= k, false
	}
	if store.ExitCode(err) != store.ExitCode(cause) {
		r.t.Errorf("operation %d: %v leads to exit code %d, want that of %v", k, err, store.ExitCode(err), cause)
	}
	m.ended.Store(true) // before the disk is looked at: a sync that had begun may end well meanwhile
	rest = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(k%3) * 50, RNG: rand.New(rand.NewPCG(uint64(k), 5))})
	ended.Store(true)
	close(gone)
	clients.Wait()
	return rest, true, true
}

// nextLife starts a node on what is left, with a disk that is well: nothing acknowledged may be lost, and repeats of everything make the books whole.
func (b *books) nextLife(r *rig, disk vfs.FS, what string) {
	r.t.Helper()
	m := &mortal{cause: make(chan error, 1)}
	s, e, err := b.engine(r, disk, m)
	if err != nil {
		r.t.Fatalf("%s, and the node does not start any more: %v", what, err)
	}
	defer s.Close()
	for user := range bookUsers {
		n, _ := b.read(r, e, user)
		if acked, sent := b.acked[user].Load(), b.sent[user].Load(); n < acked || n > sent {
			r.t.Fatalf("%s: user %d holds %d events, want from %d, acknowledged, to %d, sent", what, user, n, acked, sent)
		}
		for i := 1; i <= bookEvents; i++ {
			var got *messagebus.Answer
			rec := hitOf(user, i)
			rec.Answer = func(a messagebus.Answer) { got = &a }
			r.must(e.Submit(rec))
			e.Turn()
			if got == nil || got.Err != nil || got.Duplicate != (int64(i) <= n) {
				r.t.Fatalf("%s: event %d of user %d, which holds %d, is answered %+v when it is repeated", what, i, user, n, got)
			}
		}
		if n, fold := b.read(r, e, user); n != bookEvents || fold != folded {
			r.t.Fatalf("%s: user %d holds %d events folded to %d, want %d and %d", what, user, n, fold, bookEvents, folded)
		}
	}
	for sent := 1; sent > 0 || e.Turn(); {
		sent, err = e.RelayNow(r.t.Context())
		r.must(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.rings) != bookUsers*bookEvents || b.wrong != "" {
		r.t.Fatalf("%s: the bell rang for %d events, want %d; %s", what, len(b.rings), bookUsers*bookEvents, b.wrong)
	}
}

// folded is what the numbers of all events of a user come to.
var folded = func() (fold int64) {
	for i := int64(1); i <= bookEvents; i++ {
		fold = (fold*31 + i) % 1000003
	}
	return fold
}()

func (b *books) read(r *rig, e *Engine, user int) (n, fold int64) {
	r.t.Helper()
	th, err := e.Thread(activity.ID{Activity: b.number, Domain: fmt.Sprint("u", user)}, 0)
	r.must(err)
	if v, ok := th.Vars.Get("n"); ok {
		n = v.(int64)
	}
	if v, ok := th.Vars.Get("fold"); ok {
		fold = v.(int64)
	}
	return n, fold
}

// TestDiskFaultAtEachOperation: a node whose disk is full, or fails, from its k-th operation on ends by it, and what it acknowledged is there once
// when it is started again.
func TestDiskFaultAtEachOperation(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("bell")
	number := r.flow(bookFlow)
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		tried, stops, partly := 0, 0, 0
		wider, least := int64(math.MaxInt64), 30
		if testing.Short() {
			wider, least = 4, 10
		}
		for k := int64(1); ; k += 1 + k/wider {
			b := &books{number: number, rings: map[string]string{}}
			disk, reached, stopped := b.faultyLife(r, k, cause)
			if !reached {
				break
			}
			tried++
			if stopped {
				stops++
			}
			if acked := b.acked[0].Load(); acked > 0 && acked < bookEvents {
				partly++
			}
			b.nextLife(r, disk, fmt.Sprintf("operation %d failed with %v", k, cause))
			if t.Failed() {
				return
			}
		}
		t.Logf("%v at %d operations: %d stops, %d of them amid the load", cause, tried, stops, partly)
		// What fails after the last commit stops nobody; before it, only work that Pebble can repeat.
		if tried < least || stops < tried/2 || partly < least/3 {
			t.Errorf("%v at %d operations stopped the node %d times, %d of them amid the load; want %d operations at least, most of them to stop it, and %d amid the load",
				cause, tried, stops, partly, least, least/3)
		}
	}
}
