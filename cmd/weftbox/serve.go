package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // so that --tz works where the system has no zones

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/engine/store"
)

// durabilities are the names of --durability; those of Aether's --persistence are understood too.
var durabilities = map[string]store.Durability{
	"sync": store.Sync, "relaxed": store.Relaxed, "memory": store.Memory,
	"state-action-log": store.Sync, "snapshot": store.Relaxed,
}

type serveFlags struct {
	config      nodeConfig
	clock       string
	durability  string
	slots       uint16
	randomPorts bool
	logLevel    string
	tz          string
}

func newServeCommand() *cobra.Command {
	f := &serveFlags{}
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a node",
		Long:  "Run a node. The first line printed is its URL; logs go to stderr. Environment: WEFTBOX_DATA, WEFTBOX_HTTP_ADDR, WEFTBOX_ADMIN_ADDR, WEFTBOX_TZ; a flag wins over them.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.complete(c.ErrOrStderr()); err != nil {
				return err
			}
			return serve(c.Context(), f.config, c.OutOrStdout())
		},
	}
	p := c.Flags()
	p.StringVar(&f.config.Dir, "data", env("WEFTBOX_DATA", "weftbox-data"), "directory of the node's state and metadata")
	p.StringVar(&f.config.HTTPAddr, "http-addr", env("WEFTBOX_HTTP_ADDR", "127.0.0.1:8420"), "where events and the API are served")
	p.StringVar(&f.config.AdminAddr, "admin-addr", env("WEFTBOX_ADMIN_ADDR", "127.0.0.1:8421"), "where health, metrics and profiles are served")
	p.BoolVar(&f.randomPorts, "random-ports", false, "listen on free ports of the same hosts")
	p.StringVar(&f.clock, "clock", "wall", `"wall", or "manual": turned by "weftbox clock advance"`)
	p.StringVar(&f.tz, "tz", env("WEFTBOX_TZ", "UTC"), "time zone of the dates in expressions, such as Asia/Shanghai")
	p.StringVar(&f.durability, "durability", "sync", `"sync": on disk before an answer; "relaxed": within 100 ms; "memory": nothing survives`)
	p.Uint16Var(&f.slots, "slots", 0, "number of slots of a new store, 1 to 16384 (default 256); fixed for ever")
	p.BoolVar(&f.config.Insecure, "insecure-listen", false, "allow addresses that other machines reach, although there is no access control")
	p.StringSliceVar(&f.config.AllowHosts, "allow-host", nil, "a host name under which requests may come while listening on loopback")
	p.Int64Var(&f.config.MaxStream, "max-stream-bytes", 1<<30, "how much one post of application/x-ndjson may hold; other bodies may have 4 MiB")
	addBoundFlags(c, &f.config)
	f.config.Memory = defaultMemory
	p.Var((*bytesValue)(&f.config.Memory), "memory", "what caches, buffers and queues share, at least 64MiB; it bounds Go's heap too unless GOMEMLIMIT is set")
	p.BoolVar(&f.config.AcceptLoss, "accept-loss", false, "start although a part of the history on disk is missing, with what is left")
	p.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	return c
}

func env(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// complete turns what was typed into a config.
func (f *serveFlags) complete(stderr io.Writer) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return fail(exitUsage, "weftbox help serve", "--log-level %s: write debug, info, warn or error", f.logLevel)
	}
	f.config.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	durability, known := durabilities[f.durability]
	if !known {
		return fail(exitUsage, "weftbox help serve", "--durability %s: write sync, relaxed or memory", f.durability)
	}
	zone, err := time.LoadLocation(f.tz)
	if err != nil || f.tz == "Local" {
		return fail(exitUsage, "weftbox help serve", "--tz %s: there is no such time zone; write a name such as UTC or Asia/Shanghai", f.tz)
	}
	f.config.Zone = zone
	f.config.Durability, f.config.Slots, f.config.Build = durability, f.slots, build()
	switch f.clock {
	case "wall":
	case "manual":
		f.config.Manual = true
	default:
		return fail(exitUsage, "weftbox help serve", "--clock %s: write wall or manual", f.clock)
	}
	if f.slots > 16384 {
		return fail(exitUsage, "weftbox help serve", "--slots %d: a store has 1 to 16384", f.slots)
	}
	if f.config.Memory < leastMemory {
		return fail(exitUsage, "weftbox help serve", "--memory %s: a node needs 64MiB at least", (*bytesValue)(&f.config.Memory))
	}
	if f.randomPorts {
		f.config.HTTPAddr, f.config.AdminAddr = anyPort(f.config.HTTPAddr), anyPort(f.config.AdminAddr)
	}
	return nil
}

func anyPort(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr // listening will say what is wrong
	}
	return net.JoinHostPort(host, "0")
}

// stopTimeout bounds the wait for requests under way when the node is told to stop.
const stopTimeout = 10 * time.Second

// serve runs a node until the process is told to stop.
func serve(ctx context.Context, c nodeConfig, stdout io.Writer) error {
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	signal.Ignore(syscall.SIGPIPE) // a node does not die because nobody reads its output any more
	c.Stdout = stdout
	limitMemory(c.Memory)
	paceCollector(ctx)
	began := time.Now()
	n, err := openNode(ctx, c)
	if err != nil {
		return err
	}
	n.start()
	fmt.Fprintf(stdout, "%s\nadmin %s\n", n.URL, n.AdminURL)
	if c.Insecure {
		c.Log.Warn("--insecure-listen: whoever reaches the ports can do everything")
	}
	mode := "wall"
	if c.Manual {
		mode = "manual"
	}
	c.Log.Info("ready", "url", n.URL, "admin", n.AdminURL, "data", c.Dir, "clock", mode, "slots", n.state.Node().Slots,
		"activities", len(n.cache.Load().Activities), "took", time.Since(began).Round(time.Millisecond).String())
	<-ctx.Done()
	cancel() // a second signal ends the process at once
	c.Log.Info("stopping")
	wait, done := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer done()
	err = n.Close(wait)
	c.Log.Info("stopped")
	return err
}
