package load

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/engine/store"
)

func small(t *testing.T, names ...string) Options {
	return Options{Scenarios: names, Dir: t.TempDir(), Durability: store.Memory, Threads: 600, Hot: 150, Events: 2000, Activities: 30, Rounds: 2, Connections: 4, Array: 25}
}

func run(t *testing.T, o Options) *Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	report, err := Run(ctx, o)
	if err != nil {
		t.Fatalf("%v: expected a report, got %v", o.Scenarios, err)
	}
	left, err := os.ReadDir(o.Dir)
	if err != nil || len(left) > 0 {
		t.Errorf("expected an empty %s afterwards, got %d entries, %v", o.Dir, len(left), err)
	}
	return report
}

func TestEveryScenarioFindsWhatItSent(t *testing.T) {
	// Births, then a quarter of a round to warm up, then two rounds.
	events := int64(600 + 500 + 2*2000)
	for _, c := range []struct {
		scenario string
		sent     int64
		others   []int
	}{{"counter", events, []int{0}}, {"coupon", events, []int{0}}, {"timers", 2 * 600, []int{0}}, {"fanout", events, []int{1, 30}}, {"cold", events, []int{0}}} {
		t.Run(c.scenario, func(t *testing.T) {
			o := small(t, c.scenario)
			o.VarsBytes = 50
			report := run(t, o)
			if len(report.Results) != len(c.others) {
				t.Fatalf("expected %d results, got %d", len(c.others), len(report.Results))
			}
			for i, r := range report.Results {
				if r.Sent != c.sent || r.Applied != c.sent || r.Activities != c.others[i] {
					t.Errorf("expected %d events sent and applied beside %d activities, got %d, %d and %d", c.sent, c.others[i], r.Sent, r.Applied, r.Activities)
				}
				plausible(t, &r)
			}
		})
	}
}

// plausible checks that each figure was taken.
func plausible(t *testing.T, r *Result) {
	t.Helper()
	figures := map[string]Spread{"events/s": r.EventsPerSecond, "allocations": r.Allocations, "bytes": r.AllocatedBytes, "turn": r.TurnMean, "events": r.EventsPerRound}
	if r.Ceiling == nil {
		t.Fatal("expected a ceiling, got none")
	}
	figures["ceiling"], figures["get"], figures["share"] = r.Ceiling.CachePerSecond, r.Ceiling.GetPerSecond, r.Ceiling.CacheShare
	if r.Scenario != "timers" {
		figures["p50"], figures["max"] = r.AckP50Ms, r.AckMaxMs
		if r.TurnMax > r.Connections*r.Array || r.TurnMax < 1 {
			t.Errorf("expected turns of 1 to %d events, got %d", r.Connections*r.Array, r.TurnMax)
		}
	}
	for name, s := range figures {
		if s.Min <= 0 || s.Min > s.Median || s.Median > s.Max {
			t.Errorf("%s: expected 0 < min <= median <= max, got %+v", name, s)
		}
	}
	if r.AckP50Ms.Median > r.AckMaxMs.Max || r.RSSBytes <= 0 {
		t.Errorf("expected p50 at most max and some memory, got %+v", r)
	}
}

func TestDurableRunMeasuresBytes(t *testing.T) {
	o := small(t, "counter")
	o.Durability, o.Rounds, o.Threads, o.Hot = store.Sync, 1, 12_000, 12_000 // so many that the counters of each slot do not show
	r := run(t, o).Results[0]
	if r.RowBytes < 20 || r.RowBytes > 1000 {
		t.Errorf("expected a row of 20 to 1000 bytes in the log, got %.0f", r.RowBytes)
	}
	if r.CompactedPerThread < 10 || r.CompactedPerThread > 200 || r.DiskBytesPerThread < r.CompactedPerThread {
		t.Errorf("expected 10 to 200 bytes a thread compacted and not fewer before, got %.0f and %.0f", r.CompactedPerThread, r.DiskBytesPerThread)
	}
	o = small(t, "counter")
	o.Durability, o.Rounds, o.Threads, o.Hot, o.VarsBytes, o.NoCeiling = store.Sync, 1, 3000, 3000, 1000, true
	if fat := run(t, o).Results[0]; fat.Ceiling != nil || fat.DiskBytesPerThread < r.DiskBytesPerThread+500 {
		t.Errorf("expected no ceiling and 500 bytes more a thread than %.0f with 1000 bytes of text, got %.0f", r.DiskBytesPerThread, fat.DiskBytesPerThread)
	}
}

