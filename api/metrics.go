package api

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxMetricActivities bounds how many activities have series of their own, so that a scrape stays cheap.
const maxMetricActivities = 500

// metrics owns a registry of its own: nothing that a library registers by itself gets in.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "weftbox_http_requests_total", Help: "Requests answered, by operation and status code."}, []string{"operation", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "weftbox_http_request_seconds", Help: "Time from a request's header to its answer.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 5, 30}}, []string{"operation"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.requests, m.seconds, &nodeCollector{s})
	if s.o.Intake != nil {
		m.registry.MustRegister(&intakeCollector{s.o.Intake})
	}
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// measure counts the answers of an operation.
func (m *metrics) measure(operation string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		c := &codeWriter{ResponseWriter: w, code: http.StatusOK}
		defer func() {
			m.requests.WithLabelValues(operation, strconv.Itoa(c.code)).Inc()
			m.seconds.WithLabelValues(operation).Observe(time.Since(began).Seconds())
		}()
		h.ServeHTTP(c, r)
	})
}

// codeWriter remembers the status code that was written.
type codeWriter struct {
	http.ResponseWriter
	code int
}

func (c *codeWriter) WriteHeader(code int) {
	c.code = code
	c.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController reach the connection.
func (c *codeWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// nodeCollector reads the engine's own counters when it is asked: nothing is counted twice on the way of a message.
type nodeCollector struct{ s *Server }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	descThreads   = describe("weftbox_activity_threads", "Live threads, by where they stand.", "activity", "action", "status")
	descEnded     = describe("weftbox_activity_threads_ended_total", "Runs that have ended, by where.", "activity", "action", "status")
	descVerdicts  = describe("weftbox_verdicts_total", "Messages that reached a thread or its trigger, by what became of them.", "activity", "message", "verdict")
	descClauses   = describe("weftbox_clause_taken_total", "Messages that a clause of an action took, at most 5000 series.", "activity", "action", "clause")
	descUnheard   = describe("weftbox_strategy_events_total", "Events that concerned no thread, by strategy; an empty strategy: no strategy took them.", "strategy", "verdict")
	descUnlisted  = describe("weftbox_activities_without_series", "Activities beyond those whose threads are counted here.")
	descDisk      = describe("weftbox_store_disk_bytes", "Bytes of the store on disk.")
	descDiskFree  = describe("weftbox_disk_free_bytes", "Bytes that are free on the disk of the store.")
	descKeysRead  = describe("weftbox_store_keys_read_total", "Keys that reads of the store have visited.")
	descRevision  = describe("weftbox_metadata_revision", "Revision of the metadata that this node works with.")
	descClock     = describe("weftbox_clock_seconds", "The engine's time, Unix seconds.")
	descKeys      = describe("weftbox_idempotency_keys", "Idempotency keys that are remembered.")
	descLetters   = describe("weftbox_dead_letters", "Dead letters that are kept.")
	descLetterLen = describe("weftbox_dead_letters_bytes", "Bytes of the dead letters that are kept.")
	descReadFails = describe("weftbox_scrape_errors", "Activities whose counters could not be read in this scrape.")
)

// engineCounters are the counters of engine.Stats under their names.
var engineCounters = []struct {
	desc *prometheus.Desc
	of   func(*Server) *atomic.Int64
}{
	{describe("weftbox_turns_total", "Turns of the engine's loop that committed something."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Turns }},
	{describe("weftbox_messages_total", "Messages of all kinds that the engine took."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Messages }},
	{describe("weftbox_events_total", "Events that the engine took."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Events }},
	{describe("weftbox_replies_total", "Replies of services that the engine took."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Replies }},
	{describe("weftbox_duplicates_total", "Repeated messages that were not applied again."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Duplicates }},
	{describe("weftbox_late_total", "Replies and alarms that nobody waited for."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Late }},
	{describe("weftbox_alarms_fired_total", "Alarms that reached their threads."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().AlarmsFired }},
	{describe("weftbox_service_requests_total", "Requests to services that were put into the outbox."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Requests }},
	{describe("weftbox_service_delivery_errors_total", "Batches of requests that a service did not take."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().DeliveryErrors }},
	{describe("weftbox_dead_letters_total", "Messages kept as dead letters."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().DeadLetters }},
	{describe("weftbox_dead_letters_dropped_total", "Dead letters dropped because there were too many or they were too old."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().DeadLettersDropped }},
	{describe("weftbox_idempotency_keys_dropped_total", "Idempotency keys forgotten early because there were too many."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().KeysDropped }},
	{describe("weftbox_stdout_lines_dropped_total", "Lines of the stdout action that were dropped because nobody read the node's output."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().LinesDropped }},
	{describe("weftbox_strategy_errors_total", "Strategies that could not be computed for an event."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().StrategyErrors }},
	{describe("weftbox_trigger_errors_total", "Trigger conditions that could not be computed for an event."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().TriggerErrors }},
	{describe("weftbox_spawned_total", "Threads born."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Spawned }},
	{describe("weftbox_dropped_total", "Messages that a live thread had no use for."), func(s *Server) *atomic.Int64 { return &s.o.Engine.Stats().Dropped }},
}

// Describe names the series.
func (c *nodeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, n := range engineCounters {
		out <- n.desc
	}
	for _, d := range []*prometheus.Desc{descVerdicts, descClauses, descUnheard, descThreads, descEnded, descUnlisted, descDisk, descDiskFree, descKeysRead, descRevision, descClock, descReadFails, descKeys, descLetters, descLetterLen} {
		out <- d
	}
}

// Collect reads them.
func (c *nodeCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	for _, n := range engineCounters {
		out <- prometheus.MustNewConstMetric(n.desc, prometheus.CounterValue, float64(n.of(c.s).Load()))
	}
	usage := c.s.o.Engine.Usage()
	gauge(descDisk, float64(usage.DiskBytes))
	if usage.Disk.Known {
		gauge(descDiskFree, float64(usage.Disk.FreeBytes))
	}
	out <- prometheus.MustNewConstMetric(descKeysRead, prometheus.CounterValue, float64(usage.KeysRead))
	letters, bytes := c.s.o.Engine.DeadLetterUsage()
	gauge(descLetters, float64(letters))
	gauge(descLetterLen, float64(bytes))
	gauge(descKeys, float64(c.s.o.Engine.KeysKnown()))
	snap := c.s.o.Metadata.Load()
	gauge(descRevision, float64(snap.Revision))
	gauge(descClock, float64(c.s.o.Engine.NowMs())/1000)
	numbers := sortedKeys(snap.Activities)
	gauge(descUnlisted, float64(max(0, len(numbers)-maxMetricActivities)))
	failed := 0
	for _, n := range numbers[:min(len(numbers), maxMetricActivities)] {
		if err := c.threads(out, n, snap.Activities[n].Name); err != nil {
			failed++
		}
	}
	failed += c.verdicts(out, snap, numbers[:min(len(numbers), maxMetricActivities)])
	gauge(descReadFails, float64(failed))
}

// threads sums an activity's counters over its versions.
func (c *nodeCollector) threads(out chan<- prometheus.Metric, number uint32, name string) error {
	counters, err := c.s.o.Engine.Counters(number)
	if err != nil {
		return err
	}
	type place struct {
		action, status string
		live           bool
	}
	sums := map[place]int64{}
	for _, n := range counters {
		sums[place{n.Action, n.Status.String(), n.Status.Live()}] += n.N
	}
	for p, n := range sums {
		if p.live {
			out <- prometheus.MustNewConstMetric(descThreads, prometheus.GaugeValue, float64(n), name, p.action, p.status)
			continue
		}
		out <- prometheus.MustNewConstMetric(descEnded, prometheus.CounterValue, float64(n), name, p.action, p.status)
	}
	return nil
}
