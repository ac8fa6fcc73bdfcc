package crash

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/mem"
)

// node is one life of the node. After its death it goes on in a world that nobody looks at: its answers, requests and positions count no
// more, and its disk is not the one that the next life gets.
type node struct {
	r       *run
	disk    *vfs.MemFS
	store   *store.Store
	engine  *engine.Engine
	steps   *engine.Stepper // nil: whole turns
	sources []*logSource
	gate    *gate
	slow    bool // the gate is used

	dead   atomic.Bool
	gone   chan struct{} // closed when rest is there
	rest   *vfs.MemFS    // the disk as the next life finds it
	place  string        // where it died
	unsync int           // percent of what was not synced that stays
	rng    *rand.Rand    // of the clone; its own, because the death may come on a goroutine of the store's

	ops     atomic.Int64 // file operations left; never 0 = without end
	writes  atomic.Int64 // operations on the log left, before they fail; never 0 = without end
	failed  atomic.Bool  // one has
	points  int          // points left
	commits int          // turns left, until one dies in its commit

	applied int // turns handed to the disk
	told    int // the turn that is being told, or was told last
}

// never is longer than any run.
const never = 1000 * time.Hour

var errDisk = errors.New("the disk fails (input/output error)")

// open starts a life on a disk. It may die in it.
func (r *run) open(disk *vfs.MemFS) error {
	n := &node{r: r, disk: disk, gone: make(chan struct{}), gate: newGate(), rng: rand.New(rand.NewPCG(r.rng.Uint64(), 1))}
	n.unsync = r.rng.IntN(5) * 25
	n.points = -1
	n.ops.Store(-1)
	n.writes.Store(-1)
	n.slow = slow() && r.rng.IntN(3) > 0
	failing := int64(-1)
	if r.deaths < r.maxDeaths {
		kind := r.rng.IntN(8)
		if r.commitSlots && r.rng.IntN(2) == 0 {
			kind = 8
		}
		switch kind {
		case 0, 1, 2, 3:
			n.points = 1 + r.rng.IntN(r.spacing)
		case 4:
			failing = 1 + r.rng.Int64N(int64(r.spacing))
		case 8: // between the slots of a turn
			n.commits, n.slow = 1+r.rng.IntN(1+r.spacing/6), false
		default:
			n.ops.Store(1 + r.rng.Int64N(int64(r.spacing)))
		}
	}
	r.node = n
	fs := errorfs.Wrap(disk, errorfs.InjectorFunc(n.operation))
	var err error
	n.store, err = store.Open("store", store.Options{FS: fs, Slots: r.slots, CacheBytes: 1 << 20, CommitSlots: r.commitSlots, Logger: silent{n}})
	if err != nil {
		return fmt.Errorf("the store does not open: %w", err)
	}
	consumers := make([]messagebus.Consumer, len(r.feeds))
	for i, f := range r.feeds {
		s := &logSource{Consumer: f.log.Consumer(f.name), n: n, feed: f, backlog: f.written + 1}
		n.sources, consumers[i] = append(n.sources, s), s
	}
	n.engine, err = engine.New(engine.Options{
		Store: n.store, Clock: r.clock, Metadata: r.office.cache.Load, Consumers: consumers, Producer: &courier{n},
		Stdout: io.Discard, Log: slog.New(slog.DiscardHandler),
		MaxMessages: r.maxMessages, MaxAlarms: r.maxAlarms, Workers: r.workers, RetentionFinishedMs: retentionMs, RetentionFailedMs: retentionMs,
		MaxVarsBytes: maxVarsBytes,
		CatchUpMax:   never, // it is real time: a machine that stood still for long must change no run
		Hook:         n.at, Observe: n.observe,
		Fatal: func(err error) {
			if !n.failed.Load() && !n.dead.Load() {
				r.fail("the engine can not go on: %v", err)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("the engine does not start: %w", err)
	}
	if r.pipelined {
		n.steps = n.engine.Stepper()
	}
	n.writes.Store(failing)
	return nil
}

// silent keeps what Pebble says to itself, and lets the process live after a failed write, so that the engine has to see to it that nothing is
// told any more.
type silent struct{ n *node }

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (l silent) Fatalf(format string, args ...any) {
	if !l.n.failed.Load() {
		panic(fmt.Sprintf("the store can not go on: "+format, args...))
	}
}

// collapse ends a node whose disk has failed, after it had the chance to tell what it must not tell.
func (n *node) collapse() {
	if n.failed.Load() && !n.dead.Load() {
		n.flush()
		n.die("a failed write")
	}
}

// close gives the memory of a life back.
func (n *node) close() error {
	n.gate.remove()
	n.flush()
	for _, s := range n.sources {
		_ = s.Close()
	}
	if n.store == nil {
		return nil
	}
	if err := n.store.Close(); !n.failed.Load() {
		return err
	}
	return nil
}

// turn does a whole turn, and what is under way before it; it reports whether there was anything to do.
func (n *node) turn() bool {
	if n.steps == nil {
		n.told = n.applied + 1
		return n.engine.Turn()
	}
	n.flush()
	did := n.apply()
	n.flush()
	return did
}

// step does a whole turn, or a part of one.
func (n *node) step() {
	r := n.r
	if n.steps == nil {
		n.turn()
		return
	}
	switch turns, synced := n.steps.UnderWay(); {
	case synced > 0 && r.rng.IntN(3) == 0:
		n.tell()
	case turns > synced && r.rng.IntN(3) == 0:
		n.wait()
	default:
		n.apply()
	}
}

// apply decides a turn and hands it to the disk, if there is room and anything to do.
func (n *node) apply() bool {
	did := n.steps.Apply()
	n.hold()
	return did
}

// wait waits for the oldest turn that is not on disk.
func (n *node) wait() bool {
	n.gate.hold(false)
	did := n.steps.Wait()
	n.hold()
	return did
}

// hold lets the log write only while somebody waits for it, if turns are applied and not on disk.
func (n *node) hold() {
	turns, synced := n.steps.UnderWay()
	n.gate.hold(turns > synced && n.slow && !n.dead.Load())
}

func (n *node) tell() bool {
	turns, _ := n.steps.UnderWay()
	n.told = n.applied - turns + 1
	return n.steps.Tell()
}

// flush ends all turns under way.
func (n *node) flush() {
	if n.steps == nil {
		return
	}
	for n.wait() || n.tell() {
	}
}

// operation is called before each file operation, also on goroutines of the store's.
func (n *node) operation(op errorfs.Op) error {
	n.gate.pass(op)
	if n.dead.Load() { // what is said and done from now on is not what the next life finds
		<-n.gone
	}
	if onLog(op) && (n.failed.Load() || n.writes.Add(-1) == 0) {
		n.failed.Store(true)
		return errDisk
	}
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo,
		errorfs.OpCreate, errorfs.OpRename, errorfs.OpRemove, errorfs.OpLink, errorfs.OpReuseForWrite:
		if n.ops.Add(-1) == 0 {
			n.die("a file operation")
		}
	}
	return nil
}

// die marks the node dead first and then takes what is left of its disk: the other way round something could slip out in between.
func (n *node) die(place string) {
	if n.dead.CompareAndSwap(false, true) {
		n.place = place
		if n.unsync > 0 && n.unsync < 100 {
			// A file system keeps the order of what is done to its directories, and Pebble's marker relies on it. A crash clone draws
			// for each name alone: so a part of the data is lost with all names kept, else all or none of both.
			for _, dir := range []string{"", "store"} {
				if d, err := n.disk.OpenDir(dir); err == nil {
					_ = d.Sync()
					_ = d.Close()
				}
			}
		}
		n.rest = n.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: n.unsync, RNG: n.rng})
		close(n.gone)
	}
}

