package pebble

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/metadata"
)

// Options of Open. The zero value is ready for use.
type Options struct {
	FS vfs.FS // default: the machine's file system
}

// ErrInUse says that another Store, of this process or another one, has the directory open.
var ErrInUse = errors.New("the directory is in use")

// memoryBytes is the size of the memtable and of the block cache: metadata is small and read once.
const memoryBytes = 1 << 20

// quiet keeps Pebble's chatter about its own files out of the log; its errors and its last words before it ends the process stay.
type quiet struct{ pebble.Logger }

func (quiet) Infof(string, ...any) {}

// Open opens the store in dir, creating both when they are missing. The error of a directory in use is ErrInUse.
func Open(dir string, o Options) (*Store, error) {
	fs := o.FS
	if fs == nil {
		fs = vfs.Default
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
	s, err := open(dir, fs, lock)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("metadata directory %s cannot be opened: %w", dir, err), lock.Close())
	}
	return s, nil
}

// held reports whether a lock was refused because someone has it, as opposed to a directory that cannot be written.
func held(err error) bool {
	var path *iofs.PathError
	return !errors.As(err, &path) && (errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) || strings.Contains(err.Error(), "lock held"))
}

func open(dir string, fs vfs.FS, lock *pebble.Lock) (*Store, error) {
	db, err := pebble.Open(dir, &pebble.Options{
		FS:   fs,
		Lock: lock,
		// The zero value would be the oldest format, whose log hides corrupted records.
		FormatMajorVersion: pebble.FormatWALSyncChunks,
		MemTableSize:       memoryBytes,
		CacheSize:          memoryBytes,
		Logger:             quiet{pebble.DefaultLogger},
	})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, lock: lock}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
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
