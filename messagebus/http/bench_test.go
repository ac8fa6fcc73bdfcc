package http

import (
	"bytes"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

// BenchmarkServeEvents100 takes arrays of 100 events through handler, queue, poll and answers, without a network. One operation is one array.
func BenchmarkServeEvents100(b *testing.B) {
	const event = `{"type":"user_behavior","attr":{"behavior":"view_product","user_id":10010,"goods_id":"PS5-2002","goods_title":"Sony PS5","price":499.90},"timestamp":1561269531131}`
	body := []byte("[" + strings.Repeat(event+",", 99) + event + "]")
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
		bus.ServeEvents(w, httptest.NewRequest(nethttp.MethodPost, "/v1/events", bytes.NewReader(body)))
		if w.Code != nethttp.StatusAccepted {
			b.Fatalf("expected 202, got %d %s", w.Code, w.Body)
		}
	}
	close(stop)
	<-stopped
}
