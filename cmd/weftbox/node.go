package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	_ "github.com/weftbox/weftbox/actions"
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/api"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
	metapebble "github.com/weftbox/weftbox/metadata/pebble"
)

// nodeConfig is what a node is made of. Dir is required unless the durability is memory.
type nodeConfig struct {
	Dir        string
	HTTPAddr   string
	AdminAddr  string
	Manual     bool // the clock is turned by hand; it starts at the store's floor
	Durability store.Durability
	Slots      uint16 // of a new store; 0: the default
	Bounds     bounds // zero: the engine's defaults
	Memory     int64  // bytes that the node's caches, buffers and queues share; 0: defaultMemory
	AcceptLoss bool   // start although a part of the history is missing
	Insecure   bool   // listen on more than loopback
	MaxStream  int64  // bytes of one NDJSON stream; 0: the default
	AllowHosts []string
	Build      api.Build
	Log        *slog.Logger   // nil: slog.Default()
	Zone       *time.Location // of the dates in expressions; nil: UTC
	Stdout     io.Writer      // where the stdout action prints; nil: os.Stdout
	Fatal      func(error)    // nil: log and exit
}

// node is everything that one process runs, wired.
type node struct {
	URL      string // of the HTTP port
	AdminURL string

	config   nodeConfig
	state    *store.Store
	meta     *metapebble.Store
	cache    *metadata.Cache
	clock    clock.Clock
	bus      *bushttp.Bus
	producer *bushttp.Producer
	engine   *engine.Engine
	api      *api.Server

	listeners [2]net.Listener // HTTP, admin
	loopback  bool            // both listen on loopback only
	servers   [2]*http.Server
	stop      context.CancelFunc
	running   sync.WaitGroup
}

// openNode listens, opens the stores and wires the node; start lets it run. With an error nothing stays open.
func openNode(ctx context.Context, c nodeConfig) (n *node, err error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	n = &node{config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.release())
			n = nil
		}
	}()
	if err := n.listen(); err != nil { // first: a port in use must not leave a new directory behind
		return n, err
	}
	if err := n.openStores(); err != nil {
		return n, err
	}
	if err := n.setClock(); err != nil {
		return n, err
	}
	builtin, service := activity.Specs()
	if n.cache, err = metadata.NewCache(ctx, n.meta, metadata.Options{Specs: builtin, Service: service, NowMs: n.clock.NowMs}); err != nil {
		return n, err
	}
	share := shareMemory(c.Memory)
	n.bus = bushttp.New(bushttp.Options{NowMs: n.clock.NowMs, MaxStreamBytes: c.MaxStream, MaxQueueBytes: int(share.queue), RefuseEvents: n.refuseEvents})
	n.producer = bushttp.NewProducer(bushttp.ProducerOptions{NowMs: n.clock.NowMs})
	n.engine, err = engine.New(engine.Options{Store: n.state, Clock: n.clock, Metadata: n.cache.Load, Consumers: []messagebus.Consumer{n.bus},
		Producer: n.producer, Stdout: c.Stdout, Zone: c.Zone, Log: c.Log, Fatal: c.Fatal, CacheBytes: share.threads, MaxBytes: int(share.turn),
		MaxKeys: c.Bounds.Keys, MaxDeadLetterBytes: c.Bounds.DeadLetterBytes, MaxDeadLetterAgeMs: c.Bounds.DeadLetterAge.Milliseconds()})
	if err != nil {
		return n, err
	}
	n.serveWith(api.Options{Engine: n.engine, Metadata: n.cache, Manual: c.Manual, Events: http.HandlerFunc(n.bus.ServeEvents), Bus: http.HandlerFunc(n.bus.ServeBus), Intake: n.bus.Stats,
		Build: c.Build, Log: c.Log, Loopback: n.loopback, AllowHosts: c.AllowHosts})
	return n, nil
}

func (n *node) openStores() error {
	c := n.config
	var files vfs.FS
	if c.Durability == store.Memory {
		files = vfs.NewMem()
	}
	share := shareMemory(c.Memory)
	var err error
	n.state, err = store.Open(filepath.Join(c.Dir, "state"), store.Options{FS: files, Slots: c.Slots, Durability: c.Durability,
		CacheBytes: share.blocks, MemTableBytes: share.memTable, AcceptLoss: c.AcceptLoss})
	if err == nil {
		n.meta, err = metapebble.Open(filepath.Join(c.Dir, "meta"), metapebble.Options{FS: files, DiskFull: n.state.DiskFull, AcceptLoss: c.AcceptLoss})
	}
	if err == nil {
		return nil
	}
	next := ""
	if errors.Is(err, store.ErrShortHistory) || errors.Is(err, metapebble.ErrShortHistory) {
		next = "weftbox serve --accept-loss --data " + c.Dir
	}
	return fail(storeCode(err), next, "%v", err)
}

