package engine

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/slots"
)

// record is one incoming message of the turn and what became of it.
type record struct {
	messagebus.Record
	key      store.Key            // zero Day: it has none
	twin     *record              // the first record of this turn with the same key: this one shares its fate
	verdicts []messagebus.Verdict // of routing
	first    part                 // of the slots that it concerns
	known    bool                 // a slot knew the key, or had the position
	conflict bool
	heir     *record           // set where this one conflicts: the next of its key
	letter   *store.DeadLetter // the dead letter that is replayed; nil: it came by itself
	chunk    *jobChunk         // of the batch job that gives the command; nil: none
	mail     *mail             // a row that a thread of some slot sent; nil: it came from outside
}

// part is what becomes of a record in one slot. Slots are evaluated side by side: none looks at another's part.
type part struct {
	record   *record // nil: not in use
	slot     uint16
	applied  bool // the slot took it
	verdicts []messagebus.Verdict
	next     *part
}

// part returns the slot's part of the record.
func (r *record) part(slot uint16) *part {
	p := &r.first
	for p.record != nil && p.slot != slot {
		if p.next == nil {
			p.next = &part{}
		}
		p = p.next
	}
	p.record, p.slot = r, slot
	return p
}

// verdict appends to the verdicts of a part and returns the place. Most parts have one: their memory is taken in chunks.
func (l *lane) verdict(p *part, v messagebus.Verdict) int {
	if p.verdicts == nil {
		if len(l.verdicts) == 0 {
			l.verdicts = make([]messagebus.Verdict, verdictChunk)
		}
		p.verdicts, l.verdicts = l.verdicts[:0:1], l.verdicts[1:]
	}
	p.verdicts = append(p.verdicts, v)
	return len(p.verdicts) - 1
}

// verdictChunk is how many verdicts are kept in memory for the sake of one: whoever is answered may keep his for a while.
const verdictChunk = 32

// all returns the verdicts of routing and of all slots.
func (r *record) all() []messagebus.Verdict {
	if len(r.verdicts) == 0 && r.first.next == nil {
		return r.first.verdicts
	}
	all := slices.Clip(r.verdicts)
	for p := &r.first; p != nil; p = p.next {
		all = append(all, p.verdicts...)
	}
	return all
}

// applied reports whether a slot took the record.
func (r *record) applied() bool {
	for p := &r.first; p != nil; p = p.next {
		if p.applied {
			return true
		}
	}
	return false
}

func (r *record) answer() {
	if r.Answer == nil {
		return
	}
	verdicts := r.all()
	sortVerdicts(verdicts)
	duplicate := false
	switch {
	case r.conflict:
	case r.twin != nil:
		duplicate = r.twin.known || r.twin.applied()
	default:
		duplicate = r.known && !r.applied()
	}
	r.Answer(messagebus.Answer{Duplicate: duplicate, Conflict: r.conflict, Verdicts: verdicts})
}

func (r *record) verdict(v messagebus.Verdict) { r.verdicts = append(r.verdicts, v) }

const dayMs = 24 * 60 * 60 * 1000

func (t *turn) take(r *messagebus.Record) {
	var rec *record
	if n := len(t.spare); n > 0 {
		rec, t.spare = t.spare[n-1], t.spare[:n-1]
	} else {
		rec = &record{}
	}
	rec.Record = *r
	if r.Key != "" && r.Incoming.Event != nil { // a key is an event's: a reply is known by its request, a command by its effect
		sum := sha256.Sum256([]byte(r.Source + "\x00" + r.Key))
		rec.key = store.Key{Day: uint32(t.nowMs / dayMs), Body: r.BodyHash}
		copy(rec.key.Hash[:], sum[:])
		whole := string(rec.key.Hash[:])
		if first := t.byKey[whole]; first != nil {
			rec.twin = first
			rec.conflict = first.BodyHash != r.BodyHash
		} else {
			t.byKey[whole] = rec
		}
	}
	t.records = append(t.records, rec)
}

// route leads a record to its threads.
func (t *turn) route(r *record) error {
	t.e.stats.Messages.Add(1)
	r.settleTwin()
	switch {
	case r.twin != nil:
		t.e.stats.Duplicates.Add(1)
		return nil
	case r.mail != nil:
		return t.routeMail(r)
	case r.Err != nil:
		t.buryUndecoded(r)
		return nil
	case r.Incoming.Event != nil:
		return t.routeEvent(r)
	case r.Incoming.Reply != nil:
		return t.routeReply(r, r.Incoming.Reply)
	case r.Incoming.Command != nil:
		c := r.Incoming.Command
		if !t.exists(c.ID) {
			r.verdict(messagebus.Verdict{Activity: c.ID.Activity, DomainID: c.ID.Domain, Verdict: activity.Verdict{Kind: activity.VerdictDropped, Clause: -1, Error: fmt.Sprintf("there is no activity %d", c.ID.Activity)}})
			return nil
		}
		w := t.slotOf(c.ID.Domain)
		w.send(c.ID, &c.Command, r.part(w.slot))
	}
	return nil
}

func (t *turn) exists(id activity.ID) bool { return t.snap.Activities[id.Activity] != nil }

func (t *turn) routeEvent(r *record) error {
	t.e.stats.Events.Add(1)
	t.e.routes.NowMs = t.nowMs
	t.e.routes.Reseed(r.BodyHash)
	if a, ok := activity.AddressOf(r.Incoming.Event); ok {
		return t.routeAddressed(r, a)
	}
	t.hits = t.snap.Router.Route(&t.e.routes, r.Incoming.Event, t.hits[:0])
	if len(t.hits) == 0 {
		unheard(&t.unrouted, "", activity.VerdictNoTrigger)
	}
	return t.offerHits(r)
}

