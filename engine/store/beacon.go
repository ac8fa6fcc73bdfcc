package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The beacon is a side file that says how long the history must be at least: Pebble takes damage at the end of its log, and anywhere in
// its MANIFEST, for the end of what was written. Two slots are written in turns, so that a torn write leaves the other one; each is
// fixed-width, little-endian:
//
//	0 magic 8 · 8 number of this writing 8 · 16 turns 8 · 24 bytes of MANIFEST 8 · 32 CRC-32C of those 4 · 36 store id 16 · 52 name of
//	the MANIFEST 32 · 84 CRC-32C of all before 4
const (
	beaconName     = "weftbox.beacon"
	beaconBytes    = 4096
	beaconSlot     = beaconBytes / 2
	beaconMagic    = "weftbcn1"
	beaconPayload  = 84
	beaconRecord   = beaconPayload + 4
	beaconIDBytes  = 16
	beaconManifest = 32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrShortHistory is wrapped by the error of Open that says that a store lacks what was once on disk.
var ErrShortHistory = errors.New("the store has lost a part of its history")

// mark is what a slot of the beacon says.
type mark struct {
	number        uint64
	turns         uint64 // NodeMeta.Turns that was on disk
	storeID       string
	manifest      string // file name
	manifestBytes int64  // of its beginning that were on disk
	manifestSum   uint32 // CRC-32C of those
}

func (m *mark) append(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, beaconMagic...)
	dst = binary.LittleEndian.AppendUint64(dst, m.number)
	dst = binary.LittleEndian.AppendUint64(dst, m.turns)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.manifestBytes))
	dst = binary.LittleEndian.AppendUint32(dst, m.manifestSum)
	dst = append(dst, make([]byte, beaconIDBytes+beaconManifest)...)
	copy(dst[at+36:at+52], m.storeID)
	copy(dst[at+52:at+84], m.manifest)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func decodeMark(b []byte) (m mark, ok bool) {
	if len(b) < beaconRecord || string(b[:8]) != beaconMagic || crc32.Checksum(b[:beaconPayload], castagnoli) != binary.LittleEndian.Uint32(b[beaconPayload:]) {
		return m, false
	}
	return mark{
		number: binary.LittleEndian.Uint64(b[8:]), turns: binary.LittleEndian.Uint64(b[16:]),
		manifestBytes: int64(binary.LittleEndian.Uint64(b[24:])), manifestSum: binary.LittleEndian.Uint32(b[32:]),
		storeID: strings.TrimRight(string(b[36:52]), "\x00"), manifest: strings.TrimRight(string(b[52:84]), "\x00"),
	}, true
}

// readBeacon returns the newest mark of the beacon of a directory; nil when there is no beacon.
func readBeacon(fs vfs.FS, dir string) (*mark, error) {
	text, err := readHead(fs, fs.PathJoin(dir, beaconName), beaconBytes)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: its beacon cannot be read: %w", dir, err)
	}
	var newest *mark
	for at := 0; at < beaconBytes; at += beaconSlot {
		if m, ok := decodeMark(text[min(at, len(text)):]); ok && (newest == nil || m.number > newest.number) {
			newest = &m
		}
	}
	if newest == nil {
		return nil, shortHistory(dir, "its beacon, the file %s that says how long the history is, is damaged: nothing tells whether the store is whole", beaconName)
	}
	return newest, nil
}

// readHead returns the first bytes of a file, at most n.
func readHead(fs vfs.FS, path string, n int64) (text []byte, err error) {
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, n))
}

func shortHistory(dir, format string, args ...any) error {
	return fmt.Errorf("%w: store %s: %s. Restore it from a backup, or look for what the disk did; to start with what is left, accept the loss (weftbox serve --accept-loss)",
		ErrShortHistory, dir, fmt.Sprintf(format, args...))
}

// checkFiles looks at the files before Pebble does, which would take them for the truth and delete what they do not name.
func (m *mark) checkFiles(fs vfs.FS, dir string) error {
	desc, err := pebble.Peek(dir, fs)
	if err != nil {
		return explainOpen(dir, err)
	}
	if !desc.Exists {
		return shortHistory(dir, "it had %d turns, and now the file that names its MANIFEST is missing", m.turns)
	}
	if fs.PathBase(desc.ManifestFilename) != m.manifest {
		return nil // another one has been begun since the last mark
	}
	sum, n, err := sumOf(fs, desc.ManifestFilename, 0, 0, m.manifestBytes)
	switch {
	case err != nil:
		return shortHistory(dir, "its %s cannot be read: %v", m.manifest, err)
	case n < m.manifestBytes:
		return shortHistory(dir, "its %s has %d bytes, %d were on disk", m.manifest, n, m.manifestBytes)
	case sum != m.manifestSum:
		return shortHistory(dir, "the first %d bytes of its %s are not those that were written", n, m.manifest)
	}
	return nil
}

