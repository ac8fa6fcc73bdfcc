package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

const bulkFlow = `
activity:
  name: bulk
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: 'eventTypeIs("go")'}
    context_vars: {text: eventAttr("text")}
  actions:
    - name: ask
      type: oracle
      args:
        request: var("text")
      ctrl: finish()
`

func bulk(t *testing.T, requests, size int) *rig {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.service("oracle")
	r.flow(bulkFlow)
	var records []*messagebus.Record
	for i := range requests {
		records = append(records, event("go", "", "user", fmt.Sprint("u", i), "text", strings.Repeat("x", size)))
	}
	r.put(records...)
	return r
}

func TestBacklogBeyondOneRequestIsSentWhole(t *testing.T) {
	const requests = 120 // 6 MB over 8 slots: several requests' worth in each
	r := bulk(t, requests, 50_000)
	r.quiet()
	if len(r.seen) != requests {
		t.Fatalf("the service saw %d requests without another send or a restart, want all %d", len(r.seen), requests)
	}
}

// TestBatchFitsItsReceiver asks a service that refuses more than three messages at once, as one does that would need longer than the timeout.
func TestBatchFitsItsReceiver(t *testing.T) {
	const requests = 200
	r := bulk(t, requests, 10)
	var seen, refused int
	r.e.o.Producer = publish(func(bodies [][]byte) error {
		if len(bodies) > 3 {
			refused++
			return errors.New("too much")
		}
		seen += len(bodies)
		return nil
	})
	for i := 0; i < 1000 && seen < requests; i++ {
		r.e.RelayNow(context.Background())
		r.e.Turn()
	}
	if seen != requests || refused > requests {
		t.Errorf("%d of %d requests were taken, %d batches were refused on the way", seen, requests, refused)
	}
}

type publish func(bodies [][]byte) error

func (p publish) Publish(_ context.Context, _ messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	return nil, p(bodies)
}

func TestBadElementOfAnAnswerHarmsOnlyItself(t *testing.T) {
	r, n := asking(t)
	r.put(event("go", "", "user", "u1"))
	r.quiet()
	id := r.requestIDs()[0]
	r.put(event("go", "", "user", "u2"))
	good := reply(id, "yes").Incoming
	r.sent = []messagebus.Incoming{{Bad: &messagebus.Undecoded{Raw: []byte(`{"type":"res","attr":{"status":"error"}}`), Err: errors.New("bad status")}}, good}
	r.quiet()
	r.is(n, "u1", "waiting done answer=yes")
	letters, err := r.e.DeadLetters(10)
	r.must(err)
	if len(letters) != 1 || letters[0].Reason != "decode" {
		t.Errorf("the dead letters are %+v, want the element that is no message", letters)
	}
}
