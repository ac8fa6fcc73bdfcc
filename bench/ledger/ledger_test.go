package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// world is a small node that does what a node should: the books of its doings agree. A test spoils one thing in it.
type world struct {
	events   []Event
	acks     map[string][]bool // by event: duplicate or not, in order
	applied  map[string][]Event
	requests []string // raw, in the order of delivery
	answered []string
	dead     []Event
	fired    map[string]byte // by event: how its alarm ended
	asked    map[string]byte // by event: how its ask ended
	extra    map[string]string
	states   map[string]State // when set, instead of what applied makes
}

const alarmMs = 300

// newWorld makes events for a few domains by seed, every kind of them.
func newWorld(seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &world{acks: map[string][]bool{}, applied: map[string][]Event{}, fired: map[string]byte{}, asked: map[string]byte{}, extra: map[string]string{}, states: map[string]State{}}
	n, m := map[string]int64{}, map[string]int64{}
	for i := range 200 {
		e := Event{ID: fmt.Sprintf("e%d", i), User: fmt.Sprintf("u%d", r.IntN(4)), Item: fmt.Sprintf("i%d", r.IntN(3)), Amount: r.Int64N(1000), Weight: r.Int64N(1000)}
		if i%50 == 49 {
			e.User, e.Poison = fmt.Sprintf("p%d", i), true
			w.dead = append(w.dead, e)
		} else {
			n[e.User]++
			e.N = n[e.User]
			w.applied["user "+e.User] = append(w.applied["user "+e.User], e)
		}
		m[e.Item]++
		e.M = m[e.Item]
		w.applied["item "+e.Item] = append(w.applied["item "+e.Item], e)
		e.Ask, e.Arm = !e.Poison && e.N%5 == 0, e.M%4 == 0
		e.Hold = e.Arm && e.M%8 == 0
		for _, list := range [][]Event{w.applied["user "+e.User], w.applied["item "+e.Item]} {
			if len(list) > 0 {
				list[len(list)-1] = e
			}
		}
		w.acks[e.ID] = []bool{false}
		w.events = append(w.events, e)
	}
	w.request()
	return w
}

// request makes the requests that the events lead to.
func (w *world) request() {
	sums, seq := map[string]int64{}, 0
	for _, e := range w.events {
		if !e.Poison {
			sums[e.User] += e.Amount
		}
		if e.Ask {
			seq++
			w.requests = append(w.requests, raw("oracle", "0a-1-"+fmt.Sprint(seq<<16), e.User, e.N, sums[e.User], 0))
			w.asked[e.ID] = 't'
			if e.N%10 == 0 {
				w.asked[e.ID] = 'o'
				w.answered = append(w.answered, fmt.Sprintf("0a-1-%d", seq<<16))
			}
		}
		if e.Arm {
			w.fired[e.ID] = 'c'
			if e.Hold {
				seq++
				w.requests = append(w.requests, raw("bell", "0a-1-"+fmt.Sprint(seq<<16), e.Item, e.M, 0, alarmMs+1))
				w.fired[e.ID] = 'f'
			}
		}
	}
}

func raw(service, id, domain string, n, sum, waited int64) string {
	return fmt.Sprintf(`{"type":"req","sender":"weftbox","receiver":%q,"attr":{"request_id":%q,"activity":1,"domain":%q,"action":"x","args":{"n":%d,"sum":%d,"waited":%d},"ignore_result":false},"time":1}`,
		service, id, domain, n, sum, waited)
}

// check writes the world into a ledger.
func (w *world) check(t *testing.T) *Report {
	t.Helper()
	l := New(alarmMs)
	for _, e := range w.events {
		l.Send(e)
		for i, duplicate := range w.acks[e.ID] {
			if i > 0 {
				l.Send(e)
			}
			l.Acknowledge(e.ID, duplicate)
		}
	}
	for _, body := range w.requests {
		if _, err := l.Receive([]byte(body)); err != nil {
			t.Logf("request refused: %v", err)
		}
	}
	for _, id := range w.answered {
		l.Answered(id)
	}
	for _, e := range w.dead {
		l.DeadLetter(e.ID, e.User)
	}
	for where, events := range w.applied {
		kind, domain, _ := strings.Cut(where, " ")
		s, spoilt := w.states[where]
		if !spoilt {
			s = w.state(Kind(kind), where, events)
		}
		l.Thread(Kind(kind), domain, s)
	}
	return l.Check()
}

