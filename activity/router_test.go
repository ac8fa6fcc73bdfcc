package activity

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func strategy(t testing.TB, name, when, domainID string) *Strategy {
	t.Helper()
	s, problems := CompileStrategy(name, when, domainID)
	if s == nil {
		t.Fatalf("strategy %s: expected %s to compile, got %v", name, when, problems)
	}
	return s
}

// live is a running activity whose only version lives by the strategy and has the trigger.
func live(t testing.TB, number uint32, strategy, trigger string) *Activity {
	t.Helper()
	x, problems := definitions.CompileExpr(trigger, expr.ContextTrigger, "/activity/trigger")
	if x == nil {
		t.Fatalf("trigger: expected %s to compile, got %v", trigger, problems)
	}
	b := &Bound{Version: "1", Enabled: true, Definition: &definitions.Definition{Name: "d", Strategy: strategy, Trigger: definitions.Trigger{Type: "event", Condition: x}}}
	return &Activity{Number: number, Name: fmt.Sprint("a", number), Definition: "d", State: ActivityRunning, Versions: map[string]*Bound{"1": b}, Latest: b}
}

func byName(all ...*Strategy) map[string]*Strategy {
	out := map[string]*Strategy{}
	for _, s := range all {
		out[s.Name] = s
	}
	return out
}

// conditions are mixed at random: some can be indexed, some not, some fail.
var conditions = []string{
	`eventTypeIs("t0")`, `eventTypeIs("t1") OR eventTypeIs("t2")`, `NOT eventTypeIs("t0")`, `true`, `false`, `containsAttr("a0")`,
	`containsAttr("a0") AND containsAttr("a1")`, `eventTypeIs("t1") AND containsAttr("a2") AND containsAttr("a1")`,
	`eventAttr("a1") == 1`, `eventTypeIs("t2") AND eventAttr("a1") == 1`, `eventAttr("a2", null) != null`, `intEventAttr("a0") > 0`,
	`eventAttr("a0", null) == 1 OR containsAttr("a1")`, `random() < 0.5`, `eventTypeIs("t0") AND random() < 0.5`,
}

func someEvent(r *rand.Rand) *Event {
	e := &Event{Type: fmt.Sprint("t", r.IntN(4)), Attrs: map[string]any{}}
	for i := range 4 {
		if r.IntN(2) == 0 {
			e.Attrs[fmt.Sprint("a", i)] = []any{nil, int64(0), int64(1), "x"}[r.IntN(4)]
		}
	}
	return e
}

// TestRouteAsAll: the router gives what asking every strategy in turn gives, with the same draws, and its births leave out only
// activities whose trigger says no.
func TestRouteAsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []*Strategy
	var activities []*Activity
	for i := range 60 {
		s := strategy(t, fmt.Sprintf("s%02d", i), conditions[r.IntN(len(conditions))], `eventAttr("a0", "none")`)
		all = append(all, s)
		for range 5 {
			activities = append(activities, live(t, uint32(1000-len(activities)), s.Name, conditions[r.IntN(len(conditions))]))
		}
	}
	router := NewRouter(byName(all...), activities)
	var mine, naive, trigger expr.Scope
	var hits []Hit
	var births []*Activity
	left := 0
	for seed := range uint64(400) {
		e := someEvent(r)
		mine.Reseed(seed)
		naive.Reseed(seed)
		naive.Event, trigger.Event = e, e
		hits = router.Route(&mine, e, hits[:0])
		next := 0
		for _, s := range all {
			domain, ok, err := s.Domain(&naive)
			if !ok && err == nil {
				continue
			}
			if next == len(hits) || hits[next].Strategy != s.Name || hits[next].Domain != domain || fmt.Sprint(hits[next].Err) != fmt.Sprint(err) {
				t.Fatalf("event %+v: expected hit %d to be %s with %q, %v, got %+v", e, next, s.Name, domain, err, hits)
			}
			h := &hits[next]
			next++
			births = h.Births(births[:0])
			if !slices.IsSortedFunc(births, byNumber) || len(h.Activities) != 5 || !slices.IsSortedFunc(h.Activities, byNumber) {
				t.Fatalf("expected 5 activities and the births by ascending number, got %d and %v", len(h.Activities), births)
			}
			for _, a := range h.Activities {
				if slices.Contains(births, a) {
					continue
				}
				left++
				trigger.Reseed(seed)
				if ok, err := a.Latest.Definition.Trigger.Condition.EvalBool(&trigger); ok || err != nil {
					t.Fatalf("event %+v: activity %d with the trigger %s is no birth, expected its trigger to say no, got %v, %v", e, a.Number, a.Latest.Definition.Trigger.Condition.Program.Source(), ok, err)
				}
			}
		}
		if next != len(hits) {
			t.Fatalf("event %+v: expected %d hits, got %d more: %+v", e, next, len(hits)-next, hits[next:])
		}
	}
	if left == 0 {
		t.Fatal("expected some activities to be left out of the births")
	}
	if mine.Evaluations() >= naive.Evaluations() {
		t.Errorf("expected the index to save evaluations, got %d with it and %d without", mine.Evaluations(), naive.Evaluations())
	}
}

