// Command weftbox is the one program: a node, and the client that speaks to one.
//
// Room: door.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// commands are the program's, in the order of the help text. Each lies in a file of its own.
var commands = []func() *cobra.Command{
	newServeCommand,
	newDemoCommand,
	newTestCommand,
	newLintCommand,
	newFmtCommand,
	newExplainCommand,
	newApplyCommand,
	newEventsCommand,
	newActivitiesCommand,
	newDefinitionsCommand,
	newStrategiesCommand,
	newServicesCommand,
	newThreadsCommand,
	newAlarmsCommand,
	newBatchCommand,
	newDeadLettersCommand,
	newClockCommand,
	newExprCommand,
	newBenchCommand,
	newVersionCommand,
}

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run carries a command line out and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	return report(stderr, c, err)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "weftbox",
		Short:         "Weftbox runs event-driven activities: every user, order or device gets a durable thread of its own",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	addClientFlags(root)
	for _, c := range commands {
		root.AddCommand(c())
	}
	root.AddCommand(newExitCodesTopic())
	root.SetHelpCommand(&cobra.Command{Use: "help [COMMAND…]", Short: "Help about a command", Example: "  weftbox help threads list", RunE: func(c *cobra.Command, names []string) error {
		about, left, err := root.Find(names)
		if err != nil || len(left) > 0 {
			return fmt.Errorf("unknown command %q for %q", strings.Join(names, " "), "weftbox help")
		}
		about.InitDefaultHelpFlag()
		return about.Help()
	}})
	addExamples(root)
	return root
}
