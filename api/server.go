package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"runtime"
	"sync/atomic"

	"github.com/weftbox/weftbox/engine"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

// Build says what program this is.
type Build struct {
	Version string // "v0.1.0", "devel"
	Commit  string // "" when unknown
}

// Options of New. Engine, Metadata, Events and Bus are required.
type Options struct {
	Engine   *engine.Engine
	Metadata *metadata.Cache
	Manual   bool         // the engine's clock is turned by hand
	Events   http.Handler // POST /v1/events
	Bus      http.Handler // POST /v1/buses/{name}
	Build    Build
	Log      *slog.Logger // default slog.Default()

	// Loopback says that the ports listen on loopback only: then requests must name a local host, so that no web page reaches the
	// node under a name of its own. AllowHosts are further host names, without ports, that are let through.
	Loopback   bool
	AllowHosts []string

	// Intake says what Events and Bus hold, for the metrics; nil: there are no such series.
	Intake func() bushttp.Stats

	MaxBodyBytes int64 // of everything but events and replies; default 1 MiB
}

// Server renders the table of operations. It is safe for concurrent use.
type Server struct {
	o        Options
	hosts    map[string]bool
	origins  *http.CrossOriginProtection
	metrics  *metrics
	stopping atomic.Bool
}

// New prepares the door; Handler and AdminHandler are its two sides.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = 1 << 20
	}
	s := &Server{o: o, hosts: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}, origins: http.NewCrossOriginProtection()}
	for _, h := range o.AllowHosts {
		s.hosts[h] = true
	}
	s.metrics = newMetrics(s)
	return s
}

// Stopping makes /readyz answer 503 from now on.
func (s *Server) Stopping() { s.stopping.Store(true) }

// Handler answers the HTTP port: the whole table.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, o := range operations() {
		s.mount(mux, &o)
	}
	return s.guard(mux)
}

// AdminHandler answers the admin port: health, metrics, version and profiles.
func (s *Server) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	for _, o := range operations() {
		if o.admin() {
			s.mount(mux, &o)
		}
	}
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return s.guard(mux)
}

func (s *Server) mount(mux *http.ServeMux, o *operation) {
	h := http.Handler(nil)
	if o.serve != nil {
		h = o.serve(s)
	} else {
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(o, w, r) })
	}
	mux.Handle(o.method+" "+o.pattern, s.metrics.measure(o.name, h))
}

// call is one request under way.
type call struct {
	w http.ResponseWriter
	r *http.Request
	s *Server
}

func (c *call) path(name string) string  { return c.r.PathValue(name) }
func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// reply is an answer that is no problem.
type reply struct {
	status   int
	location string
	etag     string
	body     any
}

func ok(body any) *reply { return &reply{status: http.StatusOK, body: body} }

// list is the form of every list.
type list[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty"`
}

func (s *Server) answer(o *operation, w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r, s: s}
	err := c.checkQuery(o)
	var rep *reply
	if err == nil {
		rep, err = o.handle(s, c)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if rep.location != "" {
		w.Header().Set("Location", rep.location)
	}
	if rep.etag != "" {
		w.Header().Set("ETag", rep.etag)
	}
	s.write(w, r, rep)
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, rep *reply) {
	if text, isText := rep.body.(string); isText {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(rep.status)
		_, _ = w.Write([]byte(text)) // a client that went away needs no answer
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(rep.status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(rep.body); err != nil && r.Context().Err() == nil {
		s.o.Log.Debug("an answer could not be written", "path", r.URL.Path, "err", err)
	}
}

// fail answers with a problem; what is none is our own fault and its text stays in the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, isProblem := err.(*bushttp.Problem)
	if !isProblem {
		if r.Context().Err() != nil {
			return // nobody listens any more
		}
		s.o.Log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "request_id", w.Header().Get(requestIDHeader), "err", err)
		p = &bushttp.Problem{Status: http.StatusInternalServerError, Code: "internal", Title: "The node could not answer",
			Detail: "something failed inside the node; its log has a line with this request_id", Retryable: true}
	}
	q := *p
	q.RequestID = w.Header().Get(requestIDHeader)
	bushttp.WriteProblem(w, r, &q)
}

type versionView struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (s *Server) getVersionInfo(*call) (*reply, error) {
	return ok(versionView{s.o.Build.Version, s.o.Build.Commit, runtime.Version(), runtime.GOOS, runtime.GOARCH}), nil
}