func TestBirthsAreOfTheLatest(t *testing.T) {
	s, other := strategy(t, "s", `true`, `"d"`), strategy(t, "other", `true`, `"d"`)
	paused, headless, moved, both, dead := live(t, 1, "s", `true`), live(t, 2, "s", `true`), live(t, 3, "s", `true`), live(t, 4, "s", `true`), live(t, 5, "s", `true`)
	paused.State, dead.State = ActivityPaused, ActivityKilled
	headless.Latest = nil
	moved.Latest = live(t, 3, "other", `true`).Latest
	moved.Versions["2"] = moved.Latest
	both.Versions["0"] = &Bound{Version: "0", Enabled: true, Definition: both.Latest.Definition}
	disabled := live(t, 6, "s", `true`)
	disabled.Latest.Enabled, disabled.Latest = false, nil
	router := NewRouter(byName(s, other), []*Activity{dead, disabled, both, moved, headless, paused})
	hits := router.Route(&expr.Scope{}, &Event{Type: "x"}, nil)
	show := func(as []*Activity) string {
		var out []string
		for _, a := range as {
			out = append(out, fmt.Sprint(a.Number))
		}
		return strings.Join(out, " ")
	}
	var got []string
	for i := range hits {
		got = append(got, fmt.Sprintf("%s: %s, births %s", hits[i].Strategy, show(hits[i].Activities), show(hits[i].Births(nil))))
	}
	if want := "other: 3, births 3; s: 1 2 3 4 6, births 4"; strings.Join(got, "; ") != want {
		t.Errorf("expected %q, got %q", want, strings.Join(got, "; "))
	}
	if a := hits[1].Activity(3); a != moved {
		t.Errorf("expected to find activity 3 by its number, got %v", a)
	}
	if a := hits[1].Activity(5); a != nil {
		t.Errorf("expected a killed activity not to be found, got %v", a)
	}
	if b := (&Hit{Strategy: "s"}).Births(nil); b != nil {
		t.Errorf("expected a hit that no router made to have no births, got %v", b)
	}
}

// unrelated are n activities that the event of countedEvent does not concern: of other strategies, or of the same with other triggers.
var unrelated = []struct {
	name string
	make func(t testing.TB, n int) ([]*Strategy, []*Activity)
}{
	{"strategies by type", func(t testing.TB, n int) (ss []*Strategy, as []*Activity) {
		for i := range n {
			name := fmt.Sprint("other", i)
			ss = append(ss, strategy(t, name, fmt.Sprintf(`eventTypeIs("other%d")`, i), `eventAttr("user_id")`))
			as = append(as, live(t, uint32(i+10), name, `true`))
		}
		return ss, as
	}},
	{"strategies by attribute", func(t testing.TB, n int) (ss []*Strategy, as []*Activity) {
		for i := range n {
			name := fmt.Sprint("other", i)
			ss = append(ss, strategy(t, name, fmt.Sprintf(`containsAttr("user_id") AND containsAttr("other%d")`, i), `eventAttr("user_id")`))
			as = append(as, live(t, uint32(i+10), name, `true`))
		}
		return ss, as
	}},
	{"triggers by type", func(t testing.TB, n int) (ss []*Strategy, as []*Activity) {
		for i := range n {
			as = append(as, live(t, uint32(i+10), "mine", fmt.Sprintf(`eventTypeIs("other%d")`, i)))
		}
		return nil, as
	}},
	{"triggers by attribute", func(t testing.TB, n int) (ss []*Strategy, as []*Activity) {
		for i := range n {
			as = append(as, live(t, uint32(i+10), "mine", fmt.Sprintf(`eventTypeIs("view") AND containsAttr("other%d")`, i)))
		}
		return nil, as
	}},
}

