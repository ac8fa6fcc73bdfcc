package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/metadata"
)

// crowd returns s with n activities more that the events of the benchmark do not concern: on the strategy of the counter with triggers of
// other types, or each on a strategy of its own.
func crowd(b *testing.B, s *metadata.Snapshot, n int, ownStrategies bool) *metadata.Snapshot {
	out := *s
	out.Strategies, out.Activities = maps.Clone(s.Strategies), maps.Clone(s.Activities)
	env := definitions.Env{Strategies: map[string]bool{}}
	env.Specs, env.Service = activity.Specs()
	var all []*activity.Activity
	for i := range n {
		strategy := "user"
		if ownStrategies {
			strategy = fmt.Sprint("crowd", i)
			compiled, problems := activity.CompileStrategy(strategy, fmt.Sprintf(`containsAttr("crowd%d")`, i), `eventAttr("user")`)
			if compiled == nil {
				b.Fatalf("strategy: %v", problems)
			}
			out.Strategies[strategy] = compiled
		}
		env.Strategies[strategy] = true
		d, problems := definitions.Check([]byte(flowOf(fmt.Sprint("crowd", i), strategy, fmt.Sprint("crowd", i))), env)
		if d == nil {
			b.Fatalf("definition: %v", problems)
		}
		a := &activity.Activity{Number: uint32(1000 + i), Name: d.Name, Definition: d.Name, State: activity.ActivityRunning}
		if err := a.Bind([]activity.Version{{Version: "1", Enabled: true, Definition: d}}); err != nil {
			b.Fatal(err)
		}
		out.Activities[a.Number] = a
	}
	for _, a := range out.Activities {
		all = append(all, a)
	}
	out.Router = activity.NewRouter(out.Strategies, all)
	return &out
}

// BenchmarkUnrelatedActivities is a turn of 1,000 events for 20,000 counters among n activities that the events do not concern. The turns of
// all n take turns on one engine, so that what else the machine does falls on all of them; printed is the median of ns per event.
func BenchmarkUnrelatedActivities(b *testing.B) {
	sizes := []int{1, 100, 10_000}
	for _, own := range []bool{false, true} {
		b.Run(fmt.Sprintf("own_strategies_%v", own), func(b *testing.B) {
			e, feed, _, _ := benchEngine(b)
			var snapshots []*metadata.Snapshot
			for _, n := range sizes {
				snapshots = append(snapshots, crowd(b, e.o.Metadata(), n, own))
			}
			took := make([][]time.Duration, len(sizes))
			draw := rand.New(rand.NewPCG(1, 2))
			for b.Loop() {
				for i, s := range snapshots {
					e.o.Metadata = func() *metadata.Snapshot { return s }
					feed.load(draw)
					began := time.Now()
					e.Turn()
					took[i] = append(took[i], time.Since(began))
				}
			}
			for i, n := range sizes {
				slices.Sort(took[i])
				b.ReportMetric(float64(took[i][len(took[i])/2].Nanoseconds())/benchMessages, fmt.Sprintf("ns/event_of_%d", n))
			}
		})
	}
}
