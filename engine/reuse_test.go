package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

// wordFlow keeps what its events bring, word for word.
const wordFlow = `
activity:
  name: words
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("hit")'}
    context_vars: {text: eventAttr("text"), list: eventAttr("list")}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("hit")
          context_vars: {text: eventAttr("text"), list: eventAttr("list")}
          then: call("wait")
`

// sender is a client that posts in every form and remembers what it sent.
type sender struct {
	t       *testing.T
	bus     *bushttp.Bus
	draw    *rand.Rand
	name    string
	next    int
	want    map[string]string // user → text; of all that may be stored
	sure    []string          // users whose events were accepted
	poison  map[string]bool   // events too large for their threads; true: the client was told that it was taken
	written int               // events
}

// hit makes an event of a user of its own.
func (s *sender) hit(id string) (user, body string) {
	s.next++
	s.written++
	user = fmt.Sprintf("%s-%d", s.name, s.next)
	text := strings.Repeat(user+".", 1+s.draw.IntN(4))
	if id != "" {
		id = fmt.Sprintf(`"id":%q,`, id)
	}
	s.want[user] = text
	return user, fmt.Sprintf(`{"type":"hit",%s"attr":{"user":%q,"text":%q,"list":[%q,%d.25]}}`, id, user, text, text, s.next)
}

// round posts a body of some events, of which one comes twice, one conflicts with another and one is too large. A client that leaves does not wait for
// the answer.
func (s *sender) round() {
	var bodies, users []string
	var poison string
	add := func(user, body string) { bodies, users = append(bodies, body), append(users, user) }
	add(s.hit(""))
	id := fmt.Sprintf("%s#%d", s.name, s.next)
	add(s.hit(id))
	kind, query := "application/json", ""
	switch s.draw.IntN(4) {
	case 0: // one object
		bodies, users = bodies[1:], users[1:]
	case 1: // an array, and its verdicts
		query = "?wait=processed"
		add("", bodies[1])
	case 2: // a stream, in parts of four
		kind = "application/x-ndjson"
		add("", bodies[1])
		conflicting, body := s.hit(id)
		delete(s.want, conflicting) // it is never taken
		add("", body)
		for range 5 {
			add(s.hit(""))
		}
		fallthrough
	default:
		s.next++
		user := fmt.Sprintf("%s-%d", s.name, s.next)
		poison = fmt.Sprintf(`{"type":"hit","attr":{"user":%q,"text":%q,"list":[]}}`, user, strings.Repeat(user, 100))
		s.poison[poison] = false
		add("", poison)
	}
	text := bodies[0]
	if kind != "application/json" {
		text = strings.Join(bodies, "\n")
	} else if len(bodies) > 1 {
		text = "[" + strings.Join(bodies, ",") + "]"
	}
	ctx, leave := context.WithCancel(s.t.Context())
	defer leave()
	q := httptest.NewRequestWithContext(ctx, nethttp.MethodPost, "/v1/events"+query, strings.NewReader(text))
	q.Header.Set("Content-Type", kind)
	if s.draw.IntN(5) == 0 {
		go leave()
	}
	w := httptest.NewRecorder()
	s.bus.ServeEvents(w, q)
	if w.Code == nethttp.StatusServiceUnavailable && ctx.Err() != nil {
		return // what became of it is not known
	}
	if w.Code != nethttp.StatusAccepted {
		s.t.Errorf("%s: expected 202 for %s, got %d %s", s.name, text, w.Code, w.Body)
		return
	}
	for _, user := range users {
		if user != "" {
			s.sure = append(s.sure, user)
		}
	}
	if poison != "" {
		s.poison[poison] = true
	}
	s.check(w.Body.Bytes(), kind == "application/json", users, id)
}

// check looks whether an answer is about this client's events.
func (s *sender) check(text []byte, all bool, users []string, id string) {
	var answer struct {
		Accepted, Duplicates, Conflicts int
		Results                         []struct {
			ID       string
			Verdicts []struct {
				Domain string `json:"domain_id"`
			}
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		s.t.Errorf("%s: the answer is no JSON: %v: %s", s.name, err, text)
		return
	}
	if sum := answer.Accepted + answer.Duplicates + answer.Conflicts; sum != len(users) {
		s.t.Errorf("%s: expected %d events to be answered, got %s", s.name, len(users), text)
	}
	for i, result := range answer.Results {
		if result.ID != "" && result.ID != id {
			s.t.Errorf("%s: expected no id but %s, got %s", s.name, id, text)
		}
		for _, v := range result.Verdicts {
			if all && users[i] != "" && v.Domain != users[i] {
				s.t.Errorf("%s: expected a verdict of %s, got %s", s.name, users[i], text)
			}
		}
	}
}

// TestMemoryUsedAgainShowsNowhere: bodies, lists and turns are memory that is used again while others are under way. Many clients post little in every
// form; each stored value and each dead letter must be what was sent, byte for byte.
func TestMemoryUsedAgainShowsNowhere(t *testing.T) {
	bus := bushttp.New(bushttp.Options{Limits: messagebus.Limits{MaxMessages: 4}})
	r := newRigWith(t, func(o *Options) { o.Workers, o.MaxVarsBytes = 3, 300 }, bus)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(wordFlow)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.e.Run(ctx)
	}()
	stored := func(user, text string) string { return fmt.Sprintf("text=%s list=[%s", text, text) }
	read := func(user string) string {
		th, err := r.e.Thread(activity.ID{Activity: n, Domain: user}, 0)
		if err != nil {
			t.Error(err)
		}
		text, _ := th.Vars.Get("text")
		list, _ := th.Vars.Get("list")
		if th.Status == activity.Absent {
			return ""
		}
		return fmt.Sprintf("text=%v list=[%v", text, list.([]any)[0])
	}
	const clients, rounds = 8, 150
	senders := make([]*sender, clients)
	var wg sync.WaitGroup
	for c := range senders {
		s := &sender{t: t, bus: bus, draw: rand.New(rand.NewPCG(7, uint64(c))), name: fmt.Sprint("c", c), want: map[string]string{}, poison: map[string]bool{}}
		senders[c] = s
		wg.Go(func() {
			for k := range rounds {
				s.round()
				if len(s.sure) > 0 && k%8 == 0 {
					user := s.sure[s.draw.IntN(len(s.sure))]
					if got, want := read(user), stored(user, s.want[user]); got != want {
						t.Errorf("while others post the thread of %s has %s, want %s", user, got, want)
					}
				}
			}
		})
	}
	wg.Wait()
	stop()
	<-done
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
	r.restart()
	letters := map[string]bool{}
	for slot := range uint16(8) {
		found, _, _, err := r.store.FindDead(store.DeadFilter{Slots: []uint16{slot}}, nil, 10_000, 10_000)
		r.must(err)
		for i := range found {
			letters[string(found[i].Message)] = true
		}
	}
	events := 0
	for _, s := range senders {
		events += s.written
		for user, text := range s.want {
			if got := read(user); got != "" && got != stored(user, text) {
				t.Errorf("the thread of %s has %s, want %s", user, got, stored(user, text))
			}
		}
		for _, user := range s.sure {
			if read(user) == "" {
				t.Errorf("there is no thread of %s, whose event was accepted", user)
			}
		}
		for text, told := range s.poison {
			if told && !letters[text] {
				t.Errorf("there is no dead letter of %s", text)
			}
			delete(letters, text)
		}
	}
	for text := range letters {
		t.Errorf("there is a dead letter of %s, which nobody sent", text)
	}
	t.Logf("%d events", events)
}
