package engine

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/slots"
)

// What a thread sends to a thread is a row in the outbox of the sender's slot with the receiver's slot as its destination. The relay hands such rows
// to a turn; the receiving slot applies each and raises its high-water for the sending slot in one group, and only a later turn deletes the row.
// A row that comes again, because a crash lay between the two, is known by the high-water.

// mailbag is rows of outboxes on their way to one slot.
type mailbag struct {
	destination uint32
	rows        []store.Outbox
	bytes       int       // of the rows' bodies
	old         []uint16  // slots whose old mail ends with these rows
	fresh       []sentRow // applied by this turn: they can go once that is on disk
	known       []sentRow // applied by an earlier turn: they go now
}

// mail is one row of a bag.
type mail struct {
	bag *mailbag
	row *store.Outbox
}

// means reports whether a service's name means this node.
func (l *lane) means(service string) bool { return service == "" || service == l.e.o.Name }

// emit writes the rows of an event that a thread sends, numbered from place, and returns the next free place.
func (l *lane) emit(w *slotWork, number uint64, place uint16, f *activity.Emit) uint16 {
	e := *f.Event
	e.Sender, e.Receiver, e.TimeMs = l.e.o.Name, f.Service, l.t.nowMs
	w.numbers = true
	if !l.means(f.Service) {
		seq := number<<16 | uint64(place)
		e.ID = l.t.requestID(w.slot, seq)
		to := l.t.snap.Services[f.Service].Destination
		l.batch.PutOutbox(&store.Outbox{Destination: to, Seq: seq, Service: f.Service, Body: messagebus.EncodeEvent(&e)})
		l.sends = append(l.sends, backlog{to, w.slot})
		l.e.stats.Requests.Add(1)
		return place + 1
	}
	if e.Receiver == "" {
		e.Receiver = l.e.o.Name
	}
	for _, to := range l.receivers(&e) {
		if place == 1<<16-1 { // a number has room for no more
			number, place = l.t.number(w.slot), 0
		}
		seq := number<<16 | uint64(place)
		place++
		e.ID = l.t.requestID(w.slot, seq)
		body, err := store.EncodeMessage(activity.Carried{Event: &e, Strategies: to.strategies, Direct: to.id.Activity != 0})
		if err != nil { // its values were looked at by unfit
			panic(err)
		}
		slot := l.t.slotNumber(to.id.Domain)
		l.batch.PutOutbox(&store.Outbox{Destination: store.ToSlot(slot), Seq: seq, Body: body, To: to.id})
		l.sends = append(l.sends, backlog{store.ToSlot(slot), w.slot})
		l.e.stats.Mails.Add(1)
	}
	return place
}

// receiver is one domain id, or one thread, that an event is for.
type receiver struct {
	id         activity.ID
	strategies []string
}

// receivers finds whom an event of a thread is for: one row for each domain id, so that two strategies that find the same make one delivery.
func (l *lane) receivers(e *activity.Event) (to []receiver) {
	if a, ok := activity.AddressOf(e); ok && a.Strategy == "" {
		number, err := l.t.activityNumber(a.Activity)
		if err == nil {
			err = slots.ValidDomain(a.Domain)
		}
		if err != nil {
			l.e.warn("a thread sent an event to a thread that cannot be", err)
			return nil
		}
		return []receiver{{id: activity.ID{Activity: number, Domain: a.Domain}}}
	} else if ok {
		if slots.ValidDomain(a.Domain) != nil {
			return nil
		}
		return []receiver{{activity.ID{Domain: a.Domain}, []string{a.Strategy}}}
	}
	for _, h := range l.t.snap.Router.Route(&l.scope.Scope, e, nil) {
		if h.Err == nil {
			h.Err = slots.ValidDomain(h.Domain)
		}
		if h.Err != nil {
			l.e.stats.StrategyErrors.Add(1)
			l.e.warn("strategy "+h.Strategy+" could not be asked", h.Err)
			continue
		}
		i := slices.IndexFunc(to, func(r receiver) bool { return r.id.Domain == h.Domain })
		if i < 0 {
			to = append(to, receiver{activity.ID{Domain: h.Domain}, []string{h.Strategy}})
		} else {
			to[i].strategies = append(to[i].strategies, h.Strategy)
		}
	}
	return to
}

// activityNumber finds an activity by its number, or by its name.
func (t *turn) activityNumber(v any) (uint32, error) {
	switch v := v.(type) {
	case int64:
		if v > 0 && v < 1<<32 && t.snap.Activities[uint32(v)] != nil {
			return uint32(v), nil
		}
	case string:
		if a := t.snap.ByName[v]; a != nil {
			return a.Number, nil
		}
		if n, err := strconv.ParseUint(v, 10, 32); err == nil && t.snap.Activities[uint32(n)] != nil {
			return uint32(n), nil
		}
	}
	return 0, fmt.Errorf("there is no activity %v", v)
}

