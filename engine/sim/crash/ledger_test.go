package crash

import (
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/clock"
)

// TestARunEndsAndIsForgottenUnderWay dies with two turns on disk of which nobody was told: the one ended a run, the other came so much later that it
// forgot it. The model must find both.
func TestARunEndsAndIsForgottenUnderWay(t *testing.T) {
	o, err := NewOffice()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{office: o, rng: rand.New(rand.NewPCG(1, 0)), clock: clock.NewManual(startMs), ledger: newLedger(), posts: map[int64]*post{},
		sent: map[destinationSlot]uint64{}, result: Result{Deaths: map[string]int{}}, slots: 1, pipelined: true, workers: 1, domains: 1, spacing: 1,
		maxMessages: 10, maxAlarms: 10, ending: true}
	if err := r.live(vfs.NewCrashableMem()); err != nil {
		t.Fatal(err)
	}
	id := activity.ID{Activity: users, Domain: "u0"}
	send := func(closing bool) {
		p := r.draw("test")
		p.key, p.event, p.targets = "", event{n: p.n, amount: 1, close: closing}, []activity.ID{id}
		p.write()
		r.post(nil, p)
	}
	send(false)
	if !r.node.turn() {
		t.Fatal("expected a turn that begins the run, there was none")
	}
	r.node.gate.remove()
	send(true)
	first := r.node.apply()
	r.clock.Advance(retentionMs)
	send(false)
	if second := r.node.apply(); !first || !second {
		t.Fatalf("expected two turns under way, they were applied: %v, %v", first, second)
	}
	untold := r.ledger
	r.ledger = newLedger() // another one hears that they are on disk
	r.ledger.flight = []group{newGroup(), newGroup()}
	for r.node.wait() {
	}
	r.ledger = untold
	if n := len(r.ledger.flight); n != 2 {
		t.Fatalf("expected the model to be told of no turn on disk, it holds %d of 2 under way", n)
	}
	r.node.die("rest")
	if err := r.afterlife(); err != nil {
		t.Fatal(err)
	}
	if r.failure != nil {
		t.Errorf("expected no difference: %v", r.failure)
	}
	if got := r.ledger.kept[id]; got.n != 3 {
		t.Errorf("expected thread %v to have event 3, which is on disk, it is %s", id, &got)
	}
	if err := r.node.close(); err != nil {
		t.Error(err)
	}
}
