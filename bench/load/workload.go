package load

import (
	"math/rand/v2"
	"strings"
	"sync"
)

// workload makes the events of a scenario and remembers how many each user was sent: the books.
type workload struct {
	s    *scenario
	tag  string // tells the runs on one node apart; "" inside this process
	kind string // type of the events, for scenarios whose phases differ by it
	pad  string

	mu   sync.Mutex
	draw *rand.Rand
	span int      // events go to users 0 … span-1
	next int      // users from here on are taken in order while inOrder
	sent []uint32 // by user; guarded by mu
	book bool     // events of this phase count in sent

	inOrder bool
}

func newWorkload(o *Options, s *scenario, tag string) *workload {
	w := &workload{s: s, tag: tag, kind: "hit", draw: rand.New(rand.NewPCG(o.Seed, 7)), sent: make([]uint32, o.Threads), book: true, span: o.Hot}
	if s.uniform {
		w.span = o.Threads
	}
	w.pad = strings.Repeat("x", o.VarsBytes)
	return w
}

// everyUser makes the next events go to all users, one after the other from the first.
func (w *workload) everyUser(kind string, book bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kind, w.book, w.inOrder, w.next = kind, book, true, 0
}

// anyUser makes the next events go to users drawn at random.
func (w *workload) anyUser() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kind, w.book, w.inOrder = "hit", true, false
}

// take draws n events; they count as sent.
func (w *workload) take(dst []hit, n int) []hit {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		user := 0
		if w.inOrder {
			user = w.next % len(w.sent)
			w.next++
		} else {
			user = w.draw.IntN(w.span)
		}
		if w.book {
			w.sent[user]++
		}
		dst = append(dst, hit{uint32(user), w.sent[user]})
	}
	return dst
}

// total returns how many events were sent.
func (w *workload) total() (n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.sent {
		n += int64(k)
	}
	return n
}
