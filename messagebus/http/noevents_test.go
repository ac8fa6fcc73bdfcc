package http

import (
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

// unreadable fails the test when a body is read that must not be.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read, expected the refusal before it")
	return 0, nethttp.ErrBodyReadAfterClose
}

func TestEventsAreRefusedWhileTheDiskIsLow(t *testing.T) {
	b := New(Options{RefuseEvents: func() *Problem { return DiskLow(1<<20, 3<<20) }})
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/v1/events", unreadable{t})
	r.ContentLength = 100 // so short that the server itself reads it
	b.ServeEvents(w, r)
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"disk_low"`) || w.Header().Get("Retry-After") == "" {
		t.Errorf("an event: expected 503, disk_low and Retry-After, got %d %v %s", w.Code, w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	b.ServeBus(w, httptest.NewRequest("POST", "/v1/buses/default", strings.NewReader(`[{"type":"hit","attr":{"user":"1"}}]`)))
	if w.Code != 503 || !strings.Contains(w.Body.String(), `"disk_low"`) {
		t.Errorf("an event on a bus: expected 503 and disk_low, got %d %s", w.Code, w.Body)
	}
	answered := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		b.ServeBus(w, httptest.NewRequest("POST", "/v1/buses/default", strings.NewReader(`{"type":"res","attr":{"request_id":"a-1-1","status":"ok","data":{}}}`)))
		answered <- w.Code
	}()
	select {
	case <-b.Ready():
		if records, err := b.Poll(10, 1<<20); len(records) != 1 || err != nil || records[0].Incoming.Reply == nil {
			t.Errorf("expected the service's answer in the queue, got %+v (%v)", records, err)
		} else {
			answerAll(records, messagebus.Answer{}) // or its handler would wait beyond this test
			<-answered
		}
	case code := <-answered:
		t.Errorf("expected the service's answer to be taken, got %d", code)
	}
}
