package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weftbox/weftbox/bench/ledger"
)

// run is one run and its figures.
type run struct {
	o        options
	out      io.Writer
	node     *node
	books    *books
	services *services
	killer   *killer
	clients  []*client
	acked    atomic.Int64
	active   atomic.Int64 // clients that send

	flow   time.Duration // from the first event to the last acknowledgement
	total  time.Duration
	report *ledger.Report

	counters int // of the node that were held against the books
}

// execute does a run in dir.
func execute(ctx context.Context, o options, dir string, out io.Writer) (*run, error) {
	if o.events < 1 || o.kills < 0 || o.domains < 4*clients {
		return nil, fmt.Errorf("--events %d --kills %d --domains %d: at least one event, no negative kills and %d domains are needed", o.events, o.kills, o.domains, 4*clients)
	}
	program := o.program
	if program == "" {
		program = filepath.Join(dir, "weftbox")
		build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/weftbox/weftbox/cmd/weftbox")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("weftbox can not be built: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	r := &run{o: o, out: out, books: &books{Ledger: ledger.New(alarmMs)}}
	began := time.Now()
	var err error
	if r.node, err = newNode(program, dir); err != nil {
		return nil, err
	}
	if r.services, err = startServices(ctx, r.books, o.seed, r.node.url); err != nil {
		return nil, err
	}
	defer r.services.close()
	defer func() { _ = r.node.kill() }() // the run is over, however the node ended
	fmt.Fprintf(out, "seed %d, at least %d events, %d domain ids, %d kills, %d connections, %s\n", o.seed, o.events, o.domains, o.kills, clients, r.node.url)
	if err := r.play(ctx, began); err != nil {
		return nil, err
	}
	r.total = time.Since(began)
	return r, nil
}

func (r *run) play(ctx context.Context, began time.Time) error {
	r.killer = &killer{node: r.node, random: rand.New(rand.NewPCG(r.o.seed, 99)), out: r.out, began: began, acked: &r.acked, events: r.o.events, total: r.o.kills,
		wake: make(chan struct{}, 1), active: &r.active}
	if err := r.killer.birth(ctx); err != nil {
		return err
	}
	r.killer.restarts = nil // the first start is none
	if err := r.node.setUp(ctx, r.services.url); err != nil {
		return err
	}
	if err := r.send(ctx); err != nil {
		return err
	}
	if err := r.killer.drain(ctx); err != nil {
		return err
	}
	if err := r.quiet(ctx); err != nil {
		return err
	}
	if r.o.kills > 0 { // once more: what has come to rest stays as it is
		if err := r.node.kill(); err != nil {
			return err
		}
		if err := r.killer.birth(ctx); err != nil {
			return err
		}
		if err := r.quiet(ctx); err != nil {
			return err
		}
	}
	return r.close(ctx)
}

// send lets the clients send while the killer kills: until it has done, and all events that were asked for are sent.
func (r *run) send(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.enlist()
	errs := make([]error, len(r.clients)+1)
	var sending, killing sync.WaitGroup
	began := time.Now()
	r.active.Store(clients)
	for i, c := range r.clients {
		sending.Go(func() {
			defer r.active.Add(-1)
			if errs[i] = c.run(ctx); errs[i] != nil {
				errs[i] = fmt.Errorf("client %d: %w", i, errs[i])
				cancel()
			}
		})
	}
	killing.Go(func() {
		if errs[len(r.clients)] = r.killer.flow(ctx); errs[len(r.clients)] != nil {
			cancel()
		}
	})
	sending.Wait()
	r.flow = time.Since(began)
	killing.Wait()
	return firstCause(errs)
}

// firstCause leaves out the errors of those who were only told to stop.
func firstCause(errs []error) error {
	var causes []error
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			causes = append(causes, err)
		}
	}
	if len(causes) == 0 {
		return errors.Join(errs...)
	}
	return errors.Join(causes...)
}

// enlist makes the clients and gives each its part of the domains.
func (r *run) enlist() {
	for i := range clients {
		c := &client{number: i, node: r.node, books: r.books, random: rand.New(rand.NewPCG(r.o.seed, uint64(i))), acked: &r.acked,
			more: func() bool { return !r.killer.over.Load() || r.acked.Load() < int64(r.o.events) },
			http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1}},
			poke: func() {
				select {
				case r.killer.wake <- struct{}{}:
				default:
				}
			}}
		c.poison = max(r.o.events/clients/16, 50)
		for d := i; d < r.o.domains; d += clients {
			if (d/clients)%5 < 3 {
				c.users = append(c.users, &domain{kind: ledger.User, name: fmt.Sprintf("u%d", d)})
			} else {
				c.items = append(c.items, &domain{kind: ledger.Item, name: fmt.Sprintf("i%d", d)})
			}
		}
		r.clients = append(r.clients, c)
	}
}

// quiet waits until nothing is pending: every thread waits for events, every request has reached its service, every answer the node.
// When that does not come about the ledger will say what is missing.
func (r *run) quiet(ctx context.Context) error {
	const patience = 30 * time.Second
	for began := time.Now(); ; {
		still, err := r.pending(ctx)
		if err != nil || still == "" {
			return err
		}
		if time.Since(began) > patience {
			fmt.Fprintf(r.out, "not quiet after %v: %s\n", patience, still)
			return nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// pending says what is still under way, "" for nothing.
func (r *run) pending(ctx context.Context) (string, error) {
	var waits [2]int
	for i, kind := range []ledger.Kind{ledger.User, ledger.Item} {
		threads, err := r.node.threads(ctx, kind)
		if err != nil {
			return "", err
		}
		for _, t := range threads {
			if t.Action != "loop" {
				return fmt.Sprintf("%s %s stands at %s", kind, t.DomainID, t.Action), nil
			}
			waits[i] += len(t.Vars.Trace) - strings.Count(t.Vars.Trace, "c")
		}
	}
	oracle, bell := r.services.reached()
	switch posting := r.services.pending.Load(); {
	case posting > 0:
		return fmt.Sprintf("%d answers are still to be posted", posting), nil
	case oracle < waits[0] || bell < waits[1]:
		return fmt.Sprintf("of %d questions %d reached the oracle, of %d alarms %d the bell", waits[0], oracle, waits[1], bell), nil
	}
	return "", nil
}
