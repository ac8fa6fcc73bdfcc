package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"

	_ "github.com/weftbox/weftbox/actions" // fills the registry of action types
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/metadata"
	"github.com/weftbox/weftbox/metadata/pebble"
)

// Options of New. StartMs is required.
type Options struct {
	StartMs int64 // where the clock begins, Unix ms
	Slots   uint16
	// CrashAlways takes the power away after every turn and before the outbox hears that a request was delivered; after the first
	// hundred times only every sixteenth time. Slots are committed one by one; in turns that no message from outside is part of, it
	// also takes the power away between two of them.
	CrashAlways bool
	CommitSlots bool // slots are committed one by one; CrashAlways says so too
}

// World is one node in memory. Its methods are called by one goroutine. A fault of the node itself (a failed commit, a store that does
// not open) is panicked as *Fault.
type World struct {
	o     Options
	fs    *vfs.MemFS
	clock *clock.Manual
	meta  *pebble.Store
	cache *metadata.Cache
	store *store.Store
	node  *engine.Engine

	services *services
	out      bytes.Buffer
	crashes  int
	moments  int // at which CrashAlways could restart
	tear     tear
	lives    map[activity.ID]*life
	order    []activity.ID // keys of lives, in the order of their first message
	notes    []Note
	verdicts []messagebus.Verdict
}

// Fault is what keeps a world from going on.
type Fault struct{ Err error }

