package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// remote is a running node, driven over HTTP. What a run leaves there (an activity, its threads) stays: it is for a node started for the purpose.
type remote struct {
	o      *Options
	w      *workload
	url    string
	client *http.Client
	number string // the activity's
	ndjson bool
	helper *http.Server // the services of the coupon story
}

// maxAnswerBytes bounds an answer of the node.
const maxAnswerBytes = 64 << 20

func openRemote(ctx context.Context, o *Options, w *workload) (*remote, error) {
	r := &remote{o: o, w: w, url: strings.TrimRight(o.Server, "/"), client: &http.Client{Timeout: 10 * time.Minute,
		Transport: &http.Transport{MaxIdleConns: o.Connections + readers, MaxIdleConnsPerHost: o.Connections + readers, DisableCompression: true}}}
	err := r.setUp(ctx)
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// setUp stores what the scenario stands on and asks whether the node takes newline-delimited JSON.
func (r *remote) setUp(ctx context.Context) error {
	tag, s := r.w.tag, r.w.s
	when, domain := s.strategy(tag)
	if err := r.post(ctx, "/v1/strategies", map[string]any{"name": "bench" + tag, "when": when, "domain_id": domain}, nil); err != nil {
		return err
	}
	if s.services {
		address, err := r.serve()
		if err != nil {
			return err
		}
		for _, name := range []string{couponService(tag), pushService(tag)} {
			if err := r.post(ctx, "/v1/services", map[string]any{"name": name, "url": address}, nil); err != nil {
				return err
			}
		}
	}
	if err := r.post(ctx, "/v1/definitions", s.flow(tag, len(r.w.pad)), nil); err != nil {
		return err
	}
	var a struct {
		Number json.Number `json:"number"`
	}
	body := map[string]any{"name": "bench" + tag, "definition": "bench" + tag}
	if s.config != nil {
		body["config"] = s.config
	}
	if err := r.post(ctx, "/v1/activities", body, &a); err != nil {
		return err
	}
	r.number = a.Number.String()
	probe := []byte(`{"type":"bench-probe"}` + "\n" + `{"type":"bench-probe"}` + "\n")
	c := &connection{r: r, body: probe}
	defer c.wire.close()
	n, _, err := c.send(ctx, "application/x-ndjson")
	r.ndjson = err == nil && n == 2
	return nil
}

// serve starts the services: every request is answered at once, in the body of the answer.
func (r *remote) serve() (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	r.helper = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(answerRequests)}
	go r.helper.Serve(l) // it ends with close
	return "http://" + l.Addr().String() + "/", nil
}