// checkTurns compares what was opened with the mark.
func (m *mark) checkTurns(dir string, is NodeMeta) error {
	switch {
	case m.storeID != is.StoreID:
		return shortHistory(dir, "its beacon belongs to store %q, the files to store %q", m.storeID, is.StoreID)
	case is.Turns < m.turns:
		return shortHistory(dir, "turn %d was on disk, the store ends with turn %d: %d turns are missing", m.turns, is.Turns, m.turns-is.Turns)
	}
	return nil
}

// sumOf goes on with the sum of a file from a place to its end, at most to limit (0: no limit), and returns where that is.
func sumOf(fs vfs.FS, path string, sum uint32, from, limit int64) (uint32, int64, error) {
	f, err := fs.Open(path)
	if err != nil {
		return sum, from, err
	}
	buf := make([]byte, 64<<10)
	for err == nil && (limit == 0 || from < limit) {
		if limit > 0 && limit-from < int64(len(buf)) {
			buf = buf[:limit-from]
		}
		var n int
		n, err = f.ReadAt(buf, from)
		sum = crc32.Update(sum, castagnoli, buf[:n])
		from += int64(n)
	}
	if err == io.EOF {
		err = nil
	}
	if err == nil {
		err = f.Sync() // what the mark speaks of must be on disk before the mark is
	}
	return sum, from, errors.Join(err, f.Close())
}

// beacon writes the marks of an open store.
type beacon struct {
	fs   vfs.FS
	dir  string
	last mark
	file vfs.File

	announced func() *string // path of the newest MANIFEST; it may not be the valid one yet
}

// createBeacon replaces the beacon of a directory by one that holds m in both slots.
func createBeacon(fs vfs.FS, dir string, m mark, announced func() *string) (*beacon, error) {
	b := &beacon{fs: fs, dir: dir, last: m, announced: announced}
	if err := b.lookAtManifest(); err != nil {
		return nil, err
	}
	text := make([]byte, 0, beaconBytes)
	for len(text) < beaconBytes {
		text = b.last.append(text)
		text = append(text, make([]byte, beaconSlot-len(text)%beaconSlot)...)
	}
	path := fs.PathJoin(dir, beaconName)
	f, err := fs.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := fs.Rename(path+".new", path); err != nil {
		return nil, err
	}
	d, err := fs.OpenDir(dir)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return nil, err
	}
	b.file, err = fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	return b, err
}

// lookAtManifest brings what the mark says of the MANIFEST up to date.
func (b *beacon) lookAtManifest() error {
	m := &b.last
	if newest := b.announced(); newest == nil || b.fs.PathBase(*newest) != m.manifest {
		desc, err := pebble.Peek(b.dir, b.fs)
		if err != nil {
			return err
		}
		if valid := b.fs.PathBase(desc.ManifestFilename); valid != m.manifest {
			m.manifest, m.manifestBytes, m.manifestSum = valid, 0, 0
		}
	}
	path := b.fs.PathJoin(b.dir, m.manifest)
	info, err := b.fs.Stat(path)
	if errors.Is(err, os.ErrNotExist) { // replaced in this moment: what the mark says stays true
		return nil
	}
	if err != nil || info.Size() == m.manifestBytes {
		return err
	}
	sum, n, err := sumOf(b.fs, path, m.manifestSum, m.manifestBytes, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		m.manifestSum, m.manifestBytes = sum, n
	}
	return err
}

// write marks that turns are on disk.
func (b *beacon) write(turns uint64) error {
	if err := b.lookAtManifest(); err != nil {
		return err
	}
	next := b.last
	next.number++ // of this writing only when it is done: one that failed must not send the next to the other, good slot
	next.turns = turns
	if _, err := b.file.WriteAt(next.append(nil), int64(next.number%2)*beaconSlot); err != nil {
		return err
	}
	if err := b.file.SyncData(); err != nil {
		return err
	}
	b.last = next
	return nil
}

func (b *beacon) close() error { return b.file.Close() }
