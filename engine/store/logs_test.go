package store

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
)

// slowFlushFS holds flushes back, so that several logs are needed at once.
type slowFlushFS struct {
	vfs.FS
	held chan struct{} // closed: flushes go on
}

func (fs slowFlushFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if c == "pebble-memtable-flush" {
		<-fs.held
	}
	return fs.FS.Create(name, c)
}

// heldStore returns a disk as a crash leaves it, with at least two logs that are needed, which its beacon names, and what a whole reading gives.
func heldStore(t *testing.T) (disk *vfs.MemFS, logs []durable.Log, batches uint64) {
	t.Helper()
	inner := vfs.NewCrashableMem()
	s, err := Open("store", Options{FS: inner, Slots: 4, Beacon: true, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	held := make(chan struct{})
	s, err = Open("store", Options{FS: slowFlushFS{inner, held}, Beacon: true, MemTableBytes: 64 << 10, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{s: s, pad: strings.Repeat("history ", 150)}
	for deadline := time.Now().Add(patience); len(logs) < 2; time.Sleep(time.Millisecond) {
		if l.started.Load() < 7 { // few enough not to wait for a flush
			if err := l.commit(); err != nil {
				t.Fatal(err)
			}
		}
		m := must(durable.ReadMark(inner, "store"))(t)
		if logs = m.Logs; m.Turns < 7 {
			logs = nil
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %d batches the beacon says %+v, want 7 turns and at least 2 logs", l.started.Load(), m)
		}
	}
	disk = inner.CrashClone(vfs.CrashCloneCfg{})
	close(held)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return disk, logs, l.acked.Load()
}

// TestMissingOlderLog: Pebble takes a log that is missing, or empty, while a newer one is there for one that was never written.
func TestMissingOlderLog(t *testing.T) {
	disk, logs, batches := heldStore(t)
	for i, log := range logs {
		missing := copyFS(t, disk)
		if err := missing.Remove("store/" + log.Name()); err != nil {
			t.Fatal(err)
		}
		refuse(t, missing, "store", Options{}, log.Name(), "is missing", "--accept-loss")
		refuse(t, missing, "store", Options{}, log.Name(), "is missing") // it does not go away by itself
		putFile(t, missing, log.Name(), nil)
		refuse(t, missing, "store", Options{}, log.Name(), "has 0 bytes")
		if i > 0 { // with the first log go the tables' beginnings, and what is left may be torn
			continue
		}
		s := openTest(t, missing, Options{AcceptLoss: true, Beacon: true})
		s.Close()
		openTest(t, missing, Options{Beacon: true}).Close()
	}
	s := openTest(t, disk, Options{Beacon: true})
	for _, slot := range crashSlots {
		if n, err := slotNumber(s, slot); n != batches || err != nil {
			t.Errorf("with all logs slot %d holds batch %d (%v), want %d", slot, n, err, batches)
		}
	}
	s.Close()
	for _, log := range logs { // replayed, written into tables, forgotten by the beacon and removed
		if _, err := disk.Stat("store/" + log.Name()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s lies there after it was replayed (%v), want it removed", log.Name(), err)
		}
	}
	openTest(t, disk, Options{Beacon: true}).Close()
}

// TestRefusedOpenKeepsTheBeaconTrue: an open that is refused late has replayed and removed logs already.
func TestRefusedOpenKeepsTheBeaconTrue(t *testing.T) {
	disk, _, batches := heldStore(t)
	refuse(t, disk, "store", Options{Slots: 5, Beacon: true}, "has 4 slots")
	s := openTest(t, disk, Options{Beacon: true})
	if n, err := slotNumber(s, 0); n != batches || err != nil {
		t.Errorf("slot 0 holds batch %d (%v), want %d", n, err, batches)
	}
	s.Close()
	// A start without the wish for a beacon keeps the one there is up to date.
	disk, _, _ = heldStore(t)
	openTest(t, disk, Options{}).Close()
	openTest(t, disk, Options{Beacon: true}).Close()
}
