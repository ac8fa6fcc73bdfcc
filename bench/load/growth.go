package load

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// GrowthReport is the result of Growth.
type GrowthReport struct {
	Report *Report  `json:"report"` // everything else measured at the points
	Series []Series `json:"series"`
}

// Series says how the cost of an event moves with one size while the others stay.
type Series struct {
	Name   string  `json:"name"` // "threads", "activities", "vars"
	Title  string  `json:"title"`
	Points []Point `json:"points"`
}

// Point is one size with what was measured there.
type Point struct {
	Size            int    `json:"size"`
	EventsPerSecond Spread `json:"events_per_second"`
	CPUMicros       Spread `json:"cpu_us_per_event"`
}

// Growth measures the scenario counter, and fanout for activities, over threads 10^4 … --threads, activities 1 … --activities and variables of
// 100 B … 4 KB. Every point starts on an empty directory; the hot threads are the same number throughout.
func Growth(ctx context.Context, o Options) (*GrowthReport, error) {
	if o.Server != "" {
		return nil, fmt.Errorf("growth is measured inside this process: leave --server out")
	}
	setDefault(&o.Threads, 1_000_000)
	setDefault(&o.Hot, min(10_000, o.Threads))
	o.NoCeiling = true
	if err := o.Complete(); err != nil {
		return nil, err
	}
	g := &GrowthReport{Report: newReport()}
	few := min(o.Hot, o.Threads)
	for _, s := range []struct {
		name, title string
		sizes       []int
		set         func(o *Options, size int) (scenario string, others int)
	}{
		{"threads", "waiting threads", tens(few, o.Threads), func(o *Options, size int) (string, int) { o.Threads = size; return "counter", 0 }},
		{"activities", "unrelated activities", tens(1, o.Activities), func(o *Options, size int) (string, int) { o.Threads = few; return "fanout", size }},
		{"vars", "bytes of variables in a thread", []int{100, 400, 1000, 2000, 4000}, func(o *Options, size int) (string, int) { o.Threads, o.VarsBytes = few, size; return "counter", 0 }},
	} {
		series := Series{Name: s.name, Title: s.title}
		for _, size := range s.sizes {
			at := o
			name, others := s.set(&at, size)
			at.say("%s %d", s.title, size)
			r, err := measure(ctx, &at, find(name), others)
			if err != nil {
				return g, fmt.Errorf("%s %d: %w", s.title, size, err)
			}
			g.Report.Results = append(g.Report.Results, *r)
			series.Points = append(series.Points, Point{size, r.EventsPerSecond, r.CPUMicros})
		}
		g.Series = append(g.Series, series)
	}
	return g, nil
}

// tens returns from, ten times from, … and to.
func tens(from, to int) []int {
	var sizes []int
	for n := from; n < to; n *= 10 {
		sizes = append(sizes, n)
	}
	return append(sizes, to)
}

// JSON writes the report as one value.
func (g *GrowthReport) JSON(out io.Writer) error { return writeJSON(out, g) }

// Table writes the report for people: min / median / max of the rounds, and CPU set beside the first point's.
func (g *GrowthReport) Table(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d cores, %s; min / median / max of the rounds\n", g.Report.Started, g.Report.GoOS, g.Report.GoArch, g.Report.Cores, g.Report.Go)
	for _, s := range g.Series {
		fmt.Fprintf(&b, "\n%-32s %-28s %-24s %s\n", s.Title, "events/s", "CPU per event, µs", "CPU, to the first")
		for _, p := range s.Points {
			fmt.Fprintf(&b, "%-32d %-28s %-24s %+.0f %%\n", p.Size, p.EventsPerSecond.text(0), p.CPUMicros.text(1), change(s.Points[0].CPUMicros.Median, p.CPUMicros.Median))
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func change(from, to float64) float64 {
	if from == 0 {
		return 0
	}
	return 100 * (to/from - 1)
}

// short writes a number as an axis shows it: 100, 20k, 1M.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'g', 3, 64) + "M"
	case v >= 1e3:
		return strconv.FormatFloat(v/1e3, 'g', 3, 64) + "k"
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
