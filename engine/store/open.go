package store

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
	"github.com/weftbox/weftbox/internal/fault"
)

const (
	maxSlots        = 16384
	defaultSlots    = 256
	defaultCache    = 64 << 20
	defaultMemTable = 32 << 20

	// pebbleFormat is named, not "the newest", so that a new library does not rewrite stores on its own: the way is one-way.
	// From FormatWALSyncChunks on, damage in the write-ahead log is found.
	pebbleFormat = pebble.FormatValueSeparation
)

// Store is one directory of state. Reads are safe for concurrent use and see synced state only (with durability relaxed or memory:
// committed state only).
type Store struct {
	dir         string
	db          *pebble.DB
	slots       uint16
	durability  Durability
	commitSlots bool

	lock  *pebble.Lock
	disk  *disk
	turns atomic.Uint64 // given to rows m of the node, also those not committed yet

	// mu is held for writing from the moment a commit is applied until it is synced (Apply: only while it is applied, and readers pass the
	// barrier before they tell what they saw): Pebble shows a write to readers before it is on
	// disk, and nobody may act on what a power loss can take back. Readers hold it only while they open an iterator.
	mu         sync.RWMutex
	down       error // why nothing can be read or written any more: closed, or a commit failed
	node       NodeMeta
	generation uint64 // counts commits; an idle iterator of an older one is stale
	idle       idleIterators
	barrier    barrier
	readers    sync.WaitGroup // open iterators; Close waits for them

	nodeUnknown []byte // fields of a newer program in the node's row m; fixed at Open
	slotMetas   slotUnknowns

	guard      *durable.Guard
	beacon     *durable.Beacon // may be nil
	keysRead   atomic.Int64
	writes     atomic.Int64
	background *syncer // nil: nothing is synced in the background
}

var (
	errClosed = errors.New("store: it is closed")
	errInUse  = errors.New("the directory is in use")
)

