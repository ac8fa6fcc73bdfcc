package store

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestSweepRows(t *testing.T) {
	s, err := Open("store", Options{FS: vfs.NewMem(), Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := map[uint32]Sweep{1: {StateAt: 7, Slot: 3, After: "u 小明"}, 2: {StateAt: 1 << 40, Done: true}, 1 << 31: {}}
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
