package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The exit codes of a process whose store can not go on.
const (
	exitFailed   = 1
	exitDiskFull = 10
)

// ExitCode is the code with which a process ends after an error of a store: 10 when the disk is full, 1 otherwise.
func ExitCode(err error) int {
	if errors.Is(err, syscall.ENOSPC) {
		return exitDiskFull
	}
	return exitFailed
}

// errorLogger prints errors only. Fatalf ends the process, as Pebble demands: after a failed write of its log it would go on serving
// what is lost.
type errorLogger struct{ out io.Writer }

func (errorLogger) Infof(string, ...any) {}
func (l errorLogger) Errorf(format string, args ...any) {
	fmt.Fprintf(l.out, "store: "+format+"\n", args...)
}
func (l errorLogger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	l.Errorf("the process ends; nothing that was acknowledged is lost: see to the disk and start again")
	os.Exit(ExitCode(causeIn(args)))
}

// causeIn returns the error among the arguments of a log line.
func causeIn(args []any) error {
	for _, a := range args {
		if err, ok := a.(error); ok {
			return err
		}
	}
	return nil
}

// fatalLogger remembers that Pebble called Fatalf. Should the Logger given let the process live, as one of a simulation may, Pebble
// answers the failed commit with success: commits and reads must ask here.
type fatalLogger struct {
	pebble.Logger
	reason atomic.Pointer[fatalReason]
}

// fatalReason is what Pebble said, and the error that it said it about.
type fatalReason struct {
	text  string
	cause error
}

func (r *fatalReason) Error() string { return r.text }
func (r *fatalReason) Unwrap() error { return r.cause }

func (l *fatalLogger) Fatalf(format string, args ...any) {
	l.reason.CompareAndSwap(nil, &fatalReason{fmt.Sprintf(format, args...), causeIn(args)})
	l.Logger.Fatalf(format, args...)
}

// logFS ends the process when Pebble's log cannot be written: where Pebble would notice it last, at the change to the next log, it panics
// in a way that nobody can catch, and the process would end with a code that says nothing. And it slows down what fails again and again.
type logFS struct {
	vfs.FS
	fatal *fatalLogger
	stall *stall
}

func (fs logFS) begun(name string, f vfs.File, err error) (vfs.File, error) {
	if !strings.HasSuffix(name, ".log") {
		return f, err
	}
	if err != nil {
		fs.fatal.Fatalf("a new log cannot be begun: %v", err)
		return f, err
	}
	return logFile{f, fs.fatal}, nil
}

func (fs logFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if c == compactionWrites {
		fs.stall.pause()
	}
	f, err := fs.FS.Create(name, c)
	return fs.begun(name, f, err)
}

func (fs logFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(oldname, newname, c)
	return fs.begun(newname, f, err)
}

// OpenDir: a directory that cannot be synced may lose the new log.
func (fs logFS) OpenDir(name string) (vfs.File, error) {
	d, err := fs.FS.OpenDir(name)
	if err != nil {
		return d, err
	}
	return logFile{d, fs.fatal}, nil
}

func (fs logFS) Unwrap() vfs.FS { return fs.FS }

// logFile is a log being written.
type logFile struct {
	vfs.File
	fatal *fatalLogger
}

func (f logFile) check(err error) error {
	if err != nil {
		f.fatal.Fatalf("the log cannot be written: %v", err)
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

// usable says why nothing can be read or written any more. The store's lock must be held.
func (s *Store) usable() error {
	if s.down != nil {
		return s.down
	}
	if reason := s.fatal.reason.Load(); reason != nil {
		return fmt.Errorf("store %s: a write failed, the process must end: %w", s.dir, reason)
	}
	return nil
}
