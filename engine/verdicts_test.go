package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/slots"
)

// pickyFlow takes "a" by clause 0 and "end" by clause 1, drops the rest, and times out after a minute by clause 2.
const pickyFlow = `
activity:
  name: picky
  domain_id_strategy: user
  config: {$verdicts: %v, $retention: %s}
  trigger: {type: event, args: {condition: eventTypeIs("a") OR eventTypeIs("b") AND eventAttr("n") > 5}, context_vars: {n: 1}}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("a")
          context_vars: {n: var("n") + 1}
          then: call("wait")
        - when: eventTypeIs("end")
          then: finish()
        - after: 60000
          then: fail()
`

func newPicky(t testing.TB, verdicts bool, retention string) (*rig, uint32) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	return r, r.flow(fmt.Sprintf(pickyFlow, verdicts, retention))
}

// counted writes the verdict counters of an activity: "1/wait event 0 taken=3".
func (r *rig) counted(number uint32) string {
	r.t.Helper()
	counts, err := r.e.Verdicts(number)
	r.must(err)
	var out []string
	for _, n := range counts {
		out = append(out, fmt.Sprintf("%s/%s %s %d %s=%d", n.Version, n.Action, n.Sort, n.Clause, n.Verdict, n.N))
	}
	return strings.Join(out, "\n")
}

func TestEveryVerdictIsCountedByVersionActionAndClause(t *testing.T) {
	r, number := newPicky(t, false, "1h")
	r.put(event("a", "k1", "user", "u1"), event("a", "", "user", "u2"), event("b", "", "user", "u3", "n", int64(1)), event("c", ""))
	r.put(event("a", "", "user", "u1"), event("a", "", "user", "u1"), event("zzz", "", "user", "u1"), event("end", "", "user", "u2"))
	r.put(event("a", "k1", "user", "u1")) // a repeat
	r.advance(61_000)
	done := make(chan messagebus.Answer, 1)
	r.must(r.e.Command(activity.ID{Activity: number, Domain: "u1"}, activity.Command{Name: "pause"}, func(a messagebus.Answer) { done <- a }))
	r.e.Turn()
	<-done
	want := strings.Join([]string{
		"1/ event -1 no_trigger=1",
		"1/ event -1 spawned=2",
		"1/wait event -1 dropped=1",
		"1/wait event 0 taken=2",
		"1/wait event 1 taken=1",
		"1/wait alarm 2 taken=1",
	}, "\n")
	got := strings.ReplaceAll(r.counted(number), "\n1/ command -1 dropped=1", "")
	if got != want {
		t.Errorf("the counters of the activity are\n%s\nwant\n%s", got, want)
	}
	if got, want := r.counted(0), "/ event -1 no_trigger=1\n/user event -1 duplicate=1"; got != want {
		t.Errorf("the counters of the strategies are %q, want %q", got, want)
	}
	before := r.counted(number) + r.counted(0)
	r.restart()
	if after := r.counted(number) + r.counted(0); after != before {
		t.Errorf("after a restart the counters are\n%s\nwant\n%s", after, before)
	}
}

func TestCountsOfEventsThatConcernNobodyAreWrittenAfterASecond(t *testing.T) {
	r, number := newPicky(t, false, "1h")
	r.put(event("b", "", "user", "u3", "n", int64(1)))
	if got := r.counted(number); got != "" {
		t.Errorf("an event that changed nothing made a commit for its count: %s", got)
	}
	if r.e.Turn() {
		t.Error("a turn with nothing to do wrote counts before a second went by")
	}
	r.clock.Set(startMs + looseMs)
	if r.e.Turn(); r.counted(number) != "1/ event -1 no_trigger=1" {
		t.Errorf("a second later the counters are %q, want the refused event", r.counted(number))
	}
	if r.e.Turn() {
		t.Error("the counts were written twice")
	}
}

func (r *rig) lines(number uint32, domain string) (out []string) {
	r.t.Helper()
	th := r.thread(number, domain)
	lines, err := r.store.Lines(slots.Of(domain, 8), th.ID, th.Run)
	r.must(err)
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s %s %s %d %s>%s %s", l.Sort, l.Name, l.Verdict, l.Clause, l.From, l.To, l.Status))
	}
	return out
}

func TestRingKeepsTheLastVerdictsOfARun(t *testing.T) {
	r, number := newPicky(t, true, "1h")
	r.put(event("a", "", "user", "u1"))
	for i := range 20 {
		r.put(event("a", "", "user", "u1"), event("x", "", "user", "u1", "i", i))
	}
	r.restart() // the next turn does not know from memory that there are lines
	r.put(event("a", "", "user", "u1"), event("end", "", "user", "u1"))
	lines := r.lines(number, "u1")
	if len(lines) != maxLines {
		t.Fatalf("%d lines are kept, want %d", len(lines), maxLines)
	}
	if got, want := strings.Join(lines[maxLines-4:], "; "), "event a taken 0 wait>wait waiting; event x dropped -1 wait>wait waiting; event a taken 0 wait>wait waiting; event end taken 1 wait>wait finished"; got != want {
		t.Errorf("the last lines are %q, want %q", got, want)
	}
	var many []*messagebus.Record
	for i := range 100 {
		many = append(many, event("a", "", "user", "u2", "i", i))
	}
	r.put(many...)
	if n := len(r.lines(number, "u2")); n != maxLines {
		t.Errorf("a turn of 100 messages leaves %d lines, want %d", n, maxLines)
	}
	if r.advance(3_610_000); len(r.journal()) != maxLines {
		t.Errorf("when the ended run is forgotten %d lines are left, want the %d of the other thread", len(r.journal()), maxLines)
	}
}

