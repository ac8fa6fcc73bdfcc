package store

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/activity"
)

// overlap starts batches numbered from 1 on, three under way (an engine has two), until one is refused. A second goroutine waits for each in its order; readers
// pass the barrier with what they saw. It returns the highest number that was acknowledged or shown.
func overlap(t *testing.T, s *Store, batches int, each func(n int)) (told uint64) {
	free, started := make(chan *Batch, 3), make(chan *Batch, 3)
	for range 3 {
		free <- s.NewBatch()
	}
	var acked, shown atomic.Uint64
	var failed atomic.Bool
	var all, readers sync.WaitGroup
	all.Go(func() {
		n := uint64(0)
		for b := range started {
			n++
			if b.Wait() != nil {
				failed.Store(true)
			} else if failed.Load() {
				t.Errorf("batch %d is acknowledged after one that failed", n)
			} else {
				acked.Store(n)
			}
			free <- b
		}
	})
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				th, err := s.Thread(1, id(1, "d"))
				if err == nil {
					err = s.Barrier()
				}
				if err != nil {
					return
				}
				for was := shown.Load(); was < th.Run && !shown.CompareAndSwap(was, th.Run); was = shown.Load() {
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := 1; n <= batches && !failed.Load(); n++ {
		b := <-free
		b.Begin(1)
		b.PutThread(&activity.Thread{ID: id(1, "d"), Status: activity.Waiting, Run: uint64(n), Reason: string(make([]byte, 3000))})
		b.Begin(NodeSlot)
		b.PutNodeMeta(NodeMeta{FloorMs: int64(n)})
		if b.Start() != nil {
			break
		}
		started <- b
		each(n)
	}
	close(started)
	all.Wait()
	close(done)
	readers.Wait()
	return max(acked.Load(), shown.Load())
}

// TestNothingIsToldOfOverlappingBatchesThatADiskLost fails the log at each write and sync in turn, with three batches under way: nobody waits for ever, and
// what was acknowledged or shown is there after a power cut.
func TestNothingIsToldOfOverlappingBatchesThatADiskLost(t *testing.T) {
	const batches = 60
	lost := 0
	for at := int64(1); at < 100; at++ {
		var seen atomic.Int64
		seen.Store(-1 << 40) // until the store is open
		fs := vfs.NewCrashableMem()
		s, err := Open("store", Options{Slots: 4, Logger: quiet{}, FS: errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
			write := op.Kind == errorfs.OpFileWrite || op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData
			if write && strings.HasSuffix(op.Path, ".log") && seen.Add(1) >= at {
				return errorfs.ErrInjected
			}
			return nil
		}))})
		if err != nil {
			t.Fatal(err)
		}
		seen.Store(0)
		told := overlap(t, s, batches, func(int) {})
		if told < batches {
			lost++
		}
		left := fs.CrashClone(vfs.CrashCloneCfg{})
		_ = s.Close() // it failed
		again, err := Open("store", Options{FS: left, Logger: quiet{}})
		if err != nil {
			t.Fatalf("operation %d: %v", at, err)
		}
		th, err := again.Thread(1, id(1, "d"))
		if err != nil || th.Run < told || again.Node().FloorMs != int64(th.Run) {
			t.Errorf("operation %d: batch %d was told of, after the crash there is %d (floor %d, %v)", at, told, th.Run, again.Node().FloorMs, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
	if lost == 0 {
		t.Error("no disk failed with batches under way")
	}
	t.Log(lost, "disks failed")
}

// TestCloseWhileBatchesAreUnderWay: a store that is closed refuses what comes then; what was started goes in or fails, and nobody waits for ever.
func TestCloseWhileBatchesAreUnderWay(t *testing.T) {
	for at := range 12 {
		fs := vfs.NewMem()
		s, err := Open("store", Options{FS: fs, Slots: 4, Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		told := overlap(t, s, 1000, func(n int) {
			if n == at+1 {
				go func() { closed <- s.Close() }()
			}
		})
		if err := <-closed; err != nil {
			t.Errorf("a store with batches under way is closed with %v", err)
		}
		again, err := Open("store", Options{FS: fs, Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		if th, err := again.Thread(1, id(1, "d")); err != nil || th.Run < told {
			t.Errorf("batch %d was told of, after closing there is %d (%v)", told, th.Run, err)
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}
