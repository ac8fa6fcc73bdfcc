package store

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
)

// flipStore makes a closed store with a history in tables and in the log, and returns what a whole reading of it gives.
func flipStore(t *testing.T) (*vfs.MemFS, string) {
	fs := vfs.NewMem()
	s, err := Open("store", Options{FS: fs, Slots: 4, Beacon: true, MemTableBytes: 64 << 10, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{s: s, pad: strings.Repeat("history ", 40)}
	for i := range 60 {
		if err := l.commit(); err != nil {
			t.Fatal(err)
		}
		if i == 20 || i == 40 {
			if err := s.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := readAll(copyFS(t, fs))
	if err != nil {
		t.Fatal(err)
	}
	return fs, whole
}

func copyFS(t *testing.T, from *vfs.MemFS) *vfs.MemFS {
	to := vfs.NewMem()
	if err := to.MkdirAll("store", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range must(from.List("store"))(t) {
		putFile(t, to, name, getFile(t, from, name))
	}
	return to
}

func getFile(t *testing.T, fs vfs.FS, name string) []byte {
	f := must(fs.Open("store/" + name))(t)
	defer f.Close()
	return must(io.ReadAll(f))(t)
}

func putFile(t *testing.T, fs vfs.FS, name string, text []byte) {
	f := must(fs.Create("store/"+name, vfs.WriteCategoryUnspecified))(t)
	must(f.Write(text))(t)
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// readAll opens a store and reads every row. What Pebble says by Fatalf, which ends a real process, is an error too.
func readAll(fs vfs.FS) (text string, err error) {
	s, err := Open("store", Options{FS: fs, Beacon: true, Logger: quiet{}})
	if err != nil {
		return "", err
	}
	defer func() {
		s.mu.Lock()
		err = errors.Join(err, s.usable())
		s.mu.Unlock()
		err = errors.Join(err, s.Close())
	}()
	it, err := s.db.NewIter(nil)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for it.First(); it.Valid(); it.Next() {
		fmt.Fprintf(&all, "%x=%x\n", it.Key(), it.Value())
	}
	return all.String(), errors.Join(it.Error(), it.Close())
}

// TestFlippedBits: whatever bit of a closed store is wrong, it opens with the whole history or says that something is wrong.
func TestFlippedBits(t *testing.T) {
	fs, whole := flipStore(t)
	draw := rand.New(rand.NewPCG(3, 1))
	kinds := map[string]*struct{ tried, refused, failed, harmless int }{}
	names := must(fs.List("store"))(t)
	perFile := map[string]int{".log": 40, ".sst": 25, "MANI": 60, "weft": 20}
	for _, name := range names {
		kind := name[:min(4, len(name))]
		if i := strings.LastIndexByte(name, '.'); i > 0 && kind != "weft" {
			kind = name[i:]
		}
		text := getFile(t, fs, name)
		if perFile[kind] == 0 || len(text) == 0 {
			continue
		}
		if kinds[kind] == nil {
			kinds[kind] = &struct{ tried, refused, failed, harmless int }{}
		}
		k := kinds[kind]
		flips := perFile[kind]
		if testing.Short() {
			flips /= 4
		}
		for range flips {
			bit := draw.IntN(8 * len(text))
			wrong := append([]byte(nil), text...)
			wrong[bit/8] ^= 1 << (bit % 8)
			damaged := copyFS(t, fs)
			putFile(t, damaged, name, wrong)
			k.tried++
			got, err := readAll(damaged)
			switch {
			case err != nil && got == "":
				k.refused++
			case err != nil:
				k.failed++
			case got == whole:
				k.harmless++
			default:
				t.Errorf("bit %d of %s (%d bytes) flipped: the store opens and serves %d bytes of rows instead of %d, want a refusal, a failed read or all", bit, name, len(text), len(got), len(whole))
			}
		}
	}
	for kind, k := range kinds {
		t.Logf("%s: %d flips, %d refused at start, %d reads failed, %d harmless", kind, k.tried, k.refused, k.failed, k.harmless)
	}
	for _, kind := range []string{".log", ".sst", "MANI", "weft"} {
		if kinds[kind] == nil {
			t.Errorf("no bit of a %s file was flipped, want all kinds", kind)
		}
	}
}

// TestMissingAndTruncatedFiles: a store that lacks a file, or the end of one, says so.
func TestMissingAndTruncatedFiles(t *testing.T) {
	fs, whole := flipStore(t)
	names := must(fs.List("store"))(t)
	for _, name := range names {
		text := getFile(t, fs, name)
		for _, keep := range []int{-1, 0, len(text) / 2, len(text) - 1} {
			if keep < -1 || keep >= len(text) && len(text) > 0 || len(text) == 0 && keep >= 0 {
				continue
			}
			damaged := copyFS(t, fs)
			if err := damaged.Remove("store/" + name); err != nil {
				t.Fatal(err)
			}
			if keep >= 0 {
				putFile(t, damaged, name, text[:keep])
			}
			if got, err := readAll(damaged); err == nil && got != whole {
				t.Errorf("%s with %d of its %d bytes: the store opens and serves %d bytes of rows instead of %d, want a refusal", name, keep, len(text), len(got), len(whole))
			}
		}
	}
}

func TestBeaconRefusesAShorterHistory(t *testing.T) {
	fs := vfs.NewMem()
	s := openTest(t, fs, Options{Slots: 4, Beacon: true})
	l := &ledger{s: s}
	for range 5 {
		if err := l.commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	m := must(durable.ReadMark(fs, "store"))(t)
	if m.Turns != 5 || m.StoreID != s.Node().StoreID || m.ManifestBytes == 0 || len(m.Logs) == 0 {
		t.Fatalf("the beacon of a closed store says %+v, want 5 turns, its id, its MANIFEST and its logs", m)
	}
	ahead := durable.NewBeacon(fs, "store", durable.NewGuard(quiet{}))
	if err := errors.Join(ahead.Resume(m), ahead.Write(12, m.Logs), ahead.Close()); err != nil {
		t.Fatal(err)
	}
	refuse(t, fs, "store", Options{}, "turn 12 was on disk", "ends with turn 5", "7 turns are missing", "--accept-loss")
	refuse(t, fs, "store", Options{}, "7 turns are missing") // it does not go away by itself
	s = openTest(t, fs, Options{AcceptLoss: true, Beacon: true})
	if s.Node().Turns != 5 {
		t.Errorf("the loss accepted, the store has %d turns, want 5", s.Node().Turns)
	}
	s.Close()
	s = openTest(t, fs, Options{Beacon: true})
	if n, err := slotNumber(s, 0); n != 5 || err != nil {
		t.Errorf("slot 0 holds batch %d (%v), want 5", n, err)
	}
	s.Close()
	text := getFile(t, fs, durable.Name)
	text[0] ^= 1
	putFile(t, fs, durable.Name, text)
	openTest(t, fs, Options{}).Close() // the other slot is whole
	text[2048] ^= 1
	putFile(t, fs, durable.Name, text)
	refuse(t, fs, "store", Options{}, "beacon", "is damaged")
	if err := fs.Remove("store/" + durable.Name); err != nil {
		t.Fatal(err)
	}
	openTest(t, fs, Options{}).Close()
	if _, err := fs.Stat("store/" + durable.Name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a store in memory has a beacon (%v), want none unless it is asked for", err)
	}
}