// journal returns the runs of all lines of the store.
func (r *rig) journal() (runs []uint64) {
	r.t.Helper()
	for slot := range uint16(8) {
		for _, domain := range []string{"u1", "u2"} {
			if slots.Of(domain, 8) != slot {
				continue
			}
			for run := uint64(1); run < 300; run++ {
				seqs, err := r.store.LineNumbers(slot, activity.ID{Activity: 1, Domain: domain}, run)
				r.must(err)
				for range seqs {
					runs = append(runs, run)
				}
			}
		}
	}
	return runs
}

func TestNoLineIsKeptOfARunThatIsNotKept(t *testing.T) {
	r, _ := newPicky(t, true, "0")
	r.put(event("a", "", "user", "u1"))
	r.put(event("a", "", "user", "u1"), event("end", "", "user", "u1"))
	r.put(event("a", "", "user", "u1"), event("end", "", "user", "u1")) // a whole life in one turn
	if left := r.journal(); len(left) != 0 {
		t.Errorf("lines of runs %v are kept, want none", left)
	}
}

func TestSwitchedOffNothingIsKept(t *testing.T) {
	r, number := newPicky(t, false, "1h")
	r.put(event("a", "", "user", "u1"), event("a", "", "user", "u1"))
	if lines := r.lines(number, "u1"); len(lines) != 0 {
		t.Errorf("without $verdicts %d lines are kept: %v", len(lines), lines)
	}
}

func TestManyTalliesAreFoundAgain(t *testing.T) {
	var s tallies
	want := map[tally]int64{}
	for i := range 5000 {
		c := store.VerdictCount{Version: "1", Action: fmt.Sprint("a", i%97), Clause: int16(i % 3), Verdict: activity.VerdictTaken, N: 1}
		s.add(uint32(i%2), c)
		c.N = 0
		want[tally{uint32(i % 2), c}]++
	}
	if len(s.list) != len(want) {
		t.Fatalf("%d tallies, want %d", len(s.list), len(want))
	}
	for _, x := range s.list {
		n := x.count.N
		x.count.N = 0
		if want[x] != n {
			t.Errorf("%v: %d, want %d", x, n, want[x])
		}
	}
}

// BenchmarkVerdictCounters is what the counters and the lines cost: turns of 1,000 events to 20,000 waiting threads, by turns without counters,
// with them, and with lines too. Printed is the median of ns per event of each.
func BenchmarkVerdictCounters(b *testing.B) {
	e, feed, _, number := benchEngine(b)
	draw := rand.New(rand.NewPCG(1, 2))
	bound := e.o.Metadata().Activities[number].Latest
	spent := map[string][]time.Duration{}
	for b.Loop() {
		for _, mode := range []string{"without", "counters", "counters+lines"} {
			b.StopTimer()
			e.uncounted, bound.Settings.Verdicts = mode == "without", mode == "counters+lines"
			feed.load(draw)
			b.StartTimer()
			began := time.Now()
			e.Turn()
			spent[mode] = append(spent[mode], time.Since(began))
		}
	}
	for mode, took := range spent {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/benchMessages, "ns/event_"+mode)
	}
}

func TestCountsThatWaitAreWrittenWhenTheLoopEnds(t *testing.T) {
	r, number := newPicky(t, false, "1h")
	ctx, stop := context.WithCancel(context.Background())
	ended, answered := make(chan struct{}), make(chan struct{})
	go func() { r.e.Run(ctx); close(ended) }()
	refused := event("b", "", "user", "u3", "n", int64(1))
	refused.Answer = func(messagebus.Answer) { close(answered) }
	r.must(r.e.Submit(refused))
	<-answered
	stop()
	<-ended
	r.restart()
	if got := r.counted(number); got != "1/ event -1 no_trigger=1" {
		t.Errorf("after an orderly end the counters are %q, want the refused event", got)
	}
}

// Who posts may name a strategy that does not exist: the names he thinks of are no rows.
func TestMadeUpStrategiesAreCountedAsOne(t *testing.T) {
	r, _ := newPicky(t, false, "1h")
	for i := range 5 {
		r.put(event("a", "", "$DID", "u1", "$DID_STRATEGY", fmt.Sprint("nosuch", i)))
	}
	r.clock.Set(startMs + looseMs)
	r.e.Turn()
	if got, want := r.counted(0), "/ event -1 error=5"; got != want {
		t.Errorf("events to five strategies that do not exist are counted as %q, want %q", got, want)
	}
}