// among makes a router for one activity that countedEvent concerns, among n that it does not.
func among(t testing.TB, kind, n int) *Router {
	strategies, activities := unrelated[kind].make(t, n)
	strategies = append(strategies, strategy(t, "mine", `eventAttr("user_id", null) != null`, `eventAttr("user_id")`))
	return NewRouter(byName(strategies...), append(activities, live(t, 1, "mine", `eventTypeIs("view")`)))
}

func countedEvent() *Event {
	return &Event{Type: "view", Attrs: map[string]any{"user_id": "u1", "goods_id": int64(7), "behavior": "view"}}
}

// TestUnrelatedAreNotAsked counts evaluations: with 10,000 activities that an event does not concern there is not one more.
func TestUnrelatedAreNotAsked(t *testing.T) {
	for kind := range unrelated {
		for _, n := range []int{0, 10_000} {
			router := among(t, kind, n)
			var s expr.Scope
			e := countedEvent()
			hits := router.Route(&s, e, nil)
			if len(hits) != 1 || hits[0].Domain != "u1" || hits[0].Err != nil {
				t.Fatalf("%s, %d: expected one hit with domain id u1, got %+v", unrelated[kind].name, n, hits)
			}
			if s.Evaluations() != 2 {
				t.Errorf("%s, %d: expected 2 evaluations, of a condition and a domain id, got %d", unrelated[kind].name, n, s.Evaluations())
			}
			if births := hits[0].Births(nil); len(births) != 1 || births[0].Number != 1 {
				t.Errorf("%s, %d: expected activity 1 to be the only birth, got %d of them", unrelated[kind].name, n, len(births))
			}
			births := make([]*Activity, 0, 8)
			asking := testing.AllocsPerRun(100, func() { _, _, _ = hits[0].route.strategy.Domain(&s) })
			if allocs := testing.AllocsPerRun(100, func() {
				hits = router.Route(&s, e, hits[:0])
				births = hits[0].Births(births[:0])
			}); allocs != asking {
				t.Errorf("%s, %d: expected the %v allocations of asking the strategy and no other, got %v", unrelated[kind].name, n, asking, allocs)
			}
		}
	}
}

// BenchmarkRoute leads one event to one activity among others that it does not concern.
func BenchmarkRoute(b *testing.B) {
	for kind := range unrelated {
		for _, n := range []int{1, 100, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(unrelated[kind].name, " ", "_"), n), func(b *testing.B) {
				router := among(b, kind, n)
				var s expr.Scope
				var hits []Hit
				var births []*Activity
				e := countedEvent()
				b.ReportAllocs()
				for b.Loop() {
					hits = router.Route(&s, e, hits[:0])
					births = hits[0].Births(births[:0])
				}
				if len(hits) != 1 || len(births) != 1 {
					b.Fatalf("expected one hit and one birth, got %d and %d", len(hits), len(births))
				}
			})
		}
	}
}

// BenchmarkNewRouter is what a change of metadata costs with 10,000 activities on one strategy.
func BenchmarkNewRouter(b *testing.B) {
	_, activities := unrelated[2].make(b, 10_000)
	strategies := byName(strategy(b, "mine", `true`, `"d"`))
	for b.Loop() {
		NewRouter(strategies, activities)
	}
}
