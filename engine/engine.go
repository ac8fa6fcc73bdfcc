package engine

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/metadata"
)

// Options of New. Store, Clock and Metadata are required; the rest has defaults.
type Options struct {
	Store     *store.Store
	Clock     clock.Clock
	Metadata  func() *metadata.Snapshot // the present snapshot; a turn asks once
	Consumers []messagebus.Consumer
	Producer  messagebus.Producer // nil: nothing is sent, the outbox grows
	Name      string              // sender of requests; default "weftbox"
	Stdout    io.Writer           // where the stdout action prints; default os.Stdout
	Log       *slog.Logger        // default slog.Default()

	MaxMessages int // of one turn, default 16,000
	MaxBytes    int // of one turn, default 16 MiB
	MaxAlarms   int // of one turn, default 4,096

	// MaxTurnsAtOnce bounds the turns of one moment of an advance, default 10,000: a thread that never waits would hold the clock for ever.
	MaxTurnsAtOnce int

	MaxVarsBytes int // of the variables of one thread, default 64 KiB; a step that makes more is discarded

	Zone *time.Location // of the dates in expressions; nil: UTC

	CacheBytes int64 // of hot threads kept in memory, default 64 MiB

	// Workers evaluate the slots of a turn side by side: default max(1, min(cores-1, 4)). What a turn writes does not depend on their number.
	Workers int

	// Bounds; negative: none.
	MaxKeys            int64 // idempotency keys, default 50 million: beyond it the older day's are forgotten early
	MaxDeadLetterBytes int64 // default 1 GiB: beyond it the oldest letters are dropped
	MaxDeadLetterAgeMs int64 // default 30 days

	// How long ended runs are kept when "$retention" does not say: default 1 h and 7 days. Negative: for ever.
	RetentionFinishedMs int64
	RetentionFailedMs   int64

	CatchUpMax time.Duration // how long alarms are held back for a source that is behind, default 5 min

	// Hook and Observe are for simulations; nil in a node. Hook is called at the points of hook.go. Observe is called for every message that is
	// given to a thread, slot by slot in that order, with the delivery's number and the verdict, before the turn is committed.
	Hook    func(point string)
	Observe func(slot uint16, id activity.ID, number uint64, m activity.Message, v activity.Verdict)

	// Fatal is called when the engine can not go on (a failed commit), by the loop, by what tells beside it, or by both; default: log and exit with code 1, or 10 when the disk is full.
	Fatal func(error)
}

// Engine is the single writer of a store's slots: the event loop.
type Engine struct {
	o           Options
	store       *store.Store
	nodes       store.NodeMeta
	floorMs     int64
	slots       []store.SlotMeta // row m of every slot, as of the last turn
	heads       []int64          // due time of every slot's first alarm, or earlier; never = none
	known       keyBuckets
	dead        letterBook
	lanes       []*lane
	sweeper     sweeper
	routes      expr.Scope
	turn        *turn       // the one at work
	firstDue    int         // slot at which the next look for due alarms begins
	firstSource int         // source that the next turn asks first
	odd         int         // 0 or 1: who gets the odd place of a turn
	failed      atomic.Bool // the engine can not go on: nothing more is told

	relay   *relay
	printer *printer
	warned  map[string]time.Time // text and cause → when it was last logged (one line a minute); cleared when it grows

	sources   []source
	mailGiven bool // old mail was waited for long enough

	mu      sync.Mutex
	inbox   []input       // from the relay and from callers; guarded by mu
	stopped bool          // guarded by mu
	wake    chan struct{} // something may be there to do
	advance chan advanceRequest

	stats Stats

	lined     []bool // by slot: it may have lines of verdicts
	loose     loose
	jobs      *jobBook
	uncounted bool // benchmarks: verdicts are not counted, to see what that costs
}

type source struct {
	consumer messagebus.Consumer
	lag      catchUp
	next     uint64 // below it everything was read
	more     bool   // it may have held more than it was asked for, or was not asked
}

const never = math.MaxInt64

// lostNumbers is how far a slot's numbers jump at a start where commits are not synced: a power cut may have taken back rows whose requests
// have left, and an id must not name two of them.
const lostNumbers = 1 << 24

