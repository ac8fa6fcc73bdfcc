package store

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

// A batch that was started goes in beside its caller: whoever reads next, and whoever starts the next one, waits until it has.
func TestReadsSeeWhatWasStarted(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4})
	const under = 3 // way at a time, as turns are
	var batches [under]*Batch
	for i := range batches {
		batches[i] = s.NewBatch()
		defer batches[i].Close()
	}
	for n := uint64(1); n <= 600; n++ {
		b := batches[n%under]
		if err := b.Wait(); err != nil { // of three rounds ago
			t.Fatal(err)
		}
		b.Begin(1)
		for i := range 40 { // enough for the caller to be quicker
			b.PutThread(&activity.Thread{ID: id(1, fmt.Sprint("d", i)), Status: activity.Waiting, Run: n})
		}
		b.Begin(NodeSlot)
		b.PutNodeMeta(NodeMeta{FloorMs: int64(n)})
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			if floor := s.Node().FloorMs; floor != int64(n) {
				t.Fatalf("after batch %d was started the node's row has %d", n, floor)
			}
		}
		if th := must(s.Thread(1, id(1, "d39")))(t); th.Run != n {
			t.Fatalf("after batch %d was started a read finds what batch %d wrote", n, th.Run)
		}
	}
	for n := range batches {
		if err := batches[(n+1)%under].Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Barrier(); err != nil {
		t.Fatal(err)
	}
}

// What was started and could not be written shuts the store: a batch started after it is refused, before or when it is waited for.
func TestStartedBatchThatFailsShutsTheStore(t *testing.T) {
	s, broken := openFragile(t)
	start := func(run uint64) error {
		b := s.NewBatch()
		b.Begin(0)
		b.PutThread(&activity.Thread{ID: id(1, "d"), Status: activity.Waiting, Run: run})
		return halves(b.Start, b.Wait)()
	}
	if err := start(1); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if err := start(2); err == nil {
		t.Error("a started batch whose sync failed was acknowledged, want an error")
	}
	broken.Store(false)
	if err := start(3); err == nil {
		t.Error("a batch started after a failed one was acknowledged, want an error")
	}
	if th, err := s.Thread(0, id(1, "d")); err == nil {
		t.Errorf("a read after a failed batch gave %+v, want an error", th)
	}
	if err := s.Barrier(); err == nil {
		t.Error("the barrier lets through what was read before a failed batch, want an error")
	}
}
