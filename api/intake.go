package api

import (
	"github.com/prometheus/client_golang/prometheus"

	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

// intakeCollector reads what the bus holds when it is asked.
type intakeCollector struct{ stats func() bushttp.Stats }

var (
	descQueueMessages  = describe("weftbox_intake_queue_messages", "Messages that wait for the engine.")
	descQueueBytes     = describe("weftbox_intake_queue_bytes", "Memory of the messages that wait for the engine, decoded values included.")
	descBodyBytes      = describe("weftbox_intake_body_bytes", "Bytes of bodies being read, and of those not yet answered.")
	descIntakeRequests = describe("weftbox_intake_requests", "Posts being read or waiting for their answers.")
	descIntakeStreams  = describe("weftbox_intake_streams", "Posts that are streams of lines.")
	descRefused        = describe("weftbox_intake_refused_total", "Posts that were answered with a problem, by its code.", "code")
)

// Describe names the series.
func (c *intakeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descQueueMessages, descQueueBytes, descBodyBytes, descIntakeRequests, descIntakeStreams, descRefused} {
		out <- d
	}
}

// Collect reads them.
func (c *intakeCollector) Collect(out chan<- prometheus.Metric) {
	s := c.stats()
	for _, g := range []struct {
		desc *prometheus.Desc
		n    int
	}{{descQueueMessages, s.QueueMessages}, {descQueueBytes, s.QueueBytes}, {descBodyBytes, s.BodyBytes}, {descIntakeRequests, s.Requests}, {descIntakeStreams, s.Streams}} {
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, float64(g.n))
	}
	for code, n := range s.Refused {
		out <- prometheus.MustNewConstMetric(descRefused, prometheus.CounterValue, float64(n), code)
	}
}
