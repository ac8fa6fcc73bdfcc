package pebble

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
	"github.com/weftbox/weftbox/metadata"
)

// Options of Open. The zero value is ready for use.
type Options struct {
	FS       vfs.FS        // default: the machine's file system
	Logger   pebble.Logger // nil: only errors, to stderr. Its Fatalf should end the process; a store whose process lives on refuses everything
	DiskFull func()        // called when a write finds no room, which is then tried once more; may be nil

	Beacon     bool // keep a beacon although FS is given; a store on the machine's own files always has one
	AcceptLoss bool // open a store although the beacon says that a part of it is missing
}

// ErrShortHistory is wrapped by the error of Open that says that a store lacks what was once on disk.
var ErrShortHistory = durable.ErrShortHistory

// ErrInUse says that another Store, of this process or another one, has the directory open.
var ErrInUse = errors.New("the directory is in use")

// memoryBytes is the size of the memtable and of the block cache: metadata is small and read once.
const memoryBytes = 1 << 20

// Open opens the store in dir, creating both when they are missing. The error of a directory in use is ErrInUse.
func Open(dir string, o Options) (*Store, error) {
	fs := o.FS
	if fs == nil {
		fs, o.Beacon = vfs.Default, true
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs // Pebble knows the locks of its own process by path
		}
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("metadata directory %s cannot be made: %w", dir, err)
	}
	lock, err := pebble.LockDirectory(dir, fs)
	if err != nil {
		if held(err) {
			return nil, fmt.Errorf("metadata directory %s: %w by another process, or twice by this one; stop that one, or give this one a directory of its own", dir, ErrInUse)
		}
		return nil, fmt.Errorf("metadata directory %s cannot be locked: %w", dir, err)
	}
	if o.Logger == nil {
		o.Logger = durable.ErrorLogger{Out: os.Stderr, Name: "metadata"}
	}
	s := &Store{lock: lock, guard: durable.NewGuard(o.Logger)}
	if err := s.open(dir, fs, o); err != nil {
		if strings.Contains(err.Error(), "unknown format major version") { // Pebble has no type for it
			err = fmt.Errorf("a newer program wrote it: use that one or a newer one: %w", err)
		}
		return nil, errors.Join(fmt.Errorf("metadata directory %s cannot be opened: %w", dir, err), s.release())
	}
	return s, nil
}

// held reports whether a lock was refused because someone has it, as opposed to a directory that cannot be written.
func held(err error) bool {
	var path *iofs.PathError
	return !errors.As(err, &path) && (errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) || strings.Contains(err.Error(), "lock held"))
}

// open holds the directory against its beacon, opens Pebble and reads all rows. After an error release gives back what was taken.
func (s *Store) open(dir string, fs vfs.FS, o Options) error {
	var before *durable.Mark
	if !o.AcceptLoss {
		var err error
		if before, err = durable.ReadMark(fs, dir); err != nil {
			return err
		}
	}
	if o.Beacon || before != nil { // one that is there is kept up to date: it asks for logs
		s.beacon = durable.NewBeacon(fs, dir, s.guard)
	}
	if before != nil {
		if err := before.CheckFiles(fs, dir); err != nil {
			return err
		}
		if err := s.beacon.Resume(before); err != nil {
			return fmt.Errorf("its beacon cannot be written: %w", err)
		}
	}
	files := fs
	if o.DiskFull != nil {
		files = vfs.OnDiskFull(fs, o.DiskFull)
	}
	var err error
	s.db, err = pebble.Open(dir, &pebble.Options{
		FS:   s.guard.Files(files, s.beacon),
		Lock: s.lock,
		// The zero value would be the oldest format, whose log hides corrupted records.
		FormatMajorVersion: pebble.FormatWALSyncChunks,
		MemTableSize:       memoryBytes,
		CacheSize:          memoryBytes,
		Logger:             s.guard,
		EventListener:      s.guard.Listener(),
	})
	if err != nil {
		return err
	}
	if err := s.load(); err != nil {
		return err
	}
	if before != nil {
		if err := before.CheckEnd(dir, "revision", storeName, s.meta.Revision); err != nil {
			return err
		}
	}
	return s.startBeacon()
}

// storeName stands in the beacon for the id that a store of metadata does not have.
const storeName = "metadata"

// startBeacon replaces the beacon by one that says what is on disk now.
func (s *Store) startBeacon() error {
	if s.beacon == nil {
		return nil
	}
	logs, err := s.beacon.Logs()
	if err != nil {
		return err
	}
	if err := s.db.LogData(nil, pebble.Sync); err != nil { // what a replay found in the page cache may not be on disk
		return err
	}
	if err := s.beacon.Create(storeName, s.meta.Revision, logs); err != nil {
		return fmt.Errorf("its beacon cannot be written: %w", err)
	}
	return nil
}

// mark says in the beacon that the present revision is on disk.
func (s *Store) mark() error {
	if s.beacon == nil {
		return nil
	}
	logs, err := s.beacon.Logs()
	if err == nil {
		err = s.beacon.Write(s.meta.Revision, logs)
	}
	if errors.Is(err, syscall.ENOSPC) { // a file system that copies on write; the mark before is true still
		return nil
	}
	if err != nil {
		err = fmt.Errorf("the beacon could not be written: %w", err)
	}
	return err
}

// release gives back what open took. What was committed is on disk.
func (s *Store) release() error {
	s.guard.Stop()
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	if s.beacon != nil { // after Pebble, which asks it before it removes logs
		err = errors.Join(err, s.beacon.Close())
	}
	return errors.Join(err, s.lock.Close())
}

// load reads all rows, and writes the row "m" of a new store.
func (s *Store) load() error {
	value, closer, err := s.db.Get(keyMeta)
	if errors.Is(err, pebble.ErrNotFound) {
		return s.create()
	}
	if err != nil {
		return err
	}
	s.meta, err = decodeMeta(value)
	if err := errors.Join(err, closer.Close()); err != nil {
		return fmt.Errorf("the store's description is not readable: %w", err)
	}
	if err := s.loadRows(); err != nil {
		return err
	}
	s.index()
	return nil
}

func (s *Store) create() error {
	s.meta = meta{Format: Format}
	s.index()
	value, err := s.meta.encode()
	if err != nil {
		return err
	}
	if err := s.db.Set(keyMeta, value, pebble.Sync); err != nil {
		return err
	}
	return s.db.Flush() // the first log of a new store is written in the oldest format; from here on it is not
}

func (s *Store) loadRows() (err error) {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	var r metadata.Records
	for ok := it.First(); ok; ok = it.Next() {
		if err := addRow(&r, it.Key(), it.Value()); err != nil {
			return fmt.Errorf("the row %q is not readable: %w", it.Key(), err)
		}
	}
	r.Revision = s.meta.Revision
	s.records = r
	return it.Error()
}
