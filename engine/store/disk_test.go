package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/internal/durable"
)

// heard keeps what a store logs; it lets the process live, so that a test sees what comes after.
type heard struct {
	quiet
	fatal atomic.Int64
}

func (h *heard) Fatalf(string, ...any) { h.fatal.Add(1) }

func TestDiskMarks(t *testing.T) {
	const mib, gib = int64(1 << 20), int64(1 << 30)
	var free, total atomic.Int64
	usage := func() (int64, int64, error) { return free.Load(), total.Load(), nil }
	free.Store(90 * gib)
	total.Store(100 * gib)
	s := openTest(t, vfs.NewMem(), Options{DiskUsage: usage, BallastBytes: mib})
	if d := s.Disk(); !d.Known || d.Low || d.LowBytes != 2*gib || d.HighBytes != 3*gib || d.BallastBytes != mib || d.FreeBytes != 90*gib-mib {
		t.Errorf("a disk with room is %+v, want known, not low, marks at 2 and 3 GiB, a ballast of 1 MiB", d)
	}
	for _, step := range []struct {
		free int64
		low  bool
	}{{2 * gib, false}, {2*gib - 1, true}, {3*gib - 1, true}, {3 * gib, false}, {2*gib + 1, false}, {0, true}} {
		free.Store(step.free)
		s.disk.look()
		if d := s.Disk(); d.Low != step.low || d.FreeBytes != step.free {
			t.Errorf("with %d bytes free the disk is %+v, want low %v", step.free, d, step.low)
		}
	}
	free.Store(10 * mib)
	total.Store(64 * mib)
	s.disk.look()
	if d := s.Disk(); d.LowBytes != 8*mib {
		t.Errorf("a disk of 64 MiB is low below %d bytes, want an eighth of it", d.LowBytes)
	}
	if size := (&disk{}).ballastSize(64 * mib); size != 8*mib {
		t.Errorf("its ballast has %d bytes, want an eighth of it", size)
	}
	if size := (&disk{}).ballastSize(gib * 100); size != 64*mib {
		t.Errorf("the ballast of a large disk has %d bytes, want 64 MiB", size)
	}
	if d := openTest(t, vfs.NewMem(), Options{}).Disk(); d != (Disk{}) {
		t.Errorf("a disk in memory is %+v, want nothing known", d)
	}
}

// fullFS is a disk that is full while the ballast lies on it and full is set; with both, writes go on once the ballast is removed.
func fullFS(full *atomic.Bool) (vfs.FS, *vfs.MemFS) {
	inner := vfs.NewMem()
	return errorfs.Wrap(inner, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind != errorfs.OpFileWrite && op.Kind != errorfs.OpCreate || !full.Load() {
			return nil
		}
		if _, err := inner.Stat("store/" + ballastName); err != nil {
			return nil
		}
		return syscall.ENOSPC
	})), inner
}

func TestBallastLetsTheCommitLand(t *testing.T) {
	var full atomic.Bool
	fs, inner := fullFS(&full)
	var free atomic.Int64
	free.Store(1 << 40)
	log := &heard{}
	s := openTest(t, fs, Options{Slots: 4, BallastBytes: 1 << 20, Logger: log, DiskUsage: func() (int64, int64, error) { return free.Load(), 1 << 40, nil }})
	if info, err := inner.Stat("store/" + ballastName); err != nil || info.Size() != 1<<20 {
		t.Fatalf("the ballast is %v (%v), want a file of 1 MiB", info, err)
	}
	l := &ledger{s: s}
	if err := l.commit(); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	if err := l.commit(); err != nil {
		t.Fatalf("the commit that met the full disk: %v, want it to land by the ballast", err)
	}
	if d := s.Disk(); d.BallastBytes != 0 || !d.Low {
		t.Errorf("the disk is %+v after that, want low and without ballast", d)
	}
	if _, err := inner.Stat("store/" + ballastName); err == nil {
		t.Error("the ballast is there still, want it removed")
	}
	full.Store(false)
	s.disk.look()
	if d := s.Disk(); d.BallastBytes != 1<<20 || d.Low {
		t.Errorf("with room again the disk is %+v, want the ballast back and not low", d)
	}
	if n, err := slotNumber(s, 0); n != 2 || err != nil || log.fatal.Load() != 0 {
		t.Errorf("the store holds batch %d (%v), Fatalf was called %d times, want 2 and never", n, err, log.fatal.Load())
	}
}

