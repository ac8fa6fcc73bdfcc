package api

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/metadata"
)

// Bounds of the series of one scrape.
const (
	maxClauseSeries   = 5000
	maxStrategySeries = 1000
)

// verdicts writes the verdict counters of activities, summed over their versions, and returns how many could not be read.
func (c *nodeCollector) verdicts(out chan<- prometheus.Metric, snap *metadata.Snapshot, numbers []uint32) (failed int) {
	left := maxClauseSeries
	for _, number := range numbers {
		counts, err := c.s.o.Engine.Verdicts(number)
		if err != nil {
			failed++
			continue
		}
		left = verdictSeries(out, snap.Activities[number].Name, counts, left)
	}
	counts, err := c.s.o.Engine.Verdicts(0)
	if err != nil {
		return failed + 1
	}
	for i := range counts[:min(len(counts), maxStrategySeries)] {
		n := &counts[i]
		out <- prometheus.MustNewConstMetric(descUnheard, prometheus.CounterValue, float64(n.N), n.Action, string(n.Verdict))
	}
	return failed
}

// verdictSeries writes the series of one activity; at most left of them are of clauses, and it returns what is left of those.
func verdictSeries(out chan<- prometheus.Metric, name string, counts []store.VerdictCount, left int) int {
	type kind struct{ message, verdict string }
	type clause struct {
		action string
		number int16
	}
	kinds, clauses, order := map[kind]int64{}, map[clause]int64{}, []clause(nil)
	for i := range counts {
		n := &counts[i]
		kinds[kind{n.Sort.String(), string(n.Verdict)}] += n.N
		if n.Clause < 0 {
			continue
		}
		k := clause{n.Action, n.Clause}
		if _, known := clauses[k]; !known {
			order = append(order, k)
		}
		clauses[k] += n.N
	}
	for k, n := range kinds {
		out <- prometheus.MustNewConstMetric(descVerdicts, prometheus.CounterValue, float64(n), name, k.message, k.verdict)
	}
	for _, k := range order[:min(len(order), left)] {
		out <- prometheus.MustNewConstMetric(descClauses, prometheus.CounterValue, float64(clauses[k]), name, k.action, strconv.Itoa(int(k.number)))
	}
	return left - min(len(order), left)
}
