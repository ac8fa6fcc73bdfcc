package http

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/weftbox/weftbox/messagebus"
)

// ProducerOptions of a Producer. Zero fields mean the defaults.
type ProducerOptions struct {
	ConnectTimeout   time.Duration // 3 s
	Timeout          time.Duration // 10 s for the whole exchange, the reading of the answer included
	MaxResponseBytes int           // 16 MiB
	Limits           messagebus.Limits
	NowMs            func() int64 // Unix ms, the time of answers that carry none; wall clock

	// CheckAddr is asked with the resolved address before each connection; an error refuses it. Nil allows all: the address of a
	// service is set by whoever registers it, and may well be this machine or a private network.
	CheckAddr func(netip.AddrPort) error
}

// Producer posts messages to services: one POST of a JSON array to Destination.URL for each batch. It is safe for concurrent use.
// A 2xx whose body is empty, or JSON that holds no message (null, {"status":"ok"}), means delivered, answers come later;
// an object with "type" or an array is taken as messages. Everything else is an error: not delivered.
type Producer struct {
	o         ProducerOptions
	client    *nethttp.Client
	transport *nethttp.Transport
}

// NewProducer returns a producer; Close lets its idle connections go.
func NewProducer(o ProducerOptions) *Producer {
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = 3 * time.Second
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxResponseBytes <= 0 {
		o.MaxResponseBytes = 16 << 20
	}
	if o.NowMs == nil {
		o.NowMs = func() int64 { return time.Now().UnixMilli() }
	}
	dialer := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second, ControlContext: guard(o.CheckAddr)}
	transport := &nethttp.Transport{
		Proxy:                  nil, // the guard must see the service's own address, not a proxy's
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    o.ConnectTimeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // an answer's size is what comes over the wire
	}
	return &Producer{o: o, transport: transport, client: &nethttp.Client{
		Transport:     transport,
		CheckRedirect: func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse },
	}}
}

// guard asks check with the address that is about to be dialed.
func guard(check func(netip.AddrPort) error) func(context.Context, string, string, syscall.RawConn) error {
	if check == nil {
		return nil
	}
	return func(_ context.Context, _, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("the address %q cannot be checked: %w", address, err)
		}
		return check(netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
	}
}

// Close lets idle connections go.
func (p *Producer) Close() { p.transport.CloseIdleConnections() }

// Publish posts the bodies, byte for byte, as one JSON array and returns the messages of the answer.
func (p *Producer) Publish(ctx context.Context, d messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	if len(bodies) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
	defer cancel()
	request, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodPost, d.URL, bytes.NewReader(join(bodies)))
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("service %q: its URL cannot be used: %w", d.Name, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "weftbox")
	where := request.URL.Scheme + "://" + request.URL.Host + request.URL.Path // no user, no query: they may hold secrets
	response, err := p.client.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, fmt.Errorf("service %q (%s): %w", d.Name, where, err)
	}
	defer response.Body.Close()
	replies, err := p.read(response)
	if err != nil {
		return nil, fmt.Errorf("service %q (%s): %w", d.Name, where, err)
	}
	return replies, nil
}

func join(bodies [][]byte) []byte {
	size := 1 + len(bodies)
	for _, b := range bodies {
		size += len(b)
	}
	out := append(make([]byte, 0, size), '[')
	for i, b := range bodies {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, b...)
	}
	return append(out, ']')
}

// read takes the whole answer, so that the connection can be used again.
func (p *Producer) read(response *nethttp.Response) ([]messagebus.Incoming, error) {
	if response.StatusCode < 200 || response.StatusCode > 299 {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // the status says enough when the text does not come whole
		return nil, fmt.Errorf("it answered %d %s: %s", response.StatusCode, nethttp.StatusText(response.StatusCode), beginning(body))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(p.o.MaxResponseBytes)+1))
	if err != nil {
		return nil, fmt.Errorf("its answer was cut short after %d bytes: %w", len(body), err)
	}
	if len(body) > p.o.MaxResponseBytes {
		return nil, fmt.Errorf("its answer is larger than %d bytes", p.o.MaxResponseBytes)
	}
	return decodeAnswer(body, p.o.NowMs(), p.o.Limits)
}

// decodeAnswer reads the body of a 2xx: nothing, one message or a list of them. What is no JSON is an error; JSON that is no message of ours
// (no object, or one without "type") says that the batch is delivered and no more; a message that cannot be read is handed on as
// such, because a service that answers one request wrongly has answered the others.
func decodeAnswer(body []byte, nowMs int64, l messagebus.Limits) ([]messagebus.Incoming, error) {
	text := bytes.Trim(body, " \t\r\n")
	if len(text) == 0 {
		return nil, nil
	}
	items, _, _, err := messagebus.DecodeJSON(text, nowMs, l)
	if err == nil {
		return items, nil
	}
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, fmt.Errorf("its answer cannot be read: %w; it begins %s", err, beginning(text))
	}
	elements := []json.RawMessage{text}
	if text[0] == '[' {
		if err := json.Unmarshal(text, &elements); err != nil {
			return nil, fmt.Errorf("its answer cannot be read: %w; it begins %s", err, beginning(text))
		}
	}
	var out []messagebus.Incoming
	for i, element := range elements {
		items, _, single, err := messagebus.DecodeJSON(element, nowMs, l)
		switch {
		case err == nil && single:
			out = append(out, items...)
		case isMessage(element):
			out = append(out, messagebus.Incoming{Bad: &messagebus.Undecoded{Raw: element, Err: fmt.Errorf("message %d of a service's answer cannot be read: %w", i, err)}})
		}
	}
	return out, nil
}

// isMessage reports whether a JSON value means to be a message: an object with "type".
func isMessage(element []byte) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(element, &object) == nil && object["type"] != nil
}

// beginning returns the first 200 bytes of an answer as a text for an error.
func beginning(body []byte) string {
	const most = 200
	if len(body) == 0 {
		return "(empty body)"
	}
	if len(body) > most {
		body = body[:most]
	}
	return fmt.Sprintf("%q", strings.ToValidUTF8(string(body), "\uFFFD"))
}
