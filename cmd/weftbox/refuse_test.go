package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
)

// stopped returns a data directory of a node that has worked and was stopped.
func stopped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	c := serveChild(t, nil, "--data", dir, "--random-ports", "--slots", "16")
	flood := []string{`{"name":"user","when":"containsAttr(\"user\")","domain_id":"eventAttr(\"user\")"}`, floodFlow, `{"name":"flood","definition":"flood"}`}
	for i, path := range []string{"/v1/strategies", "/v1/definitions", "/v1/activities"} {
		c.must(201, "POST", path, flood[i])
	}
	for i := range 5 {
		c.must(202, "POST", "/v1/events", fmt.Sprintf(`{"id":"e%d","type":"hit","attr":{"user":"u"}}`, i))
	}
	if code := c.signal(syscall.SIGTERM); code != exitOK {
		t.Fatalf("expected the node to stop with code 0, got %d; its log: %s", code, c.stderr)
	}
	return dir
}

// rewriteStore sets a row of a stopped store behind its back.
func rewriteStore(t *testing.T, dir string, o *pebble.Options, key, value string) {
	t.Helper()
	o.Logger = durable.ErrorLogger{Out: os.Stderr, Name: "test"}
	db, err := pebble.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte(key), []byte(value), pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, durable.Name)); err != nil { // it would refuse the changed MANIFEST before
		t.Fatal(err)
	}
}

// stateNames open a store of threads from outside: Pebble compares names only.
func stateNames() *pebble.Options {
	comparer, merger := *pebble.DefaultComparer, *pebble.DefaultMerger
	comparer.Name, merger.Name = "weftbox.domain.1", "weftbox.add.1"
	return &pebble.Options{Comparer: &comparer, Merger: &merger, FormatMajorVersion: pebble.FormatValueSeparation}
}

func mustRemove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// markNewer lets a store say that it has a format of Pebble's that this program does not know.
func markNewer(t *testing.T, dir string) {
	t.Helper()
	old, err := filepath.Glob(filepath.Join(dir, "marker.format-version.*"))
	if err != nil || len(old) != 1 {
		t.Fatalf("expected one marker of the format, got %v (%v)", old, err)
	}
	if err := os.Rename(old[0], old[0][:len(old[0])-3]+"099"); err != nil {
		t.Fatal(err)
	}
}

// newestLog is the path of a store's newest log.
func newestLog(t *testing.T, dir string) string {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("expected logs in %s, there are %v (%v)", dir, logs, err)
	}
	return logs[len(logs)-1]
}

// TestServeRefusesStores: what a user reads when a directory is not what it should be, and with which code the start ends.
func TestServeRefusesStores(t *testing.T) {
	for _, r := range []struct {
		name  string
		spoil func(t *testing.T, state, meta string)
		args  []string
		says  []string
	}{
		{"another program's store", func(t *testing.T, state, _ string) {
			mustRemove(t, state)
			db, err := pebble.Open(state, &pebble.Options{Logger: durable.ErrorLogger{Out: os.Stderr, Name: "test"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}, nil, []string{"state", "another program or of another format", "choose another directory"}},
		{"a newer store", func(t *testing.T, state, _ string) {
			rewriteStore(t, state, stateNames(), "\xff\xffm", "\x09\x01\x02")
		}, nil, []string{"has format 9, this program reads format 1", "use the program that wrote it or a newer one"}},
		{"a newer Pebble", func(t *testing.T, state, _ string) { markNewer(t, state) }, nil, []string{"was written by a newer program: use that one or a newer one"}},
		{"metadata of a newer Pebble", func(t *testing.T, _, meta string) { markNewer(t, meta) }, nil, []string{"metadata directory", "a newer program wrote it: use that one or a newer one"}},
		{"another number of slots", func(*testing.T, string, string) {}, []string{"--slots", "32"}, []string{"has 16 slots, 32 were asked for", "leave it out"}},
		{"newer metadata", func(t *testing.T, _, meta string) {
			rewriteStore(t, meta, &pebble.Options{FormatMajorVersion: pebble.FormatWALSyncChunks}, "m", `{"format":2}`)
		}, nil, []string{"metadata directory", "format 2", "use the program that wrote it, or a newer one"}},
		{"a log that is missing", func(t *testing.T, state, _ string) { mustRemove(t, newestLog(t, state)) }, nil,
			[]string{"state", "lost a part of its history", "is missing", "Restore it from a backup", "try:   weftbox serve --accept-loss --data"}},
		{"metadata without its log", func(t *testing.T, _, meta string) { mustRemove(t, newestLog(t, meta)) }, nil,
			[]string{"metadata directory", "lost a part of its history", "is missing", "try:   weftbox serve --accept-loss --data"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			dir := stopped(t)
			r.spoil(t, filepath.Join(dir, "state"), filepath.Join(dir, "meta"))
			for range 2 { // a refusal must not make the second start succeed
				code, text := refused(t, append([]string{"serve", "--data", dir, "--random-ports"}, r.args...)...)
				for _, part := range r.says {
					if code != exitConflict || !strings.Contains(text, part) {
						t.Errorf("expected exit code %d and %q, got %d %s", exitConflict, part, code, text)
					}
				}
			}
		})
	}
}

// TestAcceptLoss: a node is killed and its disk loses a log; it starts with what is left only when it is told to, and then as ever.
func TestAcceptLoss(t *testing.T) {
	dir := stopped(t)
	state := filepath.Join(dir, "state")
	c := serveChild(t, nil, "--data", dir, "--random-ports")
	for i := range 5 {
		c.must(202, "POST", "/v1/events", fmt.Sprintf(`{"id":"more%d","type":"hit","attr":{"user":"u"}}`, i))
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		m, err := durable.ReadMark(vfs.Default, state)
		if err == nil && m != nil && m.Turns >= 10 && len(m.Logs) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("expected a beacon of 10 turns, got %+v (%v)", m, err)
		}
	}
	c.signal(syscall.SIGKILL)
	mustRemove(t, newestLog(t, state))
	if code, text := refused(t, "serve", "--data", dir, "--random-ports"); code != exitConflict || !strings.Contains(text, "is missing") || !strings.Contains(text, "--accept-loss") {
		t.Errorf("expected exit code %d, what is missing and --accept-loss, got %d %s", exitConflict, code, text)
	}
	c = serveChild(t, nil, "--data", dir, "--random-ports", "--accept-loss")
	if text := c.must(200, "GET", threadPath("flood", "u"), ""); !strings.Contains(text, `"n":5`) {
		t.Errorf("expected the thread of the 5 events that were not lost, got %s", text)
	}
	c.must(202, "POST", "/v1/events", `{"id":"again","type":"hit","attr":{"user":"u"}}`)
	c.signal(syscall.SIGTERM)
	c = serveChild(t, nil, "--data", dir, "--random-ports") // it is whole again
	if text := c.must(200, "GET", threadPath("flood", "u"), ""); !strings.Contains(text, `"n":6`) {
		t.Errorf("expected the thread of 6 events, got %s", text)
	}
}
