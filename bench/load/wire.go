package load

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// answerLimit is how long a node may take for an answer.
const answerLimit = 10 * time.Minute

// wire is a TCP connection on which one request after the other is sent and answered. http.Transport gives each connection two goroutines and each
// request a hand-over between three of them: that would cost the machine, which the node shares, more than the events.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	out  bytes.Buffer
	stop func() bool // ends the watch over the context
}

// exchange sends a request, whose head and body go out in one piece, and returns the answer; its body is to be read to its end before the next one.
func (w *wire) exchange(q *http.Request) (*http.Response, error) {
	if w.conn == nil {
		if err := w.dial(q.Context(), q); err != nil {
			return nil, err
		}
	}
	w.out.Reset()
	if err := q.Write(&w.out); err != nil {
		return nil, err
	}
	_ = w.conn.SetDeadline(time.Now().Add(answerLimit)) // what it does not bound, the node's end does
	if err := q.Context().Err(); err != nil {           // it may have ended before the deadline was moved
		return nil, err
	}
	_, cut := w.conn.Write(w.out.Bytes())
	a, err := http.ReadResponse(w.in, q) // a node that has no room answers, and closes, before it has read all
	if err == nil && cut != nil {
		a.Close = true
	}
	if err != nil {
		err = errors.Join(cut, err)
		w.close()
		if ended := q.Context().Err(); ended != nil {
			err = ended
		}
		return nil, fmt.Errorf("%s did not answer: %w", q.URL.Host, err)
	}
	return a, nil
}

func (w *wire) dial(ctx context.Context, q *http.Request) error {
	address := q.URL.Host
	secure := q.URL.Scheme == "https"
	if q.URL.Port() == "" {
		address = net.JoinHostPort(q.URL.Hostname(), map[bool]string{false: "80", true: "443"}[secure])
	}
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("no node answers at %s: %w", address, err)
	}
	if secure {
		conn = tls.Client(conn, &tls.Config{ServerName: q.URL.Hostname(), MinVersion: tls.VersionTLS12})
	}
	w.conn, w.in = conn, bufio.NewReaderSize(conn, 16<<10)
	w.stop = context.AfterFunc(ctx, func() { _ = conn.Close() }) // whoever waits on it fails
	return nil
}

// close ends the connection; the next exchange begins another.
func (w *wire) close() {
	if w.conn == nil {
		return
	}
	w.stop()
	_ = w.conn.Close() // nothing is waited for
	w.conn = nil
}
