package store

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// deadStore is a store of 4 slots with letters of random slots and times, and the letters newest first.
func deadStore(t *testing.T, n int) (*Store, []DeadLetter) {
	s, err := Open("store", Options{FS: vfs.NewMem(), Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	r := rand.New(rand.NewPCG(1, 2))
	var all []DeadLetter
	b := s.NewBatch()
	defer b.Close()
	for i := range n {
		d := DeadLetter{Slot: uint16(r.IntN(5)), TimeMs: 1000 + int64(i/7), Seq: uint64(i), Reason: []string{"panic", "limit"}[r.IntN(2)], Kind: "event", Activity: uint32(1 + r.IntN(3)), Domain: "d", Action: "wait",
			Source: "mem/a", Position: 9, Replays: 2, Message: []byte("{}")}
		if d.Slot == 4 {
			d.Slot = NodeSlot
		}
		b.Begin(d.Slot)
		b.PutDeadLetter(&d)
		all = append([]DeadLetter{d}, all...)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	return s, all
}

func ids(letters []DeadLetter) (out []DeadID) {
	for i := range letters {
		out = append(out, letters[i].ID())
	}
	return out
}

func TestFindDeadPagesInBothDirections(t *testing.T) {
	s, all := deadStore(t, 200)
	for _, oldest := range []bool{false, true} {
		for _, f := range []DeadFilter{{}, {Reason: "panic"}, {Activity: 2, FromMs: 1010}, {Reason: "limit", Domain: "d", Slots: []uint16{1, 3}}, {Domain: "other"}} {
			f.OldestFirst = oldest
			var want []DeadLetter
			for i := range all {
				inSlot := f.Slots == nil || all[i].Slot == 1 || all[i].Slot == 3
				if f.takes(&all[i]) && all[i].TimeMs >= f.FromMs && inSlot {
					if oldest {
						want = append([]DeadLetter{all[i]}, want...)
					} else {
						want = append(want, all[i])
					}
				}
			}
			var got []DeadLetter
			var after *DeadID
			for page := 0; ; page++ {
				letters, last, more, err := s.FindDead(f, after, 7, 11)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, letters...)
				if !more {
					break
				}
				if after = &last; page > 200 {
					t.Fatal("the pages do not end")
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("filter %+v: got %v, want %v", f, ids(got), ids(want))
			}
		}
	}
}

func TestFindDeadEndsWhereItIsTold(t *testing.T) {
	s, all := deadStore(t, 50)
	until := all[20].ID()
	got, _, more, err := s.FindDead(DeadFilter{OldestFirst: true, Until: &until}, nil, 1000, 1000)
	if err != nil || more || len(got) != 30 || got[29].ID() != until {
		t.Errorf("up to %v: got %d letters, more %v, %v; want 30 and no more", until, len(got), more, err)
	}
}

func TestDeadTotalsFollowTheLetters(t *testing.T) {
	s, all := deadStore(t, 200)
	check := func(kept []DeadLetter) {
		t.Helper()
		for _, slot := range []uint16{0, 1, 2, 3, NodeSlot} {
			var want DeadTotals
			for i := range kept {
				if kept[i].Slot != slot {
					continue
				}
				_, bytes, ok, err := s.DeadLetter(kept[i].ID())
				if !ok || err != nil {
					t.Fatalf("letter %v: %v %v, want it", kept[i].ID(), ok, err)
				}
				want.Letters++
				want.Bytes += bytes
				want.OldestMs = kept[i].TimeMs
			}
			before := s.Usage().KeysRead
			got, err := s.DeadTotals(slot)
			if err != nil || got != want {
				t.Errorf("slot %d: totals %+v (%v), want %+v", slot, got, err, want)
			}
			if n := s.Usage().KeysRead - before; n > 3 {
				t.Errorf("slot %d: the totals cost %d keys, want 3 at most", slot, n)
			}
		}
	}
	check(all)
	b := s.NewBatch()
	defer b.Close()
	rows, err := s.OldestDead(2, 5, nil)
	if err != nil || len(rows) != 5 {
		t.Fatalf("the oldest of slot 2: %v %v, want 5", rows, err)
	}
	gone := map[DeadID]bool{}
	for _, row := range rows {
		b.Begin(2)
		b.DeleteDeadLetter(row.ID, row.Bytes)
		gone[row.ID] = true
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	var kept []DeadLetter
	for i := range all {
		if !gone[all[i].ID()] {
			kept = append(kept, all[i])
		}
	}
	if len(kept) != len(all)-5 {
		t.Fatalf("%d letters are kept, want 5 less than %d", len(kept), len(all))
	}
	check(kept)
	if _, _, ok, err := s.DeadLetter(rows[0].ID); ok || err != nil {
		t.Errorf("a deleted letter: %v %v, want none", ok, err)
	}
}

func TestKeyCountsGoWithTheirDay(t *testing.T) {
	s, err := Open("store", Options{FS: vfs.NewMem(), Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := s.NewBatch()
	defer b.Close()
	b.Begin(1)
	for day := uint32(10); day <= 12; day++ {
		for i := range 3 {
			b.PutKey(Key{Day: day, Hash: [16]byte{byte(i)}, Body: 7})
		}
		b.AddKeyCount(day, 2)
		b.AddKeyCount(day, 1)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.KeyDays(1, 12); err != nil || got != (KeyDays{10, [2]int64{3, 3}}) {
		t.Errorf("slot 1 has %+v (%v), want from day 10, 3 and 3", got, err)
	}
	b.Begin(1)
	b.DropKeys(12)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	before := s.Usage().KeysRead
	if got, err := s.KeyDays(1, 12); err != nil || got != (KeyDays{12, [2]int64{3, 0}}) {
		t.Errorf("slot 1 has %+v (%v) after the drop, want day 12 alone", got, err)
	}
	if n := s.Usage().KeysRead - before; n > 3 {
		t.Errorf("the counts cost %d keys, want 3 at most", n)
	}
	if got, err := s.KeyDays(2, 12); err != nil || got != (KeyDays{}) {
		t.Errorf("an empty slot has %+v (%v), want nothing", got, err)
	}
	if _, known, err := s.KnownKey(1, Key{Day: 12, Hash: [16]byte{1}}); !known || err != nil {
		t.Errorf("a key of the day that is kept: %v %v, want known", known, err)
	}
	if _, known, err := s.KnownKey(1, Key{Day: 11, Hash: [16]byte{1}}); known || err != nil {
		t.Errorf("a key of a dropped day: %v %v, want unknown", known, err)
	}
}
