package ledger

import (
	"cmp"
	"fmt"
	"sort"
	"strings"
)

// What says of which sort a difference is.
type What string

const (
	Lost    What = "lost"    // acknowledged or owed, and not there
	Doubled What = "doubled" // there more often than it may be
	Other   What = "other"   // order, a changed body, something nobody sent
)

// Difference is one thing that does not agree, with the fewest events that show it.
type Difference struct {
	What   What
	Where  string // "user u17", "request 0a1b-3-77", …
	Text   string
	Events []string // ids
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: %s: %s %v", d.What, d.Where, d.Text, d.Events[:min(len(d.Events), 10)])
}

// Report is the outcome of Check: figures and differences.
type Report struct {
	Events, Acked, Repeats, Duplicates int // events, those acknowledged, sendings beyond the first, acknowledgements as duplicates
	Threads, DeadLetters               int
	Asks, Answers, Fired, Cancelled    int   // asks that were not answered ran into their timeout; alarms fired and cancelled
	Requests, Redeliveries             int   // different requests, deliveries beyond the first
	MaxWaitedMs                        int64 // longest time from setting an alarm to its firing
	Differences                        []Difference
	Histories                          []*account // of all domains: what was sent to each, in order, and what its thread holds
}

// Number returns how many differences there are of a sort.
func (r *Report) Number(what What) (n int) {
	for _, d := range r.Differences {
		if d.What == what {
			n++
		}
	}
	return n
}

func (l *Ledger) found(what What, where, text string, about ...*entry) {
	d := Difference{What: what, Where: where, Text: text}
	for _, e := range about {
		d.Events = append(d.Events, e.ID)
	}
	l.report.Differences = append(l.report.Differences, d)
}

// Check closes the books.
func (l *Ledger) Check() *Report {
	r := &l.report
	r.Events, r.Requests = len(l.events), len(l.requests)
	for _, e := range l.events {
		r.Repeats += e.sent - 1
		r.DeadLetters += e.dead
		r.Acked += min(e.acked, 1)
		if e.Poison && e.dead == 0 && e.acked > 0 {
			l.found(Lost, "user "+e.User, "the poisoned event has no dead letter", e)
		} else if e.dead > 1 {
			l.found(Doubled, "user "+e.User, fmt.Sprintf("the poisoned event has %d dead letters", e.dead), e)
		}
	}
	for _, a := range l.accounts {
		r.Histories = append(r.Histories, a)
		r.Cancelled += strings.Count(a.Got.Trace, "c")
		l.checkAccount(a)
	}
	for _, q := range l.requests {
		r.Redeliveries, r.MaxWaitedMs = r.Redeliveries+q.times-1, max(r.MaxWaitedMs, q.Waited)
	}
	sort.Slice(r.Differences, func(i, j int) bool { return r.Differences[i].String() < r.Differences[j].String() })
	return r
}

// checkAccount looks how many of the events that were sent to a domain make up what its thread holds: everything up to the last
// acknowledged one must, what was sent after it may.
func (l *Ledger) checkAccount(a *account) {
	if len(a.Sent) == 0 {
		l.found(Other, a.where, fmt.Sprintf("%d events and %d requests, but nothing was sent to it", a.Got.Count, len(a.asked)))
		return
	}
	acked := len(a.Sent)
	for acked > 0 && a.Sent[acked-1].acked == 0 {
		acked--
	}
	for i := acked; i <= len(a.Sent); i++ {
		if a.made(a.Sent[:i]) {
			l.checkWaits(a, a.Sent[:i])
			return
		}
	}
	l.diagnose(a, a.Sent[:acked])
}

// made reports whether the thread holds what these events, one part after another, make.
func (a *account) made(parts ...[]*entry) bool {
	var s State
	for _, part := range parts {
		for _, e := range part {
			n, amount := e.N, e.Amount
			if a.Kind == Item {
				n, amount = e.M, e.Weight
			}
			s.Count, s.Sum, s.Hash = s.Count+1, s.Sum+amount, (s.Hash*Factor+n)%Modulus
		}
	}
	return s.Count == a.Got.Count && s.Sum == a.Got.Sum && s.Hash == a.Got.Hash
}

