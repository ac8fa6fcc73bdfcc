package crash

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// post is one event as it was sent.
type post struct {
	n        int64
	source   string
	key      string // of an event of a client
	feed     *feed  // of a record of a log
	position uint64
	body     []byte
	targets  []activity.ID
	event    event
	acked    bool
	forged   bool // the key of another event with another content
}

// client sends events and repeats them until they are answered.
type client struct {
	name    string
	batch   []*post
	waiting int // answers that are due in this life of the node
	open    map[*post]bool
	past    []*post // what was answered
}

// order is a command to a thread. It is sent once: nobody repeats it.
type order struct {
	n     int64
	name  string
	id    activity.ID
	acked bool // answered as taken
}

func (r *run) draw(source string) *post {
	r.serial++
	p := &post{n: r.serial, source: source}
	p.event = event{n: p.n, amount: 1 + r.rng.Int64N(50), close: r.rng.IntN(8) == 0, ask: r.rng.IntN(3) == 0, arm: r.rng.IntN(2) == 0}
	if p.event.close {
		p.event.ask, p.event.arm = false, false
	}
	if !p.event.close && !p.event.ask && r.rng.IntN(2) == 0 {
		p.event.tell = "h" + strconv.Itoa(r.rng.IntN(r.domains))
	}
	if r.rng.IntN(7) == 0 {
		p.event.work = 1 + r.rng.Int64N(2*maxActions)
	}
	if r.rng.IntN(12) == 0 {
		p.event.poison = []string{"limit", "panic", "missing"}[r.rng.IntN(3)]
	}
	which := r.rng.IntN(6) // 1, 4 and 5: both
	if which != 0 {
		p.targets = append(p.targets, activity.ID{Activity: users, Domain: "u" + strconv.Itoa(r.rng.IntN(r.domains))})
	}
	if which < 2 || which >= 4 || which == 3 && r.rng.IntN(2) == 0 {
		p.targets = append(p.targets, activity.ID{Activity: items, Domain: "i" + strconv.Itoa(r.rng.IntN(r.domains))})
	}
	p.write()
	r.posts[p.n] = p
	r.order = append(r.order, p)
	return p
}

// write makes the body of what the post says.
func (p *post) write() {
	kind := "order"
	if p.event.close {
		kind = "close"
	}
	p.body = fmt.Appendf(nil, `{"type":%q,"attr":{"n":%d,"ask":%v,"arm":%v,"work":%d,"poison":%q,"tell":%q`, kind, p.n, p.event.ask, p.event.arm, p.event.work, p.event.poison, p.event.tell)
	switch p.event.poison {
	case "missing":
	case "limit":
		p.body = fmt.Appendf(p.body, `,"blob":%q`, strings.Repeat("x", maxVarsBytes))
		fallthrough
	default:
		p.body = fmt.Appendf(p.body, `,"amount":%d`, p.event.amount)
	}
	for _, id := range p.targets {
		p.body = fmt.Appendf(p.body, `,%q:%q`, map[uint32]string{users: "user", items: "item"}[id.Activity], id.Domain)
	}
	p.body = append(p.body, "}}"...)
}

// event finds what was sent by the number in its attributes.
func (r *run) event(attrs map[string]any) *event {
	if p := r.posts[number64(attrs["n"])]; p != nil {
		return &p.event
	}
	r.fail("an event that nobody sent reached a thread: %v", attrs)
	return &event{}
}

// append writes a record into a log.
func (r *run) append() {
	f := r.feeds[r.rng.IntN(len(r.feeds))]
	p := r.draw(f.name)
	p.feed, p.position = f, f.log.Append(p.body, r.nowMs())
	f.written = p.position
	f.stamps[p.position] = r.nowMs()
	r.note("%s: event %d at position %d for %v: %s", f.name, p.n, p.position, p.targets, short(p.body))
}

// act lets a client send, repeat or wait.
func (r *run) act(c *client) {
	if len(c.batch) == 0 {
		if r.ending {
			return
		}
		if len(c.past) > 0 && r.rng.IntN(6) == 0 {
			r.repeat(c)
			return
		}
		for range 1 + r.rng.IntN(3) {
			p := r.draw(c.name)
			p.key = c.name + "-" + strconv.FormatInt(p.n, 10)
			c.batch = append(c.batch, p)
			c.open[p] = true
		}
	} else if c.waiting > 0 && r.rng.IntN(8) > 0 {
		return // patient
	}
	if !r.ending && r.rng.IntN(10) == 0 {
		r.note("%s: %d events are lost on the way", c.name, len(c.batch))
		return
	}
	for _, p := range c.batch {
		if c.open[p] {
			c.waiting++
			r.post(c, p)
		}
	}
}