func (f *Fault) Error() string { return "the node can not go on: " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// MaxTurns bounds the turns that one message or one moment may need: a flow that loops without ever waiting would need endlessly many.
const MaxTurns = 2000

// defaultSlots is small: a world holds a handful of threads, and each slot costs a few look-ups at every restart.
const defaultSlots = 16

// New starts a node on an empty disk.
func New(o Options) (*World, error) {
	if o.Slots == 0 {
		o.Slots = defaultSlots
	}
	w := &World{o: o, fs: vfs.NewCrashableMem(), lives: map[activity.ID]*life{}}
	w.services = newServices()
	if err := w.open(o.StartMs); err != nil {
		return nil, err
	}
	if _, _, err := w.node.AdvanceNow(0); err != nil { // the clock's floor lies on disk from the first moment
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) open(nowMs int64) (err error) {
	w.clock = clock.NewManual(nowMs)
	if w.meta, err = pebble.Open("meta", pebble.Options{FS: w.fs}); err != nil {
		return err
	}
	builtin, service := activity.Specs()
	w.cache, err = metadata.NewCache(context.Background(), w.meta, metadata.Options{Specs: builtin, Service: service, NowMs: w.clock.NowMs})
	if err != nil {
		return err
	}
	if w.store, err = store.Open("store", store.Options{FS: w.stateFS(), Slots: w.o.Slots, CacheBytes: 1 << 20, CommitSlots: w.o.CrashAlways || w.o.CommitSlots}); err != nil {
		return err
	}
	if floor := w.store.Node().FloorMs; floor > nowMs {
		return fmt.Errorf("the disk says that it is %d ms, the clock stood at %d ms", floor, nowMs)
	}
	w.node, err = engine.New(engine.Options{
		Store: w.store, Clock: w.clock, Metadata: w.cache.Load, Producer: w.services, Stdout: &w.out,
		Log:                 slog.New(slog.NewTextHandler(io.Discard, nil)),
		RetentionFinishedMs: -1, RetentionFailedMs: -1,
		Fatal: func(err error) { panic(&Fault{err}) },
	})
	return err
}

// Close gives the memory back.
func (w *World) Close() error {
	var errs []error
	if w.store != nil {
		errs = append(errs, w.store.Close())
	}
	if w.meta != nil {
		errs = append(errs, w.meta.Close())
	}
	return errors.Join(errs...)
}

// Crash takes the power away and starts the node again from what was synced: the time, too, must have been.
func (w *World) Crash() {
	w.restart()
	if floor := w.store.Node().FloorMs; floor != w.NowMs() {
		panic(&Fault{fmt.Errorf("after the restart the clock stands at %d ms, before it stood at %d ms", floor, w.NowMs())})
	}
}

func (w *World) restart() { w.restartFrom(w.fs.CrashClone(vfs.CrashCloneCfg{})) }

// restartFrom starts the node again on what a disk holds.
func (w *World) restartFrom(disk *vfs.MemFS) {
	now := w.clock.NowMs()
	if err := w.Close(); err != nil { // it still sees the old file system
		panic(&Fault{err})
	}
	w.fs = disk
	w.crashes++
	if err := w.open(now); err != nil {
		panic(&Fault{err})
	}
}

// Crashes counts the restarts so far.
func (w *World) Crashes() int { return w.crashes }

// NowMs returns the node's time, Unix ms.
func (w *World) NowMs() int64 { return w.clock.NowMs() }

// Metadata is the node's way to change strategies, services, definitions and activities. It is another one after a Crash.
func (w *World) Metadata() *metadata.Cache { return w.cache }

// Engine is the node. It is another one after a Crash.
func (w *World) Engine() *engine.Engine { return w.node }

// Settle does all that can be done at this moment: turns, requests to the services, and the answers that are due by now, one by one.
// Alarms come first: an answer that arrives at the very moment of its timeout comes too late.
func (w *World) Settle() error {
	for {
		if err := w.quiet(); err != nil {
			return err
		}
		w.services.schedule(w.NowMs())
		a := w.services.next()
		if a == nil || a.DueMs > w.NowMs() {
			return w.look()
		}
		w.services.pending = w.services.pending[1:]
		if err := w.look(); err != nil {
			return err
		}
		if err := w.reply(a.Call, a.Reply.Result, true); err != nil {
			return err
		}
	}
}

// quiet runs turns and hands requests to the services until neither finds anything to do.
func (w *World) quiet() error {
	for turns := 0; ; {
		for w.tornTurn() {
			if turns++; turns > MaxTurns {
				return fmt.Errorf("after %d turns there is still work at this moment: some thread goes round in circles without ever waiting", MaxTurns)
			}
			w.count()
		}
		before := len(w.services.calls)
		sent, err := w.node.RelayNow(context.Background())
		if err != nil {
			return err
		}
		if sent == 0 {
			return nil
		}
		if len(w.services.calls) > before { // the services have it, the outbox has not heard: it is sent again
			w.restartIfAlways()
		}
	}
}

// Restarts of CrashAlways: every time at first, every sixteenth time after manyCrashes, so that long scenarios end soon too.
const (
	manyCrashes = 100
	seldom      = 16
)

func (w *World) restartIfAlways() {
	if !w.o.CrashAlways {
		return
	}
	w.moments++
	if w.dies() {
		w.restart()
	}
}

// dies reports whether the present moment is one at which CrashAlways restarts.
func (w *World) dies() bool { return w.moments <= manyCrashes || w.moments%seldom == 0 }

// Advance turns the clock forward by byMs. It stops wherever an alarm is due or a service answers, and settles there.
func (w *World) Advance(byMs int64) error {
	target := w.NowMs() + byMs
	if byMs < 0 || target < byMs {
		return fmt.Errorf("the clock can not be moved by %d ms", byMs)
	}
	for {
		next, ok := w.nextMs()
		if !ok || next > target {
			break
		}
		w.clock.Set(max(next, w.NowMs()))
		if err := w.Settle(); err != nil {
			return err
		}
	}
	w.clock.Set(target)
	if _, _, err := w.node.AdvanceNow(0); err != nil { // the new time is on disk before anybody hears of it
		return err
	}
	return w.look()
}

// nextMs returns when an alarm is due or a service answers, whichever comes first.
func (w *World) nextMs() (ms int64, ok bool) {
	ms, ok = w.node.NextDueMs()
	if a := w.services.next(); a != nil && (!ok || a.DueMs < ms) {
		ms, ok = a.DueMs, true
	}
	return ms, ok
}
