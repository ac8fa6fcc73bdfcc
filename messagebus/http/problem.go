package http

import (
	"encoding/json"
	nethttp "net/http"
	"strconv"
	"strings"
)

// Problem is what an error looks like to a client: RFC 9457, application/problem+json.
type Problem struct {
	Type      string         `json:"type"` // "/problems/…", a reference relative to the server; made from Code when empty
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Code      string         `json:"code"` // from a closed list: "invalid_body", "queue_full", …
	Detail    string         `json:"detail,omitempty"`
	Instance  string         `json:"instance,omitempty"` // the request's path when empty
	RequestID string         `json:"request_id,omitempty"`
	Retryable bool           `json:"retryable"` // the same request may succeed later
	Errors    []ProblemError `json:"errors,omitempty"`
	Progress  *Progress      `json:"progress,omitempty"` // of a stream that ended before its end

	RetryAfter int `json:"-"` // seconds of the header Retry-After; 0: none
}

// ProblemError is one of the things wrong with a request.
type ProblemError struct {
	Index     *int   `json:"index,omitempty"`  // element of a posted array
	Offset    *int   `json:"offset,omitempty"` // byte of the body
	Code      string `json:"code,omitempty"`
	Severity  string `json:"severity,omitempty"`
	Path      string `json:"path,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	Message   string `json:"message"`
	Hint      string `json:"hint,omitempty"`
	MessageZh string `json:"message_zh,omitempty"` // the message in Chinese
	HintZh    string `json:"hint_zh,omitempty"`
}

// Progress says how far a stream of lines was taken: what is before NextLine is committed, of the rest nothing is known to be.
type Progress struct {
	Messages   int `json:"messages"` // committed: the sum of the next three
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
	Conflicts  int `json:"conflicts"`
	NextLine   int `json:"next_line"` // from 1
}

// Error makes a Problem an error.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// WriteProblem writes p as the answer of r, with empty Type, Title and Instance filled in. p itself is not changed.
func WriteProblem(w nethttp.ResponseWriter, r *nethttp.Request, p *Problem) {
	q := p.complete()
	if q.Instance == "" && r.URL != nil {
		q.Instance = r.URL.EscapedPath()
	}
	h := w.Header()
	if q.RequestID == "" {
		q.RequestID = h.Get("X-Request-Id")
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	if q.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(q.RetryAfter))
	}
	body, err := json.Marshal(&q)
	if err != nil { // cannot be: the type holds texts and numbers only
		body = []byte(`{}`)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(q.Status)
	_, _ = w.Write(body) // a client that went away needs no answer
}

// complete returns the problem with its Type and Title filled in.
func (p *Problem) complete() Problem {
	q := *p
	if q.Status == 0 {
		q.Status = nethttp.StatusInternalServerError
	}
	if q.Type == "" {
		q.Type = "about:blank"
		if q.Code != "" {
			q.Type = "/problems/" + strings.ReplaceAll(q.Code, "_", "-")
		}
	}
	if q.Title == "" {
		q.Title = nethttp.StatusText(q.Status)
	}
	return q
}
