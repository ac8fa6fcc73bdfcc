package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/weftbox/weftbox/actions" // the action types of the scenarios' definitions
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/metadata"
	metapebble "github.com/weftbox/weftbox/metadata/pebble"
)

// driver is a node as the scenarios see it: one inside this process, or a running one.
type driver interface {
	drive(ctx context.Context, t traffic) (*phase, error)
	usage(ctx context.Context) (usage, error)
	advance(ctx context.Context, by time.Duration) (fired int64, err error)
	thread(ctx context.Context, domain string) (threadView, error)
	close() error
}

// threadView is a thread as far as the books look at it.
type threadView struct {
	status, action string
	count          int64
}

// local is an engine in this process on a directory of its own.
type local struct {
	o      *Options
	s      *scenario
	meta   *metapebble.Store
	state  *store.Store
	engine *engine.Engine
	feed   *feed
	number uint32
	stop   context.CancelFunc
	loop   sync.WaitGroup
	failed chan error
}

// smallCacheBytes are the block cache and the engine's cache of threads in scenario cold: a small part of a million threads.
const smallCacheBytes = 8 << 20

func cacheBytes(o *Options, s *scenario) int64 {
	if o.CacheBytes == 0 && s.uniform {
		return smallCacheBytes
	}
	return o.CacheBytes
}

// openLocal opens an engine for a scenario, with so many unrelated activities beside, and lets it run.
func openLocal(ctx context.Context, dir string, o *Options, w *workload, others int) (l *local, err error) {
	l = &local{o: o, s: w.s, feed: newFeed(w), failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
			l = nil
		}
	}()
	var now clock.Clock = &clock.Wall{}
	if w.s.alarms {
		now = clock.NewManual(now.NowMs())
	}
	if l.meta, err = metapebble.Open(filepath.Join(dir, "meta"), metapebble.Options{}); err != nil {
		return l, err
	}
	if err := l.putOthers(ctx, others); err != nil {
		return l, err
	}
	builtin, service := activity.Specs()
	cache, err := metadata.NewCache(ctx, l.meta, metadata.Options{Specs: builtin, Service: service, NowMs: now.NowMs})
	if err != nil {
		return l, err
	}
	if l.number, err = putStory(ctx, cache, w); err != nil {
		return l, err
	}
	if l.state, err = store.Open(filepath.Join(dir, "state"), store.Options{Durability: o.Durability, CacheBytes: cacheBytes(o, w.s)}); err != nil {
		return l, err
	}
	l.engine, err = engine.New(engine.Options{Store: l.state, Clock: now, Metadata: cache.Load, Consumers: []messagebus.Consumer{l.feed}, Producer: answering{},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Fatal: l.fatal, MaxTurnsAtOnce: 1 << 30, CacheBytes: cacheBytes(o, w.s)})
	if err != nil {
		return l, err
	}
	loop, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.loop.Add(1)
	go func() {
		defer l.loop.Done()
		l.engine.Run(loop)
	}()
	return l, nil
}

// fatal ends the phase under way: an engine that can not go on answers no more.
func (l *local) fatal(err error) {
	select {
	case l.failed <- err:
	default:
	}
	l.feed.fail(fmt.Errorf("the engine can not go on: %w", err))
}

func (f *feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		f.failed = err
	}
	f.left, f.waiting = 0, 0
	f.finishIfDone()
}

// putStory stores what a scenario stands on and returns its activity's number.
func putStory(ctx context.Context, cache *metadata.Cache, w *workload) (uint32, error) {
	when, domain := w.s.strategy(w.tag)
	if _, outcome, problems, err := cache.PutStrategy(ctx, metadata.Strategy{Name: "bench" + w.tag, When: when, DomainID: domain}); err != nil || outcome == 0 {
		return 0, fmt.Errorf("the strategy is refused: %v %w", problems, err)
	}
	if w.s.services {
		for _, name := range []string{couponService(w.tag), pushService(w.tag)} {
			if _, outcome, problems, err := cache.PutService(ctx, metadata.Service{Name: name, URL: "http://127.0.0.1:9/"}); err != nil || outcome == 0 {
				return 0, fmt.Errorf("service %s is refused: %v %w", name, problems, err)
			}
		}
	}
	v, outcome, problems, err := cache.PutDefinition(ctx, []byte(w.s.flow(w.tag, len(w.pad))), "")
	if err != nil || outcome == 0 {
		return 0, fmt.Errorf("the definition is refused: %v %w", problems, err)
	}
	a, outcome, problems, err := cache.PutActivity(ctx, metadata.Activity{Name: "bench" + w.tag, Definition: v.Name, Config: w.s.config})
	if err != nil || outcome == 0 {
		return 0, fmt.Errorf("the activity is refused: %v %w", problems, err)
	}
	return a.Number, nil
}