func TestOfferedRate(t *testing.T) {
	o := small(t, "counter")
	o.Rate, o.Rounds = 20_000, 1
	r := run(t, o).Results[0]
	if r.Sent != 600+500+2000 || r.Applied != r.Sent || r.EventsPerSecond.Max > 40_000 {
		t.Errorf("expected 3100 events, at most 40,000/s, got %d sent, %d applied, %.0f/s", r.Sent, r.Applied, r.EventsPerSecond.Max)
	}
}

func TestReportParses(t *testing.T) {
	o := small(t, "counter")
	o.Rounds = 1
	report := run(t, o)
	var out bytes.Buffer
	if err := report.JSON(&out); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back.Results) != 1 || back.Results[0].Sent != report.Results[0].Sent {
		t.Errorf("expected the report back from its JSON, got %+v, %v", back, err)
	}
	out.Reset()
	if err := report.Table(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"counter, in process: 600 threads, 150 of them hit", "events/s", "acknowledged after, p50", "ceiling, values in memory", "books"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("expected %q in\n%s", want, out.String())
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for text, o := range map[string]Options{
		"--threads -1": {Threads: -1}, "--rounds 1000": {Rounds: 1000}, "no scenario \"foo\"": {Scenarios: []string{"foo"}}, "--vars-bytes 99999": {VarsBytes: 99999},
		"may not be negative": {Rate: -1}, "--array 20000": {Array: 20000},
	} {
		if err := o.Complete(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("expected an error with %q, got %v", text, err)
		}
	}
	o := Options{Server: "http://127.0.0.1:1"}
	if err := o.Complete(); err != nil || slices.Contains(o.Scenarios, "fanout") || o.Connections != 16 {
		t.Errorf("expected the defaults of a run over HTTP, got %+v, %v", o, err)
	}
}

func TestBooksFindADifference(t *testing.T) {
	o := small(t, "counter")
	if err := o.Complete(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	b := &bench{o: &o, s: find("counter"), dir: t.TempDir(), r: &Result{Array: 25, Connections: 4}, figures: map[string][]float64{}}
	if err := b.open(ctx, 0); err != nil {
		t.Fatal(err)
	}
	defer b.d.close()
	if err := b.fill(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b.books(ctx); err != nil || b.r.Applied != 600 {
		t.Fatalf("expected 600 births in the books, got %d, %v", b.r.Applied, err)
	}
	b.w.sent[77]++ // an event that the engine never got
	if err := b.books(ctx); err == nil || !strings.Contains(err.Error(), "u00000077") {
		t.Errorf("expected the books to name thread u00000077, got %v", err)
	}
}

func TestSpreadAndQuantile(t *testing.T) {
	if s := spread([]float64{3, 1, 2}); s != (Spread{1, 2, 3}) {
		t.Errorf("expected 1, 2, 3, got %+v", s)
	}
	if s := spread([]float64{4, 1, 2, 3}); s != (Spread{1, 2.5, 4}) {
		t.Errorf("expected 1, 2.5, 4, got %+v", s)
	}
	var waits []time.Duration
	for i := range 101 {
		waits = append(waits, time.Duration(i)*time.Millisecond)
	}
	if q := quantile(waits, 0.99); q != 99 {
		t.Errorf("expected a p99 of 99 ms, got %v", q)
	}
}
