package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/bench/load"
)

// benchFlags are what a measurement can be told.
type benchFlags struct {
	o          load.Options
	durability string
	format     string
	quiet      bool
	profile    string
	out        string // growth: where plots are written
}

func newBenchCommand() *cobra.Command {
	f := &benchFlags{}
	long := "Measure events/s, acknowledgement times, CPU and allocations, beside what bare Pebble does with turns of the same sizes in the same run.\n\n" +
		"Without --server an engine runs inside this process, on a directory that is removed again. With --server a running node is driven over HTTP: it\n" +
		"keeps the activity and the threads of the run, so start one for the purpose; CPU, allocations and memory are then the node's. Afterwards\n" +
		"every thread is read: an event that was sent and not applied, or applied twice, is an error.\n\nScenarios, all by default:\n"
	for _, name := range load.ScenarioNames() {
		long += fmt.Sprintf("  %-8s %s\n", name, load.Summary(name))
	}
	c := &cobra.Command{
		Use:   "bench [SCENARIO...]",
		Short: "Measure the engine beside the limit of the disk",
		Long:  long,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.complete(c, "table", "json"); err != nil {
				return err
			}
			f.o.Scenarios = args
			if err := f.check(); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM) // or the directories would stay behind
			defer stop()
			var report *load.Report
			err := f.profiled(func() (err error) {
				report, err = load.Run(ctx, f.o)
				return err
			})
			if report == nil || err != nil && len(report.Results) == 0 {
				return err
			}
			if f.format == "json" { // with an error, what was measured before it
				return errors.Join(err, report.JSON(c.OutOrStdout()))
			}
			return errors.Join(err, report.Table(c.OutOrStdout()))
		},
	}
	f.flags(c)
	c.Flags().StringVar(&f.profile, "cpu-profile", "", "file for a CPU profile of the whole run, for go tool pprof; with --no-ceiling it shows the engine alone")
	c.AddCommand(newBenchGrowthCommand())
	return c
}

func newBenchGrowthCommand() *cobra.Command {
	f := &benchFlags{}
	c := &cobra.Command{
		Use:   "growth",
		Short: "Measure how the cost of an event moves with threads, activities and variables",
		Long: "Measure scenario counter for 10^4 to --threads waiting threads (default 1,000,000; the events go to --hot of them, default 10,000), beside 1 to\n" +
			"--activities unrelated activities, and with variables of 100 to 4,000 bytes. --format svg also writes a plot of each series into --out.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.complete(c, "table", "json", "svg"); err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
			}
			if f.format == "svg" { // not after minutes of measuring
				if err := os.MkdirAll(f.out, 0o755); err != nil {
					return fail(exitUsage, "choose another --out", "%v", err)
				}
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			g, err := load.Growth(ctx, f.o)
			if err != nil {
				return err
			}
			if f.format == "json" {
				return g.JSON(c.OutOrStdout())
			}
			if f.format == "svg" {
				if err := writePlots(c.OutOrStdout(), f.out, g); err != nil {
					return err
				}
			}
			return g.Table(c.OutOrStdout())
		},
	}
	f.flags(c)
	c.Flags().StringVar(&f.out, "out", "docs", "where --format svg writes performance-threads.svg, performance-activities.svg and performance-vars.svg")
	return c
}

func writePlots(out io.Writer, dir string, g *load.GrowthReport) error {
	for _, s := range g.Series {
		path := filepath.Join(dir, "performance-"+s.Name+".svg")
		if err := os.WriteFile(path, s.SVG(), 0o644); err != nil {
			return fail(exitUsage, "", "%v", err)
		}
		fmt.Fprintln(out, path)
	}
	return nil
}

func (f *benchFlags) flags(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.o.Dir, "dir", "", "where directories are made and removed again (default: the system's temporary folder)")
	p.StringVar(&f.durability, "durability", "sync", `of the engine inside this process: "sync", "relaxed" or "memory"`)
	p.StringVar(&f.format, "format", "table", `"table" or "json"; growth also "svg"`)
	p.IntVar(&f.o.Threads, "threads", 0, "waiting threads (default 100,000)")
	p.IntVar(&f.o.Hot, "hot", 0, "threads that get the events (default 20,000)")
	p.IntVar(&f.o.Events, "events", 0, "events of one round (default 100,000)")
	p.IntVar(&f.o.Activities, "activities", 0, "the most unrelated activities of fanout (default 10,000)")
	p.IntVar(&f.o.VarsBytes, "vars-bytes", 0, "bytes of text in the variables of each thread")
	p.IntVar(&f.o.Rounds, "rounds", 0, "rounds measured after the warm-up (default 3)")
	p.IntVar(&f.o.Connections, "connections", 0, "senders that each wait for the answer to their array (default 40, with --server 16)")
	p.IntVar(&f.o.Array, "array", 0, "events of one array (default 100)")
	p.IntVar(&f.o.Rate, "rate", 0, "events/s offered whatever the answers (default: as fast as they are answered)")
	p.Int64Var(&f.o.CacheBytes, "cache-bytes", 0, "of the store's block cache, and of the engine's threads in memory (default: their own, for cold 8 MiB each)")
	p.DurationVar(&f.o.RoundLimit, "round-limit", 0, "a round sends nothing more after this time (default 30s)")
	p.Uint64Var(&f.o.Seed, "seed", 0, "seed of all draws (default 1)")
	p.BoolVar(&f.o.NoCeiling, "no-ceiling", false, "leave the ceiling out")
	p.BoolVarP(&f.quiet, "quiet", "q", false, "do not say on stderr what is under way")
}

// complete turns what was typed into options. --server counts when it was typed: WEFTBOX_SERVER may name a node that people use.
func (f *benchFlags) complete(c *cobra.Command, formats ...string) error {
	durability, known := durabilities[f.durability]
	if !known {
		return fail(exitUsage, c.CommandPath()+" --help", "--durability %s: write sync, relaxed or memory", f.durability)
	}
	f.o.Durability = durability
	known = false
	for _, name := range formats {
		known = known || name == f.format
	}
	if !known {
		return fail(exitUsage, c.CommandPath()+" --help", "--format %s: write one of %v", f.format, formats)
	}
	if c.Flags().Changed("server") {
		cl, err := newClient(c)
		if err != nil {
			return err
		}
		f.o.Server = cl.server
	}
	if !f.quiet {
		f.o.Progress = c.ErrOrStderr()
	}
	return nil
}

// profiled carries a run out, and writes its CPU profile if one is wanted.
func (f *benchFlags) profiled(run func() error) error {
	if f.profile == "" {
		return run()
	}
	file, err := os.Create(f.profile)
	if err != nil {
		return fail(exitUsage, "", "%v", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return errors.Join(err, file.Close())
	}
	err = run()
	pprof.StopCPUProfile()
	return errors.Join(err, file.Close())
}

// check looks for wrong options before anything is made; what it fills in is not kept, since growth has defaults of its own.
func (f *benchFlags) check() error {
	o := f.o
	if err := o.Complete(); err != nil {
		return fail(exitUsage, "weftbox bench --help", "%v", err)
	}
	return nil
}
