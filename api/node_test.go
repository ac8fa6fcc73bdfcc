package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	_ "github.com/weftbox/weftbox/actions"
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/api"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
	metapebble "github.com/weftbox/weftbox/metadata/pebble"
)

const startMs = 1_700_000_000_000 // 2023-11-14T22:13:20Z

// testNode is a whole node in memory, on a port of loopback.
type testNode struct {
	t       *testing.T
	url     string
	handler http.Handler
	admin   http.Handler
	server  *api.Server
	engine  *engine.Engine
	state   *store.Store
	log     *bytes.Buffer // of a stopped node only
	stop    func()        // the engine; may be called twice
}

type nodeOptions struct {
	wall       bool
	loopback   bool
	allowHosts []string
	events     http.Handler // instead of the bus
}

func startNode(t *testing.T, o nodeOptions) *testNode {
	t.Helper()
	n := &testNode{t: t, log: &bytes.Buffer{}}
	var err error
	if n.state, err = store.Open("state", store.Options{FS: vfs.NewMem(), Slots: 16}); err != nil {
		t.Fatalf("store: %v", err)
	}
	meta, err := metapebble.Open("meta", metapebble.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatalf("metadata: %v", err)
	}
	var clk clock.Clock = clock.NewManual(startMs)
	if o.wall {
		clk = &clock.Wall{}
	}
	builtin, service := activity.Specs()
	cache, err := metadata.NewCache(context.Background(), meta, metadata.Options{Specs: builtin, Service: service, NowMs: clk.NowMs})
	if err != nil {
		t.Fatalf("cache: %v", err)
	}
	bus := bushttp.New(bushttp.Options{NowMs: clk.NowMs})
	log := slog.New(slog.NewTextHandler(&lockedWriter{w: n.log}, nil))
	n.engine, err = engine.New(engine.Options{Store: n.state, Clock: clk, Metadata: cache.Load, Consumers: []messagebus.Consumer{bus}, Log: log, Stdout: io.Discard,
		Fatal: func(err error) { t.Errorf("the engine gave up: %v", err) }})
	if err != nil {
		t.Fatalf("engine: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { n.engine.Run(ctx); close(done) }()
	n.stop = func() { cancel(); <-done }
	events := o.events
	if events == nil {
		events = http.HandlerFunc(bus.ServeEvents)
	}
	n.server = api.New(api.Options{Engine: n.engine, Metadata: cache, Manual: !o.wall, Events: events, Bus: http.HandlerFunc(bus.ServeBus),
		Build: api.Build{Version: "v0.0.0-test"}, Log: log, Loopback: o.loopback, AllowHosts: o.allowHosts})
	n.handler, n.admin = n.server.Handler(), n.server.AdminHandler()
	s := httptest.NewServer(n.handler)
	n.url = s.URL
	t.Cleanup(func() {
		s.Close()
		n.stop()
		bus.Close()
		meta.Close()
		n.state.Close()
	})
	return n
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// got is an answer taken apart.
type got struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (n *testNode) do(method, path, body string, headers ...string) got {
	n.t.Helper()
	r, err := http.NewRequest(method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatalf("%s %s: %v", method, path, err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Fatalf("%s %s: %v", method, path, err)
	}
	return takeApart(response.StatusCode, response.Header, text)
}

func takeApart(status int, header http.Header, text []byte) got {
	g := got{status: status, header: header, text: string(text)}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&g.json) // answers that are no objects have none
	return g
}

// must is do for a step that only prepares.
func (n *testNode) must(status int, method, path, body string) got {
	n.t.Helper()
	g := n.do(method, path, body)
	if g.status != status {
		n.t.Fatalf("%s %s: expected %d, got %d %s", method, path, status, g.status, g.text)
	}
	return g
}

// checkProblem checks that an answer is a problem as RFC 9457 and the project want it.
func checkProblem(t *testing.T, what string, g got, status int, code string) {
	t.Helper()
	if g.status != status || g.json["code"] != code {
		t.Errorf("%s: expected %d %s, got %d %s", what, status, code, g.status, g.text)
		return
	}
	if kind := g.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s: expected a problem's content type, got %q", what, kind)
	}
	for _, key := range []string{"type", "title", "code", "instance"} {
		if s, _ := g.json[key].(string); s == "" {
			t.Errorf("%s: the problem has no %s: %s", what, key, g.text)
		}
	}
	if g.json["status"] != json.Number(jsonInt(status)) {
		t.Errorf("%s: expected status %d in the body, got %v", what, status, g.json["status"])
	}
	if g.header.Get("X-Request-Id") == "" {
		t.Errorf("%s: expected a request id in the header", what)
	}
}

func jsonInt(n int) string { b, _ := json.Marshal(n); return string(b) }

const waitFlow = `
activity:
  name: wait
  domain_id_strategy: by_user
  config:
    limit: 3
    huge: 9007199254740993
  trigger:
    type: event
    args:
      condition: eventTypeIs("hello")
    context_vars:
      big: eventAttr("big", 0)
      user: eventAttr("user")
  actions:
    - name: waiting
      type: receive
      args:
        - when: eventTypeIs("bye")
          then: finish()
        - after: days(2)
          then: failBecause("nobody came")
`

// story gives a node one activity, "first" of the definition wait.
func (n *testNode) story() {
	n.t.Helper()
	n.must(201, "POST", "/v1/strategies", `{"name":"by_user","when":"eventAttr(\"user\", null) != null","domain_id":"eventAttr(\"user\")"}`)
	n.must(201, "POST", "/v1/services", `{"name":"mail","url":"http://127.0.0.1:1/"}`)
	n.must(201, "POST", "/v1/definitions?version=1", waitFlow)
	n.must(201, "POST", "/v1/activities", `{"name":"first","definition":"wait","config":{"limit":5}}`)
}

func (n *testNode) hello(user string) {
	n.t.Helper()
	n.must(202, "POST", "/v1/events", `{"type":"hello","attr":{"user":"`+user+`"}}`)
}
