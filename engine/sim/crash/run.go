package crash

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/messagebus/mem"
)

// startMs is half an hour before a day begins: the idempotency keys' buckets change within a run.
const startMs = int64(20_000)*86_400_000 - 30*60_000

// longestMs bounds the time until the clients have got their answers: a key is remembered for a day.
const longestMs = 20 * 3_600_000

// Result is what a run was, for people.
type Result struct {
	Deaths   map[string]int // by place
	Events   int
	Applied  int // events at threads
	Requests int
	Births   int
	Late     int
	Yields   int // deliveries after which a thread owed itself work
	Letters  int // dead letters
	Said     int // what threads sent to threads
	Between  int // deaths with two turns under way
	Slotwise bool
}

// String says what happened.
func (s Result) String() string {
	return fmt.Sprintf("%d events, applied %d times, %d births, %d requests, %d late messages, %d yields, %d dead letters, %d sent by threads to threads, %d deaths with two turns under way, deaths: %v", s.Events, s.Applied, s.Births, s.Requests, s.Late, s.Yields, s.Letters, s.Said, s.Between, s.Deaths)
}

// run is one seed.
type run struct {
	office  *Office
	rng     *rand.Rand
	clock   *clock.Manual
	feeds   []*feed
	node    *node
	ledger  *ledger
	clients []*client
	letters []*letter
	posts   map[int64]*post
	order   []*post
	orders  []*order
	sent    map[destinationSlot]uint64
	serial  int64
	ending  bool // no more faults
	result  Result

	deaths      int
	maxDeaths   int
	spacing     int
	slots       uint16
	commitSlots bool
	pipelined   bool
	maxMessages int
	maxAlarms   int
	workers     int
	domains     int

	failure error
	notes   []string
}

// feed is a log that can be read again, and what the node is known to have read of it.
type feed struct {
	name    string
	log     *mem.Log
	written uint64 // its last position
	stamps  map[uint64]int64
	told    uint64 // everything below is applied, says the node
	trimmed uint64 // it begins here
}

// Run carries out one seed. An error is a difference between node and model; it ends with the story of the run.
func Run(o *Office, seed uint64) (Result, error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	r := &run{office: o, rng: rng, clock: clock.NewManual(startMs), ledger: newLedger(), posts: map[int64]*post{},
		sent: map[destinationSlot]uint64{}, result: Result{Deaths: map[string]int{}}}
	r.maxDeaths = 3 + rng.IntN(8)
	r.spacing = []int{20, 60, 150}[rng.IntN(3)]
	r.slots = []uint16{1, 2, 4, 7}[rng.IntN(4)]
	r.commitSlots = rng.IntN(2) == 0
	r.pipelined = rng.IntN(2) == 0
	r.maxMessages = []int{1, 4, 16_000}[rng.IntN(3)]
	r.maxAlarms = []int{1, 3, 4096}[rng.IntN(3)]
	r.workers = 1 + 3*int(seed%2)
	r.domains = 2 + rng.IntN(4)
	for i := range 1 + rng.IntN(3) {
		r.feeds = append(r.feeds, &feed{name: fmt.Sprintf("log%d", i), log: mem.NewLog(), stamps: map[uint64]int64{}, told: 1, trimmed: 1})
	}
	for i := range 2 {
		r.clients = append(r.clients, &client{name: fmt.Sprintf("c%d", i), open: map[*post]bool{}})
	}
	r.note("seed %d: %d slots, slot by slot %v, pipelined %v, %d logs, %d messages and %d alarms a turn, at most %d deaths", seed, r.slots, r.commitSlots, r.pipelined, len(r.feeds), r.maxMessages, r.maxAlarms, r.maxDeaths)
	err := r.all()
	if r.node != nil {
		if closed := r.node.close(); err == nil && closed != nil {
			err = fmt.Errorf("the store does not close: %w", closed)
		}
	}
	r.result.Events, r.result.Slotwise = len(r.order), r.commitSlots
	r.result.Applied, r.result.Requests, r.result.Births, r.result.Late = len(r.ledger.effects), len(r.ledger.asks), r.ledger.births, r.ledger.late
	r.result.Yields, r.result.Letters, r.result.Said = r.ledger.yields, len(r.ledger.letters), len(r.ledger.said)
	if err = cmp.Or(r.failure, err); err != nil {
		const last = 150
		notes := r.notes[max(0, len(r.notes)-last):]
		err = fmt.Errorf("seed %d: %w\nthe last %d of %d lines of its story:\n%s\n%s", seed, err, len(notes), len(r.notes), r.notes[0], strings.Join(notes, "\n"))
	}
	return r.result, err
}

