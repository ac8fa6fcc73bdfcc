package pebble

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/internal/durable"
	"github.com/weftbox/weftbox/metadata"
)

// mortal is a logger whose Fatalf ends the process, as far as a test can: it does not return.
type mortal struct{ cause chan error }

func (m *mortal) Infof(string, ...any)  {}
func (m *mortal) Errorf(string, ...any) {}
func (m *mortal) Fatalf(format string, args ...any) {
	select {
	case m.cause <- fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), durable.CauseIn(args)):
	default:
	}
	select {}
}

func put(s *Store, i int) error {
	_, outcome, err := s.PutService(context.Background(), metadata.Service{Name: fmt.Sprint("s", i), URL: strings.Repeat("http://127.0.0.1/", 20)})
	if err == nil && outcome != metadata.Created {
		err = fmt.Errorf("service s%d: outcome %v, want it created", i, outcome)
	}
	return err
}

// silent lets the process live: the store must refuse everything after that.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(string, ...any) {}

// whole gives all that a store says, as text.
func whole(fs vfs.FS) (text string, services int, err error) {
	s, err := Open("meta", Options{FS: fs, Beacon: true, Logger: silent{}})
	if err != nil {
		return "", 0, err
	}
	r, err := s.Load(context.Background())
	return fmt.Sprintf("%+v", r), len(r.Services), errors.Join(err, s.Close())
}

const patience = time.Minute // decides nothing but when to give up

// faultyLife runs a store of 3 services on a disk on which from its k-th operation on all fail with cause: from the start, or once it is open.
func faultyLife(t *testing.T, k int64, cause error, fromStart bool) (reached, stopped bool) {
	t.Helper()
	disk := vfs.NewCrashableMem()
	s, err := Open("meta", Options{FS: disk, Beacon: true})
	for i := 0; i < 3 && err == nil; i++ {
		err = put(s, i)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	var ops atomic.Int64
	var armed, ended atomic.Bool
	fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if ended.Load() {
			select {} // an ended process does nothing
		}
		if !armed.Load() || cause == syscall.ENOSPC && op.Kind.ReadOrWrite() == errorfs.OpIsRead || op.Kind == errorfs.OpFileClose || op.Kind == errorfs.OpRemove || ops.Add(1) < k {
			return nil
		}
		return cause
	}))
	m := &mortal{cause: make(chan error, 1)}
	armed.Store(fromStart)
	var acked, begun atomic.Int64
	acked.Store(3)
	begun.Store(3)
	done := make(chan error, 1)
	go func() {
		s, err := Open("meta", Options{FS: fs, Beacon: true, Logger: m})
		armed.Store(true)
		for i := 3; i < 15 && err == nil; i++ {
			begun.Add(1)
			if err = put(s, i); err == nil {
				acked.Add(1)
			}
		}
		done <- err
	}()
	select {
	case err = <-done:
	case err = <-m.cause:
	case <-time.After(patience):
		t.Fatalf("operation %d failed with %v, and the store neither answers nor ends", k, cause)
	}
	if stopped = err != nil; stopped && durable.ExitCode(err) != durable.ExitCode(cause) {
		t.Errorf("operation %d failed with %v: the process would end by %v, code %d", k, cause, err, durable.ExitCode(err))
	}
	reached = ops.Load() >= k
	if k%3 == 1 { // file systems keep the order of names; a clone draws for each alone, so a part of the data is lost with all names kept
		for _, dir := range []string{"", "meta"} {
			d, err := disk.OpenDir(dir)
			if err == nil {
				err = errors.Join(d.Sync(), d.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	rest := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(k%3) * 50, RNG: rand.New(rand.NewPCG(uint64(k), 9))})
	ended.Store(true)
	if _, n, err := whole(rest); err != nil || int64(n) < acked.Load() || int64(n) > begun.Load() {
		t.Errorf("operation %d failed with %v: the store holds %d services (%v), want from %d, acknowledged, to %d, begun", k, cause, n, err, acked.Load(), begun.Load())
	}
	return reached, stopped
}

// TestFaultAtEachOperation: metadata stops at the operation that fails, with the code of the failure, and what was acknowledged is there.
func TestFaultAtEachOperation(t *testing.T) {
	wider, least := int64(math.MaxInt64), 20
	if testing.Short() {
		wider, least = 4, 10
	}
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		for _, fromStart := range []bool{true, false} {
			tried, stops := 0, 0
			for k := int64(1); k < 200; k += 1 + k/wider {
				reached, stopped := faultyLife(t, k, cause, fromStart)
				if !reached || t.Failed() {
					break
				}
				if tried++; stopped {
					stops++
				}
			}
			t.Logf("%v, from the start %v, at %d operations: %d stops", cause, fromStart, tried, stops)
			if tried < least || stops < tried*3/4 {
				t.Errorf("%v (from the start %v) at %d operations stopped the store %d times, want %d operations at least and nearly all to stop it", cause, fromStart, tried, stops, least)
			}
		}
	}
}