// diagnose looks for the smallest fault that explains what a thread holds: a run of events left out or applied twice, one event applied
// again later, one event moved.
func (l *Ledger) diagnose(a *account, h []*entry) {
	for size := 1; size <= len(h); size++ {
		for i, j := 0, size; j <= len(h); i, j = i+1, j+1 {
			switch {
			case a.made(h[:i], h[j:]):
				l.found(Lost, a.where, fmt.Sprintf("%d of %d acknowledged events not applied", size, len(h)), h[i:j]...)
				return
			case a.made(h[:j], h[i:]):
				l.found(Doubled, a.where, fmt.Sprintf("%d of %d events applied twice", size, len(h)), h[i:j]...)
				return
			}
		}
	}
	for i := range h {
		for j := i + 1; j < len(h); j++ {
			switch {
			case a.made(h[:j+1], h[i:i+1], h[j+1:]):
				l.found(Doubled, a.where, "applied again after "+h[j].ID, h[i:i+1]...)
				return
			case a.made(h[:i], h[j:j+1], h[i:j], h[j+1:]), a.made(h[:i], h[i+1:j+1], h[i:i+1], h[j+1:]):
				l.found(Other, a.where, "applied in another order than sent", h[i:j+1]...)
				return
			}
		}
	}
	l.found(lostOrDoubled(int(a.Got.Count), len(h)), a.where, fmt.Sprintf("%d events are acknowledged; no single fault explains %+v", len(h), a.Got))
}

func lostOrDoubled(got, want int) What {
	return [...]What{Lost, Other, Doubled}[cmp.Compare(got, want)+1]
}

// checkWaits holds the waits of a thread, asks or alarms, against the events that began them and the requests that came of them.
func (l *Ledger) checkWaits(a *account, applied []*entry) {
	var sum, echoes int64
	due := map[int64]bool{} // numbers of the events that lead to a request
	waits := 0
	for _, e := range applied {
		sum += e.Amount
		if a.Kind == User && !e.Ask || a.Kind == Item && !e.Arm {
			continue
		}
		end := (a.Got.Trace + strings.Repeat("?", waits+1))[waits]
		waits++
		switch {
		case a.Kind == User:
			l.report.Asks++
			due[e.N] = true
			echoes += l.request(a, e, e.N, sum, end)
		case end == 'f':
			l.report.Fired++
			due[e.M] = true
			l.request(a, e, e.M, 0, end)
		case e.Hold:
			l.found(Lost, a.where, "nothing cancelled the alarm of this event, and it did not fire", e)
		}
	}
	if ends := len(a.Got.Trace); ends != waits {
		l.found(lostOrDoubled(ends, waits), a.where, fmt.Sprintf("%d waits began, %d ended (%s)", waits, ends, a.Got.Trace))
	}
	if echoes != a.Got.Echoes {
		l.found(Other, a.where, fmt.Sprintf("the answers it took add up to %d, those to its requests to %d", a.Got.Echoes, echoes))
	}
	for n, list := range a.asked {
		if !due[n] {
			l.found(Doubled, a.where, fmt.Sprintf("request %s for event number %d, which calls for none", list[0].ID, n))
		}
	}
}

// request checks the request that an event led to and how the wait for it ended; it returns what the oracle's answer adds.
func (l *Ledger) request(a *account, e *entry, n, sum int64, end byte) (echo int64) {
	list := a.asked[n]
	if len(list) == 0 {
		l.found(Lost, a.where, "the request that this event leads to never reached its service", e)
		return 0
	}
	r := list[0]
	switch {
	case len(list) > 1:
		l.found(Doubled, a.where, "this event led to requests "+r.ID+" and "+list[1].ID, e)
	case a.Kind == Item && r.Waited < l.alarmMs:
		l.found(Other, a.where, fmt.Sprintf("the alarm fired after %d ms, it was set for %d", r.Waited, l.alarmMs), e)
	case a.Kind == User && r.Sum != sum:
		l.found(Other, a.where, fmt.Sprintf("request %s says sum %d, it was %d", r.ID, r.Sum, sum), e)
	case end == 'o' && !r.answered:
		l.found(Other, a.where, "an answer to request "+r.ID+" was taken, but none was given", e)
	}
	if end == 'o' {
		l.report.Answers++
		return r.Echo()
	}
	return 0
}
