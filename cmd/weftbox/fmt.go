package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/definitions"
)

func newFmtCommand() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use:   "fmt PATH…",
		Short: "Write definitions in canonical form: order of keys, indentation, quotes; comments and meaning stay",
		Long: `Write definitions in canonical form: order of keys, indentation, quotes; comments and meaning stay.

A path is a definition or a folder, of which all definitions are written: YAML files with the top key "activity". The names of the files that
changed are printed. With --check nothing is written, and the exit code is 1 when a file would change.`,
		Example: "  weftbox fmt flows\n  weftbox fmt --check examples",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error {
			files, err := definitionFiles(paths)
			if err != nil {
				return err
			}
			return formatFiles(c, files, check)
		},
	}
	c.Flags().BoolVar(&check, "check", false, "write nothing; fail when a file is not in canonical form")
	return c
}

func formatFiles(c *cobra.Command, files []string, check bool) error {
	changed, unreadable := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fail(exitUsage, "", "%v", err)
		}
		out, problems := definitions.Format(text)
		if len(problems) > 0 {
			unreadable++
			p := problems[0]
			fmt.Fprintf(c.ErrOrStderr(), "%s:%d:%d: %s %s: %s\n", file, p.Line, p.Column, p.Severity, p.Code, p.Message)
			continue
		}
		if bytes.Equal(out, text) {
			continue
		}
		changed++
		if !check {
			if err := rewrite(file, out); err != nil {
				return err
			}
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), file); err != nil {
			return err
		}
	}
	switch {
	case unreadable > 0:
		return fail(exitFailed, "weftbox lint PATH", "%s could not be read and stayed as they are", counted(unreadable, "file", ""))
	case check && changed > 0:
		return fail(exitFailed, "weftbox fmt PATH", "not in canonical form: %s", counted(changed, "file", ""))
	}
	return nil
}
