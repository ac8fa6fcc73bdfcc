package sim

import (
	"context"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/metadata"
)

const flow = `activity:
  name: one
  domain_id_strategy: user
  trigger: eventTypeIs("start")
  actions:
    - name: ask
      type: shop
      args: {request: 1, timeout: hours(1)}
      ctrl:
        - when: resultOk()
          then: finish()
        - default: fail()
`

func newWorld(t *testing.T, o Options) *World {
	t.Helper()
	o.StartMs = 1_700_000_000_000
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("expected a clean end, got %v", err)
		}
	})
	ctx, c := context.Background(), w.Metadata()
	_, _, p1, err1 := c.PutStrategy(ctx, metadata.Strategy{Name: "user", When: `eventAttr("user", null) != null`, DomainID: `eventAttr("user")`})
	_, _, p2, err2 := c.PutService(ctx, metadata.Service{Name: "shop", URL: "http://localhost/"})
	_, _, p3, err3 := c.PutDefinition(ctx, []byte(flow), "")
	_, _, p4, err4 := c.PutActivity(ctx, metadata.Activity{Definition: "one"})
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		t.Fatal(p1, p2, p3, p4, err1, err2, err3, err4)
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var start = []byte(`{"type":"start","attr":{"user":"u"}}`)

func status(t *testing.T, w *World) activity.Status {
	t.Helper()
	th, err := w.Engine().Thread(activity.ID{Activity: 1, Domain: "u"}, 0)
	must(t, err)
	return th.Status
}

// TestRequestsAreRepeated: a request whose delivery the outbox did not hear of comes again, with the same id and body, and is noted once.
func TestRequestsAreRepeated(t *testing.T) {
	w := newWorld(t, Options{CrashAlways: true})
	w.Serve("shop", Behavior{{AfterMs: 1000}})
	must(t, w.Post(start))
	if n := len(w.Calls()); n != 1 {
		t.Errorf("expected 1 request, there are %d", n)
	}
	if w.Crashes() < 3 {
		t.Errorf("expected a crash after the event's turn, after the delivery and after the repeat, there were %d", w.Crashes())
	}
	must(t, w.Advance(999))
	if s := status(t, w); s != activity.Waiting {
		t.Errorf("expected a thread that waits for 999 ms, it is %s", s)
	}
	must(t, w.Advance(1))
	if s := status(t, w); s != activity.Finished {
		t.Errorf("expected a thread that finished after 1000 ms, it is %s", s)
	}
	must(t, w.Audit())
}

func TestCrashKeepsTheTime(t *testing.T) {
	w := newWorld(t, Options{})
	must(t, w.Advance(12345))
	w.Crash()
	if now := w.NowMs(); now != 1_700_000_012_345 {
		t.Errorf("expected the time of before, it is %d", now)
	}
	if err := w.Advance(-1); err == nil {
		t.Error("expected a refusal to go back in time")
	}
}

// TestAuditFinds: what does not belong into the store is found.
func TestAuditFinds(t *testing.T) {
	id := activity.ID{Activity: 1, Domain: "u"}
	for want, spoil := range map[string]func(w *World){
		"is not live, but its alarm": func(w *World) {
			b := w.store.NewBatch()
			b.Begin(3)
			b.PutAlarm(activity.ID{Activity: 1, Domain: "ghost"}, 1, activity.AlarmRow{DueMs: w.NowMs() + 1, Visit: 1, Kind: activity.AlarmAction})
			must(t, b.Commit())
		},
		"remembers the alarm": func(w *World) {
			th, err := w.Engine().Thread(id, 0)
			must(t, err)
			b := w.store.NewBatch()
			b.Begin(w.slotOf("u"))
			b.DeleteAlarm(id, th.Run, th.Alarm)
			must(t, b.Commit())
		},
		"in the store open is false": func(w *World) {
			th, err := w.Engine().Thread(id, 0)
			must(t, err)
			b := w.store.NewBatch()
			b.Begin(w.slotOf("u"))
			b.DeleteRequest(th.Requests[0])
			must(t, b.Commit())
		},
		"membership says live false": func(w *World) {
			b := w.store.NewBatch()
			b.Begin(w.slotOf("u"))
			b.DeleteMember(id)
			must(t, b.Commit())
		},
		"counts 2 threads": func(w *World) {
			b := w.store.NewBatch()
			b.Begin(0)
			counters, err := w.store.Counters(1)
			must(t, err)
			b.AddCounter(1, counters[0])
			must(t, b.Commit())
		},
	} {
		w := newWorld(t, Options{})
		must(t, w.Post(start))
		must(t, w.Audit())
		spoil(w)
		if err := w.Audit(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected the audit to find %q, it says %v", want, err)
		}
	}
}

func TestAnswersByHand(t *testing.T) {
	w := newWorld(t, Options{})
	must(t, w.Post(start))
	must(t, w.Answer(w.Calls()[0], expr.Result{}, true))
	must(t, w.Answer(w.Calls()[0], expr.Result{}, true))
	var kinds []activity.VerdictKind
	for _, v := range w.Verdicts() {
		kinds = append(kinds, v.Kind)
	}
	if len(kinds) != 3 || kinds[0] != activity.VerdictSpawned || kinds[1] != activity.VerdictTaken || kinds[2] != activity.VerdictLate {
		t.Errorf("expected spawned, taken, late, got %v", kinds)
	}
	if err := w.Post([]byte(`{"type":"res","attr":{"request_id":"x","status":"ok"}}`)); err == nil {
		t.Error("expected a refusal to post an answer as an event")
	}
}
