package pebble

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
	"github.com/weftbox/weftbox/metadata"
	"github.com/weftbox/weftbox/metadata/metadatatest"
)

func mustOpen(t *testing.T, dir string, fs vfs.FS) *Store {
	t.Helper()
	s, err := Open(dir, Options{FS: fs})
	if err != nil {
		t.Fatalf("Open: expected no error, got: %v", err)
	}
	return s
}

func mustClose(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("Close: expected no error, got: %v", err)
	}
}

func TestConformanceOnDisk(t *testing.T) {
	metadatatest.Run(t, func(t *testing.T) (metadata.Store, func() metadata.Store) {
		dir := filepath.Join(t.TempDir(), "made", "meta")
		s := mustOpen(t, dir, nil)
		return s, func() metadata.Store {
			mustClose(t, s)
			s = mustOpen(t, dir, nil)
			return s
		}
	})
}

// TestConformanceAfterPowerLoss reopens from a copy in which every write that was not synced is gone.
func TestConformanceAfterPowerLoss(t *testing.T) {
	metadatatest.Run(t, func(t *testing.T) (metadata.Store, func() metadata.Store) {
		fs := vfs.NewCrashableMem()
		s := mustOpen(t, "meta", fs)
		return s, func() metadata.Store {
			crashed := fs.CrashClone(vfs.CrashCloneCfg{})
			mustClose(t, s)
			fs = crashed
			s = mustOpen(t, "meta", fs)
			return s
		}
	})
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, nil)
	t.Chdir(filepath.Dir(dir))
	for _, d := range []string{dir, dir + "/../" + filepath.Base(dir), filepath.Base(dir)} {
		if _, err := Open(d, Options{}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) {
			t.Fatalf("opened twice: expected ErrInUse that names %s, got: %v", dir, err)
		}
	}
	// Another process: this test binary, asked to open the directory.
	other := exec.Command(os.Args[0], "-test.run=^TestOpenForParent$", "-test.v")
	other.Env = append(os.Environ(), "WEFTBOX_TEST_OPEN="+dir)
	out, err := other.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "in use: true") {
		t.Fatalf("opened by another process: expected it to be told ErrInUse, got %v:\n%s", err, out)
	}
	mustClose(t, s)
	mustClose(t, mustOpen(t, dir, nil))
}

// TestOpenForParent is the other process of TestDirectoryInUse; alone it has nothing to open.
func TestOpenForParent(t *testing.T) {
	dir := os.Getenv("WEFTBOX_TEST_OPEN")
	if dir == "" {
		dir = filepath.Join(t.TempDir(), "free")
	}
	s, err := Open(dir, Options{})
	t.Logf("in use: %t", errors.Is(err, ErrInUse))
	if err == nil {
		mustClose(t, s)
	} else if !errors.Is(err, ErrInUse) {
		t.Fatalf("Open: expected success or ErrInUse, got: %v", err)
	}
}

func TestDirectoryCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(file, "meta"), Options{}); err == nil || errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), file) {
		t.Fatalf("a directory below a file: expected an error that names it and is not ErrInUse, got: %v", err)
	}
}

// rewrite changes rows behind the store's back, as another version of the program would have written them.
func rewrite(t *testing.T, fs vfs.FS, rows map[string]string) {
	t.Helper()
	db, err := pebble.Open("meta", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatWALSyncChunks, Logger: durable.ErrorLogger{Out: os.Stderr, Name: "metadata"}})
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range rows {
		if err := db.Set([]byte(k), []byte(v), pebble.Sync); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	for text, part := range map[string]string{
		`{"format":2}`: "format 2",
		`{"format":0}`: "format 0",
		`{`:            "not readable",
	} {
		fs := vfs.NewMem()
		mustClose(t, mustOpen(t, "meta", fs))
		rewrite(t, fs, map[string]string{"m": text})
		for range 2 { // the refusal must give the lock back
			if _, err := Open("meta", Options{FS: fs}); err == nil || !strings.Contains(err.Error(), part) || errors.Is(err, ErrInUse) {
				t.Fatalf("a store described as %s: expected a refusal with %q, got: %v", text, part, err)
			}
		}
	}
}

func TestUnreadableRowNamesItself(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, "meta", fs))
	rewrite(t, fs, map[string]string{"sbroken": "{"})
	if _, err := Open("meta", Options{FS: fs}); err == nil || !strings.Contains(err.Error(), `"sbroken"`) {
		t.Fatalf("a row that is no JSON: expected an error with its key, got: %v", err)
	}
}

func TestFieldsAndRowsOfANewerProgramSurvive(t *testing.T) {
	fs := vfs.NewMem()
	mustClose(t, mustOpen(t, "meta", fs))
	rewrite(t, fs, map[string]string{
		"m":     `{"format":1,"revision":5,"destination":7,"order":0,"number":9,"tenants":{"a":[1]}}`,
		"s\x78": `{"name":"x","when":"w","domain_id":"d","created_ms":1,"colour":"red"}`,
		"zz":    "of a newer program",
	})
	s := mustOpen(t, "meta", fs)
	service, _, err := s.PutService(context.Background(), metadata.Service{Name: "mail", URL: "u"})
	if err != nil || service.Destination != 8 {
		t.Fatalf("PutService: expected destination 8, the one after the row's 7, got %d, %v", service.Destination, err)
	}
	value, closer, err := s.db.Get(keyMeta)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := errors.Join(json.Unmarshal(value, &got), closer.Close()); err != nil {
		t.Fatal(err)
	}
	if text, _ := json.Marshal(got["tenants"]); string(text) != `{"a":[1]}` || got["revision"] != 6.0 || got["destination"] != 8.0 || got["number"] != 9.0 {
		t.Fatalf(`the row "m" after a put: expected revision 6, destination 8, number 9 and the unknown field, got %v`, got)
	}
	for key, part := range map[string]string{"s\x78": "red", "zz": "of a newer program"} {
		value, closer, err := s.db.Get([]byte(key))
		if err != nil || !strings.Contains(string(value), part) {
			t.Fatalf("row %q: expected it to hold %q still, got %q, %v", key, part, value, err)
		}
		if err := closer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, s)
}

// TestLogIsWrittenInTheCheckedFormat holds the reason for the explicit format and the flush of a new store.
func TestLogIsWrittenInTheCheckedFormat(t *testing.T) {
	s := mustOpen(t, "meta", vfs.NewMem())
	defer mustClose(t, s)
	if got := s.db.FormatMajorVersion(); got < pebble.FormatWALSyncChunks {
		t.Fatalf("format of a new store: expected at least %d, got %d", pebble.FormatWALSyncChunks, got)
	}
	if n := s.db.Metrics().Flush.Count; n == 0 {
		t.Fatal("a new store: expected its first log to be closed by a flush, got none")
	}
}

func TestAFailedWriteEndsTheUse(t *testing.T) {
	s := mustOpen(t, "meta", vfs.NewMem())
	defer mustClose(t, s)
	s.broken = errors.New("disk on fire")
	if _, err := s.Load(context.Background()); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Fatalf("Load after a failed commit: expected an error that gives the reason, got: %v", err)
	}
}
