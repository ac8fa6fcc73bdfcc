package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// The exit codes of a process whose store can not go on.
const (
	ExitFailed   = 1
	ExitDiskFull = 10
)

// ExitCode is the code with which a process ends after an error of a store: 10 when the disk is full, 1 otherwise.
func ExitCode(err error) int {
	if errors.Is(err, syscall.ENOSPC) {
		return ExitDiskFull
	}
	return ExitFailed
}

// ErrorLogger prints errors only, each line begun with the name of the store. Fatalf ends the process, as Pebble demands: after a failed write
// of its log it would go on serving what is lost.
type ErrorLogger struct {
	Out  io.Writer
	Name string
}

// Infof prints nothing.
func (ErrorLogger) Infof(string, ...any) {}

// Errorf prints a line.
func (l ErrorLogger) Errorf(format string, args ...any) {
	fmt.Fprintf(l.Out, l.Name+": "+format+"\n", args...)
}

// Fatalf prints why, and ends the process with the exit code of the error among args.
func (l ErrorLogger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	l.Errorf("the process ends; nothing that was acknowledged is lost: see to the disk and start again")
	os.Exit(ExitCode(CauseIn(args)))
}

// CauseIn returns the error among the arguments of a log line.
func CauseIn(args []any) error {
	for _, a := range args {
		if err, ok := a.(error); ok {
			return err
		}
	}
	return nil
}

// Guard is the logger of a store, and its ear at Pebble: whatever says that commits cannot be trusted or will not come ends in the Fatalf
// of the logger within, which should end the process. Should it let the process live, as one of a simulation may, Pebble answers the failed
// commit with success: commits and reads must ask Err.
type Guard struct {
	pebble.Logger
	stall    stall
	reason   atomic.Pointer[fatalReason]
	manifest atomic.Pointer[string] // path of the newest MANIFEST; it may not be the valid one yet
}

// fatalReason is what Pebble said, and the error that it said it about.
type fatalReason struct {
	text  string
	cause error
}

func (r *fatalReason) Error() string { return r.text }
func (r *fatalReason) Unwrap() error { return r.cause }

// NewGuard returns the guard of one store.
func NewGuard(l pebble.Logger) *Guard {
	g := &Guard{Logger: l}
	g.stall.guard, g.stall.quit = g, make(chan struct{})
	return g
}

// Fatalf remembers why the process must end, and ends it.
func (g *Guard) Fatalf(format string, args ...any) {
	g.reason.CompareAndSwap(nil, &fatalReason{fmt.Sprintf(format, args...), CauseIn(args)})
	g.Logger.Fatalf(format, args...)
}

// Err returns why the process must end, nil while all is well.
func (g *Guard) Err() error {
	if reason := g.reason.Load(); reason != nil {
		return reason
	}
	return nil
}

// Stop ends the pauses between attempts that fail; call it before the store is closed.
func (g *Guard) Stop() { g.stall.stop() }

// Listener hears of failures that Pebble would repeat for ever, and of each new MANIFEST.
func (g *Guard) Listener() *pebble.EventListener {
	return &pebble.EventListener{
		// Pebble tries again at once and without end. Commits would wait for it, and with them every reader.
		FlushEnd: func(i pebble.FlushInfo) {
			// Pebble has no name for the flush of a memtable that turned out to hold nothing.
			if i.Err != nil && !errors.Is(i.Err, pebble.ErrClosed) && i.Err.Error() != "pebble: empty table" {
				g.Fatalf("what was committed cannot be written into a table: %v", i.Err)
			}
		},
		BackgroundError: g.stall.failed,
		CompactionEnd:   g.stall.compacted,
		WriteStallBegin: func(pebble.WriteStallBeginInfo) { g.stall.begin() },
		WriteStallEnd:   g.stall.end,
		ManifestCreated: func(i pebble.ManifestCreateInfo) {
			if i.Err == nil {
				g.manifest.Store(&i.Path)
			}
		},
	}
}
