package http

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// lingering bounds the connections that are told why they are refused; those beyond it are only closed.
const lingering = 64

// Listener is a net.Listener that bounds how many connections are open at once: each costs memory, also one on which nothing is asked.
type Listener struct {
	net.Listener
	open    gate
	linger  gate
	refused atomic.Int64
	telling sync.WaitGroup
}

// NewListener bounds l to max open connections. One more is answered 503 with Retry-After, without being read, and closed.
func NewListener(l net.Listener, max int) *Listener {
	return &Listener{Listener: l, open: gate{max: int64(max)}, linger: gate{max: lingering}}
}

// Accept returns the next connection for which there is room. Its error is that of the listener below.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.enter() {
			return &conn{Conn: c, l: l}, nil
		}
		l.refused.Add(1)
		if !l.linger.enter() {
			_ = c.Close() // it was never ours
			continue
		}
		l.telling.Go(func() {
			defer l.linger.leave()
			tell(c)
		})
	}
}

// Close ends the listening and waits for those who are being told; connections that were accepted stay open.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	l.telling.Wait()
	return err
}

// Open returns how many accepted connections are open; Refused how many were refused so far.
func (l *Listener) Open() int { return int(l.open.inside.Load()) }

// Refused returns how many connections were refused so far.
func (l *Listener) Refused() int64 { return l.refused.Load() }

// tell answers a connection that there is no room for. It reads a little of what comes, or closing would reset the connection before the
// answer is read.
func tell(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second)) // what it does not bound, the client's going does
	const body = `{"type":"/problems/too-many-connections","title":"Too many connections are open","status":503,"code":"too_many_connections","detail":"repeat the request later, and keep fewer connections open","retryable":true}`
	_, err := fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\nRetry-After: %d\r\nConnection: close\r\n\r\n%s", len(body), jitter(1), body)
	if half, ok := c.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		_, _ = io.CopyN(io.Discard, c, 64<<10) // until the client closes, or the second is over
	}
}

// conn gives its place back when it is closed.
type conn struct {
	net.Conn
	l    *Listener
	once sync.Once
}

// CloseWrite lets net/http end its answer to a body that it does not read.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *conn) Close() error {
	c.once.Do(c.l.open.leave)
	return c.Conn.Close()
}
