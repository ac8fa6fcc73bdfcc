package engine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// offer is an event that a strategy led to a domain id of the slot. Which threads it is for is known when the domain's threads are
// read; an activity that has no thread there and whose trigger cannot match costs nothing.
type offer struct {
	part *part // of the record, in the slot
	hit  activity.Hit
}

// domainWork is one domain id in a turn.
type domainWork struct {
	domain  string
	live    []activity.Thread // before the turn, ascending by activity
	offered []uint32          // activities without one that were given an event: by now they may have a thread
}

// eventWork is the part of a slot's work that is about events.
type eventWork struct {
	offers  []offer
	domains []domainWork // ascending; made by readLive
}

func (o *eventWork) reset() {
	clear(o.offers)
	o.offers = o.offers[:0]
	for i := range o.domains {
		o.domains[i] = domainWork{offered: o.domains[i].offered[:0]}
	}
	o.domains = o.domains[:0]
}

// add appends the work of a domain, in memory of an earlier turn if there is any.
func (o *eventWork) add(domain string, live []activity.Thread) {
	n := len(o.domains)
	if n == cap(o.domains) {
		o.domains = slices.Grow(o.domains, 1)
	}
	o.domains = o.domains[:n+1]
	d := &o.domains[n]
	d.domain, d.live = domain, live
}

func (o *eventWork) of(domain string) *domainWork {
	i, _ := slices.BinarySearchFunc(o.domains, domain, func(d domainWork, domain string) int { return strings.Compare(d.domain, domain) })
	return &o.domains[i]
}

// readLive reads the live threads of all domains that have mail or an offer, in key order, one seek a domain.
func (l *lane) readLive(w *slotWork) error {
	domains := l.domains[:0]
	for _, tw := range w.order {
		domains = append(domains, tw.id.Domain)
	}
	for i := range w.events.offers {
		domains = append(domains, w.events.offers[i].hit.Domain)
	}
	slices.Sort(domains)
	for i, domain := range domains {
		if i > 0 && domain == domains[i-1] {
			continue
		}
		live, err := l.cache.live(l.e.store, w.slot, domain)
		if err != nil {
			return err
		}
		w.events.add(domain, live)
	}
	clear(domains)
	l.domains = domains[:0]
	return nil
}

// deliverOffers makes the slot's offers deliveries, in the order in which they came. A strategy that concerned no thread leaves one verdict.
func (l *lane) deliverOffers(w *slotWork) {
	if len(w.events.offers) > 0 {
		for _, tw := range w.order { // a replayed event may give birth before the offers are asked
			if d := w.events.of(tw.id.Domain); len(tw.mail[activity.ClassEvent]) > 0 && !lives(d.live, tw.id.Activity) {
				d.offered = append(d.offered, tw.id.Activity)
			}
		}
	}
	for i := range w.events.offers {
		p, h := w.events.offers[i].part, &w.events.offers[i].hit
		d := w.events.of(h.Domain)
		to := l.addressees(h, d)
		var carried activity.Message = activity.Carried{Event: p.record.Incoming.Event, Strategies: h.Strategies()}
		for _, a := range to {
			id := activity.ID{Activity: a.Number, Domain: h.Domain}
			if !lives(d.live, a.Number) && !slices.Contains(d.offered, a.Number) {
				d.offered = append(d.offered, a.Number)
			}
			l.t.deliver(w, id, carried, p, h.Strategy)
		}
		if len(to) == 0 {
			v := unconcerned(h, activity.VerdictNoTrigger)
			p.verdict(v)
			l.observe(w.slot, activity.ID{Activity: v.Activity, Domain: h.Domain}, 0, carried, v.Verdict)
		}
	}
}

// addressees returns the activities whose thread of the domain is given the event, ascending by number: those that have a live one, those
// whose trigger may match, and those that may have got one by an event before. It is valid until the next call.
func (l *lane) addressees(h *activity.Hit, d *domainWork) []*activity.Activity {
	to := l.to[:0]
	for i := range d.live {
		if a := h.Activity(d.live[i].ID.Activity); a != nil {
			to = append(to, a)
		}
	}
	ordered := len(to)
	for _, number := range d.offered {
		if a := h.Activity(number); a != nil {
			to = append(to, a)
		}
	}
	to = h.Births(to)
	if len(to) > ordered && len(to) > 1 {
		slices.SortFunc(to, func(a, b *activity.Activity) int { return cmp.Compare(a.Number, b.Number) })
		to = slices.Compact(to)
	}
	l.to = to
	return to
}

func lives(live []activity.Thread, number uint32) bool {
	_, ok := slices.BinarySearchFunc(live, number, func(th activity.Thread, n uint32) int { return cmp.Compare(th.ID.Activity, n) })
	return ok
}

// unconcerned is the one verdict of a strategy whose activities were not asked one by one; where only one lives by it, it is named.
func unconcerned(h *activity.Hit, kind activity.VerdictKind) messagebus.Verdict {
	v := messagebus.Verdict{Strategy: h.Strategy, DomainID: h.Domain, Verdict: activity.Verdict{Kind: kind, Clause: -1}}
	if len(h.Activities) == 1 {
		v.Activity, v.ActivityName = h.Activities[0].Number, h.Activities[0].Name
	}
	return v
}

// sortVerdicts puts the verdicts of a record that concerned several threads in the order of strategies and activities, whatever their slots.
func sortVerdicts(verdicts []messagebus.Verdict) {
	slices.SortStableFunc(verdicts, func(a, b messagebus.Verdict) int {
		return cmp.Or(strings.Compare(a.Strategy, b.Strategy), cmp.Compare(a.Activity, b.Activity))
	})
}
