package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/weftbox/weftbox/bench/ledger"
)

// thread is what the node shows of a thread.
type thread struct {
	DomainID string `json:"domain_id"`
	Status   string
	Action   string
	Reason   string
	Error    string
	Vars     struct {
		Count, Sum, Hash, Echoes int64
		Trace                    string
	}
}

func (t *thread) state() ledger.State {
	return ledger.State{Count: t.Vars.Count, Sum: t.Vars.Sum, Hash: t.Vars.Hash, Trace: t.Vars.Trace, Echoes: t.Vars.Echoes}
}

// thread reads a thread; one that was never born has no action.
func (n *node) thread(ctx context.Context, c *http.Client, kind ledger.Kind, name string) (t thread, err error) {
	_, _, err = insist(ctx, c, http.MethodGet, n.url+"/v1/activities/"+string(kind)+"s/threads/"+url.PathEscape(name), nil, &t, nil)
	var no *refusal
	if errors.As(err, &no) && no.status == http.StatusNotFound {
		return thread{}, nil
	}
	return t, err
}

// threads lists all live threads of a kind.
func (n *node) threads(ctx context.Context, kind ledger.Kind) (all []thread, err error) {
	for cursor := ""; ; {
		var page struct {
			Items      []thread
			NextCursor string `json:"next_cursor"`
		}
		if _, _, err := insist(ctx, n.http, http.MethodGet, n.url+"/v1/activities/"+string(kind)+"s/threads?limit=1000"+cursor, nil, &page, nil); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all, nil
		}
		cursor = "&cursor=" + url.QueryEscape(page.NextCursor)
	}
}

// close reads what the node holds in the end and closes the books.
func (r *run) close(ctx context.Context) error {
	var problems []string
	note := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	listed := map[string]thread{}
	for _, kind := range []ledger.Kind{ledger.User, ledger.Item} {
		threads, err := r.node.threads(ctx, kind)
		if err != nil {
			return err
		}
		for _, t := range threads {
			if _, twice := listed[t.DomainID]; twice {
				note("%s is listed twice", t.DomainID)
			}
			listed[t.DomainID] = t
			r.books.Thread(kind, t.DomainID, t.state())
		}
		if n, err := r.node.counted(ctx, kind); err != nil {
			return err
		} else if n != len(threads) {
			note("%d %s threads are listed, the counters say %d", len(threads), kind, n)
		}
	}
	for _, c := range r.clients {
		for _, d := range slices.Concat(c.users, c.eager, c.items, c.urgent, c.resting) {
			t, err := r.node.thread(ctx, c.http, d.kind, d.name)
			if err != nil {
				return err
			}
			if d.n > 0 && t.Status != "waiting" {
				note("%s %s is %q at %q %s %s", d.kind, d.name, t.Status, t.Action, t.Reason, t.Error)
			}
			if t != listed[d.name] {
				note("%s %s is listed as %+v and read as %+v", d.kind, d.name, listed[d.name], t)
			}
		}
	}
	if err := r.deadLetters(ctx); err != nil {
		return err
	}
	r.books.with(func(l *ledger.Ledger) { r.report = l.Check() })
	if err := r.compareCounters(ctx); err != nil {
		return err
	}
	for _, p := range problems {
		r.report.Differences = append(r.report.Differences, ledger.Difference{What: ledger.Other, Where: "node", Text: p})
	}
	return nil
}

// counted sums the activity's counters of live threads.
func (n *node) counted(ctx context.Context, kind ledger.Kind) (live int, err error) {
	var activity struct {
		Counters []struct {
			Status string
			Count  int
		}
	}
	if _, _, err := insist(ctx, n.http, http.MethodGet, n.url+"/v1/activities/"+string(kind)+"s", nil, &activity, nil); err != nil {
		return 0, err
	}
	for _, c := range activity.Counters {
		live += c.Count
	}
	return live, nil
}

// deadLetters tells the ledger of all dead letters.
func (r *run) deadLetters(ctx context.Context) error {
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				DomainID string `json:"domain_id"`
				Reason   string
				Message  struct{ ID string }
			}
			NextCursor string `json:"next_cursor"`
		}
		if _, _, err := insist(ctx, r.node.http, http.MethodGet, r.node.url+"/v1/dead-letters?limit=1000"+cursor, nil, &page, nil); err != nil {
			return err
		}
		for _, d := range page.Items {
			r.books.DeadLetter(d.Message.ID, d.DomainID)
		}
		if page.NextCursor == "" {
			return nil
		}
		cursor = "&cursor=" + url.QueryEscape(page.NextCursor)
	}
}

// print writes the figures of a run.
func (r *run) print() {
	f, k := r.report, r.killer
	say := func(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }
	var latency []time.Duration
	for _, c := range r.clients {
		latency = append(latency, c.latency...)
	}
	say("seed      %d", r.o.seed)
	say("rate      %.0f events/s with %d deaths in %.1f s (whole run %.1f s)", float64(f.Events)/r.flow.Seconds(), k.kills, r.flow.Seconds(), r.total.Seconds())
	say("ack       p50 %.1f ms, p99 %.1f ms of %d arrays", ms(quantile(latency, 0.5)), ms(quantile(latency, 0.99)), len(latency))
	say("restart   p50 %.0f ms, max %.0f ms until ready, %d times", ms(quantile(k.restarts, 0.5)), ms(quantile(k.restarts, 1)), len(k.restarts))
	say("deaths    %d, of which %d while all clients sent and %d before the node was ready again; %d more after the last event", k.kills, k.loaded, k.early, k.late)
	say("events    %d, acknowledged %d, sent again %d, known already %d", f.Events, f.Acked, f.Repeats, f.Duplicates)
	say("threads   %d; dead letters %d", f.Threads, f.DeadLetters)
	say("requests  %d, delivered again %d, batches mistreated %d; questions %d, answered %d; answers too late %d", f.Requests, f.Redeliveries, r.services.faults.Load(), f.Asks, f.Answers, r.services.late.Load())
	say("alarms    fired %d, cancelled %d; set for %d ms, longest %d ms", f.Fired, f.Cancelled, alarmMs, f.MaxWaitedMs)
	say("counters  %d verdict counters held against the books", r.counters)
	for i, d := range f.Differences {
		if i == 20 {
			say("  … and %d more", len(f.Differences)-i)
			break
		}
		say("  %s", d)
	}
	line := fmt.Sprintf("ledger: %d lost, %d doubled", f.Number(ledger.Lost), f.Number(ledger.Doubled))
	if n := f.Number(ledger.Other); n > 0 {
		line += fmt.Sprintf(", %d other differences", n)
	}
	say("%s", line)
}

// verdict is an error when anything differs.
func (r *run) verdict() error {
	if n := len(r.report.Differences); n > 0 {
		return fmt.Errorf("the ledger does not agree: %d differences", n)
	}
	if f := r.report; f.Acked != f.Events || f.Acked < r.o.events || r.killer.loaded != r.o.kills {
		return fmt.Errorf("%d of %d events were acknowledged, %d were asked for; %d deaths came while all clients sent, %d were asked for", f.Acked, f.Events, r.o.events, r.killer.loaded,
			r.o.kills)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// quantile returns the q-th of the durations, 0 if there are none.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[int(q*float64(len(all)-1))]
}
