package durable

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

// The beacon is a side file that says how long the history must be at least: Pebble takes damage at the end of its log, anywhere in its
// MANIFEST, and a missing log that is not the newest, for the end of what was written. Two slots are written in turns, so that a torn write
// leaves the other one; each is little-endian:
//
//	0 magic 8 · 8 number of this writing 8 · 16 turns 8 · 24 bytes of MANIFEST 8 · 32 CRC-32C of those 4 · 36 store id 16 · 52 name of
//	the MANIFEST 32 · 84 count of logs 4 · for each log: its number 8, its bytes 8 · CRC-32C of all before 4
const (
	Name           = "weftbox.beacon" // of the file, in the directory of the store
	beaconBytes    = 4096
	beaconSlot     = beaconBytes / 2
	beaconMagic    = "weftbcn2"
	beaconHead     = 88
	beaconIDBytes  = 16
	beaconManifest = 32
	maxLogs        = 64 // Pebble keeps fewer than ten
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrShortHistory is wrapped by the error of Open that says that a store lacks what was once on disk.
var ErrShortHistory = errors.New("the store has lost a part of its history")

// Mark is what a slot of the beacon says was on disk.
type Mark struct {
	Turns         uint64 // that a store counts, by any name
	StoreID       string // at most 16 bytes
	Manifest      string // file name
	ManifestBytes int64  // of its beginning
	Logs          []Log  // that the store needs, in ascending order

	number      uint64
	manifestSum uint32 // CRC-32C of ManifestBytes
}

// Log is a log file of Pebble's.
type Log struct {
	Number uint64
	Bytes  int64 // that it has at least
}

// Name is the log's file name.
func (l Log) Name() string { return fmt.Sprintf("%06d.log", l.Number) }

func (m *Mark) append(dst []byte) []byte {
	at := len(dst)
	logs := m.Logs[:min(len(m.Logs), maxLogs)]
	dst = append(dst, beaconMagic...)
	dst = binary.LittleEndian.AppendUint64(dst, m.number)
	dst = binary.LittleEndian.AppendUint64(dst, m.Turns)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.ManifestBytes))
	dst = binary.LittleEndian.AppendUint32(dst, m.manifestSum)
	dst = append(dst, make([]byte, beaconIDBytes+beaconManifest)...)
	copy(dst[at+36:at+52], m.StoreID)
	copy(dst[at+52:at+84], m.Manifest)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(logs)))
	for _, l := range logs {
		dst = binary.LittleEndian.AppendUint64(dst, l.Number)
		dst = binary.LittleEndian.AppendUint64(dst, uint64(l.Bytes))
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func decodeMark(b []byte) (m Mark, ok bool) {
	if len(b) < beaconHead || string(b[:8]) != beaconMagic {
		return m, false
	}
	count := binary.LittleEndian.Uint32(b[84:])
	end := beaconHead + 16*int(min(count, maxLogs))
	if count > maxLogs || len(b) < end+4 || crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return m, false
	}
	m = Mark{
		number: binary.LittleEndian.Uint64(b[8:]), Turns: binary.LittleEndian.Uint64(b[16:]),
		ManifestBytes: int64(binary.LittleEndian.Uint64(b[24:])), manifestSum: binary.LittleEndian.Uint32(b[32:]),
		StoreID: strings.TrimRight(string(b[36:52]), "\x00"), Manifest: strings.TrimRight(string(b[52:84]), "\x00"),
	}
	for at := beaconHead; at < end; at += 16 {
		m.Logs = append(m.Logs, Log{binary.LittleEndian.Uint64(b[at:]), int64(binary.LittleEndian.Uint64(b[at+8:]))})
	}
	return m, true
}

// ReadMark returns the newest mark of the beacon of a directory; nil when there is no beacon.
func ReadMark(fs vfs.FS, dir string) (*Mark, error) {
	text, err := readHead(fs, fs.PathJoin(dir, Name), beaconBytes)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: its beacon cannot be read: %w", dir, err)
	}
	var newest *Mark
	for at := 0; at < beaconBytes; at += beaconSlot {
		if m, ok := decodeMark(text[min(at, len(text)):]); ok && (newest == nil || m.number > newest.number) {
			newest = &m
		}
	}
	if newest == nil {
		return nil, shortHistory(dir, "its beacon, the file %s that says how long the history is, is damaged: nothing tells whether the store is whole", Name)
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

// CheckFiles looks at the files before Pebble does, which would take them for the truth and delete what they do not name.
func (m *Mark) CheckFiles(fs vfs.FS, dir string) error {
	desc, err := pebble.Peek(dir, fs)
	if err != nil {
		return err // of the same kind as the open that would come now
	}
	if !desc.Exists {
		return shortHistory(dir, "it has a beacon, and the file that names its MANIFEST is missing")
	}
	if err := m.checkLogs(fs, dir); err != nil {
		return err
	}
	if fs.PathBase(desc.ManifestFilename) != m.Manifest {
		return nil // another one has been begun since the last mark
	}
	sum, n, err := sumOf(fs, desc.ManifestFilename, 0, 0, m.ManifestBytes)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return shortHistory(dir, "its %s is missing", m.Manifest)
	case err != nil:
		return fmt.Errorf("its %s cannot be read: %w", m.Manifest, err)
	case n < m.ManifestBytes:
		return shortHistory(dir, "its %s has %d bytes, %d were on disk", m.Manifest, n, m.ManifestBytes)
	case sum != m.manifestSum:
		return shortHistory(dir, "the first %d bytes of its %s are not those that were written", n, m.Manifest)
	}
	return nil
}

// checkLogs asks for the logs that the store needs: none goes before the beacon has forgotten it.
func (m *Mark) checkLogs(fs vfs.FS, dir string) error {
	for _, l := range m.Logs {
		info, err := fs.Stat(fs.PathJoin(dir, l.Name()))
		switch {
		case errors.Is(err, os.ErrNotExist):
			return shortHistory(dir, "its log %s, of which %d bytes were on disk, is missing", l.Name(), l.Bytes)
		case err != nil:
			return fmt.Errorf("its log %s cannot be looked at: %w", l.Name(), err)
		case info.Size() < l.Bytes:
			return shortHistory(dir, "its log %s has %d bytes, %d were on disk", l.Name(), info.Size(), l.Bytes)
		}
	}
	return nil
}

// CheckEnd compares what was opened with the mark. what is the store's own name for a turn.
func (m *Mark) CheckEnd(dir, what, storeID string, turns uint64) error {
	switch {
	case m.StoreID != storeID:
		return shortHistory(dir, "its beacon belongs to store %q, the files to store %q", m.StoreID, storeID)
	case turns < m.Turns:
		return shortHistory(dir, "%s %d was on disk, the store ends with %s %d: %d %ss are missing", what, m.Turns, what, turns, m.Turns-turns, what)
	}
	return nil
}

// sumOf goes on with the sum of a file from a place to limit, or to its end (limit 0: for a mark to be written), and returns where that is.
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
	if err == nil && limit == 0 {
		err = f.Sync() // what a mark speaks of must be on disk before the mark is
	}
	return sum, from, errors.Join(err, f.Close())
}
