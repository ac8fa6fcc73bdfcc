package store

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

func TestVerdictsAddUpOverSlots(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4})
	for range 2 {
		b := s.NewBatch()
		for slot := range uint16(3) {
			b.Begin(slot)
			b.AddVerdict(7, VerdictCount{Version: "1", Action: "wait", Sort: SortEvent, Clause: 2, Verdict: activity.VerdictTaken, N: int64(slot) + 1})
			b.AddVerdict(7, VerdictCount{Version: "1", Action: "wait", Sort: SortReply, Clause: -1, Verdict: activity.VerdictLate, N: 1})
			b.AddVerdict(8, VerdictCount{Version: "1", Action: "wait", Sort: SortReply, Clause: -1, Verdict: activity.VerdictLate, N: 100})
		}
		b.Begin(NodeSlot)
		b.AddVerdict(7, VerdictCount{Version: "1", Sort: SortEvent, Clause: -1, Verdict: activity.VerdictNoTrigger, N: 5})
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "the verdicts of activity 7", must(s.Verdicts(7))(t), []VerdictCount{
		{Version: "1", Sort: SortEvent, Clause: -1, Verdict: activity.VerdictNoTrigger, N: 10},
		{Version: "1", Action: "wait", Sort: SortEvent, Clause: 2, Verdict: activity.VerdictTaken, N: 12},
		{Version: "1", Action: "wait", Sort: SortReply, Clause: -1, Verdict: activity.VerdictLate, N: 6},
	})
}

func TestLinesOfARun(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4})
	a, b2 := id(1, "u"), id(2, "u")
	whole := Line{Seq: 9, TimeMs: -5, Sort: SortEvent, Name: "paid", EventID: "e1", Verdict: activity.VerdictTaken, Clause: 0, From: "wait", To: "push", Status: activity.Failed, Error: "3:4: no"}
	none := Line{Seq: 3, Verdict: activity.VerdictDropped, Clause: -1}
	b := s.NewBatch()
	b.Begin(1)
	b.PutLine(a, 5, &whole)
	b.PutLine(a, 5, &none)
	b.PutLine(a, 6, &none)
	b.PutLine(b2, 5, &none)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, "the lines of run 5", must(s.Lines(1, a, 5))(t), []Line{none, whole})
	expect(t, "their numbers", must(s.LineNumbers(1, a, 5))(t), []uint64{3, 9})
	expect(t, "the lines of a run without", must(s.Lines(1, a, 7))(t), []Line(nil))
	b.Begin(1)
	b.DeleteLine(a, 5, 3)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	expect(t, "after the deletion", must(s.LineNumbers(1, a, 5))(t), []uint64{9})
	expect(t, "slot 1 has lines", must(s.HasLines(1))(t), true)
	expect(t, "slot 2 has lines", must(s.HasLines(2))(t), false)
	if err := decodeLine("\x01\x09\x01\x63", &Line{}); err == nil {
		t.Error("a status that does not exist is read without an error")
	}
}