// dying is a logger whose Fatalf ends the process, as far as a test can: it does not return.
type dying struct {
	quiet
	cause chan error
}

func (d *dying) Fatalf(format string, args ...any) {
	select {
	case d.cause <- errors.Join(fmt.Errorf(strings.ReplaceAll(format, "%w", "%v"), args...), durable.CauseIn(args)):
	default:
	}
	select {}
}

// faults runs a store on a disk on which from its k-th operation on all fail with cause, until the process would end, and then looks at
// what a new process finds. It returns whether there was a k-th operation, and whether the process ended by it.
func faults(t *testing.T, k int64, cause error) (reached, stopped bool) {
	var ops atomic.Int64
	var armed, ended atomic.Bool
	inner := vfs.NewCrashableMem()
	fs := errorfs.Wrap(inner, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if ended.Load() {
			select {} // an ended process does nothing
		}
		// A full disk can be read. Closing and removing go well, so that only what is written counts.
		if !armed.Load() || (cause == syscall.ENOSPC && op.Kind.ReadOrWrite() == errorfs.OpIsRead) || op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpRemove {
			return nil
		}
		if ops.Add(1) < k {
			return nil
		}
		return cause
	}))
	log := &dying{cause: make(chan error, 1)}
	s, err := Open("store", Options{FS: fs, Slots: 4, MemTableBytes: 64 << 10, CacheBytes: 1 << 20, Logger: log, Beacon: true, BallastBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	armed.Store(true)
	l := &ledger{s: s, pad: strings.Repeat("x", 3000)}
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 20 && err == nil; i++ {
			err = l.commit()
		}
		done <- err
	}()
	select {
	case err = <-done:
	case err = <-log.cause:
	case <-time.After(patience):
		t.Fatalf("operation %d failed with %v, and batch %d waits for a disk that gives nothing back, want the store to end", k, cause, l.started.Load())
	}
	if stopped = err != nil; stopped && ExitCode(err) != ExitCode(cause) {
		t.Errorf("operation %d: %v leads to exit code %d, want that of %v", k, err, ExitCode(err), cause)
	}
	reached = ops.Load() >= k
	acked := l.acked.Load()
	clone := inner.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(k%3) * 50, RNG: rand.New(rand.NewPCG(uint64(k), 5))})
	if armed.Store(false); stopped {
		ended.Store(true)
	} else {
		_ = s.Close() // it may say once more what failed
	}
	after, err := Open("store", Options{FS: clone, Beacon: true})
	if err != nil {
		t.Fatalf("operation %d failed with %v, and the store does not open any more: %v", k, cause, err)
	}
	defer after.Close()
	for _, slot := range crashSlots {
		if n, err := slotNumber(after, slot); err != nil || n < acked || n > l.started.Load() {
			t.Fatalf("operation %d failed with %v: slot %d holds batch %d (%v), want from %d, acknowledged, to %d, begun", k, cause, slot, n, err, acked, l.started.Load())
		}
	}
	return reached, stopped
}

// TestFaultAtEachOperation: the store stops at the operation that fails, and nothing that was acknowledged is lost.
func TestFaultAtEachOperation(t *testing.T) {
	wider, least := int64(30), 30
	if testing.Short() {
		wider, least = 5, 15
	}
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		tried, stops := 0, 0
		for k := int64(1); k <= 240; k += 1 + k/wider { // every one of the first, then wider steps
			reached, stopped := faults(t, k, cause)
			if !reached || t.Failed() {
				break
			}
			tried++
			if stopped {
				stops++
			}
		}
		t.Logf("%v at %d operations: %d stops", cause, tried, stops)
		// What fails after the last commit stops nobody; before it, only work that Pebble can repeat.
		if tried < least || stops < tried/2 {
			t.Errorf("%v at %d operations stopped the store %d times, want %d operations at least and most of them to stop it", cause, tried, stops, least)
		}
	}
}
