package crash

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weftbox/weftbox/internal/fault"
)

var (
	seeds = flag.Int("crash.seeds", 50, "how many runs")
	seed  = flag.Int64("crash.seed", -1, "one run: this seed")
	names = flag.Bool("crash.names", false, "print the names of the seeded faults")
)

// TestFaultNames prints what scripts/faults chooses from.
func TestFaultNames(t *testing.T) {
	all := fault.Names()
	if len(all) < 15 {
		t.Errorf("expected at least 15 seeded faults, there are %d", len(all))
	}
	if *names {
		for _, name := range all {
			fmt.Println("fault " + name)
		}
	}
}

// TestCrash runs many seeds; each is one life story of a node that dies again and again, compared with the model after every death.
func TestCrash(t *testing.T) {
	if *seed >= 0 {
		o, err := NewOffice()
		if err != nil {
			t.Fatal(err)
		}
		result, err := Run(o, uint64(*seed))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d: %+v", *seed, result)
		return
	}
	var (
		next   atomic.Int64
		failed atomic.Bool
		wg     sync.WaitGroup
		mu     sync.Mutex
		sum    = Result{Deaths: map[string]int{}}
		done   int
	)
	for range runtime.GOMAXPROCS(0) {
		o, err := NewOffice()
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			for !failed.Load() {
				n := next.Add(1) - 1
				if n >= int64(*seeds) {
					return
				}
				result, err := Run(o, uint64(n))
				if err != nil {
					failed.Store(true)
					t.Errorf("expected no difference: %v\nonce more: go test ./engine/sim/crash -crash.seed %d", err, n)
					return
				}
				mu.Lock()
				sum.add(result)
				if done++; done%5000 == 0 { // a long run shows where it stands
					fmt.Printf("%d of %d seeds\n", done, *seeds)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	fmt.Printf("%d seeds: %s\n", *seeds, sum)
	if !failed.Load() {
		sum.check(t, *seeds)
	}
}

func (s *Result) add(r Result) {
	for place, n := range r.Deaths {
		s.Deaths[place] += n
	}
	s.Events += r.Events
	s.Applied += r.Applied
	s.Requests += r.Requests
	s.Births += r.Births
	s.Late += r.Late
	s.Between += r.Between
	s.Yields += r.Yields
	s.Letters += r.Letters
	s.Said += r.Said
}

// check: a simulation in which little happens proves little.
func (s *Result) check(t *testing.T, seeds int) {
	t.Helper()
	if seeds < 400 { // too few for every place
		return
	}
	for _, place := range []string{"a file operation", "a failed write", "rest", "collected", "stepped", "before-commit", "applied", "after-commit", "before-answer", "after-answer", "before-send", "after-send"} {
		if s.Deaths[place] == 0 {
			t.Errorf("expected deaths at %s in %d seeds, there were none", place, seeds)
		}
	}
	for what, n := range map[string]int{"events": s.Events / 40, "requests": s.Requests / 5, "births": s.Births / 3, "late answers and alarms": s.Late * 2, "yields": s.Yields, "dead letters": s.Letters, "events of threads for threads": s.Said / 5, "deaths with two turns under way": s.Between * 4} {
		if n < seeds {
			t.Errorf("expected more %s in %d seeds: %s", what, seeds, *s)
		}
	}
}