// takeMail takes in what the relay brought for a slot.
func (t *turn) takeMail(bag *mailbag) {
	t.bags = append(t.bags, bag)
	for i := range bag.rows {
		row := &bag.rows[i]
		in := messagebus.Record{Source: "slot/" + strconv.Itoa(int(row.Slot)), Position: row.Seq, TimeMs: t.nowMs}
		m, err := store.DecodeMessage(row.Body)
		if c, ok := m.(activity.Carried); err == nil && ok {
			in.Incoming.Event = c.Event
		} else {
			in.Err, in.Raw = fmt.Errorf("what a thread sent cannot be read: %v", err), row.Body
		}
		t.take(&in)
		t.records[len(t.records)-1].mail = &mail{bag, row}
	}
}

// routeMail gives a row to its thread, unless its slot has applied it before. Whatever becomes of it there, the row is done with.
func (t *turn) routeMail(r *record) error {
	row, bag := r.mail.row, r.mail.bag
	slot, _ := store.IsSlot(row.Destination)
	w := t.slot(slot)
	high, read := w.highs[r.Source]
	if !read {
		var err error
		if high, err = t.e.store.HighWater(slot, r.Source); err != nil {
			return err
		}
	}
	if row.Seq <= high && !fault.On("mail-no-high-water") {
		r.known = true
		t.e.stats.Duplicates.Add(1)
		if !slices.Contains(w.raised, r.Source) { // else it came twice in this turn
			bag.known = append(bag.known, sentRow{row.Slot, row.Seq})
			from := t.slot(row.Slot)
			from.sent = append(from.sent, sent{bag.destination, row.Seq})
		}
		return nil
	}
	w.highs[r.Source] = row.Seq
	if !slices.Contains(w.raised, r.Source) {
		w.raised = append(w.raised, r.Source)
	}
	bag.fresh = append(bag.fresh, sentRow{row.Slot, row.Seq})
	if r.Err != nil {
		t.buryUndecoded(r)
		return nil
	}
	return t.deliverMail(w, r)
}

func (t *turn) deliverMail(w *slotWork, r *record) error {
	m, err := store.DecodeMessage(r.mail.row.Body)
	if err != nil {
		return err
	}
	c, to := m.(activity.Carried), r.mail.row.To
	c.Event = r.Incoming.Event
	if c.Direct {
		if !t.exists(to) {
			r.verdict(nowhere(to))
			return nil
		}
		w.offers = append(w.offers, offer{part: r.part(w.slot), hit: activity.Hit{Domain: to.Domain}, to: to.Activity})
		return nil
	}
	for _, strategy := range c.Strategies {
		if h, ok := t.snap.Router.Hit(strategy, to.Domain, c.Event); ok {
			w.offers = append(w.offers, offer{part: r.part(w.slot), hit: h})
		}
	}
	return nil
}

func nowhere(id activity.ID) messagebus.Verdict {
	return messagebus.Verdict{Activity: id.Activity, DomainID: id.Domain, Verdict: activity.Verdict{Kind: activity.VerdictNoTrigger, Clause: -1}}
}

// tellMail has the rows deleted that the turn applied, and lets the relay go on where they are gone.
func (t *turn) tellMail() {
	for _, bag := range t.bags {
		if len(bag.fresh) > 0 {
			if err := t.e.put(input{delivered: &delivered{destination: bag.destination, rows: bag.fresh}}, 0); err != nil {
				continue // the node stops: they come again and are known
			}
		}
		t.e.relay.deleted(&delivered{destination: bag.destination, rows: bag.known, bytes: bag.bytes})
	}
}

// routeAddressed leads an event to the thread, or to the strategy's domain id, that its attributes name.
func (t *turn) routeAddressed(r *record, a activity.Address) error {
	e := r.Incoming.Event
	t.hits = t.hits[:0]
	if a.Strategy != "" {
		h, ok := t.snap.Router.Hit(a.Strategy, a.Domain, e)
		if !ok {
			h = activity.Hit{Strategy: a.Strategy, Domain: a.Domain, Err: fmt.Errorf("$DID_STRATEGY: no activity lives by a strategy %q", a.Strategy)}
		}
		t.hits = append(t.hits, h)
		return t.offerHits(r)
	}
	number, err := t.activityNumber(a.Activity)
	if err == nil {
		err = slots.ValidDomain(a.Domain)
	}
	if err != nil {
		r.verdict(messagebus.Verdict{DomainID: a.Domain, Verdict: activity.Verdict{Kind: activity.VerdictError, Clause: -1, Error: err.Error()}})
		return nil
	}
	id := activity.ID{Activity: number, Domain: a.Domain}
	t.hits = append(t.hits, activity.Hit{Domain: id.Domain})
	if ok, err := t.fresh(r); !ok || err != nil {
		return err
	}
	w := t.slotOf(id.Domain)
	if seen, err := t.seen(w, r); err != nil || seen {
		if seen {
			r.verdict(messagebus.Verdict{Activity: number, DomainID: id.Domain, Verdict: activity.Verdict{Kind: activity.VerdictDuplicate, Clause: -1}})
		}
		return err
	}
	w.offers = append(w.offers, offer{part: r.part(w.slot), hit: activity.Hit{Domain: id.Domain}, to: id.Activity})
	return nil
}