// state computes a thread apart from the ledger's own folding: the hash by another formula, the trace from the waits' ends.
func (w *world) state(kind Kind, where string, events []Event) (s State) {
	var sum int64
	for _, e := range events {
		n := e.N
		sum += e.Amount
		if kind == Item {
			n = e.M
			s.Sum += e.Weight
		} else {
			s.Sum += e.Amount
		}
		s.Count++
		s.Hash = (s.Hash<<5 - s.Hash + n) % 1000000007
		if kind == User && e.Ask {
			s.Trace += string(w.asked[e.ID])
			if w.asked[e.ID] == 'o' {
				s.Echoes += sum*3 + e.N
			}
		}
		if kind == Item && e.Arm {
			s.Trace += string(w.fired[e.ID])
		}
	}
	s.Trace += w.extra[where]
	return s
}

// pick returns the first event of the world's second half that has the property.
func (w *world) pick(what func(Event) bool) Event {
	for _, e := range w.events[len(w.events)/2:] {
		if what(e) {
			return e
		}
	}
	panic("no such event in the world")
}

func (w *world) index(where string, e Event) int {
	return slices.IndexFunc(w.applied[where], func(x Event) bool { return x.ID == e.ID })
}

func (w *world) requestOf(service, domain string, n int64) int {
	return slices.IndexFunc(w.requests, func(s string) bool {
		return strings.Contains(s, fmt.Sprintf(`"receiver":%q`, service)) && strings.Contains(s, fmt.Sprintf(`"domain":%q`, domain)) && strings.Contains(s, fmt.Sprintf(`"n":%d,`, n))
	})
}

func TestGoodBooksAgree(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(seed)
		r := w.check(t)
		if len(r.Differences) > 0 {
			t.Fatalf("seed %d: nothing was spoilt, but the ledger finds %v", seed, r.Differences)
		}
		if r.Events != 200 || r.Acked != 200 || r.DeadLetters != 4 || r.Threads != 7 {
			t.Fatalf("seed %d: expected 200 events acknowledged, 4 dead letters, 7 threads, got %+v", seed, r)
		}
		if r.Asks == 0 || r.Answers == 0 || r.Fired == 0 || r.Cancelled == 0 || r.Answers >= r.Asks {
			t.Fatalf("seed %d: expected some asks answered and some not, some alarms fired and some cancelled, got %+v", seed, r)
		}
	}
}

func TestUnknownEventsMayBeAppliedOrNot(t *testing.T) {
	const sent, acked = 10, 6
	for applied := range sent + 1 {
		l := New(alarmMs)
		var user State
		for n := range int64(sent) {
			e := Event{ID: fmt.Sprintf("e%d", n), User: "u", Item: fmt.Sprintf("i%d", n), N: n + 1, M: 1, Amount: 10 * n, Weight: n}
			l.Send(e)
			if n < acked {
				l.Acknowledge(e.ID, false)
			}
			if n < int64(applied) {
				user = State{Count: n + 1, Sum: user.Sum + e.Amount, Hash: (user.Hash*31 + e.N) % 1000000007}
			}
			l.Thread(Item, e.Item, State{Count: 1, Sum: n, Hash: 1})
		}
		l.Thread(User, "u", user)
		if r := l.Check(); (r.Number(Lost) == 0) != (applied >= acked) || r.Number(Doubled)+r.Number(Other) > 0 {
			t.Errorf("%d of %d events acknowledged, %d applied: expected a loss only below %d, got %v", acked, sent, applied, acked, r.Differences)
		}
	}
}

func TestEachFaultIsFound(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(5) {
				w := newWorld(seed)
				mention := f.spoil(w)
				r := w.check(t)
				if r.Number(f.what) == 0 {
					t.Fatalf("seed %d: expected a difference of sort %q, got %v", seed, f.what, r.Differences)
				}
				if !slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.What == f.what && strings.Contains(d.String(), mention) }) {
					t.Fatalf("seed %d: expected a %q difference that mentions %q, got %v", seed, f.what, mention, r.Differences)
				}
				if len(r.Differences) > 3 {
					t.Fatalf("seed %d: one fault should not show as %d differences: %v", seed, len(r.Differences), r.Differences)
				}
			}
		})
	}
}

func TestGarbageFromTheNodeIsADifference(t *testing.T) {
	for _, body := range []string{`{`, `{"type":"req","attr":{}}`, `{"type":"res","attr":{"request_id":"0a-1-1"}}`} {
		l := New(alarmMs)
		if _, err := l.Receive([]byte(body)); err == nil {
			t.Errorf("expected %s to be refused as a request", body)
		}
		if n := len(l.Check().Differences); n != 1 {
			t.Errorf("expected one difference for the request %s, got %d", body, n)
		}
	}
}