// New prepares an engine on a store: it reads the slots' meta rows, timer heads and outbox heads, and no thread.
func New(o Options) (*Engine, error) {
	o = o.withDefaults()
	var e *Engine
	fatal := o.Fatal
	o.Fatal = func(err error) {
		e.failed.Store(true)
		fatal(err)
	}
	node := o.Store.Node()
	e = &Engine{o: o, store: o.Store, nodes: node, floorMs: node.FloorMs, slots: make([]store.SlotMeta, node.Slots), heads: make([]int64, node.Slots), lined: make([]bool, node.Slots),
		wake: make(chan struct{}, 1), advance: make(chan advanceRequest), warned: map[string]time.Time{}}
	e.routes.Zone = o.Zone
	e.lanes = newLanes(e)
	e.turn = newTurn(e)
	e.relay = newRelay(e)
	e.printer = newPrinter(e)
	for slot := range e.slots {
		meta, err := e.store.SlotMeta(uint16(slot))
		if err != nil {
			return nil, err
		}
		e.slots[slot] = meta
		e.floorMs = max(e.floorMs, meta.CursorMs) // the two may have been committed apart: no alarm is set behind the cursor
		if e.store.Durability() != store.Sync {
			e.slots[slot].Sequence += lostNumbers
		}
		if err := e.findHead(uint16(slot)); err != nil {
			return nil, err
		}
		if e.lined[slot], err = e.store.HasLines(uint16(slot)); err != nil {
			return nil, err
		}
		destinations, err := e.store.OutboxHead(uint16(slot))
		if err != nil {
			return nil, err
		}
		for _, d := range destinations {
			if err := e.relay.found(d, uint16(slot), meta.Sequence); err != nil {
				return nil, err
			}
		}
	}
	if err := errors.Join(e.countKeys(), e.countLetters(), e.countSweeps(), e.openJobs()); err != nil {
		return nil, err
	}
	for _, c := range o.Consumers {
		if err := e.addSource(c); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "weftbox" // definitions.OwnName
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MaxMessages == 0 {
		o.MaxMessages = 16000
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 16 << 20
	}
	if o.MaxAlarms == 0 {
		o.MaxAlarms = 4096
	}
	if o.CatchUpMax == 0 {
		o.CatchUpMax = 5 * time.Minute
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.Workers == 0 {
		o.Workers = max(1, min(runtime.GOMAXPROCS(0)-1, 4))
	}
	if o.MaxTurnsAtOnce == 0 {
		o.MaxTurnsAtOnce = 10_000
	}
	if o.MaxVarsBytes == 0 {
		o.MaxVarsBytes = 64 << 10
	}
	if o.MaxKeys == 0 {
		o.MaxKeys = 50_000_000
	}
	if o.MaxDeadLetterBytes == 0 {
		o.MaxDeadLetterBytes = 1 << 30
	}
	if o.MaxDeadLetterAgeMs == 0 {
		o.MaxDeadLetterAgeMs = 30 * dayMs
	}
	if o.RetentionFinishedMs == 0 {
		o.RetentionFinishedMs = time.Hour.Milliseconds()
	}
	if o.RetentionFailedMs == 0 {
		o.RetentionFailedMs = 7 * 24 * time.Hour.Milliseconds()
	}
	if o.Fatal == nil {
		log := o.Log
		o.Fatal = func(err error) {
			log.Error("the engine can not go on; restart it, nothing that was acknowledged is lost", "err", err)
			os.Exit(exitCode(err))
		}
	}
	return o
}

func (e *Engine) addSource(c messagebus.Consumer) error {
	next, ok, err := e.store.Position(c.Name())
	if err != nil {
		return err
	}
	if !ok {
		next = 1
	}
	if err := c.Seek(next); err != nil {
		return err
	}
	e.sources = append(e.sources, source{consumer: c, lag: startCatchUp(c), next: next})
	return nil
}

// Run turns until ctx is done: the loop and the relay. It returns after the last turn; every record then polled is answered.
func (e *Engine) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range e.sources {
		wg.Add(1)
		go func(ready <-chan struct{}) {
			defer wg.Done()
			e.forward(ctx, ready)
		}(e.sources[i].consumer.Ready())
	}
	e.relay.start(ctx, &wg)
	wg.Go(func() { e.jobs.run(ctx) })
	p := newPipeline(e)
	e.printer.start()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil && !e.failed.Load() {
		if p.turn() {
			select {
			case r := <-e.advance:
				p.flush()
				r.answer <- e.moveClock(r)
			default:
			}
			continue
		}
		timer.Reset(e.idle())
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-timer.C:
		case r := <-e.advance:
			p.flush()
			r.answer <- e.moveClock(r)
		}
	}
	p.close()
	e.saveLoose()
	e.printer.stop()
	e.stop()
	wg.Wait()
}

func (e *Engine) forward(ctx context.Context, ready <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ready:
			e.poke()
		}
	}
}

// MetadataChanged says that Options.Metadata returns another snapshot: an idle loop looks at it now instead of with its next message.
func (e *Engine) MetadataChanged() { e.poke() }

func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// idle returns how long the loop may sleep: until the next alarm, at most a minute.
func (e *Engine) idle() time.Duration {
	if _, manual := e.o.Clock.(*clock.Manual); manual {
		return time.Minute
	}
	wait := e.nextDue() - e.now()
	if wait <= 0 { // due and held back: the source that is waited for has nothing at the moment
		wait = 20
	}
	if len(e.loose.list) > 0 {
		wait = min(wait, looseMs)
	}
	return time.Duration(min(wait, 60_000)) * time.Millisecond
}

// now is the turn's time: it never goes below the store's floor.
func (e *Engine) now() int64 { return max(e.floorMs, e.o.Clock.NowMs()) }

// stop answers what will not be taken any more.
func (e *Engine) stop() {
	e.mu.Lock()
	e.stopped = true
	rest := e.inbox
	e.inbox = nil
	e.mu.Unlock()
	for _, in := range rest {
		in.refuse(errStopping)
	}
}