// Open opens or creates the store in dir. Errors say what is wrong and what to do: another format, another number of slots,
// a directory used by another process.
func Open(dir string, o Options) (*Store, error) {
	if o.Slots > maxSlots {
		return nil, fmt.Errorf("store: %d slots were asked for: choose a number from 1 to %d", o.Slots, maxSlots)
	}
	fs := o.FS
	if fs == nil && o.Durability == Memory {
		fs = vfs.NewMem()
	}
	if fs == nil {
		fs, o.Beacon = vfs.Default, true
	}
	if o.Logger == nil {
		o.Logger = durable.ErrorLogger{Out: os.Stderr, Name: "store"}
	}
	s := &Store{dir: dir, durability: o.Durability, commitSlots: o.CommitSlots, guard: durable.NewGuard(o.Logger)}
	s.barrier.moved.L = &s.barrier.mu
	o.Logger = s.guard
	s.disk = newDisk(fs, dir, o)
	if err := s.open(fs, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open locks the directory, holds it against its beacon, opens Pebble, and starts what runs beside it. After an error Close gives back
// what was taken.
func (s *Store) open(fs vfs.FS, o Options) error {
	if err := fs.MkdirAll(s.dir, 0o755); err != nil {
		return explainOpen(s.dir, err)
	}
	var err error
	if s.lock, err = pebble.LockDirectory(s.dir, lockNamingFS{fs}); err != nil {
		return explainOpen(s.dir, err)
	}
	_ = fs.Remove(s.disk.path) // the ballast of a killed process: a disk that is full by now needs its room to open at all
	var before *durable.Mark
	if !o.AcceptLoss {
		if before, err = durable.ReadMark(fs, s.dir); err != nil {
			return err
		}
	}
	if (o.Beacon || before != nil) && s.durability != Memory { // one that is there is kept up to date: it asks for logs
		s.beacon = durable.NewBeacon(fs, s.dir, s.guard)
	}
	if before != nil {
		if err := before.CheckFiles(fs, s.dir); errors.Is(err, ErrShortHistory) {
			return err
		} else if err != nil {
			return explainOpen(s.dir, err)
		}
	}
	if before != nil && s.beacon != nil {
		if err := s.beacon.Resume(before); err != nil {
			return fmt.Errorf("store %s: its beacon cannot be written: %w", s.dir, err)
		}
	}
	p := pebbleOptions(s.guard.Files(vfs.OnDiskFull(fs, s.disk.release), s.beacon), o)
	p.Lock = s.lock
	p.EventListener = s.guard.Listener()
	if s.db, err = pebble.Open(s.dir, p); err != nil {
		return explainOpen(s.dir, err)
	}
	if err := s.readNode(o.Slots); err != nil {
		return err
	}
	if before != nil {
		if err := before.CheckEnd(s.dir, "turn", s.node.StoreID, s.node.Turns); err != nil {
			return err
		}
	}
	s.slots = s.node.Slots
	s.turns.Store(s.node.Turns)
	s.slotMetas.init(s.slots)
	if s.beacon != nil {
		if err := s.startBeacon(); err != nil {
			return err
		}
	}
	s.disk.start()
	if s.durability == Relaxed || s.beacon != nil {
		s.background = startSyncer(s)
	}
	return nil
}

// startBeacon replaces the beacon by one that says what is on disk now.
func (s *Store) startBeacon() error {
	logs, err := s.beacon.Logs()
	if err != nil {
		return err
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil { // what a replay found in the page cache may not be on disk
		return err
	}
	if err := s.beacon.Create(s.node.StoreID, s.node.Turns, logs); err != nil {
		return fmt.Errorf("store %s: its beacon cannot be written: %w", s.dir, err)
	}
	return nil
}

func pebbleOptions(fs vfs.FS, o Options) *pebble.Options {
	p := &pebble.Options{
		FS:                          fs,
		Comparer:                    comparer,
		Merger:                      merger,
		FormatMajorVersion:          pebbleFormat,
		CacheSize:                   o.CacheBytes,
		MemTableSize:                uint64(o.MemTableBytes),
		MemTableStopWritesThreshold: 4,
		DisableWAL:                  o.Durability == Memory,
		Logger:                      o.Logger,
	}
	if p.CacheSize == 0 {
		p.CacheSize = defaultCache
	}
	if p.MemTableSize == 0 {
		p.MemTableSize = defaultMemTable
	}
	// Pebble takes the memory of its memtables out of the cache. Without room for three of them (one written, one being flushed, one
	// kept for reuse or for a reader) nothing would be left for blocks, and each look-up would read its filter from disk.
	p.CacheSize += 3 * int64(p.MemTableSize)
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return p
}

// lockNamingFS marks the errors of Lock, which Pebble returns among those of all other operations.
type lockNamingFS struct{ vfs.FS }

func (fs lockNamingFS) Lock(name string) (io.Closer, error) {
	c, err := fs.FS.Lock(name)
	if err != nil && !errors.Is(err, os.ErrPermission) {
		err = fmt.Errorf("%w: %w", errInUse, err)
	}
	return c, err
}

func (fs lockNamingFS) Unwrap() vfs.FS { return fs.FS }

func explainOpen(dir string, err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, errInUse):
		return fmt.Errorf("store %s is used by another process: stop that one or choose another directory (%w)", dir, err)
	case strings.Contains(text, "comparer name"), strings.Contains(text, "merger name"):
		return fmt.Errorf("%s holds a Pebble store of another program or of another format: choose another directory (%w)", dir, err)
	case strings.Contains(text, "unknown format major version"):
		return fmt.Errorf("store %s was written by a newer program: use that one or a newer one (%w)", dir, err)
	}
	return fmt.Errorf("store %s cannot be opened: %w", dir, err)
}

// readNode reads the node's row m, the only row that opening reads. A store without any row is new and gets one.
func (s *Store) readNode(slots uint16) error {
	key := appendHead(nil, NodeSlot, letterMeta)
	value, ok, err := s.lookup(func(dst []byte) []byte { return append(dst, key...) })
	if err != nil {
		return err
	}
	if !ok {
		return s.create(slots)
	}
	node, format, unknown, err := decodeNodeMeta(value)
	switch {
	case err != nil && value != "" && value[0] > rowFormat:
		format = uint64(value[0])
		fallthrough
	case err == nil && format != storeFormat:
		return fmt.Errorf("store %s has format %d, this program reads format %d: use the program that wrote it or a newer one", s.dir, format, storeFormat)
	case err != nil:
		return corrupt(key, err)
	case node.Slots == 0 || node.Slots > maxSlots || node.StoreID == "":
		return corrupt(key, errors.New("it names no store id or no number of slots"))
	case slots != 0 && slots != node.Slots:
		return fmt.Errorf("store %s has %d slots, %d were asked for: the number is fixed when a store is created; leave it out or choose an empty directory",
			s.dir, node.Slots, slots)
	}
	s.node, s.nodeUnknown = node, unknown
	return nil
}

func (s *Store) create(slots uint16) error {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return fmt.Errorf("store %s cannot be read: %w", s.dir, err)
	}
	empty := !it.First()
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		return fmt.Errorf("store %s cannot be read: %w", s.dir, err)
	}
	if !empty {
		return fmt.Errorf("store %s has rows but not the one that names the store: restore it from a backup", s.dir)
	}
	if slots == 0 {
		slots = defaultSlots
	}
	var draw [5]byte
	rand.Read(draw[:])
	s.node = NodeMeta{StoreID: strings.ToLower(base32.StdEncoding.EncodeToString(draw[:])), Slots: slots}
	err = s.db.Set(appendHead(nil, NodeSlot, letterMeta), appendNodeMeta(nil, s.node, nil), s.writeOptions())
	if err != nil {
		return fmt.Errorf("store %s cannot be created: %w", s.dir, err)
	}
	// The first log of a new store is written in Pebble's oldest format, in which damage is not noticed; the flush begins another.
	if err := s.db.Flush(); err != nil {
		return fmt.Errorf("store %s cannot be created: %w", s.dir, err)
	}
	return nil
}

func (s *Store) writeOptions() *pebble.WriteOptions {
	if s.durability == Sync && !fault.On("commit-without-sync") {
		return pebble.Sync
	}
	return pebble.NoSync
}

// Close waits for open reads and releases the directory. What was committed is on disk, unless durability is memory.
func (s *Store) Close() error {
	if s.background != nil {
		s.background.stop()
	}
	s.disk.stop()
	s.guard.Stop()
	s.mu.Lock()
	if errors.Is(s.down, errClosed) {
		s.mu.Unlock()
		return nil
	}
	failed := s.usable()
	s.down = errClosed
	err := s.idle.closeAll()
	s.mu.Unlock()
	s.readers.Wait()
	if s.background != nil && failed == nil {
		err = errors.Join(err, s.db.LogData(nil, pebble.Sync))
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if s.beacon != nil { // after Pebble, which asks it before it removes logs
		err = errors.Join(err, s.lastMark(err == nil && failed == nil), s.beacon.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// Node returns the node's meta row as committed.
func (s *Store) Node() NodeMeta {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.node
}

// Usage returns the present usage.
func (s *Store) Usage() Usage {
	u := Usage{KeysRead: s.keysRead.Load(), Disk: s.Disk()}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.down == nil {
		u.DiskBytes = int64(s.db.Metrics().DiskSpaceUsage())
	}
	return u
}