// repeat sends an answered event once more, or another content under its key.
func (r *run) repeat(c *client) {
	old := c.past[r.rng.IntN(len(c.past))]
	if r.rng.IntN(3) > 0 {
		r.note("%s: repeats event %d, which was answered", c.name, old.n)
		r.post(nil, old)
		return
	}
	p := r.draw(c.name)
	p.key, p.forged, p.targets = old.key, true, old.targets
	p.write()
	r.note("%s: takes key %s of event %d again", c.name, p.key, old.n)
	r.post(nil, p)
}

// post hands an event to the node; c hears of its answer, or nobody.
func (r *run) post(c *client, p *post) {
	n := r.node
	decoded, raws, _, err := messagebus.DecodeJSON(p.body, r.nowMs(), messagebus.Limits{})
	if err != nil {
		r.fail("event %d can not be read: %v", p.n, err)
		return
	}
	hash := fnv.New64a()
	hash.Write(p.body)
	known := r.everywhere(p)
	r.note("%s: posts event %d for %v: %s", p.source, p.n, p.targets, short(p.body))
	r.submit(&messagebus.Record{Source: "http/sim", TimeMs: r.nowMs(), Incoming: decoded[0], Raw: raws[0], Key: p.key, BodyHash: hash.Sum64(), Answer: func(a messagebus.Answer) {
		if n.dead.Load() {
			return
		}
		r.note("  event %d is answered: duplicate %v, conflict %v", p.n, a.Duplicate, a.Conflict)
		if c != nil {
			c.waiting--
		}
		if a.Err != nil {
			return
		}
		owner := r.ledger.owner[p.key]
		if owner.turn > n.told { // of a turn that is on disk and told later
			owner = claim{}
		}
		switch {
		case p.forged && owner.event != p.n && !a.Conflict && owner.event != 0:
			r.fail("event %d has the key %s of event %d with another content, but was answered as taken", p.n, p.key, owner.event)
		case !p.forged && a.Conflict && r.posts[owner.event] == p:
			r.fail("event %d was answered as a conflict with itself", p.n)
		case known && !a.Duplicate:
			r.fail("event %d is known at each of its threads, but its repeat was not answered as a duplicate", p.n)
		}
		if !a.Conflict {
			p.acked = true
		}
		if c != nil && c.open[p] && (r.ending || r.rng.IntN(8) > 0) { // otherwise the answer is lost on its way
			delete(c.open, p)
			c.past = append(c.past, p)
			if len(c.open) == 0 {
				c.batch = nil
			}
		}
	}})
}

// short is the beginning of a body.
func short(body []byte) []byte { return body[:min(len(body), 250)] }

// everywhere reports whether an event had its effect at each of its threads, on disk.
func (r *run) everywhere(p *post) bool {
	for _, id := range p.targets {
		if r.ledger.effects[target{p.n, id}] == 0 {
			return false
		}
	}
	return true
}

// lifecycle sends a command.
func (r *run) lifecycle(name string, id activity.ID) {
	r.serial++
	o := &order{n: r.serial, name: name, id: id}
	r.orders = append(r.orders, o)
	r.note("command %d: %s %v", o.n, name, id)
	n := r.node
	command := &messagebus.Command{ID: id, Command: activity.Command{Name: name, Args: map[string]any{"n": o.n}, TimeMs: r.nowMs()}}
	r.submit(&messagebus.Record{Source: "api", Incoming: messagebus.Incoming{Command: command}, Answer: func(a messagebus.Answer) {
		if !n.dead.Load() && a.Err == nil && len(a.Verdicts) == 1 && a.Verdicts[0].Kind == activity.VerdictTaken {
			o.acked = true
		}
	}})
}

func (r *run) submit(record *messagebus.Record) {
	if err := r.node.engine.Submit(record); err != nil && !r.node.dead.Load() {
		r.fail("the node refuses a message: %v", err)
	}
}

// reborn is what the clients do after a death: their connections broke; they repeat what was not answered, or give up.
func (c *client) reborn(r *run) {
	c.waiting = 0
	if len(c.batch) > 0 && r.rng.IntN(6) == 0 && !r.ending {
		r.note("%s: gives up %d events", c.name, len(c.open))
		c.batch = nil
		clear(c.open)
	}
}