func (r *run) all() error {
	if err := r.live(vfs.NewCrashableMem()); err != nil {
		return err
	}
	for steps := 100 + r.rng.IntN(100); steps > 0 && r.failure == nil; steps-- {
		r.step()
		if err := r.afterlife(); err != nil {
			return err
		}
	}
	r.ending = true
	r.maxDeaths = 0
	r.node.ops.Store(-1)
	r.node.writes.Store(-1)
	r.node.points, r.node.commits = -1, -1
	if err := r.afterlife(); err != nil {
		return err
	}
	if err := r.rest(); err != nil {
		return err
	}
	r.node.die("the end") // what a quiet node holds is on disk
	if err := r.afterlife(); err != nil {
		return err
	}
	return r.forget()
}

// live starts lives until one comes up.
func (r *run) live(disk *vfs.MemFS) error {
	for {
		if err := r.open(disk); err != nil {
			return err
		}
		if !r.node.dead.Load() {
			return nil
		}
		if err := r.bury(); err != nil {
			return err
		}
		disk = r.node.rest
	}
}

func (r *run) bury() error {
	<-r.node.gone
	r.deaths++
	if r.node.steps != nil {
		if turns, _ := r.node.steps.UnderWay(); turns > 1 {
			r.result.Between++
		}
	}
	r.result.Deaths[r.node.place]++
	r.note("DEATH at %s", r.node.place)
	return r.node.close()
}

// afterlife looks whether the node has died, and goes on from its disk: first of all it is compared with the model.
func (r *run) afterlife() error {
	r.node.collapse()
	for r.failure == nil && r.node.dead.Load() {
		if err := r.bury(); err != nil {
			return err
		}
		if err := r.live(r.node.rest); err != nil {
			return err
		}
		if err := r.survive(); err != nil {
			return err
		}
		r.startSaid()
		for _, c := range r.clients {
			c.reborn(r)
		}
		for _, l := range r.letters {
			l.sent = false
		}
		r.promised()
		if err := r.audit(); err != nil && r.failure == nil {
			return err
		}
	}
	return nil
}

// step does one thing, drawn.
func (r *run) step() {
	n := r.node
	switch d := r.rng.IntN(100); {
	case d < 25:
		n.step()
		if n.steps != nil { // three make a turn
			n.step()
			n.step()
		}
	case d < 45:
		r.act(r.clients[r.rng.IntN(len(r.clients))])
	case d < 57:
		for range 1 + r.rng.IntN(3) {
			r.append()
		}
	case d < 67:
		_, _ = n.engine.RelayNow(context.Background())
	case d < 75:
		r.mail()
	case d < 82:
		id := activity.ID{Activity: users, Domain: fmt.Sprint("u", r.rng.IntN(r.domains))}
		switch r.rng.IntN(5) {
		case 0, 1:
			id = activity.ID{Activity: items, Domain: fmt.Sprint("i", r.rng.IntN(r.domains))}
		case 2:
			id = activity.ID{Activity: hubs, Domain: fmt.Sprint("h", r.rng.IntN(r.domains))}
		}
		r.lifecycle([]string{"pause", "pause", "resume", "resume", "resume", "kill"}[r.rng.IntN(6)], id)
	case d < 90:
		r.pass()
	case d < 94:
		r.wake()
	case d < 96:
		r.look()
	case d < 99:
		for i, f := range r.feeds {
			if !n.dead.Load() {
				f.trimmed = max(f.trimmed, min(f.told, n.sources[i].next)) // a reader that went back must find what it wants
				f.log.Trim(f.trimmed)
			}
		}
	default:
		if r.deaths < r.maxDeaths {
			n.die("rest")
		}
	}
}

// look reads a thread as a caller does: only what is on disk is shown.
func (r *run) look() {
	if len(r.order) == 0 || r.node.dead.Load() {
		return
	}
	id := r.order[r.rng.IntN(len(r.order))].targets[0]
	got, err := r.node.engine.Thread(id, 0)
	if err != nil || r.node.dead.Load() {
		return // the disk fails: the next turn ends the node
	}
	t := r.ledger.kept[id]
	if want := t.String(); want != "absent" && shown(&got) != want {
		r.fail("a caller is shown thread %v as\n    %s\n  what is on disk is\n    %s", id, shown(&got), want)
	}
}

// pass lets time go by.
func (r *run) pass() {
	by := r.rng.Int64N(5000)
	switch due, ok := r.node.engine.NextDueMs(); {
	case r.nowMs()-startMs > longestMs:
	case ok && r.rng.IntN(2) == 0:
		by = max(due-r.nowMs(), 0)
	case r.rng.IntN(4) == 0:
		by = r.rng.Int64N(idleMs)
	case r.rng.IntN(2) == 0:
		by = r.rng.Int64N(timeoutMs)
	}
	r.clock.Advance(by)
	r.note("it is %d ms later: %d", by, r.nowMs()-startMs)
}

func (r *run) nowMs() int64 { return r.clock.NowMs() }

// note keeps a line of the story.
func (r *run) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// fail keeps the first difference.
func (r *run) fail(format string, args ...any) {
	if r.failure == nil {
		r.failure = fmt.Errorf(format, args...)
		r.note("DIFFERENCE: %v", r.failure)
	}
}

