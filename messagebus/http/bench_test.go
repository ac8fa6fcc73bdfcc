package http

import (
	"bytes"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

const benchEvent = `{"type":"user_behavior","attr":{"behavior":"view_product","user_id":10010,"goods_id":"PS5-2002","goods_title":"Sony PS5","price":499.90},"timestamp":1561269531131}`

// BenchmarkServeEvents100 takes arrays of 100 events through handler, queue, poll and answers, without a network. One operation is one array.
func BenchmarkServeEvents100(b *testing.B) {
	benchServe(b, "application/json", "["+strings.Repeat(benchEvent+",", 99)+benchEvent+"]")
}

// BenchmarkServeLines100 takes the same events as NDJSON.
func BenchmarkServeLines100(b *testing.B) {
	benchServe(b, ndjson, strings.Repeat(benchEvent+"\n", 100))
}

// BenchmarkServeStream takes 40,000 events in one stream of NDJSON. One operation is one stream.
func BenchmarkServeStream(b *testing.B) {
	benchServe(b, ndjson, strings.Repeat(benchEvent+"\n", 40_000))
}

func benchServe(b *testing.B, kind, text string) {
	body := []byte(text)
	bus := newBus(Options{})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-bus.Ready():
				records, _ := bus.Poll(16_000, 16<<20)
				answerAll(records, messagebus.Answer{})
			case <-stop:
				return
			}
		}
	}()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(nethttp.MethodPost, "/v1/events", bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		bus.ServeEvents(w, r)
		if w.Code != nethttp.StatusAccepted {
			b.Fatalf("expected 202, got %d %s", w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.N)*float64(strings.Count(text, "user_behavior"))/b.Elapsed().Seconds(), "events/s")
	close(stop)
	<-stopped
}
