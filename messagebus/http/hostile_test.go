package http

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// send posts over loopback.
func send(t *testing.T, server *httptest.Server, path string, body io.Reader, header ...string) result {
	t.Helper()
	return sendContext(t.Context(), server, path, body, header...)
}

func sendContext(ctx context.Context, server *httptest.Server, path string, body io.Reader, header ...string) result {
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodPost, server.URL+path, body)
	if err != nil {
		return result{err: err}
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := server.Client().Do(r)
	if err != nil {
		return result{err: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return result{status: response.StatusCode, header: response.Header, body: string(text), err: err}
}

func manyKeys(n int) string {
	var b strings.Builder
	b.WriteString(`{"type":"a","attr":{`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"k%d":1`, i)
	}
	return b.String() + "}}"
}

// hostile are bodies that nobody means well with, and what must be answered.
func hostile() map[string]struct {
	body   string
	status int
	part   string
} {
	type c = struct {
		body   string
		status int
		part   string
	}
	big := `{"type":"a","attr":{"x":"` + strings.Repeat("x", 200<<10) + `"}}`
	return map[string]c{
		"10 MB":             {strings.Repeat("x", 10<<20), 413, "4194304 bytes"},
		"invalid UTF-8":     {"[{\"type\":\"a\"},{\"type\":\"b\",\"attr\":{\"k\":\"\xff\xfe\"}}]", 400, "invalid UTF-8"},
		"truncated":         {`[{"type":"a"},{"type":"b","attr":{"k":`, 400, "ends too early"},
		"1 MB of garbage":   {strings.Repeat("\x00\xff garbage {[", 1<<20/12), 400, "expected a message object"},
		"garbage in array":  {"[" + strings.Repeat("\x00\xff garbage {[", 1<<20/12), 400, "expected a message object"},
		"depth bomb":        {`{"type":"a","attr":{"x":` + strings.Repeat("[", 200_000) + "}}", 400, "64 levels"},
		"depth bomb, array": {strings.Repeat("[", 1<<20), 400, "expected a message object"},
		"10^5 keys":         {manyKeys(100_000), 400, "10000 keys"},
		"10^4+1 keys":       {manyKeys(10_001), 400, "10000 keys"},
		"large message":     {`{"type":"a","attr":{"x":"` + strings.Repeat("x", 300<<10) + `"}}`, 413, "larger than 262144 bytes"},
		"many messages":     {"[" + strings.Repeat(`{"type":"a"},`, 10_001) + `{"type":"a"}]`, 413, "10000 messages"},
		"values bomb":       {"[" + strings.Repeat(`{"type":"a","attr":{"x":[`+strings.Repeat(`{"a":{}},`, 20_000)+`1]}},`, 20) + `{"type":"a"}]`, 413, "memory"},
		"long number":       {`{"type":"a","attr":{"x":1` + strings.Repeat("0", 100_000) + "}}", 400, "out of range"},
		"huge exponent":     {`{"type":"a","attr":{"x":1e999999999}}`, 400, "out of range"},
		"empty":             {"", 400, "empty"},
		"last is bad":       {"[" + strings.Repeat(big+",", 19) + "5]", 400, "message 19"},
	}
}

// TestHostileBodies: each is a clear 4xx, nothing of it is queued, and the room it took is given back.
func TestHostileBodies(t *testing.T) {
	b := newBus(Options{})
	server := serveBus(t, b)
	for name, c := range hostile() {
		for _, chunked := range []bool{false, true} {
			var body io.Reader = strings.NewReader(c.body)
			if chunked {
				body = io.MultiReader(body) // hides the length
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := send(t, server, "/v1/events", body)
			runtime.ReadMemStats(&after)
			if c.status == 413 && r.err != nil && len(c.body) > 4<<20 {
				continue // the server hung up on a client that was still sending
			}
			code := map[int]string{400: "invalid_body", 413: "body_too_large"}[c.status]
			if p := r.problem(t, c.status, code); !strings.Contains(p.Detail, c.part) {
				t.Errorf("%s: expected %q in the detail, got %s", name, c.part, p.Detail)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 100<<20 {
				t.Errorf("%s: %d MiB were allocated, expected at most 100", name, took>>20)
			}
		}
	}
	if records, _ := b.Poll(10, 1<<30); len(records) != 0 {
		t.Errorf("expected nothing to be queued, got %d records", len(records))
	}
	nothingReserved(t, b)
}

func nothingReserved(t *testing.T, b *Bus) {
	t.Helper()
	b.posts.mu.Lock()
	defer b.posts.mu.Unlock()
	if b.posts.used != 0 {
		t.Errorf("expected all room of bodies to be given back, %d bytes are still taken", b.posts.used)
	}
}

// TestBodiesBounded: bodies that are being read, or wait for their answers, share one bound.
func TestBodiesBounded(t *testing.T) {
	b := newBus(Options{MaxPostBytes: 40 << 10})
	server := serveBus(t, b)
	body := `{"type":"a","attr":{"x":"` + strings.Repeat("x", 30<<10) + `"}}`
	first := make(chan result, 1)
	go func() { first <- send(t, server, "/v1/events", strings.NewReader(body)) }()
	records := pollSome(t, b, 1)
	send(t, server, "/v1/events", strings.NewReader(body)).problem(t, 429, "queue_full")
	answerAll(records, messagebus.Answer{})
	get(t, first).accepted(t)
	go func() { first <- send(t, server, "/v1/events", strings.NewReader(body)) }()
	answerAll(pollSome(t, b, 1), messagebus.Answer{})
	get(t, first).accepted(t)
	nothingReserved(t, b)
}

// TestClientGoesAway: the handler ends, the records stay the engine's, and their answers do no harm.
func TestClientGoesAway(t *testing.T) {
	b := newBus(Options{})
	left := make(chan struct{}, 1)
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		b.ServeEvents(w, r)
		left <- struct{}{}
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan result, 1)
	go func() {
		answer <- sendContext(ctx, server, "/v1/events", strings.NewReader(`[{"type":"a"},{"type":"b"}]`))
	}()
	records := pollSome(t, b, 2)
	cancel()
	if r := get(t, answer); r.err == nil {
		t.Errorf("expected the client's request to end with an error, got %d %s", r.status, r.body)
	}
	select {
	case <-left:
	case <-time.After(grace):
		t.Fatal("expected the handler to end when its client went away")
	}
	records[0].Answer(messagebus.Answer{})
	records[1].Answer(messagebus.Answer{Duplicate: true})
	nothingReserved(t, b)
	server.Close()
	noHandlerLeft(t)
}

// TestClientStopsSending: a client that goes away within its body leaves nothing behind.
func TestClientStopsSending(t *testing.T) {
	b := newBus(Options{})
	server := serveBus(t, b)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[{\"type\":")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := nethttp.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("expected an answer to a body that was cut short: %v", err)
	}
	text, _ := io.ReadAll(response.Body)
	_ = conn.Close()
	result{status: response.StatusCode, header: response.Header, body: string(text)}.problem(t, 400, "body_cut_short")
	nothingReserved(t, b)
}

// TestTwoClients: two clients post at once over loopback while one goroutine takes turns; each gets the answers to its own messages.
func TestTwoClients(t *testing.T) {
	const posts, each = 60, 5
	b := newBus(Options{})
	server := serveBus(t, b)
	stop, stopped := make(chan struct{}), make(chan struct{})
	taken := 0
	go func() {
		defer close(stopped)
		for {
			records, _ := b.Poll(7, 1<<20)
			taken += len(records)
			for _, r := range records {
				r.Answer(messagebus.Answer{Duplicate: strings.HasSuffix(r.Incoming.Event.ID, "0")})
			}
			if len(records) == 0 {
				select {
				case <-b.Ready():
				case <-stop:
					return
				}
			}
		}
	}()
	var clients sync.WaitGroup
	for client := range 2 {
		clients.Go(func() {
			for p := range posts {
				var body bytes.Buffer
				for i := range each {
					body.WriteByte("[,"[min(i, 1)])
					fmt.Fprintf(&body, `{"type":"a","id":"%d-%d-%d"}`, client, p, i)
				}
				body.WriteByte(']')
				a := send(t, server, "/v1/events", &body).accepted(t)
				if a.Accepted != each-1 || a.Duplicates != 1 || len(a.Results) != each {
					t.Errorf("client %d, post %d: expected %d accepted and 1 duplicate, got %+v", client, p, each-1, a)
					return
				}
				for i, r := range a.Results {
					if want := fmt.Sprintf("%d-%d-%d", client, p, i); r.ID != want || r.Duplicate != (i == 0) {
						t.Errorf("client %d, post %d: expected the result of %s, got %+v", client, p, want, r)
						return
					}
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	<-stopped
	if taken != 2*posts*each {
		t.Errorf("expected %d records, got %d", 2*posts*each, taken)
	}
	nothingReserved(t, b)
}

// FuzzPost: whatever is posted, the answer is 202 or a problem, and a 202 has one result for each record.
func FuzzPost(f *testing.F) {
	for _, c := range hostile() {
		if len(c.body) < 1000 {
			f.Add([]byte(c.body))
		}
	}
	f.Add([]byte(`[{"type":"a","id":"x"},{"type":"b"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := newBus(Options{})
		r := httptest.NewRequest(nethttp.MethodPost, "/v1/buses/default", bytes.NewReader(body))
		w := httptest.NewRecorder()
		p, problem := b.receive(w, r, false)
		if problem != nil {
			if problem.Status/100 != 4 || problem.Detail == "" {
				t.Fatalf("%q: expected a 4xx with a detail, got %+v", body, problem)
			}
			return
		}
		records, _ := b.Poll(1<<30, 1<<30)
		answerAll(records, messagebus.Answer{})
		<-p.done
		p.write(w)
		p.free() // so that the next body is read into its memory
		got := result{status: w.Code, body: w.Body.String()}.accepted(t)
		if len(got.Results) != len(records) || got.Accepted != len(records) {
			t.Fatalf("%q: expected %d results, got %s", body, len(records), w.Body)
		}
	})
}
