package api

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net"
	"net/http"
	"runtime/debug"
	"strings"

	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

const requestIDHeader = "X-Request-Id"

// guard is what every request passes before the table is asked.
func (s *Server) guard(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(requestIDHeader, requestID(r))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer s.recover(w, r)
		if p := s.refuse(r); p != nil {
			s.fail(w, r, p)
			return
		}
		if p := crooked(r); p != nil {
			s.fail(w, r, p)
			return
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			s.fail(w, r, unrouted(mux, w, r))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// recover turns a panic of one request into a 500 of that request.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	switch v := recover(); v {
	case nil:
	case http.ErrAbortHandler:
		panic(v)
	default:
		s.o.Log.Error("a request panicked", "method", r.Method, "path", r.URL.Path, "request_id", w.Header().Get(requestIDHeader), "panic", v, "stack", string(debug.Stack()))
		s.fail(w, r.WithContext(context.WithoutCancel(r.Context())), &bushttp.Problem{Status: http.StatusInternalServerError, Code: "internal",
			Title: "The node could not answer", Detail: "a fault in the program; its log has a line with this request_id"})
	}
}

// requestID takes the caller's id when it is fit to be logged, else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get(requestIDHeader)
	fit := id != "" && len(id) <= 128
	for i := 0; fit && i < len(id); i++ {
		fit = id[i] > ' ' && id[i] < 0x7f
	}
	if fit {
		return id
	}
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// refuse says why a request is not let through: a host that is not ours, a page of another site, a form upload.
func (s *Server) refuse(r *http.Request) *bushttp.Problem {
	if s.o.Loopback && !s.hosts[hostOf(r.Host)] {
		return &bushttp.Problem{Status: http.StatusForbidden, Code: "host_not_allowed", Title: "This host name is not ours",
			Detail: "the node listens on loopback and was asked as " + quote(r.Host) + ": ask it as localhost or 127.0.0.1, or start it with --allow-host " + hostOf(r.Host)}
	}
	if err := s.origins.Check(r); err != nil {
		return &bushttp.Problem{Status: http.StatusForbidden, Code: "cross_origin", Title: "A page of another site may not change anything here",
			Detail: err.Error() + ": send the request from a program, or from a page of this node"}
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.Method != http.MethodPatch {
		return nil
	}
	kind := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Type")))
	if strings.HasPrefix(kind, "multipart/") {
		return &bushttp.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Title: "Form uploads are not read",
			Detail: "send the text itself as the body: curl --data-binary @FILE, not -F"}
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return &bushttp.Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_encoding", Title: "Compressed bodies cannot be read", Detail: "post without Content-Encoding"}
	}
	return nil
}

func hostOf(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// unrouted says why the mux knows no handler: no such path, or another method.
func unrouted(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) *bushttp.Problem {
	probe := probe{} // the mux tells only a ResponseWriter which methods there are
	h, _ := mux.Handler(r)
	h.ServeHTTP(probe, r)
	if allow := probe.Header().Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		return &bushttp.Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Title: r.Method + " is not for this path", Detail: "use " + allow}
	}
	return &bushttp.Problem{Status: http.StatusNotFound, Code: "unknown_path", Title: "There is no such path", Detail: quote(r.URL.Path) + " leads nowhere: GET /v1 lists the paths"}
}

// crooked refuses a path with an empty part, "." or "..", which the mux would lead elsewhere: a domain id that was left out must not
// become another route.
func crooked(r *http.Request) *bushttp.Problem {
	parts := strings.Split(r.URL.EscapedPath(), "/")
	for i, part := range parts {
		if part == "." || part == ".." || part == "" && i > 0 && i < len(parts)-1 {
			return &bushttp.Problem{Status: http.StatusNotFound, Code: "unknown_path", Title: "There is no such path",
				Detail: quote(r.URL.Path) + ` has an empty part, "." or "..": write names in full, with %2E for a dot; GET /v1 lists the paths`}
		}
	}
	return nil
}

// probe keeps the header of an answer and nothing else.
type probe http.Header

func (p probe) Header() http.Header         { return http.Header(p) }
func (p probe) Write(b []byte) (int, error) { return len(b), nil }
func (p probe) WriteHeader(int)             {}
