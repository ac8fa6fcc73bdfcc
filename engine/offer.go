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
	part   *part // of the record, in the slot
	hit    activity.Hit
	to     uint32 // the activity, for an event that names its thread itself; hit then holds the domain id only
	domain int32  // place in slotWork.domains, known after readLive
}

// direct is a message that names its thread.
type direct struct {
	id       activity.ID
	message  activity.Message
	part     *part  // of the record that it came with; nil: it came by itself
	strategy string // of a replayed event
	domain   int32  // place in slotWork.domains, known after readLive
}

// domainWork is one domain id in a turn.
type domainWork struct {
	domain  string
	live    *cached       // its live threads: before anything is stepped those before the turn
	threads []*threadWork // with mail, ascending by activity
}

// wanted says for which domain a message of the slot is: an offer's place, or the complement of a direct one's.
type wanted struct {
	domain string
	at     int32
}

// load reads the live threads of all domains that have mail or an offer, in key order, one seek a domain, and gives every message to the
// threads that it is for.
func (l *lane) load(w *slotWork) error {
	for i := range w.directs {
		l.wanted = append(l.wanted, wanted{w.directs[i].id.Domain, ^int32(i)})
	}
	for i := range w.offers {
		l.wanted = append(l.wanted, wanted{w.offers[i].hit.Domain, int32(i)})
	}
	slices.SortFunc(l.wanted, func(a, b wanted) int { return strings.Compare(a.domain, b.domain) })
	err := l.readLive(w)
	clear(l.wanted)
	l.wanted = l.wanted[:0]
	if err != nil {
		return err
	}
	for i := range w.directs {
		d := &w.directs[i]
		l.deliver(w, &w.domains[d.domain], d.id.Activity, d.message, d.part, d.strategy)
	}
	for i := range w.offers {
		l.deliverOffer(w, &w.offers[i])
	}
	return nil
}

func (l *lane) readLive(w *slotWork) error {
	for i, x := range l.wanted {
		if i == 0 || x.domain != l.wanted[i-1].domain {
			live, err := l.cache.live(l.e.store, w.slot, x.domain)
			if err != nil {
				return err
			}
			w.addDomain(x.domain, live)
		}
		place := int32(len(w.domains) - 1)
		if x.at < 0 {
			w.directs[^x.at].domain = place
		} else {
			w.offers[x.at].domain = place
		}
	}
	return nil
}

// addDomain appends the work of a domain, in memory of an earlier turn if there is any.
func (w *slotWork) addDomain(domain string, live *cached) {
	n := len(w.domains)
	if n == cap(w.domains) {
		w.domains = slices.Grow(w.domains, 1)
	}
	w.domains = w.domains[:n+1]
	d := &w.domains[n]
	d.domain, d.live = domain, live
}

// deliver puts a message into a thread's mail and gives the delivery its number. p is the slot's part of the record that the message came with,
// nil if it came by itself.
func (l *lane) deliver(w *slotWork, d *domainWork, number uint32, m activity.Message, p *part, strategy string) {
	tw := l.threadOf(w, d, number)
	class := activity.ClassOf(m)
	if strategy != "" {
		// An event that two strategies lead to the same thread is one delivery.
		if n := len(tw.mail[class]); n > 0 && tw.mail[class][n-1].part == p {
			last := &tw.mail[class][n-1]
			c := last.message.(activity.Carried)
			c.Strategies = append(c.Strategies, strategy)
			last.message = c
			return
		}
	}
	mail := delivery{number: l.t.number(w.slot), message: m, part: p}
	if p != nil {
		mail.verdict = l.verdict(p, messagebus.Verdict{Strategy: strategy, Activity: number, ActivityName: tw.activity.Name, DomainID: d.domain})
	}
	tw.mail[class] = append(tw.mail[class], mail)
}

// threadOf returns the work of the domain's thread of an activity; before the first message it is made.
func (l *lane) threadOf(w *slotWork, d *domainWork, number uint32) *threadWork {
	at, found := slices.BinarySearchFunc(d.threads, number, func(tw *threadWork, n uint32) int { return cmp.Compare(tw.id.Activity, n) })
	if found {
		return d.threads[at]
	}
	tw := w.spareThread()
	tw.id = activity.ID{Activity: number, Domain: d.domain}
	tw.activity, tw.live = l.t.activityOf(number), d.live
	if i, ok := d.live.find(number); ok {
		tw.now = d.live.threads[i]
		tw.before = placeOf(&tw.now)
	} else {
		tw.now.ID = tw.id
	}
	d.threads = slices.Insert(d.threads, at, tw)
	return tw
}

// deliverOffer makes an offer deliveries. A strategy that concerned no thread leaves one verdict.
func (l *lane) deliverOffer(w *slotWork, o *offer) {
	p, h, d := o.part, &o.hit, &w.domains[o.domain]
	if o.to != 0 {
		l.deliver(w, d, o.to, activity.Carried{Event: p.record.Incoming.Event, Direct: true}, p, "")
		return
	}
	var carried activity.Message = activity.Carried{Event: p.record.Incoming.Event, Strategies: h.Strategies()}
	to := l.addressees(h, d)
	for _, a := range to {
		l.deliver(w, d, a.Number, carried, p, h.Strategy)
	}
	if len(to) == 0 {
		v := unconcerned(h, activity.VerdictNoTrigger)
		unheard(&w.said.unheard, h.Strategy, activity.VerdictNoTrigger)
		l.verdict(p, v)
		l.observe(w.slot, activity.ID{Activity: v.Activity, Domain: h.Domain}, 0, carried, v.Verdict)
	}
}

// addressees returns the activities whose thread of the domain is given the event, ascending by number: those that have a live one, those
// whose trigger may match, and those that may have got one by an event before. It is valid until the next call.
func (l *lane) addressees(h *activity.Hit, d *domainWork) []*activity.Activity {
	to := l.to[:0]
	for i := range d.live.threads {
		if a := h.Activity(d.live.threads[i].ID.Activity); a != nil {
			to = append(to, a)
		}
	}
	if ordered := len(to); ordered < len(h.Activities) {
		for _, tw := range d.threads {
			if !tw.before.status.Live() && len(tw.mail[activity.ClassEvent]) > 0 {
				if a := h.Activity(tw.id.Activity); a != nil {
					to = append(to, a)
				}
			}
		}
		to = h.Births(to)
		if len(to) > ordered && len(to) > 1 {
			slices.SortFunc(to, func(a, b *activity.Activity) int { return cmp.Compare(a.Number, b.Number) })
			to = slices.Compact(to)
		}
	}
	l.to = to
	return to
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
	if len(verdicts) < 2 {
		return
	}
	slices.SortStableFunc(verdicts, func(a, b messagebus.Verdict) int {
		return cmp.Or(strings.Compare(a.Strategy, b.Strategy), cmp.Compare(a.Activity, b.Activity))
	})
}
