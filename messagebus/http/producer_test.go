package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/bustest"
)

func newProducer(t *testing.T, o ProducerOptions) *Producer {
	o.NowMs = func() int64 { return nowMs }
	p := NewProducer(o)
	t.Cleanup(p.Close)
	return p
}

func TestProducerConformance(t *testing.T) {
	bustest.RunProducer(t, func(t *testing.T, s bustest.Service) *bustest.Sink {
		server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Errorf("the service could not read its requests: %v", err)
			}
			replies, err := s(split(t, body))
			if err != nil {
				w.WriteHeader(503)
			}
			if replies != nil {
				_, _ = w.Write(join(replies))
			}
		}))
		t.Cleanup(server.Close)
		return &bustest.Sink{Producer: newProducer(t, ProducerOptions{}), Destination: messagebus.Destination{Name: "mail", Number: 1, URL: server.URL}}
	})
}

// split parts an array into its elements without touching a byte of them, white space included.
func split(t *testing.T, body []byte) (out [][]byte) {
	if len(body) < 2 || body[0] != '[' || body[len(body)-1] != ']' || !json.Valid(body) {
		t.Errorf("expected a JSON array, got %s", body)
		return nil
	}
	depth, from, text := 0, 1, false
	for i := 1; i < len(body)-1; i++ {
		switch c := body[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 0:
			out = append(out, body[from:i])
			from = i + 1
		}
	}
	return append(out, body[from:len(body)-1])
}

// publish sends one body to a service that answers with h.
func publish(t *testing.T, o ProducerOptions, h nethttp.HandlerFunc) ([]messagebus.Incoming, error) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	p := newProducer(t, o)
	defer p.Close()
	return p.Publish(t.Context(), messagebus.Destination{Name: "mail", URL: server.URL + "/in?token=secret"}, [][]byte{[]byte(`{"type":"req"}`)})
}

func TestRequestForm(t *testing.T) {
	_, err := publish(t, ProducerOptions{}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.String() != "/in?token=secret" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Idempotency-Key") != "" ||
			r.ContentLength != int64(len(body)) || string(body) != `[{"type":"req"}]` {
			t.Errorf("got %s %s %v %s", r.Method, r.URL, r.Header, body)
		}
	})
	if err != nil {
		t.Errorf("expected no error, got %v", err)
	}
}

func TestAnswerBodies(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		n      int
		part   string // of the error, "" for none
	}{
		{200, "", 0, ""}, {204, "", 0, ""}, {202, " \r\n", 0, ""}, {200, "null", 0, ""}, {200, "{}", 0, ""}, {200, `{"status":"ok","data":{"n":[1]}}`, 0, ""}, {200, `"ok"`, 0, ""}, {200, "[]", 0, ""},
		{200, `{"type":"res","attr":{"request_id":"r1"}}`, 1, ""}, {200, ` [{"type":"res","attr":{"request_id":"r1"}},{"type":"event"}] `, 2, ""}, {201, `[{"type":"SYSTEM","attr":{"activity":1,"domain":"d","command":"kill"}}]`, 1, ""},
		{200, "OK", 0, `it begins "OK"`}, {200, "<html>", 0, "<html>"}, {200, `{"status":"ok"`, 0, "ends too early"}, {200, `[{"type":"res","attr":{"request_id":"r1"}}`, 0, "ends too early"},
		{200, `[{"type":"res","attr":{"request_id":"r1"}},{"status":"ok"}]`, 1, ""}, {200, `[{"type":"event"},{"type":"res","attr":{"status":"x","request_id":"r"}}]`, 2, ""},
		{200, `{"type":"res","attr":{"request_id":"r1","status":"perhaps"}}`, 1, ""}, {200, `{"type":"req"}`, 1, ""}, {200, "\xff", 0, "UTF-8"}, {200, `{"status":"` + "\xff" + `"}`, 0, "UTF-8"}, {200, `[1]`, 0, ""},
		{500, "broken " + strings.Repeat("x", 300), 0, `500 Internal Server Error: "broken ` + strings.Repeat("x", 193) + `"`}, {404, "", 0, "404 Not Found: (empty body)"}, {302, "", 0, "302 Found"}, {304, "", 0, "304"}, {500, `[{"type":"res","attr":{"request_id":"r1"}}]`, 0, "500"},
	} {
		got, err := publish(t, ProducerOptions{}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if c.status == 302 {
				w.Header().Set("Location", "/elsewhere")
			}
			if r.URL.Path != "/in" {
				t.Errorf("a redirect was followed to %s", r.URL)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		switch {
		case c.part == "" && (err != nil || len(got) != c.n):
			t.Errorf("%d %s: expected %d messages, got %d, %v", c.status, c.body, c.n, len(got), err)
		case c.part != "" && (err == nil || len(got) != 0 || !strings.Contains(err.Error(), c.part)):
			t.Errorf("%d %.60q: expected an error with %s, got %d messages, %v", c.status, c.body, c.part, len(got), err)
		case err != nil && (!strings.Contains(err.Error(), `service "mail"`) || strings.Contains(err.Error(), "secret")):
			t.Errorf("expected an error that names the service and not its token, got %v", err)
		}
	}
}

func TestAnswerTime(t *testing.T) {
	got, err := publish(t, ProducerOptions{}, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		_, _ = io.WriteString(w, `{"type":"res","attr":{"request_id":"r1"}}`)
	})
	if err != nil || len(got) != 1 || got[0].Reply == nil || got[0].Reply.TimeMs != nowMs {
		t.Errorf("expected an answer of %d, got %+v, %v", nowMs, got, err)
	}
}

