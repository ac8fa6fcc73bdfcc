package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// lanesFlow asks a service, prints, draws, sets alarms, yields, ends, and is in the end the reason of dead letters.
const lanesFlow = `
activity:
  name: %[1]s
  domain_id_strategy: %[1]s
  config: {$schedule.max_continue_periods: 20}
  trigger:
    type: event
    args: {condition: 'eventTypeIs("hit")'}
    context_vars: {n: 1, spin: 0, seen: 'eventAttr("amount")'}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("ask")
          context_vars: {n: var("n") + 1}
          then: call("oracle")
        - when: eventTypeIs("end")
          then: finish()
        - when: eventTypeIs("spin")
          context_vars: {spin: 0}
          then: call("spin")
        - when: eventTypeIs("hit")
          context_vars:
            n: var("n") + 1
            luck: randInt(1000)
          then: call("say")
        - after: 40000
          context_vars: {n: var("n") + 100}
          then: call("say")
    - name: say
      type: stdout
      args: str("%%s", var("n"))
      ctrl: call("wait")
    - name: oracle
      args:
        request: {n: var("n")}
        timeout: 30000
      ctrl: call("wait")
    - name: spin
      type: compute
      args:
        - spin: var("spin") + 1
      ctrl:
        - when: var("spin") > 30
          then: call("wait")
        - default: call("spin")
`

// history is all that can be told of a run: every batch, what was printed, what was answered, and what was given to whom.
type history struct {
	batches  [][]byte
	answers  []messagebus.Answer
	observed []string
	printed  string
	letters  int64
	requests int64
	together bool // several workers were at one turn
}

// lanesRun drives random turns with so many workers.
func lanesRun(t *testing.T, seed uint64, workers int) *history {
	h := &history{}
	var r *rig
	r = newRigWith(t, func(o *Options) {
		o.Workers, o.MaxVarsBytes = workers, 2000
		o.Hook = func(point string) {
			if point == PointBeforeCommit {
				// The store's name is the only thing in it that is drawn by chance.
				h.batches = append(h.batches, bytes.ReplaceAll(r.e.turn.batch.Repr(), []byte(r.store.Node().StoreID), []byte("STOREIDS")))
				for _, l := range r.e.turn.busy {
					h.together = h.together || l.own != nil
				}
			}
		}
		o.Observe = func(slot uint16, id activity.ID, number uint64, m activity.Message, v activity.Verdict) {
			h.observed = append(h.observed, fmt.Sprint(slot, id, number, fmt.Sprintf("%T", m), v))
		}
	})
	for _, name := range []string{"user", "item"} {
		r.strategy(name, fmt.Sprintf("containsAttr(%q)", name), fmt.Sprintf("eventAttr(%q)", name))
	}
	r.strategy("either", `containsAttr("item") AND containsAttr("user")`, `eventAttr("user")`)
	r.service("oracle")
	numbers := []uint32{r.flow(fmt.Sprintf(lanesFlow, "user")), r.flow(fmt.Sprintf(lanesFlow, "item")), r.flow(fmt.Sprintf(lanesFlow, "either"))}
	draw := rand.New(rand.NewPCG(seed, 1))
	for range 12 {
		h.answers = append(h.answers, r.put(lanesRecords(draw, numbers)...)...)
		if _, err := r.e.RelayNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, body := range r.seen {
			if draw.IntN(4) > 0 {
				r.sent = append(r.sent, lanesReply(t, body))
			}
		}
		r.seen = nil
		r.clock.Set(r.clock.NowMs() + draw.Int64N(30_000))
	}
	r.quiet()
	h.printed, h.letters, h.requests = r.out.String(), r.e.Stats().DeadLetters.Load(), r.e.Stats().Requests.Load()
	return h
}

