package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/internal/durable"
)

// refuse opens a store that must not open, and checks what the error says.
func refuse(t *testing.T, fs vfs.FS, dir string, o Options, says ...string) {
	t.Helper()
	o.FS = fs
	s, err := Open(dir, o)
	if err == nil {
		s.Close()
		t.Fatalf("Open succeeded, want an error with %q", says)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %q, want it to say %q", err, text)
		}
	}
}

func TestOpenNewAndAgain(t *testing.T) {
	dir := t.TempDir() + "/a/b"
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	node := s.Node()
	if !regexp.MustCompile(`^[a-z2-7]{8}$`).MatchString(node.StoreID) || node.Slots != 256 || node.FloorMs != 0 {
		t.Errorf("a new store is %+v, want 8 base32 characters, 256 slots and floor 0", node)
	}
	write(t, s, 255, func(b *Batch) { b.PutSlotMeta(SlotMeta{Sequence: 5}) })
	if s.Usage().DiskBytes <= 0 {
		t.Errorf("DiskBytes = %d, want more than 0", s.Usage().DiskBytes)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("a second Close: %v, want nil", err)
	}
	if _, err := s.SlotMeta(255); !errors.Is(err, errClosed) {
		t.Errorf("a read after Close: %v, want %v", err, errClosed)
	}
	for _, slots := range []uint16{0, 256} {
		s, err = Open(dir, Options{Slots: slots})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, "the reopened store", s.Node(), node)
		expect(t, "its slot", must(s.SlotMeta(255))(t), SlotMeta{Sequence: 5})
		s.Close()
	}
	refuse(t, nil, dir, Options{Slots: 512}, dir, "has 256 slots", "512 were asked for")
	refuse(t, nil, dir, Options{Slots: 16385}, "16385 slots", "1 to 16384")
	other, err := Open(t.TempDir(), Options{Slots: 16384})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.Node().StoreID == node.StoreID || other.Node().Slots != 16384 {
		t.Errorf("another new store is %+v, want another id than %s and 16384 slots", other.Node(), node.StoreID)
	}
}

const dirVariable = "WEFTBOX_TEST_STORE_DIR"

// TestSecondProcess is the other process of TestDirectoryInUse.
func TestSecondProcess(t *testing.T) {
	dir := os.Getenv(dirVariable)
	if dir == "" {
		t.Skip("runs as a process of TestDirectoryInUse")
	}
	_, err := Open(dir, Options{})
	fmt.Println("second process:", err)
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	refuse(t, nil, dir, Options{}, dir, "used by another process", "another directory")
	second := exec.Command(os.Args[0], "-test.run=^TestSecondProcess$", "-test.v")
	second.Env = append(os.Environ(), dirVariable+"="+dir)
	out, err := second.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("second process: store "+dir+" is used by another process")) {
		t.Errorf("the second process said (%v) %s, want that the store is used by another process", err, out)
	}
	write(t, s, 0, func(b *Batch) { b.PutMember(id(1, "still works")) })
}

func TestForeignAndNewerStores(t *testing.T) {
	t.Run("another program's Pebble", func(t *testing.T) {
		fs := vfs.NewMem()
		db, err := pebble.Open("store", &pebble.Options{FS: fs, Logger: durable.ErrorLogger{Out: os.Stderr, Name: "store"}})
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		refuse(t, fs, "store", Options{}, "another program")
	})
	row := func(key, value []byte) vfs.FS {
		fs := vfs.NewMem()
		s := openTest(t, fs, Options{})
		if value == nil {
			s.db.Delete(appendHead(nil, NodeSlot, letterMeta), pebble.Sync)
			value = []byte("x")
		}
		s.db.Set(key, value, pebble.Sync)
		s.Close()
		return fs
	}
	meta := appendHead(nil, NodeSlot, letterMeta)
	newerStore := appendUintField([]byte{rowFormat}, nodeFormat, 2)
	refuse(t, row(meta, newerStore), "store", Options{}, "has format 2", "reads format 1")
	refuse(t, row(meta, []byte{9, 1, 2}), "store", Options{}, "has format 9", "reads format 1")
	refuse(t, row(meta, appendNodeMeta(nil, NodeMeta{Slots: 3}, nil)), "store", Options{}, "corrupt", "ffff6d")
	refuse(t, row(meta, []byte{rowFormat, 2}), "store", Options{}, "corrupt", "ffff6d")
	refuse(t, row(appendHead(nil, 1, letterThread), nil), "store", Options{}, "not the one that names the store")
}

// A store whose creation was cut short before its first row is new.
func TestCreationCutShort(t *testing.T) {
	fs := vfs.NewMem()
	db, err := pebble.Open("store", pebbleOptions(fs, Options{Logger: quiet{}}))
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	s := openTest(t, fs, Options{Slots: 7})
	if s.Node().Slots != 7 || s.Node().StoreID == "" {
		t.Errorf("the store is %+v, want a new one of 7 slots", s.Node())
	}
}

func TestPebbleFormatIsFixed(t *testing.T) {
	fs := vfs.NewMem()
	s := openTest(t, fs, Options{})
	if got := s.db.FormatMajorVersion(); got != 24 {
		t.Errorf("Pebble's format is %d, want 24: the way to a newer one is a decision", got)
	}
	if logs := must(fs.List("store"))(t); len(logs) == 0 {
		t.Error("the store has no files")
	}
}

// What a start reads does not grow with threads, alarms, mail, keys or ended runs.
func TestStartReadsFewKeys(t *testing.T) {
	fs := vfs.NewMem()
	s := openTest(t, fs, Options{})
	const threads = 5000
	for slot := range uint16(10) {
		write(t, s, slot, func(b *Batch) {
			for i := range threads / 10 {
				th := couponThread(i)
				b.PutThread(&th)
				b.PutEnded(&th)
				b.PutMember(th.ID)
				b.PutAlarm(th.ID, th.Run, th.Alarm)
				b.PutMail(th.ID, Mail{N: 1, Message: &activity.Command{}})
				b.PutRequest(uint64(i), Request{ID: th.ID})
				b.PutOutbox(&Outbox{Destination: 3, Seq: uint64(i)})
				b.PutKey(Key{Day: 1, Body: uint64(i)})
			}
			b.PutSlotMeta(SlotMeta{Sequence: threads})
		})
	}
	s.Close()
	s = openTest(t, fs, Options{})
	if read := s.Usage().KeysRead; read != 1 {
		t.Errorf("Open visited %d keys, want 1", read)
	}
	for slot := range s.Node().Slots {
		must(s.SlotMeta(slot))(t)
		must(s.OutboxHead(slot))(t)
		if _, _, err := s.NextDue(slot, 0); err != nil {
			t.Fatal(err)
		}
	}
	if read := s.Usage().KeysRead; read != 1+3*10 {
		t.Errorf("a start visited %d keys, want 31: one a slot in use for meta, outbox and timers", read)
	}
}

func TestErrorLogger(t *testing.T) {
	var out bytes.Buffer
	l := durable.ErrorLogger{Out: &out, Name: "store"}
	l.Infof("flushed %d", 1)
	l.Errorf("broken %d", 2)
	if out.String() != "store: broken 2\n" {
		t.Errorf("the logger wrote %q, want only the error", out.String())
	}
}