// TestDiskFullIsToldOnce: the room held in reserve is asked for once, and the change lands.
func TestDiskFullIsToldOnce(t *testing.T) {
	var full atomic.Bool
	fs := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpFileWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
	told := 0
	s, err := Open("meta", Options{FS: fs, DiskFull: func() { told++; full.Store(false) }})
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, s)
	full.Store(true)
	if err := put(s, 1); err != nil || told != 1 {
		t.Errorf("a change that met a full disk: %v, the reserve was asked for %d times; want it to land, and once", err, told)
	}
}

func copied(t *testing.T, from vfs.FS) *vfs.MemFS {
	t.Helper()
	to := vfs.NewMem()
	names, err := from.List("meta")
	if err == nil {
		err = to.MkdirAll("meta", 0o755)
	}
	for _, name := range names {
		if err == nil {
			err = vfs.CopyAcrossFS(from, "meta/"+name, to, "meta/"+name)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func overwrite(t *testing.T, fs vfs.FS, name string, text []byte) {
	t.Helper()
	f, err := fs.Create("meta/"+name, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDamagedFiles: whatever bit of a closed store is wrong, and whatever file or end of one is missing, it opens with all there was or says that
// something is wrong.
func TestDamagedFiles(t *testing.T) {
	fs := vfs.NewMem()
	for life := range 3 { // rows in a table and rows in the log
		s, err := Open("meta", Options{FS: fs, Beacon: true})
		for i := 0; i < 4 && err == nil; i++ {
			err = put(s, 4*life+i)
		}
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	want, _, err := whole(copied(t, fs))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	check := func(what string, damaged vfs.FS) {
		t.Helper()
		if got, n, err := whole(damaged); err == nil && got != want {
			t.Errorf("%s: the store opens with %d services instead of 12, want a refusal or all", what, n)
		} else if err != nil {
			kinds["refused"]++
		}
	}
	names, err := fs.List("meta")
	if err != nil {
		t.Fatal(err)
	}
	draw := rand.New(rand.NewPCG(3, 1))
	for _, name := range names {
		f, err := fs.Open("meta/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		kinds[strings.TrimLeft(name, "0123456789")]++
		missing := copied(t, fs)
		if err := missing.Remove("meta/" + name); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		check(name+" is missing", missing)
		for _, keep := range []int{0, len(text) / 2, len(text) - 1} {
			if keep >= 0 && keep < len(text) {
				short := copied(t, fs)
				overwrite(t, short, name, text[:keep])
				check(fmt.Sprintf("%s has %d of its %d bytes", name, keep, len(text)), short)
			}
		}
		flips := min(30, len(text))
		if testing.Short() {
			flips = min(8, flips)
		}
		for range flips {
			bit := draw.IntN(8 * len(text))
			wrong := append([]byte(nil), text...)
			wrong[bit/8] ^= 1 << (bit % 8)
			flipped := copied(t, fs)
			overwrite(t, flipped, name, wrong)
			check(fmt.Sprintf("bit %d of %s is wrong", bit, name), flipped)
		}
	}
	t.Logf("files and refusals: %v", kinds)
	if kinds[".log"] == 0 || kinds[".sst"] == 0 || kinds[durable.Name] == 0 || kinds["refused"] < 30 {
		t.Errorf("damaged were %v, want logs, tables and the beacon among them, and 30 refusals at least", kinds)
	}
}
