// Package http owns messages over HTTP. Coming in: the handlers of /v1/events and /v1/buses/{name}, which answer only after the
// commit. Going out: the producer that posts requests to services. It also owns the form of problems (RFC 9457), which package api uses.
//
// Room: edge.
package http
