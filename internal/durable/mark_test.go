package durable

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestMarkIsReadAsWritten(t *testing.T) {
	for _, logs := range []int{0, 1, 3, maxLogs, maxLogs + 5} {
		m := Mark{number: 9, Turns: 1 << 40, StoreID: "abcdefgh", Manifest: "MANIFEST-000123", ManifestBytes: 77, manifestSum: 0xfeedbeef}
		for i := range logs {
			m.Logs = append(m.Logs, Log{Number: uint64(i + 3), Bytes: int64(i) << 33})
		}
		text := m.append(nil)
		if len(text) > beaconSlot {
			t.Fatalf("a mark of %d logs has %d bytes, want it to fit a slot of %d", logs, len(text), beaconSlot)
		}
		m.Logs = m.Logs[:min(logs, maxLogs)]
		if got, ok := decodeMark(text); !ok || !reflect.DeepEqual(got, m) {
			t.Errorf("a mark of %d logs is read as %+v (%v), want %+v", logs, got, ok, m)
		}
		for bit := range 8 * len(text) {
			text[bit/8] ^= 1 << (bit % 8)
			if got, ok := decodeMark(text); ok {
				t.Fatalf("with bit %d wrong a mark of %d logs is read as %+v, want it refused", bit, logs, got)
			}
			text[bit/8] ^= 1 << (bit % 8)
		}
		for n := range len(text) {
			if got, ok := decodeMark(text[:n]); ok {
				t.Fatalf("%d of %d bytes of a mark are read as %+v, want them refused", n, len(text), got)
			}
		}
	}
}

// quiet lets the process live.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

// TestForgottenLogsStayForgotten: logs are listed, one is forgotten and removed, and only then is the mark written that was meant to name it.
func TestForgottenLogsStayForgotten(t *testing.T) {
	fs := vfs.NewMem()
	if err := fs.MkdirAll("d", 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(name string) {
		f, err := fs.Create("d/"+name, vfs.WriteCategoryUnspecified)
		if err == nil {
			_, err = f.Write([]byte("history"))
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := 1; i <= 3; i++ {
		put(Log{Number: uint64(i)}.Name())
	}
	for _, name := range []string{"4.log", "x.log", "000005.sst", "000006-001.log"} {
		put(name) // none of Pebble's logs
	}
	g := NewGuard(quiet{})
	b := NewBeacon(fs, "d", g)
	expect := func(when, want string) {
		t.Helper()
		m, err := ReadMark(fs, "d")
		if err != nil || m == nil {
			t.Fatalf("%s: %v %v", when, m, err)
		}
		if got := fmt.Sprint(m.Logs); got != want {
			t.Errorf("%s the beacon names %s, want %s", when, got, want)
		}
		if err := m.checkLogs(fs, "d"); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	logs, err := b.Logs()
	if err = errors.Join(err, b.Create("id", 1, logs)); err != nil {
		t.Fatal(err)
	}
	expect("at first", "[{1 7} {2 7} {3 7}]")
	if logs, err = b.Logs(); err != nil {
		t.Fatal(err)
	}
	if err := g.Files(fs, b).Remove("d/000001.log"); err != nil {
		t.Fatal(err)
	}
	expect("after the removal", "[{2 7} {3 7}]")
	if err := b.Write(2, logs); err != nil {
		t.Fatal(err)
	}
	expect("after a mark with what was listed before", "[{2 7} {3 7}]")
	if _, err := g.Files(fs, b).ReuseForWrite("d/000002.log", "d/000007.log", "wal"); err != nil {
		t.Fatal(err)
	}
	expect("after a log was used again", "[{3 7}]")
	if logs, err = b.Logs(); err != nil {
		t.Fatal(err)
	}
	if err := b.Write(3, logs); err != nil {
		t.Fatal(err)
	}
	expect("with the log under its new name", "[{3 7} {7 7}]")
	if len(b.gone) != 0 {
		t.Errorf("%v are remembered as forgotten, want nothing of logs that are gone", b.gone)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := fs.Remove("d/000003.log"); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMark(fs, "d")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.checkLogs(fs, "d"); !errors.Is(err, ErrShortHistory) {
		t.Errorf("without a log that the beacon names: %v, want %v", err, ErrShortHistory)
	}
}
