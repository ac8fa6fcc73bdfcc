package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/text/width"
)

// output prints answers: tables for people, one JSON value a line for programs.
type output struct {
	to   io.Writer
	json bool
	bad  error // --output has a value that means nothing
}

func newOutput(c *cobra.Command) output {
	out := output{to: c.OutOrStdout()}
	form, err := c.Flags().GetString("output")
	switch {
	case err != nil:
		out.bad = err
	case form == "json":
		out.json = true
	case form == "":
		out.json = !isTerminal(out.to)
	case form != "table":
		out.bad = fail(exitUsage, c.CommandPath()+" -o json", "-o %s: write table or json", form)
	}
	return out
}

func isTerminal(w io.Writer) bool {
	f, isFile := w.(*os.File)
	if !isFile {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (o output) line(format string, args ...any) error {
	if o.bad != nil {
		return o.bad
	}
	_, err := fmt.Fprintf(o.to, format+"\n", args...)
	return err
}

// value prints one value as a line of JSON.
func (o output) value(v any) error {
	if o.bad != nil {
		return o.bad
	}
	e := json.NewEncoder(o.to)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// raw prints JSON that a node sent, as one line.
func (o output) raw(data []byte) error {
	var line bytes.Buffer
	if err := json.Compact(&line, data); err != nil {
		return fmt.Errorf("the node's answer is no JSON: %w", err)
	}
	return o.line("%s", line.String())
}

// table prints rows in columns that line up also where characters are two columns wide. The first row is the head.
func (o output) table(rows [][]string) error {
	if o.bad != nil {
		return o.bad
	}
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-columns(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(o.to, b.String())
	return err
}

// columns counts the columns that a text takes on a terminal.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// cell makes a text fit to stand in a table: on one line, at most max columns.
func cell(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if columns(s) <= most {
		return s
	}
	n := 0
	for i, r := range s {
		if n += columns(string(r)); n > most-1 {
			return s[:i] + "…"
		}
	}
	return s
}