// offerHits gives the event to the domain ids of t.hits, as far as their slots have not applied it before.
func (t *turn) offerHits(r *record) error {
	for i := range t.hits {
		h := &t.hits[i]
		if h.Err == nil {
			h.Err = slots.ValidDomain(h.Domain)
		}
		if h.Err != nil {
			t.e.stats.StrategyErrors.Add(1)
			unheard(&t.unrouted, t.known(h.Strategy), activity.VerdictError)
			t.e.warn("strategy "+h.Strategy+" could not be asked", h.Err)
			r.verdict(messagebus.Verdict{Strategy: h.Strategy, Verdict: activity.Verdict{Kind: activity.VerdictError, Clause: -1, Error: h.Err.Error()}})
		}
	}
	if ok, err := t.fresh(r); !ok || err != nil {
		return err
	}
	for i := range t.hits {
		h := &t.hits[i]
		if h.Err != nil {
			continue
		}
		w := t.slotOf(h.Domain)
		seen, err := t.seen(w, r)
		if err != nil {
			return err
		}
		if seen {
			r.verdict(unconcerned(h, activity.VerdictDuplicate))
			unheard(&w.said.unheard, h.Strategy, activity.VerdictDuplicate)
		} else {
			w.offers = append(w.offers, offer{part: r.part(w.slot), hit: *h})
		}
	}
	return nil
}

// known returns the name of a strategy that there is, and "" for one that only an event names: what is counted is bounded by what is defined.
func (t *turn) known(strategy string) string {
	if _, ok := t.snap.Router.Hit(strategy, "", nil); !ok {
		return ""
	}
	return strategy
}

// fresh finds out whether a slot remembers the record's key with another body: then nothing of it is applied anywhere.
func (t *turn) fresh(r *record) (bool, error) {
	if r.key.Day == 0 {
		return true, nil
	}
	for i := range t.hits {
		if t.hits[i].Err != nil {
			continue
		}
		body, known, err := t.e.store.KnownKey(t.slotNumber(t.hits[i].Domain), r.key)
		if err != nil {
			return false, err
		}
		if known && body != r.key.Body {
			r.conflict = true
			return false, nil
		}
		r.known = r.known || known
	}
	return true, nil
}

// seen reports whether this slot applied the record before, by its key or its position.
func (t *turn) seen(w *slotWork, r *record) (bool, error) {
	if r.known && fault.On("slots-as-one") {
		return true, nil
	}
	if r.key.Day != 0 && r.known && !fault.On("no-dedup-by-key") {
		_, known, err := t.e.store.KnownKey(w.slot, r.key)
		if err != nil || known {
			return known, err
		}
	}
	if r.Position == 0 {
		return false, nil
	}
	high, ok := w.highs[r.Source]
	if !ok {
		var err error
		if high, err = t.e.store.HighWater(w.slot, r.Source); err != nil {
			return false, err
		}
		if fault.On("high-water-per-node") {
			high, err = t.highOfAll(r.Source)
		}
		w.highs[r.Source] = high
	}
	if r.Position <= high && !fault.On("no-dedup-by-position") {
		r.known = true
		return true, nil
	}
	return false, nil
}

// routeReply finds the thread that a reply is for by the open request it names.
func (t *turn) routeReply(r *record, in *messagebus.Reply) error {
	t.replies++
	result := in.Result
	reply := &activity.Reply{Action: in.Action, Result: &result, TimeMs: t.nowMs}
	if in.RequestID == "" {
		id := activity.ID{Activity: in.Activity, Domain: in.Domain}
		if !t.exists(id) || slots.ValidDomain(id.Domain) != nil {
			t.late(r, id)
			return nil
		}
		w := t.slotOf(in.Domain)
		w.send(id, reply, r.part(w.slot))
		return nil
	}
	slot, seq, ok := t.parseRequestID(in.RequestID)
	if !ok {
		t.late(r, activity.ID{Activity: in.Activity, Domain: in.Domain})
		return nil
	}
	request, ok, err := t.e.store.OpenRequest(slot, seq)
	if err != nil {
		return err
	}
	if !ok || !t.exists(request.ID) {
		t.late(r, activity.ID{Activity: in.Activity, Domain: in.Domain})
		return nil
	}
	reply.Seq, reply.Run, reply.Visit, reply.Action = seq, request.Run, request.Visit, request.Action
	t.slot(slot).send(request.ID, reply, r.part(slot))
	return nil
}

func (t *turn) late(r *record, id activity.ID) {
	t.e.stats.Late.Add(1)
	r.verdict(messagebus.Verdict{Activity: id.Activity, DomainID: id.Domain, Verdict: activity.Verdict{Kind: activity.VerdictLate, Clause: -1}})
}

// requestID is "<store id>-<slot>-<seq>": a wiped directory never repeats an id that services have seen.
func (t *turn) requestID(slot uint16, seq uint64) string {
	return t.e.nodes.StoreID + "-" + strconv.FormatUint(uint64(slot), 10) + "-" + strconv.FormatUint(seq, 10)
}

func (t *turn) parseRequestID(id string) (slot uint16, seq uint64, ok bool) {
	parts := strings.Split(id, "-")
	if len(parts) != 3 || parts[0] != t.e.nodes.StoreID {
		return 0, 0, false
	}
	n, err1 := strconv.ParseUint(parts[1], 10, 16)
	seq, err2 := strconv.ParseUint(parts[2], 10, 64)
	if err1 != nil || err2 != nil || n >= uint64(len(t.e.slots)) {
		return 0, 0, false
	}
	return uint16(n), seq, true
}
