package engine

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/slots"
)

// sendRow puts a row into the outbox of slot 1, as if a thread there had sent it to a user's domain.
func (r *rig) sendRow(user string, seq uint64, body []byte) {
	r.t.Helper()
	to := slots.Of(user, 8)
	b := r.store.NewBatch()
	defer b.Close()
	b.Begin(1)
	b.PutOutbox(&store.Outbox{Destination: store.ToSlot(to), Seq: seq, To: activity.ID{Domain: user}, Body: body})
	b.PutSlotMeta(store.SlotMeta{Sequence: seq >> 16})
	r.must(b.Commit())
}

// hitBody is what a thread sends that hits a counter.
func (r *rig) hitBody(user string) []byte {
	r.t.Helper()
	body, err := store.EncodeMessage(activity.Carried{Event: &activity.Event{Type: "hit", Attrs: map[string]any{"user": user}}, Strategies: []string{"user"}})
	r.must(err)
	return body
}

// TestMailThatCannotBeReadIsALetterOnce: it leaves the outbox, holds up nothing behind it, and is a letter of the slot that it was for.
func TestMailThatCannotBeReadIsALetterOnce(t *testing.T) {
	r, n := counter(t)
	r.sendRow("x", 1<<16, []byte{0xff, 0xff})
	r.sendRow("x", 2<<16, r.hitBody("x"))
	r.restart()
	r.quiet()
	r.is(n, "x", "waiting wait n=1")
	r.restart()
	r.quiet()
	letters := r.letters()
	if len(letters) != 1 || letters[0].Slot != slots.Of("x", 8) || letters[0].Domain != "x" || letters[0].Reason != reasonDecode {
		t.Fatalf("the letters are %+v, want one of slot %d that could not be read", letters, slots.Of("x", 8))
	}
	if left, err := r.store.OutboxHead(1); err != nil || len(left) > 0 {
		t.Errorf("rows are left for %v (%v), want none", left, err)
	}
	if got := r.settle(true, letters[0].ID()); got[0].Refused == "" || !strings.Contains(got[0].Refused, "cannot be read by this program") {
		t.Errorf("its replay is %+v, want refused with the reason", got[0])
	}
}

// TestALetterOfMailCanBeReplayedByAProgramThatReadsIt: the letter's message is the row's, and goes to whom that was for.
func TestALetterOfMailCanBeReplayedByAProgramThatReadsIt(t *testing.T) {
	r, n := counter(t)
	b := r.store.NewBatch()
	defer b.Close()
	slot := slots.Of("x", 8)
	b.Begin(slot)
	letter := &store.DeadLetter{Slot: slot, TimeMs: startMs, Seq: 1, Reason: reasonDecode, Domain: "x", Source: "slot/1", Message: r.hitBody("x")}
	b.PutDeadLetter(letter)
	r.must(b.Commit())
	r.restart()
	if got := r.settle(true, letter.ID()); !got[0].Replayed || !got[0].Deleted {
		t.Errorf("the replay is %+v, want it replayed and deleted", got[0])
	}
	r.is(n, "x", "waiting wait n=1")
	if left := r.letters(); len(left) != 0 {
		t.Errorf("%d letters are left, want none", len(left))
	}
}

// TestALetterOfMailIsInItsSlotsGroup takes the power away at every sync of a node that commits slot by slot: whatever the disk has then, the row
// was taken if and only if its letter is there.
func TestALetterOfMailIsInItsSlotsGroup(t *testing.T) {
	disk := vfs.NewCrashableMem()
	r, _ := counter(t)
	r.must(r.store.Close())
	var clones []*vfs.MemFS
	watching := false
	fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if watching && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo || op.Kind == errorfs.OpFileWrite) {
			watching = false
			clones = append(clones, disk.CrashClone(vfs.CrashCloneCfg{}))
			watching = true
		}
		return nil
	}))
	open := func(fs vfs.FS) *store.Store {
		s, err := store.Open("state", store.Options{FS: fs, Slots: 8, CommitSlots: true})
		r.must(err)
		return s
	}
	r.store = open(fs)
	r.sendRow("x", 1<<16, []byte{0xff, 0xff})
	var err error
	r.e, err = New(Options{Store: r.store, Clock: r.clock, Metadata: r.cache.Load, Producer: r, Stdout: &r.out, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Fatal: func(err error) { t.Fatalf("the engine gave up: %v", err) }})
	r.must(err)
	watching = true
	r.quiet()
	watching = false
	taken := [2]int{}
	for i, clone := range clones {
		s := open(clone)
		slot := slots.Of("x", 8)
		high, err := s.HighWater(slot, "slot/1")
		r.must(err)
		letters := 0
		for _, in := range []uint16{slot, store.NodeSlot} {
			totals, err := s.DeadTotals(in)
			r.must(err)
			letters += int(totals.Letters)
		}
		if (high != 0) != (letters == 1) {
			t.Errorf("a death at write %d leaves %d letters where the slot has taken rows up to %d", i, letters, high)
		}
		taken[letters]++
		r.must(s.Close())
	}
	if taken[0] == 0 || taken[1] == 0 {
		t.Errorf("of the deaths %d came before the row was taken and %d after, want some of both", taken[0], taken[1])
	}
}
