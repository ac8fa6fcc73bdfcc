package load

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// Report is the result of Run.
type Report struct {
	Started string   `json:"started"` // RFC 3339
	GoOS    string   `json:"os"`
	GoArch  string   `json:"arch"`
	Go      string   `json:"go"`
	Cores   int      `json:"cores"`
	Results []Result `json:"results"`
}

func newReport() *Report {
	return &Report{Started: time.Now().UTC().Format(time.RFC3339), GoOS: runtime.GOOS, GoArch: runtime.GOARCH, Go: runtime.Version(), Cores: runtime.GOMAXPROCS(0)}
}

// Result is what a scenario's rounds gave. Spreads are over the rounds; events of the scenario timers are alarms.
type Result struct {
	Scenario    string `json:"scenario"`
	Mode        string `json:"mode"` // "in process" or "http"
	Threads     int    `json:"threads"`
	Users       int    `json:"users"` // threads that the events go to
	Activities  int    `json:"activities"`
	VarsBytes   int    `json:"vars_bytes"`
	Connections int    `json:"connections"`
	Array       int    `json:"array"`
	Rate        int    `json:"rate,omitempty"` // events/s offered
	NDJSON      bool   `json:"ndjson,omitempty"`
	Rounds      int    `json:"rounds"`

	EventsPerRound  Spread `json:"events_per_round"`
	EventsPerSecond Spread `json:"events_per_second"`
	AckP50Ms        Spread `json:"ack_p50_ms"`
	AckP99Ms        Spread `json:"ack_p99_ms"`
	AckMaxMs        Spread `json:"ack_max_ms"`
	CPUMicros       Spread `json:"cpu_us_per_event"`
	Allocations     Spread `json:"allocations_per_event"`
	AllocatedBytes  Spread `json:"allocated_bytes_per_event"`
	TurnMean        Spread `json:"turn_events_mean"`
	TurnMax         int    `json:"turn_events_max,omitempty"` // 0: unknown (over HTTP)
	Refused         int    `json:"arrays_refused,omitempty"`  // sent again after 429 or 503

	RowBytes           float64 `json:"log_bytes_per_thread_written"`
	RowKeys            float64 `json:"keys_per_thread_written"`
	DiskBytesPerThread float64 `json:"disk_bytes_per_thread"`
	CompactedPerThread float64 `json:"compacted_bytes_per_thread,omitempty"` // 0: unknown (over HTTP)
	RSSBytes           int64   `json:"rss_bytes"`

	Ceiling *Ceiling `json:"ceiling,omitempty"`

	Sent    int64 `json:"sent"`    // events since the store was empty, or alarms due
	Applied int64 `json:"applied"` // of them, found in the threads; a run in which the two differ is an error
}

// Ceiling is what bare Pebble did with turns of the same sizes in the same run.
type Ceiling struct {
	CachePerSecond Spread `json:"cache_per_second"`
	GetPerSecond   Spread `json:"get_per_second"`
	CommitP50Ms    Spread `json:"commit_p50_ms"`
	CacheShare     Spread `json:"cache_share_percent"` // the engine's part of it
	GetShare       Spread `json:"get_share_percent"`
	CacheCPUMicros Spread `json:"cache_cpu_us_per_event"`
	GetCPUMicros   Spread `json:"get_cpu_us_per_event"`
}

// JSON writes the report as one value.
func (r *Report) JSON(out io.Writer) error { return writeJSON(out, r) }

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Table writes the report for people: min / median / max of the rounds.
func (r *Report) Table(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d cores, %s; min / median / max of the rounds\n", r.Started, r.GoOS, r.GoArch, r.Cores, r.Go)
	for i := range r.Results {
		r.Results[i].table(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (r *Result) table(b *strings.Builder) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(b, "  %-28s %s\n", name, fmt.Sprintf(format, args...))
	}
	mode := r.Mode
	if r.NDJSON {
		mode += ", NDJSON"
	}
	fmt.Fprintf(b, "\n%s, %s: %d threads, %d of them hit, %d other activities, %d B of text in each thread; %d senders with arrays of %d, %d rounds\n",
		r.Scenario, mode, r.Threads, r.Users, r.Activities, r.VarsBytes, r.Connections, r.Array, r.Rounds)
	line("events/s", "%s", r.EventsPerSecond.text(0))
	if r.AckMaxMs.Max > 0 {
		line("acknowledged after, p50", "%s ms", r.AckP50Ms.text(2))
		line("                    p99", "%s ms", r.AckP99Ms.text(2))
		line("                    max", "%s ms", r.AckMaxMs.text(2))
	}
	line("CPU per event", "%s µs", r.CPUMicros.text(1))
	line("allocations per event", "%s, %s bytes", r.Allocations.text(1), r.AllocatedBytes.text(0))
	line("events per turn", "%s mean, %s max", r.TurnMean.text(0), orDash(r.TurnMax))
	if r.Rate > 0 || r.Refused > 0 {
		line("offered", "%d events/s; %d arrays refused and sent again", r.Rate, r.Refused)
	}
	if r.RowBytes > 0 {
		line("log per thread written", "%.0f bytes in %.1f keys", r.RowBytes, r.RowKeys)
	}
	line("disk per thread", "%s bytes as it is, %s compacted", orDash(int(r.DiskBytesPerThread)), orDash(int(r.CompactedPerThread+0.5)))
	line("resident memory", "%.0f MB", float64(r.RSSBytes)/1e6)
	if c := r.Ceiling; c != nil {
		line("ceiling, values in memory", "%s /s; the engine's share %s %%", c.CachePerSecond.text(0), c.CacheShare.text(1))
		line("ceiling, each row read", "%s /s; the engine's share %s %%", c.GetPerSecond.text(0), c.GetShare.text(1))
		line("its CPU per event", "%s µs; with reads %s µs", c.CacheCPUMicros.text(1), c.GetCPUMicros.text(1))
		line("its commits, p50", "%s ms", c.CommitP50Ms.text(2))
	}
	line("books", "%d sent, %d found in the threads", r.Sent, r.Applied)
}

func orDash(n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprint(n)
}

func (s Spread) text(digits int) string {
	return fmt.Sprintf("%.*f / %.*f / %.*f", digits, s.Min, digits, s.Median, digits, s.Max)
}