// rest ends all faults and lets everything come to rest: clients, buses, services and the node.
func (r *run) rest() error {
	for range 3000 {
		if r.failure != nil {
			return nil
		}
		busy := false
		for _, c := range r.clients {
			if len(c.batch) > 0 {
				busy = true
				if c.waiting == 0 {
					r.act(c)
				}
			}
		}
		r.mail()
		for _, l := range r.letters {
			busy = busy || l.sent || l.copies > 0 && l.dueMs <= r.nowMs()
		}
		for r.node.turn() {
			busy = true
		}
		sent, err := r.node.engine.RelayNow(context.Background())
		if err != nil && r.failure == nil {
			return fmt.Errorf("with all services well, requests do not go out: %w", err)
		}
		if !busy && sent == 0 {
			if r.outbox() == 0 {
				r.promised()
				if err := r.audit(); err != nil {
					return err
				}
				return errors.Join(r.overdue(), r.unheard())
			}
			r.clock.Advance(31_000) // a destination that failed rests
		}
	}
	return errors.New("the node does not come to rest")
}

// overdue looks for alarms that should have rung.
func (r *run) overdue() error {
	for id, t := range r.ledger.kept {
		if (t.status == activity.Waiting || t.status == activity.Running) && t.row.due != 0 && t.row.due <= r.nowMs() {
			return fmt.Errorf("the alarm of thread %v, due %d ms ago, does not ring: %s", id, r.nowMs()-t.row.due, &t)
		}
	}
	return nil
}

// unheard looks for answers in the body of a delivery that went well and never reached their thread.
func (r *run) unheard() error {
	for q, a := range r.ledger.asks {
		if !a.inBody || a.closed || slices.ContainsFunc(r.ledger.kept[a.id].mail, func(m mail) bool { return m.answer == q.seq }) {
			continue
		}
		return fmt.Errorf("%s answered request %v of %v in the body, the request is not sent any more, but the answer never came", a.service, q, a.id)
	}
	return nil
}

// wake lets the alarm of a paused thread be due when a command resumes it: its parked mail may move it on before the alarm comes.
func (r *run) wake() {
	for _, p := range r.order {
		for _, id := range p.targets {
			t := r.ledger.kept[id]
			if t.status != activity.Paused || len(t.mail) == 0 || t.row.due <= r.nowMs() || t.row.due-startMs > longestMs {
				continue
			}
			r.clock.Set(t.row.due)
			r.note("it is %d ms after the start, when an alarm of %v is due", r.nowMs()-startMs, id)
			r.lifecycle("resume", id)
			r.node.turn()
			return
		}
	}
}

// forget resumes what is paused and lets time go on until every thread has ended and every ended run is forgotten: nothing may be left.
func (r *run) forget() error {
	for id, t := range r.ledger.kept {
		if t.status == activity.Paused {
			r.lifecycle("resume", id)
		}
	}
	for range 3000 {
		if err := r.rest(); err != nil || r.failure != nil {
			return err
		}
		due, ok := r.node.engine.NextDueMs()
		for _, l := range r.letters {
			if l.copies > 0 {
				due, ok = min(due, l.dueMs), true
			}
		}
		if !ok {
			break
		}
		r.clock.Set(max(due, r.nowMs()))
	}
	for _, p := range r.order {
		if p.position > 0 {
			p.acked = true // all logs were read to their ends
		}
	}
	r.promised()
	for id, t := range r.ledger.kept {
		if t.status.Live() {
			return fmt.Errorf("thread %v waits for an alarm that never rings: %s", id, &t)
		}
	}
	r.clock.Advance(retentionMs)
	if err := r.rest(); err != nil || r.failure != nil {
		return err
	}
	return r.nothing()
}

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func number64(v any) int64 {
	n, _ := v.(int64)
	return n
}

// describe says what a message is.
func describe(m activity.Message) string {
	switch m := m.(type) {
	case activity.Carried:
		if ofThread(m.Event) {
			_, sent, _ := strings.Cut(m.Event.ID, "-")
			return m.Event.Type + " " + sent
		}
		return fmt.Sprintf("event %d", number64(m.Event.Attrs["n"]))
	case *activity.Reply:
		return fmt.Sprintf("answer %d of %d", number64(m.Result.Data["echo"]), number64(m.Result.Data["seq"]))
	case *activity.Alarm:
		return fmt.Sprintf("alarm of run %d visit %d due %d", m.Run, m.Visit, m.DueMs)
	case *activity.Command:
		return "command " + m.Name
	}
	return fmt.Sprintf("%T", m)
}

// String says what a parked message is, as describe does.
func (m mail) String() string {
	if m.event != nil && m.event.kind != "" {
		return m.event.kind + " " + m.event.sent.String()
	}
	if m.event != nil {
		return fmt.Sprintf("event %d", m.event.n)
	}
	return fmt.Sprintf("answer %d of %d", m.echo, m.said)
}
