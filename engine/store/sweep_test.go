package store

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

func TestSweepRows(t *testing.T) {
	s, err := Open("store", Options{FS: vfs.NewMem(), Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := map[uint32]Sweep{1: {StateAt: 7, Slot: 3, After: "u 小明"}, 2: {StateAt: 1 << 40, Done: true}, 1 << 31: {}, 0: {StateAt: 9, Activity: math.MaxUint32}}
	b := s.NewBatch()
	defer b.Close()
	b.Begin(NodeSlot)
	for number, row := range want {
		b.PutSweep(number, row)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	for number, row := range want {
		if got, ok, err := s.Sweep(number); err != nil || !ok || got != row {
			t.Errorf("activity %d: expected %+v, got %+v, %t, %v", number, row, got, ok, err)
		}
	}
	if all, err := s.Sweeps(); err != nil || !maps.Equal(all, want) {
		t.Errorf("all rows: expected %+v, got %+v, %v", want, all, err)
	}
	if _, ok, err := s.Sweep(3); ok || err != nil {
		t.Errorf("an activity without one: expected none, got %t, %v", ok, err)
	}
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "PutSweep") {
			t.Errorf("PutSweep in a slot: expected a panic that names it, got %q", text)
		}
	}()
	b.Begin(0)
	b.PutSweep(1, Sweep{})
}

// TestStalledCountsOneActivityInOneSlot: threads that stall and go on again are counted out, others not at all.
func TestStalledCountsOneActivityInOneSlot(t *testing.T) {
	s, err := Open("store", Options{FS: vfs.NewMem(), Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := s.NewBatch()
	defer b.Close()
	add := func(slot uint16, number uint32, action string, status activity.Status, n int64) {
		b.Begin(slot)
		b.AddCounter(number, Counter{Version: "1", Action: action, Status: status, N: n})
	}
	add(2, 7, "a", activity.Stalled, 3)
	add(2, 7, "b", activity.Stalled, 2)
	add(2, 7, "a", activity.Waiting, 100)
	add(2, 8, "a", activity.Stalled, 100)
	add(3, 7, "a", activity.Stalled, 1)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	add(2, 7, "a", activity.Stalled, -1)
	add(3, 7, "a", activity.Stalled, -1)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	for slot, want := range map[uint16]int64{1: 0, 2: 4, 3: 0} {
		if n, err := s.Stalled(slot, 7); err != nil || n != want {
			t.Errorf("slot %d: expected %d stalled threads, got %d, %v", slot, want, n, err)
		}
	}
}
