// Command kill is the proof that a node may die at any moment: clients send events and repeat what was not acknowledged, services delay,
// repeat and drop their answers, alarms are set and cancelled, and all the while the node is ended with SIGKILL and started again on the
// same directory. In the end package ledger compares what was sent and acknowledged with what the node holds. It exits with 1 on any
// difference and then keeps the directory.
//
// Room: door.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options of a run.
type options struct {
	kills   int
	events  int
	seed    uint64
	domains int // of users and items together
	keep    bool
	program string        // the weftbox binary; "" builds it
	limit   time.Duration // of the whole run
}

func main() {
	var o options
	flag.IntVar(&o.kills, "kills", 60, "how often the node is killed while events are sent")
	flag.IntVar(&o.events, "events", 100_000, "how many events are sent at least: they are sent until the last kill")
	flag.Uint64Var(&o.seed, "seed", 0, "seed of everything random (0: the time)")
	flag.IntVar(&o.domains, "domains", 1500, "domain ids, users and items together")
	flag.BoolVar(&o.keep, "keep", false, "keep the directory when all is well, too")
	flag.StringVar(&o.program, "weftbox", "", "the weftbox program (default: built from ./cmd/weftbox)")
	flag.DurationVar(&o.limit, "limit", 0, "give up after this time (0: 5 minutes, and a second for each kill)")
	flag.Parse()
	if o.limit == 0 {
		o.limit = 5*time.Minute + time.Duration(o.kills)*time.Second
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := prove(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kill:", err)
		stop()
		os.Exit(1)
	}
}

// prove does a run in a directory of its own and prints the outcome. The directory goes when all is well.
func prove(ctx context.Context, o options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "weftbox-kill-")
	if err != nil {
		return err
	}
	r, err := execute(ctx, o, dir, out)
	if err == nil {
		r.print()
		err = r.verdict()
	}
	if err != nil || o.keep {
		fmt.Fprintf(out, "kept: %s (node.log, data); repeat with --seed %d\n", dir, o.seed)
		return err
	}
	return os.RemoveAll(dir)
}
