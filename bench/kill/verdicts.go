package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/weftbox/weftbox/bench/ledger"
)

// verdict names a counter of the node: what became of messages of a sort at an action, by the clause that took them (-1: none).
type verdict struct {
	Kind    ledger.Kind
	Action  string
	Message string
	Verdict string
	Clause  int
}

// owed counts over the books what the node's counters must say of births, of what clauses took, and of dead letters.
func owed(r *ledger.Report) map[verdict]int {
	all := map[verdict]int{}
	for _, h := range r.Histories {
		armed, waits := false, 0 // the item's next event cancels an alarm, unless that fired before
		for i, e := range h.Sent {
			v := verdict{h.Kind, "loop", "event", "taken", 1}
			switch {
			case i == 0:
				v = verdict{h.Kind, "", "event", "spawned", -1}
			case armed:
				v.Action, v.Clause = "armed", 0
			case h.Kind == ledger.User && e.Ask, h.Kind == ledger.Item && e.Arm:
				v.Clause = 0
			}
			all[v]++
			if armed = h.Kind == ledger.Item && e.Arm; armed {
				armed = waits < len(h.Got.Trace) && h.Got.Trace[waits] == 'c'
				waits++
			}
		}
		for _, end := range h.Got.Trace {
			switch end {
			case 'o':
				all[verdict{h.Kind, "oracle", "reply", "taken", -1}]++
			case 't':
				all[verdict{h.Kind, "oracle", "alarm", "taken", -1}]++
			case 'f':
				all[verdict{h.Kind, "armed", "alarm", "taken", 1}]++
			}
		}
	}
	if r.DeadLetters > 0 {
		all[verdict{ledger.User, "", "event", "dead_letter", -1}] = r.DeadLetters
	}
	return all
}

// counters reads the node's counters of a kind. Of what the books cannot say, answers that came too late and events that gave birth to nothing, nothing
// is asked.
func (n *node) counters(ctx context.Context, kind ledger.Kind, into map[verdict]int) error {
	var stats struct {
		Verdicts []struct {
			Action, Message, Verdict string
			Clause                   *int
			Count                    int
		}
	}
	if _, _, err := insist(ctx, n.http, http.MethodGet, n.url+"/v1/activities/"+string(kind)+"s/stats", nil, &stats, nil); err != nil {
		return err
	}
	for _, v := range stats.Verdicts {
		if v.Verdict == "late" || v.Verdict == "no_trigger" {
			continue
		}
		clause := -1
		if v.Clause != nil {
			clause = *v.Clause
		}
		into[verdict{kind, v.Action, v.Message, v.Verdict, clause}] += v.Count
	}
	return nil
}

// compareCounters adds a difference for each counter that is not what the books say.
func (r *run) compareCounters(ctx context.Context) error {
	got := map[verdict]int{}
	for _, kind := range []ledger.Kind{ledger.User, ledger.Item} {
		if err := r.node.counters(ctx, kind, got); err != nil {
			return err
		}
	}
	want := owed(r.report)
	r.counters = len(want)
	for v := range want {
		got[v] += 0 // also what the node did not count is met below
	}
	for v, n := range got {
		if n == want[v] {
			continue
		}
		d := ledger.Difference{What: ledger.Lost, Where: "counter", Text: fmt.Sprintf("%+v is %d, the books say %d", v, n, want[v])}
		if n > want[v] {
			d.What = ledger.Doubled
		}
		r.report.Differences = append(r.report.Differences, d)
	}
	return nil
}