// otherKinds is how many definitions the unrelated activities have between them.
const otherKinds = 100

// putOthers stores activities that no event concerns. They go into the store before it is compiled: one by one would compile all each time.
func (l *local) putOthers(ctx context.Context, n int) error {
	for i := range min(n, otherKinds) {
		d := metadata.Definition{Name: fmt.Sprintf("other%d", i), Version: "1", Text: fmt.Appendf(nil, otherText, i), Enabled: true}
		if _, _, err := l.meta.PutDefinition(ctx, d); err != nil {
			return err
		}
	}
	for i := range n {
		a := metadata.Activity{Name: fmt.Sprintf("other-%d", i), Definition: fmt.Sprintf("other%d", i%otherKinds)}
		if _, _, err := l.meta.PutActivity(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (l *local) drive(ctx context.Context, t traffic) (*phase, error) {
	p, err := l.feed.drive(ctx, t)
	if err != nil || !l.s.services {
		return p, err
	}
	began := time.Now()
	err = drained(ctx, l) // what the events asked services for belongs to them
	p.took += time.Since(began)
	return p, err
}

// drained waits until every request has its answer.
func drained(ctx context.Context, d driver) error {
	for limit := time.Now().Add(time.Minute); ; {
		u, err := d.usage(ctx)
		if err != nil || u.replies >= u.requests {
			return err
		}
		if time.Now().After(limit) {
			return fmt.Errorf("a minute after the last event, %d of %d requests to services have no answer", u.requests-u.replies, u.requests)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (l *local) usage(context.Context) (usage, error) {
	s := l.engine.Stats()
	u := usage{diskBytes: l.engine.Usage().DiskBytes, wrote: l.written(), turns: s.Turns.Load(), events: s.Events.Load(), fired: s.AlarmsFired.Load(),
		requests: s.Requests.Load(), replies: s.Replies.Load(), deadLetters: s.DeadLetters.Load()}
	u.processUsage()
	return u, nil
}

func (l *local) written() written { return written{l.state.LogBytes(), l.state.Writes()} }

func (l *local) advance(ctx context.Context, by time.Duration) (int64, error) {
	_, fired, err := l.engine.Advance(ctx, by.Milliseconds())
	return fired, err
}

func (l *local) thread(_ context.Context, domain string) (threadView, error) {
	th, err := l.engine.Thread(activity.ID{Activity: l.number, Domain: domain}, 0)
	v := threadView{status: th.Status.String(), action: th.Action}
	for _, x := range th.Vars {
		if n, ok := x.Value.(int64); ok && x.Name == l.s.count {
			v.count = n
		}
	}
	return v, err
}

func (l *local) close() (err error) {
	if l.stop != nil {
		l.stop()
		l.loop.Wait()
	}
	if l.state != nil {
		err = errors.Join(err, l.state.Close())
	}
	if l.meta != nil {
		err = errors.Join(err, l.meta.Close())
	}
	return err
}

// answering is the services of the coupon story: each request is answered at once.
type answering struct{}

// Publish answers.
func (answering) Publish(_ context.Context, _ messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	replies := make([]messagebus.Incoming, 0, len(bodies))
	for _, body := range bodies {
		id, ok := requestID(body)
		if !ok {
			return nil, fmt.Errorf("a request without its id: %.200s", body)
		}
		replies = append(replies, messagebus.Incoming{Reply: &messagebus.Reply{RequestID: id, Result: expr.Result{Status: expr.ResultOK, Data: map[string]any{"expire_time": "11月20日"}}}})
	}
	return replies, nil
}

// requestID finds the id in a request as the engine writes it.
func requestID(body []byte) (string, bool) {
	_, rest, found := bytes.Cut(body, []byte(`"request_id":"`))
	id, _, ends := bytes.Cut(rest, []byte{'"'})
	return string(id), found && ends
}
