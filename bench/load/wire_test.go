package load

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestConnectionIsUsedAgain: arrays go over one connection, whole, until the node closes it.
func TestConnectionIsUsedAgain(t *testing.T) {
	var opened, asked atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil || q.Method != http.MethodPost || q.URL.Path != "/v1/events" || q.Header.Get("Content-Type") != "application/json" {
			t.Errorf("expected a post of JSON to /v1/events, got %s %s %q, %v", q.Method, q.URL.Path, q.Header.Get("Content-Type"), err)
		}
		switch n := asked.Add(1); {
		case n == 3:
			w.Header().Set("Connection", "close")
		case n == 4:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case n == 5:
			w.(http.Flusher).Flush() // an answer in chunks
		}
		_, _ = io.WriteString(w, `{"accepted":`+string(body)+`,"results":[`+strings.Repeat(" ", 9000)+`]}`)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := &connection{r: &remote{url: server.URL}}
	defer c.wire.close()
	for i, want := range []int{10, 20, 30, 0, 50} {
		c.body = []byte([]string{"10", "20", "30", "40", "50"}[i])
		got, later, err := c.send(t.Context(), "application/json")
		if err != nil || got != want || (later > 0) != (i == 3) {
			t.Errorf("array %d: expected %d accepted, got %d, later %v, %v", i, want, got, later, err)
		}
	}
	if n := opened.Load(); n != 2 {
		t.Errorf("expected a second connection after the node closed the first, got %d connections", n)
	}
}

// TestWaitEndsWithItsContext: a node that does not answer holds up nobody who was told to stop.
func TestWaitEndsWithItsContext(t *testing.T) {
	asked, stop := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-stop
	}))
	defer server.Close()
	defer close(stop)
	ctx, cancel := context.WithCancel(t.Context())
	c := &connection{r: &remote{url: server.URL}, body: []byte("{}")}
	failed := make(chan error, 1)
	go func() {
		_, _, err := c.send(ctx, "application/json")
		failed <- err
	}()
	<-asked
	cancel()
	select {
	case err := <-failed:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("expected the context's error, got %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("expected the wait to end with its context")
	}
}

// TestAnswerToWhatWasNotRead: a node that has no room answers before it has read a large array, and closes the connection. That is no failure.
func TestAnswerToWhatWasNotRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	c := &connection{r: &remote{url: server.URL}, body: make([]byte, 32<<20)} // more than the sockets between them hold
	defer c.wire.close()
	for i := range 2 {
		if _, later, err := c.send(t.Context(), "application/json"); err != nil || later != 7*time.Second {
			t.Errorf("array %d: expected to be told to wait 7 s, got %v, %v", i, later, err)
		}
	}
}
