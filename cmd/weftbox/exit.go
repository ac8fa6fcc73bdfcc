package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/expr"
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
			f.code, f.text, f.next = exitUsage, usageText(c, err.Error()), c.CommandPath()+" --help"
			if near := nearCommand(c, err.Error()); near != "" {
				f.next = near
			}
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

var (
	wrongCount  = regexp.MustCompile(`^(?:accepts|requires) .* arg\(s\),? (?:only )?received (\d+)$`)
	goInside    = regexp.MustCompile(`: strconv\.Parse(\w+): parsing .*: (invalid syntax|value out of range)$`)
	unknownOne  = regexp.MustCompile(`^unknown command "([^"]*)" for`)
	flagInUsage = regexp.MustCompile(`(?m)^ +(?:-\w, +|)--([a-z-]+)`)
	unknownFlag = regexp.MustCompile(`^unknown flag: --(\S+)$`)
)

// usageText says in words of the command line what cobra says in those of Go.
func usageText(c *cobra.Command, text string) string {
	switch m := wrongCount.FindStringSubmatch(text); {
	case m != nil:
		wanted := strings.TrimSuffix(c.Use, " [flags]")
		n, _ := strconv.Atoi(m[1])
		return fmt.Sprintf("the command is %q, this has %s", strings.TrimSuffix(c.CommandPath(), c.Name())+wanted, counted(n, "argument", ""))
	case unknownFlag.MatchString(text):
		if near := nearFlag(c, unknownFlag.FindStringSubmatch(text)[1]); near != "" {
			return text + ": did you mean --" + near + "?"
		}
	}
	m := goInside.FindStringSubmatch(text)
	switch {
	case m == nil:
		return text
	case m[2] == "value out of range":
		return strings.TrimSuffix(text, m[0]) + ": this number is too small or too large"
	case m[1] == "Bool":
		return strings.TrimSuffix(text, m[0]) + ": write true or false"
	}
	return strings.TrimSuffix(text, m[0]) + ": write a whole number"
}

// nearCommand returns the command line that was probably meant by one with an unknown command, "" where none is near.
func nearCommand(c *cobra.Command, text string) string {
	m := unknownOne.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(append(names, sub.Name()), sub.Aliases...)
	}
	if near := expr.Nearest(m[1], names); near != "" {
		return c.CommandPath() + " " + near
	}
	return ""
}

func nearFlag(c *cobra.Command, name string) string {
	name, _, _ = strings.Cut(name, "=")
	var names []string
	for _, m := range flagInUsage.FindAllStringSubmatch(c.LocalFlags().FlagUsages()+c.InheritedFlags().FlagUsages(), -1) {
		names = append(names, m[1])
	}
	return expr.Nearest(name, names)
}

func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesText, Args: cobra.NoArgs}
}
