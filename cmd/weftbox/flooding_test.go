package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	floodBodies = 20    // different posts, each to threads of its own
	floodEvents = 1_000 // of one post, each to another thread
	floodAnswer = 128 << 10
)

// flood posts over raw connections and counts the answers. It shares the machine with the node, so a post must cost it little: requests are
// made once and written whole, header and body, and of an answer only what is asked below is read.
type flood struct {
	addr     string
	requests [floodBodies][]byte
	acked    [floodBodies]atomic.Int64 // posts answered with 202
	codes    [600]atomic.Int64
	dials    atomic.Int64 // connections opened

	mu   sync.Mutex
	took []time.Duration // of accepted posts, from the first byte written to the last byte read
	bad  []string        // answers that must not be, and posts without one
}

func newFlood(url string) *flood {
	f := &flood{addr: strings.TrimPrefix(url, "http://")}
	for i := range f.requests {
		var b bytes.Buffer
		for k := range floodEvents {
			fmt.Fprintf(&b, "%c{\"type\":\"hit\",\"attr\":{\"user\":\"u%d\",\"page\":\"/goods/PS5\",\"price\":499.90}}", "[,"[min(k, 1)], i*floodEvents+k)
		}
		b.WriteByte(']')
		f.requests[i] = fmt.Appendf(nil, "POST /v1/events HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", f.addr, b.Len(), b.Bytes())
	}
	return f
}

// offer is what a run of the flood came to.
type offer struct {
	posts    int64 // written whole and answered
	accepted int64 // of them, with 202
	took     time.Duration
}

// events returns how many events a second so many posts are.
func (o *offer) events(posts int64) float64 { return float64(posts) * floodEvents / o.took.Seconds() }

// run posts for a while over so many connections; rate is how many posts a second are begun at most, 0 for no bound.
func (f *flood) run(span time.Duration, connections int, rate float64) offer {
	before := f.codes[202].Load()
	var begun, answered atomic.Int64
	start := time.Now()
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			var c floodConn
			defer c.close()
			for time.Since(start) < span {
				n := begun.Add(1)
				if rate > 0 {
					if ahead := time.Duration(float64(n)/rate*float64(time.Second)) - time.Since(start); ahead > 0 {
						time.Sleep(ahead) // the pace of the load
					}
				}
				if err := f.post(&c, int(n)%floodBodies); err != nil {
					f.note(err.Error())
					c.close()
					continue
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	return offer{answered.Load(), f.codes[202].Load() - before, time.Since(start)}
}

func (f *flood) note(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bad = append(f.bad, text)
}

// post sends a request; an error says that it has no answer.
func (f *flood) post(c *floodConn, i int) error {
	if c.Conn == nil {
		if err := c.dial(f.addr); err != nil {
			return err
		}
		f.dials.Add(1)
	}
	began := time.Now()
	if err := c.SetDeadline(began.Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write(f.requests[i]); err != nil {
		return err
	}
	a, err := c.answer()
	if err != nil {
		return err
	}
	f.codes[a.status].Add(1)
	switch {
	case a.status == http.StatusAccepted:
		f.acked[i].Add(1)
		f.mu.Lock()
		f.took = append(f.took, time.Since(began))
		f.mu.Unlock()
	case (a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable) || !a.retryAfter:
		f.note(string(a.text))
	}
	if a.last {
		c.close()
	}
	return nil
}

// floodConn is one connection of the flood.
type floodConn struct {
	net.Conn
	buffer []byte
}

func (c *floodConn) dial(addr string) (err error) {
	if c.buffer == nil {
		c.buffer = make([]byte, floodAnswer)
	}
	c.Conn, err = net.Dial("tcp", addr)
	return err
}

func (c *floodConn) close() {
	if c.Conn != nil {
		_ = c.Close() // there is nobody to tell
		c.Conn = nil
	}
}

// floodReply is what is read of an answer.
type floodReply struct {
	status     int
	retryAfter bool   // the header is there
	last       bool   // the node closes the connection
	text       []byte // all of it, until the next one
}

// answer reads an answer to its end.
func (c *floodConn) answer() (a floodReply, err error) {
	n, head := 0, -1
	for head < 0 {
		more, err := c.Read(c.buffer[n:])
		if err != nil {
			return a, fmt.Errorf("an answer broke off after %q: %w", c.buffer[:n], err)
		}
		n += more
		head = bytes.Index(c.buffer[:n], []byte("\r\n\r\n"))
	}
	header := c.buffer[:head+2]
	if len(header) < 13 || !bytes.HasPrefix(header, []byte("HTTP/1.1 ")) {
		return a, fmt.Errorf("%q is no answer", header)
	}
	if a.status, err = strconv.Atoi(string(header[9:12])); err != nil || a.status >= 600 {
		return a, fmt.Errorf("%q is no answer", header)
	}
	length, err := strconv.Atoi(headerValue(header, "\r\nContent-Length: "))
	if err != nil || head+4+length > len(c.buffer) {
		return a, fmt.Errorf("%q has no length that fits into %d bytes", header, len(c.buffer))
	}
	a.retryAfter, a.last = headerValue(header, "\r\nRetry-After: ") != "", headerValue(header, "\r\nConnection: ") == "close"
	end := head + 4 + length
	if n < end {
		if _, err := io.ReadFull(c, c.buffer[n:end]); err != nil {
			return a, fmt.Errorf("an answer broke off: %w", err)
		}
	}
	a.text = c.buffer[:end]
	return a, nil
}

// headerValue returns the value of the header that begins so, "" when it is not there.
func headerValue(header []byte, name string) string {
	_, rest, found := bytes.Cut(header, []byte(name))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value)
}
