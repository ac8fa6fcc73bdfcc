package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/activity"
)

// crashSlots are the slots that each batch of a ledger writes; the last one is the node's.
var crashSlots = []uint16{0, 1, 3, NodeSlot}

// ledger writes batches numbered 1, 2, ...: batch n gives the number n to rows of all kinds in all slots, so that a torn batch shows.
type ledger struct {
	s              *Store
	started, acked atomic.Uint64
	pad            string
}

func (l *ledger) commit() error {
	n := l.started.Add(1)
	b := l.s.NewBatch()
	defer b.Close()
	for _, slot := range crashSlots {
		b.Begin(slot)
		if slot == NodeSlot {
			b.PutPosition("source", n)
			b.PutNodeMeta(NodeMeta{FloorMs: int64(n)})
			continue
		}
		for i := range 5 {
			b.PutThread(&activity.Thread{ID: id(uint32(i), "d"), Status: activity.Waiting, Run: n, Reason: l.pad})
		}
		b.DeleteAllMail(id(1, "d"))
		b.PutMail(id(1, "d"), Mail{N: n, Message: &activity.Command{TimeMs: int64(n)}})
		b.PutOutbox(&Outbox{Destination: 1, Seq: n})
		b.DeleteOutbox(1, n-1)
		b.AddCounter(1, Counter{Version: "1", N: 1})
		b.PutSlotMeta(SlotMeta{Sequence: n})
	}
	by := [...]func() error{b.Commit, halves(b.Apply, b.Wait), halves(b.Start, b.Wait)}[n%3]
	err := by()
	if err == nil {
		l.acked.Store(n)
	}
	return err
}

// halves is a commit made of its two halves.
func halves(first, second func() error) func() error {
	return func() error {
		if err := first(); err != nil {
			return err
		}
		return second()
	}
}

// slotNumber returns the number that all rows of a slot carry.
func slotNumber(s *Store, slot uint16) (uint64, error) {
	if slot == NodeSlot {
		n, _, err := s.Position("source")
		if err == nil && s.Node().FloorMs != int64(n) {
			err = fmt.Errorf("slot %d is torn: position %d, floor %d", slot, n, s.Node().FloorMs)
		}
		return n, err
	}
	m, err := s.SlotMeta(slot)
	threads, err1 := s.LiveThreads(slot, "d", nil)
	mail, err2 := s.MailOf(slot, id(1, "d"), 10)
	outbox, err3 := s.OutboxRows(slot, 1, 0, 10, 1<<20, nil)
	if err = errors.Join(err, err1, err2, err3); err != nil || m.Sequence == 0 && len(threads)+len(mail)+len(outbox) == 0 {
		return 0, err
	}
	n := m.Sequence
	torn := len(threads) != 5 || len(mail) != 1 || mail[0].N != n || len(outbox) != 1 || outbox[0].Seq != n
	for _, t := range threads {
		torn = torn || t.Run != n
	}
	if torn {
		return n, fmt.Errorf("slot %d is torn: sequence %d, threads %+v, mail %+v, outbox %+v", slot, n, threads, mail, outbox)
	}
	return n, nil
}

// survived opens what a crash left and returns the number of the last batch of each slot.
func survived(t *testing.T, fs vfs.FS, o Options) (*Store, []uint64) {
	t.Helper()
	o.FS = fs
	s, err := Open("store", o)
	if err != nil {
		t.Fatalf("after a crash: %v", err)
	}
	numbers := make([]uint64, len(crashSlots))
	sum := int64(0)
	for i, slot := range crashSlots {
		if numbers[i], err = slotNumber(s, slot); err != nil {
			t.Fatal(err)
		}
		if slot != NodeSlot {
			sum += int64(numbers[i])
		}
	}
	counters, err := s.Counters(1)
	if err != nil || sum > 0 && (len(counters) != 1 || counters[0].N != sum) {
		t.Fatalf("counters are %+v (%v), want %d as the slots say", counters, err, sum)
	}
	return s, numbers
}

// crashes runs cycles of commits with a crash at any moment in between, also within a commit, and gives check what was acknowledged
// before, what had begun, and what each slot holds.
func crashes(t *testing.T, cycles int, o Options, check func(acked, started uint64, slots []uint64)) {
	if testing.Short() && !o.CommitSlots { // there too few deaths would fall between two slots
		cycles /= 4
	}
	rng := rand.New(rand.NewPCG(8, uint64(cycles)))
	o.MemTableBytes, o.Slots = 64<<10, 4 // small, so that flushes fall among the crashes
	fs := vfs.NewCrashableMem()
	s, _ := survived(t, fs, o)
	l := &ledger{s: s, pad: string(make([]byte, 400))}
	for range cycles {
		done, from, want := make(chan error, 1), l.acked.Load(), uint64(rng.IntN(4))
		go func() {
			var err error
			for i := uint64(0); i <= want+1 && err == nil; i++ {
				err = l.commit()
			}
			done <- err
		}()
		for l.acked.Load() < from+want && len(done) == 0 {
			runtime.Gosched()
		}
		acked := l.acked.Load()
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(5) * 25, RNG: rng})
		started := l.started.Load()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		after, numbers := survived(t, clone, o)
		check(acked, started, numbers)
		if rng.IntN(3) > 0 {
			after.Close()
			continue
		}
		s.Close()
		fs, s = clone, after
		next := &ledger{s: s, pad: l.pad}
		next.started.Store(numbers[0])
		next.acked.Store(numbers[0])
		if numbers[0] != numbers[len(numbers)-1] { // groups that landed alone: the next batch evens them out
			next = nil
		}
		if next == nil {
			s.Close()
			fs = vfs.NewCrashableMem()
			s, _ = survived(t, fs, o)
			next = &ledger{s: s, pad: l.pad}
		}
		l = next
	}
	s.Close()
}