// at is called by the engine at its points.
func (n *node) at(point string) {
	if point == engine.PointBarrier {
		for n.steps != nil && n.wait() { // who reads waits for the disk; here the one who would wait is the one who drives it
		}
		return
	}
	if n.dead.Load() {
		if point == engine.PointBeforeCommit { // it dies on a goroutine of the store's: what the model is not told must not reach the disk that is left
			<-n.gone
		}
		return
	}
	switch point {
	case engine.PointBeforeCommit:
		n.applied++
		n.r.ledger.handed(n.applied)
		if n.commits--; n.commits == 0 {
			n.ops.Store(2 + n.r.rng.Int64N(4))
		}
	case engine.PointAfterCommit:
		n.r.committed()
	}
	if n.points--; n.points == 0 {
		n.die(point)
	}
}

func (n *node) observe(slot uint16, id activity.ID, number uint64, m activity.Message, v activity.Verdict) {
	if !n.dead.Load() {
		n.r.observe(slot, id, number, m, v)
	}
}

// logSource is the log as the node reads it: in pieces of any size, and now and then again from further back.
type logSource struct {
	*mem.Consumer
	n       *node
	feed    *feed
	next    uint64
	before  uint64 // next, as it was when the present turn began
	backlog uint64 // what was written before the start ends here
	caught  bool   // that has been read
}

// Seek sets the next position, at the start.
func (s *logSource) Seek(next uint64) error {
	s.next = next
	s.turn()
	return s.Consumer.Seek(next)
}

// Poll reads a piece.
func (s *logSource) Poll(max, maxBytes int) ([]messagebus.Record, error) {
	r := s.n.r
	if !s.n.dead.Load() && !r.ending {
		if r.rng.IntN(6) == 0 && s.next > s.feed.trimmed+1 {
			s.next -= 1 + r.rng.Uint64N(min(s.next-s.feed.trimmed-1, 4))
			if err := s.Consumer.Seek(s.next); err != nil {
				return nil, err
			}
		}
		max = min(max, r.rng.IntN(5))
	}
	if max == 0 {
		return nil, nil
	}
	records, err := s.Consumer.Poll(max, maxBytes)
	if n := len(records); n > 0 {
		s.next = records[n-1].Position + 1
	}
	return records, err
}

// Lag is asked when a turn begins, before its alarms are taken.
func (s *logSource) Lag() (oldestMs int64, ok bool) {
	s.turn()
	return s.Consumer.Lag()
}

// turn says that a turn begins.
func (s *logSource) turn() {
	s.before = s.next
	s.caught = s.caught || s.before >= s.backlog
}

// Commit is what the node says it has applied: the log may forget it.
func (s *logSource) Commit(next uint64) error {
	if !s.n.dead.Load() {
		s.feed.told = next
	}
	return s.Consumer.Commit(next)
}
