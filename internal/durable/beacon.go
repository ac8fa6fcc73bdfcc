package durable

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Beacon writes the marks of a store. It is safe for concurrent use.
type Beacon struct {
	fs    vfs.FS // not the guarded one
	dir   string
	guard *Guard

	mu   sync.Mutex // all below
	last Mark
	file vfs.File        // nil before Resume or Create
	gone map[string]bool // logs that were forgotten and may still lie there
}

// NewBeacon returns the beacon of a directory; nothing is written before Resume or Create.
func NewBeacon(fs vfs.FS, dir string, g *Guard) *Beacon {
	return &Beacon{fs: fs, dir: dir, guard: g, gone: map[string]bool{}}
}

// Resume goes on with the beacon that a directory has, whose newest mark is m: logs that Pebble removes while it opens are forgotten in it.
func (b *Beacon) Resume(m *Mark) (err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = *m
	b.file, err = b.fs.OpenReadWrite(b.fs.PathJoin(b.dir, Name), vfs.WriteCategoryUnspecified)
	return err
}

// Create replaces the beacon by one that says in both slots what of an opened store is on disk: turns, the MANIFEST, the logs there are.
func (b *Beacon) Create(storeID string, turns uint64, logs []Log) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = Mark{number: b.last.number, StoreID: storeID, Turns: turns, Logs: b.needed(logs)}
	if err := b.lookAtManifest(); err != nil {
		return err
	}
	text := make([]byte, 0, beaconBytes)
	for len(text) < beaconBytes {
		text = b.last.append(text)
		text = append(text, make([]byte, beaconSlot-len(text)%beaconSlot)...)
	}
	path := b.fs.PathJoin(b.dir, Name)
	f, err := b.fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if b.file != nil {
		err, b.file = b.file.Close(), nil
	}
	if err = errors.Join(err, b.fs.Rename(path+".new", path)); err != nil {
		return err
	}
	d, err := b.fs.OpenDir(b.dir)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return err
	}
	b.file, err = b.fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	return err
}

// lookAtManifest brings what the mark says of the MANIFEST up to date.
func (b *Beacon) lookAtManifest() error {
	m := &b.last
	if newest := b.guard.manifest.Load(); newest == nil || b.fs.PathBase(*newest) != m.Manifest {
		desc, err := pebble.Peek(b.dir, b.fs)
		if err != nil {
			return err
		}
		if valid := b.fs.PathBase(desc.ManifestFilename); valid != m.Manifest {
			m.Manifest, m.ManifestBytes, m.manifestSum = valid, 0, 0
		}
	}
	path := b.fs.PathJoin(b.dir, m.Manifest)
	info, err := b.fs.Stat(path)
	if errors.Is(err, os.ErrNotExist) { // replaced in this moment: what the mark says stays true
		return nil
	}
	if err != nil || info.Size() == m.ManifestBytes {
		return err
	}
	sum, n, err := sumOf(b.fs, path, m.manifestSum, m.ManifestBytes, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		m.manifestSum, m.ManifestBytes = sum, n
	}
	return err
}

// Logs returns the logs that lie there, each with its present size. What they hold must be synced before it is given to Write or Create.
func (b *Beacon) Logs() ([]Log, error) {
	names, err := b.fs.List(b.dir)
	if err != nil {
		return nil, fmt.Errorf("the logs cannot be listed: %w", err)
	}
	var logs []Log
	for _, name := range names {
		number, err := strconv.ParseUint(strings.TrimSuffix(name, ".log"), 10, 64)
		if err != nil || (Log{Number: number}).Name() != name {
			continue
		}
		info, err := b.fs.Stat(b.fs.PathJoin(b.dir, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed in this moment
		}
		if err != nil {
			return nil, fmt.Errorf("log %s cannot be looked at: %w", name, err)
		}
		if info.Size() > 0 {
			logs = append(logs, Log{number, info.Size()})
		}
	}
	slices.SortFunc(logs, func(a, b Log) int { return int(int64(a.Number) - int64(b.Number)) })
	return logs, nil
}

// needed leaves out what was forgotten since the logs were listed.
func (b *Beacon) needed(logs []Log) []Log {
	for name := range b.gone {
		if !slices.ContainsFunc(logs, func(l Log) bool { return l.Name() == name }) {
			delete(b.gone, name) // it was listed no more: it is gone
		}
	}
	return slices.DeleteFunc(slices.Clone(logs), func(l Log) bool { return b.gone[l.Name()] })
}

// Write marks that turns, the logs and the MANIFEST as it is are on disk.
func (b *Beacon) Write(turns uint64, logs []Log) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.lookAtManifest(); err != nil {
		return err
	}
	next := b.last
	next.Turns, next.Logs = turns, b.needed(logs)
	return b.put(next)
}

// put writes a mark into the slot that is older.
func (b *Beacon) put(next Mark) error {
	next.number++ // of this writing only when it is done: one that failed must not send the next to the other, good slot
	if _, err := b.file.WriteAt(next.append(nil), int64(next.number%2)*beaconSlot); err != nil {
		return err
	}
	if err := b.file.SyncData(); err != nil {
		return err
	}
	b.last = next
	return nil
}

// forget no longer asks for a log.
func (b *Beacon) forget(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gone[name] = true
	at := slices.IndexFunc(b.last.Logs, func(l Log) bool { return l.Name() == name })
	if at < 0 || b.file == nil {
		return nil
	}
	next := b.last
	next.Logs = slices.Delete(slices.Clone(next.Logs), at, at+1)
	return b.put(next)
}

// Close gives the file back.
func (b *Beacon) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}