func answerRequests(w http.ResponseWriter, q *http.Request) {
	var requests []struct {
		Attr struct {
			RequestID string `json:"request_id"`
		} `json:"attr"`
	}
	if err := json.NewDecoder(io.LimitReader(q.Body, maxAnswerBytes)).Decode(&requests); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := []byte{'['}
	for i := range requests {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"type":"res","attr":{"status":"ok","data":{"expire_time":"11月20日"},"request_id":`...)
		out = append(strconv.AppendQuote(out, requests[i].Attr.RequestID), "}}"...)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(out, ']')) // a node that went away asks again
}

// post sends a JSON value, or YAML text, and reads the answer into out.
func (r *remote) post(ctx context.Context, path string, body any, out any) error {
	data, kind := []byte(nil), "application/json"
	if text, ok := body.(string); ok {
		data, kind = []byte(text), "application/yaml"
	} else {
		var err error
		if data, err = json.Marshal(body); err != nil {
			return err
		}
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", kind)
	return r.do(q, out)
}

func (r *remote) get(ctx context.Context, path string, out any) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		return err
	}
	return r.do(q, out)
}

func (r *remote) do(q *http.Request, out any) error {
	a, err := r.client.Do(q)
	if err != nil {
		return fmt.Errorf("no node answers at %s: %w", r.url, err)
	}
	defer a.Body.Close()
	data, err := io.ReadAll(io.LimitReader(a.Body, maxAnswerBytes))
	if err != nil {
		return err
	}
	if a.StatusCode >= 300 {
		return fmt.Errorf("%s %s is answered %s: %.500s", q.Method, q.URL.Path, a.Status, data)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// send posts the connection's events and returns how many the node says it accepted. refused says that it wants them later. The client shares the
// machine with the node: request and answer are memory that is used again.
func (c *connection) send(ctx context.Context, kind string) (accepted int, refused time.Duration, err error) {
	if c.request == nil {
		if c.request, err = http.NewRequestWithContext(ctx, http.MethodPost, c.r.url+"/v1/events", nil); err != nil {
			return 0, 0, err
		}
	}
	c.request.Header.Set("Content-Type", kind)
	c.request.ContentLength = int64(len(c.body))
	c.request.Body = io.NopCloser(bytes.NewReader(c.body))
	a, err := c.wire.exchange(c.request)
	if err != nil {
		return 0, 0, err
	}
	c.answer.Reset()
	_, err = c.answer.ReadFrom(io.LimitReader(a.Body, maxAnswerBytes))
	data := c.answer.Bytes()
	if err != nil || a.Close || len(data) == maxAnswerBytes {
		c.wire.close()
	}
	switch {
	case err != nil:
		return 0, 0, err
	case a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusServiceUnavailable:
		seconds, _ := strconv.Atoi(a.Header.Get("Retry-After"))
		return 0, time.Duration(max(1, seconds)) * time.Second, nil
	case a.StatusCode >= 300:
		return 0, 0, fmt.Errorf("events are answered %s: %.500s", a.Status, data)
	}
	// {"accepted":100,… : nothing behind it is of interest, and to read it would cost this machine as much as the node
	number, found := bytes.CutPrefix(data, []byte(`{"accepted":`))
	end := bytes.IndexAny(number, ",}")
	if !found || end < 0 {
		return 0, 0, fmt.Errorf("the answer to events is not understood: %.200s", data)
	}
	accepted, err = strconv.Atoi(string(number[:end]))
	return accepted, 0, err
}

// drive sends events over connections that each wait for their answer.
func (r *remote) drive(ctx context.Context, t traffic) (*phase, error) {
	p, began := &phase{}, time.Now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex // p, next, left, failed
	next, left := 0, t.events
	var failed error
	var wg sync.WaitGroup
	for range t.connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c := &connection{r: r}
			defer c.wire.close()
			for {
				mu.Lock()
				n := min(t.array, left)
				if n == 0 || failed != nil || ctx.Err() != nil || time.Since(began) > t.limit {
					mu.Unlock()
					return
				}
				left -= n
				k := next
				next++
				mu.Unlock()
				wait, refused, err := c.array(ctx, t, k, n, began)
				mu.Lock()
				p.refused += refused
				if err != nil && failed == nil {
					failed = err
					cancel()
				}
				if err == nil {
					p.sent += n
					p.waits = append(p.waits, wait)
				}
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	p.took = time.Since(began)
	if failed != nil {
		return nil, failed
	}
	if r.w.s.services {
		err := drained(ctx, r)
		p.took = time.Since(began)
		return p, err
	}
	return p, ctx.Err()
}

// connection is one client with its buffers.
type connection struct {
	r       *remote
	hits    []hit
	body    []byte
	request *http.Request // used again once its answer is read
	answer  bytes.Buffer
	wire    wire
}

// array sends n events, again and again while the node says later, and returns how long the answer took: with a rate, from when they were due.
func (c *connection) array(ctx context.Context, t traffic, k, n int, began time.Time) (wait time.Duration, refused int, err error) {
	since := time.Now()
	if t.rate > 0 {
		since = began.Add(arrival(k, t))
		if err := pause(ctx, time.Until(since)); err != nil {
			return 0, 0, err
		}
	}
	c.hits = c.r.w.take(c.hits[:0], n)
	kind := c.encode()
	for {
		accepted, later, err := c.send(ctx, kind)
		switch {
		case err != nil:
			return 0, refused, err
		case later > 0:
			refused++
			if err := pause(ctx, later); err != nil {
				return 0, refused, err
			}
		case accepted != n:
			return 0, refused, fmt.Errorf("of an array of %d events %d are accepted", n, accepted)
		default:
			return time.Since(since), refused, nil
		}
	}
}

func (c *connection) encode() (kind string) {
	between := byte(',')
	c.body, kind = append(c.body[:0], '['), "application/json"
	if c.r.ndjson {
		c.body, kind, between = c.body[:0], "application/x-ndjson", '\n'
	}
	for i, h := range c.hits {
		if i > 0 {
			c.body = append(c.body, between)
		}
		c.body = c.r.w.s.appendTo(c.body, c.r.w, h)
	}
	if c.r.ndjson {
		c.body = append(c.body, '\n')
	} else {
		c.body = append(c.body, ']')
	}
	return kind
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// usage reads the node's metrics: CPU, memory and allocations are the node's, not this process's.
func (r *remote) usage(ctx context.Context) (u usage, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/metrics", nil)
	if err != nil {
		return u, err
	}
	a, err := r.client.Do(q)
	if err != nil {
		return u, fmt.Errorf("no node answers at %s: %w", r.url, err)
	}
	defer a.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(io.LimitReader(a.Body, maxAnswerBytes))
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			values[name] = v
		}
	}
	for name, field := range map[string]*int64{"weftbox_turns_total": &u.turns, "weftbox_events_total": &u.events, "weftbox_alarms_fired_total": &u.fired,
		"weftbox_service_requests_total": &u.requests, "weftbox_replies_total": &u.replies, "weftbox_dead_letters_total": &u.deadLetters,
		"weftbox_store_disk_bytes": &u.diskBytes, "process_resident_memory_bytes": &u.rssBytes} {
		*field = int64(values[name])
	}
	u.cpu = time.Duration(values["process_cpu_seconds_total"] * float64(time.Second))
	u.mallocs, u.bytes = uint64(values["go_memstats_mallocs_total"]), uint64(values["go_memstats_alloc_bytes_total"])
	if _, ok := values["weftbox_turns_total"]; !ok {
		err = fmt.Errorf("%s shows no metrics of a weftbox node", r.url)
	}
	return u, errors.Join(err, lines.Err())
}

func (r *remote) advance(ctx context.Context, by time.Duration) (int64, error) {
	var a struct {
		Fired int64 `json:"fired"`
	}
	err := r.post(ctx, "/v1/clock/advance", map[string]any{"by": fmt.Sprintf("%dms", by.Milliseconds())}, &a)
	return a.Fired, err
}

func (r *remote) thread(ctx context.Context, domain string) (threadView, error) {
	var a struct {
		Status string         `json:"status"`
		Action string         `json:"action"`
		Vars   map[string]any `json:"vars"`
	}
	err := r.get(ctx, "/v1/activities/"+r.number+"/threads/"+url.PathEscape(domain), &a)
	n, _ := a.Vars[r.w.s.count].(float64)
	return threadView{a.Status, a.Action, int64(n)}, err
}

func (r *remote) close() error {
	r.client.CloseIdleConnections()
	if r.helper != nil {
		return r.helper.Close()
	}
	return nil
}