// lanesRecords are events, commands, repeats and what cannot be kept, at few threads and at many.
func lanesRecords(draw *rand.Rand, numbers []uint32) (out []*messagebus.Record) {
	domain := func(letter string) string { return fmt.Sprint(letter, int(draw.ExpFloat64()*20)) }
	for range 60 + draw.IntN(200) {
		kind := []string{"hit", "hit", "hit", "hit", "ask", "end", "spin", "other"}[draw.IntN(8)]
		attrs, key := []any{"amount", draw.Int64N(100)}, ""
		if draw.IntN(3) > 0 {
			attrs = append(attrs, "user", domain("u"))
		}
		if draw.IntN(3) > 0 {
			attrs = append(attrs, "item", domain("i"))
		}
		if draw.IntN(40) == 0 {
			attrs[1] = string(bytes.Repeat([]byte("x"), 3000))
		}
		if draw.IntN(3) == 0 {
			key = fmt.Sprint("k", draw.IntN(300))
		}
		out = append(out, event(kind, key, attrs...))
	}
	for range draw.IntN(10) {
		c := messagebus.Command{ID: activity.ID{Activity: numbers[draw.IntN(3)], Domain: domain([]string{"u", "i"}[draw.IntN(2)])}, Command: activity.Command{Name: []string{"pause", "resume", "kill"}[draw.IntN(3)]}}
		out = append(out, &messagebus.Record{Source: "api", Incoming: messagebus.Incoming{Command: &c}})
	}
	return out
}

func lanesReply(t *testing.T, body []byte) messagebus.Incoming {
	_, rest, _ := bytes.Cut(body, []byte(`"request_id":"`))
	id, _, ok := bytes.Cut(rest, []byte{'"'})
	if !ok {
		t.Fatalf("a request without its id: %s", body)
	}
	return messagebus.Incoming{Reply: &messagebus.Reply{RequestID: string(id), Result: expr.Result{Data: map[string]any{"answer": int64(1)}}}}
}

// TestWorkersWriteTheSameBytes: what a turn writes, prints and answers does not depend on how many workers evaluate it.
func TestWorkersWriteTheSameBytes(t *testing.T) {
	for seed := range uint64(8) {
		alone, four := lanesRun(t, seed, 1), lanesRun(t, seed, 4)
		if alone.together || !four.together {
			t.Fatalf("seed %d: several workers at a turn with --workers 1: %v, with 4: %v; want only the second", seed, alone.together, four.together)
		}
		if alone.letters == 0 || alone.requests == 0 || alone.printed == "" {
			t.Fatalf("seed %d shows too little: %d dead letters, %d requests, printed %d bytes", seed, alone.letters, alone.requests, len(alone.printed))
		}
		if len(alone.batches) != len(four.batches) {
			t.Fatalf("seed %d: one worker commits %d batches, four %d", seed, len(alone.batches), len(four.batches))
		}
		for i := range alone.batches {
			if !bytes.Equal(alone.batches[i], four.batches[i]) {
				t.Fatalf("seed %d: batch %d of one worker (%d bytes) is not that of four (%d bytes)", seed, i, len(alone.batches[i]), len(four.batches[i]))
			}
		}
		if alone.printed != four.printed {
			t.Errorf("seed %d: four workers print in another order than one", seed)
		}
		if !reflect.DeepEqual(alone.answers, four.answers) {
			t.Errorf("seed %d: four workers answer otherwise than one", seed)
		}
		if !reflect.DeepEqual(alone.observed, four.observed) {
			t.Errorf("seed %d: four workers show other deliveries, or in another order, than one", seed)
		}
	}
}

// TestWorkersSlotBySlot: lanes hand over the groups of their slots where each lands alone.
func TestWorkersSlotBySlot(t *testing.T) {
	s, err := store.Open(t.TempDir(), store.Options{CommitSlots: true, Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	whole, part := s.NewBatch(), s.NewBatch()
	part.Begin(2)
	part.PutMember(activity.ID{Activity: 1, Domain: "b"})
	whole.Begin(1)
	whole.PutMember(activity.ID{Activity: 1, Domain: "a"})
	whole.Join(part)
	if !part.Empty() {
		t.Errorf("a joined batch still holds %d bytes, want none", part.Len())
	}
	if err := whole.Commit(); err != nil {
		t.Fatal(err)
	}
	for slot, want := range map[uint16]string{1: "[a]", 2: "[b]"} {
		got, err := s.Members(slot, 1, "", 10)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("slot %d has the members %v (%v), want %s", slot, got, err, want)
		}
	}
}
