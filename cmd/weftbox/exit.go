package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes. They are documented by "weftbox help exit-codes".
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitNotFound    = 4
	exitConflict    = 5
	exitNotAllowed  = 6
	exitPartly      = 7
	exitDiskFull    = 10 // the engine says so too
	exitTimeout     = 124
	exitInterrupted = 130
)

const exitCodesText = `  0    ok
  1    the thing asked for failed
  2    wrong usage, or an unreadable file
  3    the server is not reachable
  4    not found
  5    conflict: other content is there, or the state does not allow it
  6    not allowed
  7    partly done
  10   the disk is full (serve)
  124  timed out
  130  interrupted
`

// failure is an error that knows the exit code and what to type next.
type failure struct {
	code int
	text string
	next string // a command line; may be empty
}

func (f *failure) Error() string { return f.text }

// ExitCode is the process's exit code.
func (f *failure) ExitCode() int { return f.code }

func fail(code int, next, format string, args ...any) error {
	return &failure{code, fmt.Sprintf(format, args...), next}
}

// report prints an error and returns the exit code.
func report(stderr io.Writer, c *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{code: exitFailed, text: err.Error()}
		var coded interface{ ExitCode() int }
		switch {
		case errors.As(err, &coded):
			f.code = coded.ExitCode()
		case errors.Is(err, context.Canceled):
			f.code, f.text = exitInterrupted, "interrupted"
		case errors.Is(err, context.DeadlineExceeded):
			f.code = exitTimeout
		case isUsage(err):
			f.code, f.next = exitUsage, c.CommandPath()+" --help"
		}
	}
	if f.text != "" { // otherwise all was said already
		fmt.Fprintln(stderr, "error: "+strings.TrimSpace(f.text))
	}
	if f.next != "" {
		fmt.Fprintln(stderr, "try:   "+f.next)
	}
	return f.code
}

// isUsage recognises what cobra says about a wrong command line; it gives its errors no type.
func isUsage(err error) bool {
	for _, begin := range []string{"unknown command", "unknown flag", "unknown shorthand flag", "accepts ", "requires at least", "required flag", "invalid argument", "flag needs an argument", "bad flag syntax"} {
		if strings.HasPrefix(err.Error(), begin) {
			return true
		}
	}
	return false
}

func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesText, Args: cobra.NoArgs}
}
