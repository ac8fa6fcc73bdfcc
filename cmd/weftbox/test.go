package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/engine/sim/scenario"
)

func newTestCommand() *cobra.Command {
	var run, format string
	var verbose, crash bool
	c := &cobra.Command{
		Use:   "test PATH…",
		Short: "Run scenario files (*_test.yaml): flows on a simulated clock, with services that answer as told",
		Long: `Run scenario files: each scenario lives on a node of its own in memory, on a clock that only its steps turn.
A path is a scenario file or a folder, of which all *_test.yaml are run.`,
		Example: "  weftbox test examples/coupon\n  weftbox test --run silent -v examples/coupon/coupon_test.yaml\n  weftbox test --crash examples/coupon",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error {
			o := scenario.Options{Crash: crash}
			if run != "" {
				re, err := regexp.Compile(run)
				if err != nil {
					return fail(exitUsage, "", "--run: %v", err)
				}
				o.Run = re
			}
			return runTests(c, paths, o, format, verbose)
		},
	}
	c.Flags().StringVar(&run, "run", "", "run only scenarios whose name matches this regular expression")
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show every scenario and its story")
	c.Flags().StringVar(&format, "format", "text", "form of the report: text, json or junit")
	c.Flags().BoolVar(&crash, "crash", false, "power loss and restart after every step, turn and request: all must come out the same")
	return c
}

var testFormats = []string{"text", "json", "junit"}

func runTests(c *cobra.Command, paths []string, o scenario.Options, format string, verbose bool) error {
	if !slices.Contains(testFormats, format) {
		return fail(exitUsage, "", "there is no format %q: choose %s", format, strings.Join(testFormats, ", "))
	}
	files, err := scenario.Find(paths)
	if err != nil {
		return fail(exitUsage, "", "%v", err)
	}
	out := c.OutOrStdout()
	var done func(scenario.FileReport)
	if format == "text" {
		done = func(f scenario.FileReport) { f.WriteText(out, verbose) }
	}
	report, err := scenario.RunFiles(files, o, done)
	if err != nil {
		return fail(exitUsage, "", "%v", err)
	}
	switch format {
	case "json":
		err = report.WriteJSON(out, verbose)
	case "junit":
		err = report.WriteJUnit(out)
	}
	if err != nil {
		return err
	}
	if n := report.Failed(); n > 0 {
		return fail(exitFailed, "", "%d of what was tested failed", n)
	}
	if report.Ran() == 0 {
		return fail(exitUsage, "", "no scenario has a name that --run matches")
	}
	return nil
}