func TestCrashSync(t *testing.T) {
	crashes(t, 300, Options{Beacon: true}, func(acked, started uint64, slots []uint64) {
		for _, n := range slots {
			if n != slots[0] || n < acked || n > started {
				t.Fatalf("acknowledged %d, begun %d, but the slots hold %v: want all equal and in between", acked, started, slots)
			}
		}
	})
}

func TestCrashRelaxed(t *testing.T) {
	crashes(t, 150, Options{Durability: Relaxed}, func(acked, started uint64, slots []uint64) {
		for _, n := range slots {
			if n != slots[0] || n > started {
				t.Fatalf("begun %d, but the slots hold %v: want all equal and not more", started, slots)
			}
		}
	})
}

func TestCrashBetweenSlots(t *testing.T) {
	apart := 0
	crashes(t, 150, Options{CommitSlots: true}, func(acked, started uint64, slots []uint64) {
		if slots[0] != slots[len(slots)-1] {
			apart++
		}
		for i, n := range slots {
			if n < acked || n > started || i > 0 && n > slots[i-1] {
				t.Fatalf("acknowledged %d, begun %d, but the slots hold %v: want ascending slots written in order", acked, started, slots)
			}
		}
	})
	if apart == 0 {
		t.Error("no crash fell between two slots of a batch: want some, else CommitSlots shows nothing")
	}
}

// A relaxed store comes to disk by itself, at an interval and when it is closed.
func TestRelaxedSyncsByItself(t *testing.T) {
	fs := vfs.NewCrashableMem()
	s := openTest(t, fs, Options{Durability: Relaxed, Slots: 4})
	l := &ledger{s: s}
	if err := l.commit(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for n := uint64(0); n != 1; {
		if time.Now().After(deadline) {
			t.Fatal("a relaxed commit did not come to disk within 20 s, want 100 ms")
		}
		after, numbers := survived(t, fs.CrashClone(vfs.CrashCloneCfg{}), Options{})
		n = numbers[0]
		after.Close()
	}
	for range 3 {
		if err := l.commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after, numbers := survived(t, fs.CrashClone(vfs.CrashCloneCfg{}), Options{})
	defer after.Close()
	if numbers[0] != 4 {
		t.Errorf("after Close and a crash the store holds batch %d, want 4", numbers[0])
	}
}

func TestMemory(t *testing.T) {
	s, err := Open("nowhere", Options{Durability: Memory, Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l := &ledger{s: s}
	for range 100 {
		if err := l.commit(); err != nil {
			t.Fatal(err)
		}
	}
	for _, slot := range crashSlots {
		if n, err := slotNumber(s, slot); n != 100 || err != nil {
			t.Errorf("slot %d holds %d (%v), want 100", slot, n, err)
		}
	}
}

// quiet does not end the process, as a real logger must.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

var _ pebble.Logger = quiet{}

// While a commit syncs, the lock that every read takes is held: no reader sees what is not on disk.
func TestReadersWaitForTheSync(t *testing.T) {
	var s *Store
	syncs, open := 0, 0
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if s != nil && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) {
			if syncs++; s.mu.TryRLock() {
				open++
				s.mu.RUnlock()
			}
		}
		return nil
	}))
	opened := openTest(t, fs, Options{Slots: 4})
	b := opened.NewBatch()
	defer b.Close()
	b.Begin(0)
	b.PutMember(id(1, "d"))
	s = opened
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	s = nil
	if syncs == 0 || open > 0 {
		t.Errorf("of %d syncs of a commit %d left the store open to readers, want at least one sync and none open", syncs, open)
	}
}

// openFragile opens a store on a disk that writes and syncs nothing while broken is set, in a process that outlives it.
func openFragile(t *testing.T) (s *Store, broken *atomic.Bool) {
	t.Helper()
	broken = new(atomic.Bool)
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileWrite) {
			return errorfs.ErrInjected
		}
		return nil
	}))
	s, err := Open("store", Options{FS: fs, Slots: 4, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	return s, broken
}

// After a failed commit nothing is served any more: Pebble would go on showing the lost write.
func TestFailedCommitShutsTheStore(t *testing.T) {
	s, broken := openFragile(t)
	l := &ledger{s: s}
	if err := l.commit(); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if err := l.commit(); err == nil {
		t.Fatal("a commit whose sync failed was acknowledged, want an error")
	}
	broken.Store(false)
	if threads, err := s.LiveThreads(0, "d", nil); err == nil {
		t.Errorf("a read after a failed commit gave %+v, want an error", threads)
	}
	if err := l.commit(); err == nil {
		t.Error("a commit after a failed one succeeded, want an error")
	}
}