// refuseEvents says why no event is taken: the disk is low.
func (n *node) refuseEvents() *bushttp.Problem {
	disk := n.state.Disk()
	if !disk.Low {
		return nil
	}
	return bushttp.DiskLow(disk.FreeBytes, disk.HighBytes)
}

// storeCode is the exit code when a directory cannot be opened: mostly it is in use or of another kind.
func storeCode(err error) int {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return exitDiskFull
	case errors.Is(err, os.ErrPermission):
		return exitNotAllowed
	}
	return exitConflict
}

// maxAheadMs is how far a store's floor may be ahead of the wall clock: machines' clocks differ a little, a store whose clock was turned
// by hand is days ahead, and on the wall clock its time would stand still until then.
const maxAheadMs = 60_000

func (n *node) setClock() error {
	floor, wall := n.state.Node().FloorMs, &clock.Wall{}
	now := wall.NowMs()
	if n.config.Manual {
		if floor == 0 {
			floor = now
		}
		n.clock = clock.NewManual(floor)
		return nil
	}
	if floor-now > maxAheadMs {
		return fail(exitConflict, "weftbox serve --clock manual --data "+n.config.Dir,
			"the store in %s stands at %s, %s ahead of this machine's clock: its clock was turned by hand, or this machine's is wrong; on the wall clock time would stand still until then",
			n.config.Dir, time.UnixMilli(floor).UTC().Format(time.RFC3339), (time.Duration(floor-now) * time.Millisecond).Round(time.Second))
	}
	n.clock = wall
	return nil
}

// maxConnections bounds the connections of the HTTP port, those on which nothing is asked included; the admin port stays reachable.
const maxConnections = 8192

// listen takes both ports; who connects now is answered once the node has started.
func (n *node) listen() error {
	c := n.config
	n.loopback = true
	for i, addr := range []string{c.HTTPAddr, c.AdminAddr} {
		local, err := isLoopback(addr)
		if err != nil {
			return err
		}
		if !local && !c.Insecure {
			return fail(exitUsage, "weftbox serve --http-addr 127.0.0.1:8420", "%s is reachable from other machines, and there is no access control yet: listen on loopback, or say --insecure-listen where a network rule or a proxy keeps strangers out", addr)
		}
		n.loopback = n.loopback && local
		if n.listeners[i], err = listenOn(addr, []string{"--http-addr", "--admin-addr"}[i], c.HTTPAddr, c.AdminAddr); err != nil {
			return err
		}
	}
	n.listeners[0] = bushttp.NewListener(n.listeners[0], maxConnections)
	n.URL, n.AdminURL = urlOf(n.listeners[0]), urlOf(n.listeners[1])
	return nil
}

func (n *node) serveWith(o api.Options) {
	n.api = api.New(o)
	for i, h := range []http.Handler{n.api.Handler(), n.api.AdminHandler()} {
		n.servers[i] = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)}
	}
}

// start lets the engine turn and the ports answer.
func (n *node) start() {
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.running.Add(1)
	go func() {
		defer n.running.Done()
		n.engine.Run(ctx)
	}()
	for i := range n.servers {
		n.running.Add(1)
		go func() {
			defer n.running.Done()
			if err := n.servers[i].Serve(n.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				n.config.Log.Error("a port stopped answering", "addr", n.listeners[i].Addr().String(), "err", err)
			}
		}()
	}
}

// Close stops a started node: no new request, the requests under way are answered while the engine still turns, then the engine after its
// last turn, then the stores. ctx bounds the wait for requests under way.
func (n *node) Close(ctx context.Context) error {
	n.api.Stopping()
	n.bus.Drain()
	if err := n.servers[0].Shutdown(ctx); err != nil {
		n.config.Log.Warn("requests under way were cut off", "err", err)
		_ = n.servers[0].Close() // it only repeats what Shutdown said
	}
	n.stop()
	_ = n.servers[1].Close() // health is of no use any more
	n.running.Wait()
	return n.release()
}

// release closes what is open, in the order in which it leans on each other.
func (n *node) release() error {
	var all []error
	for _, l := range n.listeners {
		if l != nil {
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				all = append(all, err)
			}
		}
	}
	if n.bus != nil {
		all = append(all, n.bus.Close())
	}
	if n.producer != nil {
		n.producer.Close()
	}
	if n.meta != nil {
		all = append(all, n.meta.Close())
	}
	if n.state != nil {
		all = append(all, n.state.Close())
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("the node was not closed cleanly: %w", err)
	}
	return nil
}
