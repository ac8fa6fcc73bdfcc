package http

import (
	"bufio"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/messagebus"
)

// fill puts so many messages of so many raw bytes into the queue.
func fill(t testing.TB, q *queue, n, raw int) {
	t.Helper()
	records := make([]messagebus.Record, n)
	for i := range records {
		records[i] = messagebus.Record{Raw: make([]byte, raw), Answer: func(messagebus.Answer) {}}
	}
	if err := q.put(records, make([]int, n)); err != nil {
		t.Fatal(err)
	}
}

// TestFullQueueSparesDecoding: bodies that wait for a decoder while the queue fills up are refused without being decoded.
func TestFullQueueSparesDecoding(t *testing.T) {
	b := newBus(Options{MaxQueueMessages: 10})
	for range cap(b.decoders) {
		b.decoders <- struct{}{}
	}
	const body, posts = `{"type":`, 4 // to decode it would be 400
	var waiting []<-chan result
	for range posts / 2 {
		waiting = append(waiting, postTo(b, "/v1/events", body), postTo(b, "/v1/events", body, "Content-Type", ndjson))
	}
	for deadline := time.Now().Add(grace); b.Stats().BodyBytes < posts*len(body); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("expected %d bodies to wait, got %+v", posts, b.Stats())
		}
	}
	fill(t, b.queue, 10, 1)
	for range cap(b.decoders) {
		<-b.decoders
	}
	for _, w := range waiting {
		get(t, w).problem(t, 429, "queue_full")
	}
	nothingReserved(t, b)
}

// TestExpectedMessages: what is large for the room that is left is refused before it is decoded, by the size of the messages before it; at the
// low watermark everything is tried, since that may be wrong.
func TestExpectedMessages(t *testing.T) {
	o := Options{MaxQueueMessages: 100, LowQueueMessages: 50}.withDefaults()
	q := newQueue(&o)
	expect := func(when string, bytes int, want error) {
		t.Helper()
		if got := q.expect(bytes); got != want {
			t.Errorf("%s, %d bytes: expected %v, got %v", when, bytes, want, got)
		}
	}
	expect("nothing is known", 1<<20, nil)
	fill(t, q, 60, 10)
	expect("room for 40", 480, nil) // with commas, and an eighth in its favour
	expect("room for 40", 520, errFull)
	expect("refused until the low watermark", 10, errFull)
	q.take(10, 1<<20)
	expect("at the low watermark", 1<<20, nil)
	fill(t, q, 10, 10)
	expect("room for 40 again", 1<<20, errFull)
	q.take(10, 1<<20)
	for range 40 {
		fill(t, q, 10, 1000)
		q.take(10, 1<<20)
	}
	fill(t, q, 10, 1000)
	expect("large messages", 44_000, nil)
	q.close()
	expect("closed", 1, errClosed)
}

// TestAnnouncedLengthRefuses: what is too long for the room that is left is refused by its header alone.
func TestAnnouncedLengthRefuses(t *testing.T) {
	b := newBus(Options{MaxQueueMessages: 10, LowQueueMessages: 5})
	fill(t, b.queue, 6, 10)
	r := httptest.NewRequest(nethttp.MethodPost, "/v1/events", unreadable{t})
	r.ContentLength = 100 // eight messages, and there is room for four
	w := httptest.NewRecorder()
	b.ServeEvents(w, r)
	result{status: w.Code, header: w.Header(), body: w.Body.String()}.problem(t, 429, "queue_full")
}

// refusing serves a bus whose queue is full.
func refusing(t testing.TB) (b *Bus, addr string) {
	b = newBus(Options{MaxQueueMessages: 10})
	server := httptest.NewServer(nethttp.HandlerFunc(b.ServeEvents))
	t.Cleanup(server.Close)
	fill(t, b.queue, 10, 1)
	return b, server.Listener.Addr().String()
}

// TestRefusedKeepsItsConnection: a body that could have been an array is read to its end when it is refused, whatever its form, and its connection
// serves the next request. Longer ones, and clients that ask before they send, lose it.
func TestRefusedKeepsItsConnection(t *testing.T) {
	b, addr := refusing(t)
	refusedKeepsItsConnection(t, addr)
	for range cap(b.drains) {
		<-b.drains
	}
	refusedKeepsItsConnection(t, addr) // with all buffers in use, too
}

func refusedKeepsItsConnection(t *testing.T, addr string) {
	t.Helper()
	mib := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name, header, body string
		keeps              bool
	}{
		{"small", "Content-Length: 2", "{}", true},
		{"72 KB", "Content-Length: 72000", mib[:72_000], true},
		{"1 MiB", fmt.Sprintf("Content-Length: %d", len(mib)), mib, true},
		{"1 MiB in chunks", "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(mib), mib), true},
		{"no part of 1 MiB", fmt.Sprintf("Content-Length: %d\r\nExpect: 100-continue", len(mib)), "", false},
		{"more than an array", "Content-Length: 5000000", "", false},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(grace))
		in := bufio.NewReader(conn)
		for try := 1; try == 1 || c.keeps && try < 4; try++ {
			if _, err := io.WriteString(conn, "POST /v1/events HTTP/1.1\r\nHost: x\r\n"+c.header+"\r\n\r\n"+c.body); err != nil {
				t.Fatalf("%s, request %d: %v", c.name, try, err)
			}
			r, err := nethttp.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%s, request %d: expected an answer, got %v", c.name, try, err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			if r.StatusCode != 429 || r.Header.Get("Retry-After") == "" || r.Close == c.keeps {
				t.Errorf("%s, request %d: expected 429 with Retry-After, connection kept %v; got %d, %v", c.name, try, c.keeps, r.StatusCode, r.Header)
			}
		}
		_ = conn.Close()
	}
}

// BenchmarkRefusal is one post of 72 KB to a full queue over a kept connection: written whole, refused, its answer read.
func BenchmarkRefusal(b *testing.B) {
	_, addr := refusing(b)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	request := fmt.Appendf(nil, "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 72000\r\n\r\n%072000d", 0)
	answer := make([]byte, 4096)
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if n, err := conn.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 429 ") {
			b.Fatalf("expected 429, got %s, %v", answer[:n], err)
		}
	}
}