// TestCutShort: what ends before its length says is not delivered, though it be good JSON so far.
func TestCutShort(t *testing.T) {
	for name, raw := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[]",
		"chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
		"header":  "HTTP/1.1 200 OK\r\nContent-Le",
		"nothing": "",
	} {
		_, err := publish(t, ProducerOptions{}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := w.(nethttp.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, raw)
			_ = conn.Close()
		})
		if err == nil {
			t.Errorf("%s: expected an error", name)
		}
	}
}

func TestAnswerTooLarge(t *testing.T) {
	for size, good := range map[int]bool{1000: true, 1001: false} {
		_, err := publish(t, ProducerOptions{MaxResponseBytes: 1000}, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
			_, _ = io.WriteString(w, strings.Repeat(" ", size))
		})
		if (err == nil) != good {
			t.Errorf("an answer of %d bytes: expected good %v, got %v", size, good, err)
		}
	}
}

// TestTimeout: a service that does not answer is given up; the handler's end shows that the connection was let go.
func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	_, err := publish(t, ProducerOptions{Timeout: 20 * time.Millisecond}, func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		close(release)
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected the deadline, got %v", err)
	}
	<-release
}

func TestKeepAlive(t *testing.T) {
	var conns, answers atomic.Int64
	server := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		switch answers.Add(1) % 3 {
		case 0:
			w.WriteHeader(500)
			_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		case 1:
			_, _ = io.WriteString(w, `{"status":"ok"}`)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s nethttp.ConnState) {
		if s == nethttp.StateNew {
			conns.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	p := newProducer(t, ProducerOptions{})
	failed := 0
	for i := range 30 {
		if _, err := p.Publish(t.Context(), messagebus.Destination{URL: server.URL}, [][]byte{fmt.Appendf(nil, "%d", i)}); err != nil {
			failed++
		}
	}
	if conns.Load() != 1 || failed != 10 {
		t.Errorf("expected 30 posts over 1 connection with 10 failures, got %d connections, %d failures", conns.Load(), failed)
	}
}

func TestAddressGuard(t *testing.T) {
	var asked netip.AddrPort
	called := false
	_, err := publish(t, ProducerOptions{CheckAddr: func(a netip.AddrPort) error {
		asked = a
		return errors.New("loopback is refused")
	}}, func(nethttp.ResponseWriter, *nethttp.Request) { called = true })
	if err == nil || !strings.Contains(err.Error(), "loopback is refused") || called {
		t.Errorf("expected the guard's refusal and no request, got %v, request %v", err, called)
	}
	if !asked.Addr().IsLoopback() || !asked.Addr().Is4() || asked.Port() == 0 {
		t.Errorf("expected the guard to be asked with the loopback address, got %v", asked)
	}
	if _, err := publish(t, ProducerOptions{CheckAddr: func(netip.AddrPort) error { return nil }}, func(nethttp.ResponseWriter, *nethttp.Request) {}); err != nil {
		t.Errorf("a guard that allows: expected no error, got %v", err)
	}
}

func TestPublishRefuses(t *testing.T) {
	p := newProducer(t, ProducerOptions{})
	if _, err := p.Publish(t.Context(), messagebus.Destination{Name: "x", URL: "http://127.0.0.1:1"}, nil); err != nil {
		t.Errorf("no bodies: expected nothing to be sent and no error, got %v", err)
	}
	for _, url := range []string{"", "://", "ftp://127.0.0.1/x", "http://127.0.0.1:1/x"} {
		if _, err := p.Publish(t.Context(), messagebus.Destination{Name: "x", URL: url}, [][]byte{[]byte("{}")}); err == nil {
			t.Errorf("%q: expected an error", url)
		}
	}
}
