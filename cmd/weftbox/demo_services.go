package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"sync"
)

// demoRequest is a service request as the node sends it.
type demoRequest struct {
	Type     string `json:"type"`
	Sender   string `json:"sender"`
	Receiver string `json:"receiver"`
	Attr     struct {
		RequestID    string          `json:"request_id"`
		Activity     int             `json:"activity"`
		Domain       string          `json:"domain"`
		Action       string          `json:"action"`
		Args         json.RawMessage `json:"args"`
		IgnoreResult bool            `json:"ignore_result"`
	} `json:"attr"`
}

// demoService is one of the demo's two services: an HTTP server in this process that keeps what it was asked and answers later, on the node's bus.
type demoService struct {
	url    string
	server *http.Server

	mu    sync.Mutex
	asked []demoRequest // guarded by mu: each message in the order in which it came, repeats included
	came  chan struct{} // has room for one: something was asked
}

func startDemoService() (*demoService, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &demoService{url: "http://" + l.Addr().String() + "/", came: make(chan struct{}, 1)}
	s.server = &http.Server{Handler: http.HandlerFunc(s.serve)}
	go s.server.Serve(l)
	return s, nil
}

func (s *demoService) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	var requests []demoRequest
	if err == nil {
		err = json.Unmarshal(body, &requests)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, requests...)
	s.mu.Unlock()
	select {
	case s.came <- struct{}{}:
	default:
	}
	w.WriteHeader(http.StatusAccepted) // no body: the answer comes later, on the node's bus
}

// requests returns what was asked so far.
func (s *demoService) requests() []demoRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]demoRequest(nil), s.asked...)
}

func (s *demoService) close() { s.server.Close() }

// demoReply is a service's answer as the node's bus takes it.
func demoReply(q demoRequest, status, code string, data map[string]any) map[string]any {
	return map[string]any{"type": "res", "sender": q.Receiver, "receiver": q.Sender, "attr": map[string]any{
		"request_id": q.Attr.RequestID, "activity": q.Attr.Activity, "domain": q.Attr.Domain, "action": q.Attr.Action,
		"status": status, "error_code": code, "message": "", "data": data}}
}
