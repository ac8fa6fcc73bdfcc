package durable

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// files is the file system as a guarded store's Pebble sees it. It ends the process when the log cannot be written: where Pebble would notice
// it last, at the change to the next log, it panics in a way that nobody can catch, and the process would end with a code that says nothing.
// It slows down what fails again and again. And no log goes before the beacon has forgotten it.
type files struct {
	vfs.FS
	guard  *Guard
	beacon *Beacon // may be nil
}

// Files returns the file system to be given to Pebble. b may be nil: a store without a beacon.
func (g *Guard) Files(fs vfs.FS, b *Beacon) vfs.FS { return files{fs, g, b} }

func (fs files) begun(name string, f vfs.File, err error) (vfs.File, error) {
	if !isLog(name) {
		return f, err
	}
	if err != nil {
		fs.guard.Fatalf("a new log cannot be begun: %v", err)
		return f, err
	}
	return logFile{f, fs.guard}, nil
}

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func (fs files) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if c == compactionWrites {
		fs.guard.stall.pause()
	}
	f, err := fs.FS.Create(name, c)
	return fs.begun(name, f, err)
}

func (fs files) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fs.forget(oldname); err != nil {
		return fs.begun(newname, nil, err)
	}
	f, err := fs.FS.ReuseForWrite(oldname, newname, c)
	return fs.begun(newname, f, err)
}

func (fs files) Remove(name string) error {
	if err := fs.forget(name); err != nil {
		return err
	}
	return fs.FS.Remove(name)
}

// forget lets the beacon no longer ask for a log. An error leaves the log where it is: without it the next start would be refused.
func (fs files) forget(name string) error {
	if fs.beacon == nil || !isLog(name) {
		return nil
	}
	return fs.beacon.forget(fs.PathBase(name))
}

// OpenDir: a directory that cannot be synced may lose the new log.
func (fs files) OpenDir(name string) (vfs.File, error) {
	d, err := fs.FS.OpenDir(name)
	if err != nil {
		return d, err
	}
	return logFile{d, fs.guard}, nil
}

func (fs files) Unwrap() vfs.FS { return fs.FS }

// logFile is a log being written.
type logFile struct {
	vfs.File
	guard *Guard
}

func (f logFile) check(err error) error {
	if err != nil {
		f.guard.Fatalf("the log cannot be written: %v", err)
	}
	return err
}

func (f logFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.check(err)
}

func (f logFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	return n, f.check(err)
}

func (f logFile) Sync() error     { return f.check(f.File.Sync()) }
func (f logFile) SyncData() error { return f.check(f.File.SyncData()) }
func (f logFile) Close() error    { return f.check(f.File.Close()) }

func (f logFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.check(err)
}
