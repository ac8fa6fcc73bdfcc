package api

import (
	"context"
	"net/http"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/metadata"
)

// named is a kind of records that are known by their names alone, with its handlers: services and strategies.
type named[R any] struct {
	kind, path string // "service", "/v1/services/"
	read       func(o *object, name string) R
	head       func(R) (name string, revision uint64)
	view       func(r R, problems []definitions.Problem) any
	differ     func(stored, posted R) []difference
	all        func(*metadata.Snapshot) []R
	put        func(*metadata.Cache, context.Context, R) (R, metadata.Outcome, []definitions.Problem, error)
	update     func(*metadata.Cache, context.Context, R, uint64) (R, metadata.Outcome, []definitions.Problem, error)
	remove     func(*metadata.Cache, context.Context, string, uint64, bool) (metadata.Outcome, error)
}

// post stores a record whose name stands in the body. Another content under the same name is a conflict.
func (k *named[R]) post(s *Server, c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	posted := k.read(o, o.text("name", true))
	if err := o.done(); err != nil {
		return nil, err
	}
	stored, outcome, problems, err := k.put(s.o.Metadata, c.r.Context(), posted)
	if err == nil {
		err = checked(k.kind, problems)
	}
	if err != nil {
		return nil, err
	}
	name, revision := k.head(stored)
	if outcome == metadata.Conflict {
		return nil, conflict(k.kind, name, "post this one under another name", k.differ(stored, posted)...)
	}
	return s.putReply(outcome, k.path, name, revision, k.view(stored, problems)), nil
}

// replace stores a record under the name in the path, or replaces the one that is there.
func (k *named[R]) replace(s *Server, c *call) (*reply, error) {
	expect, err := c.expected()
	if err != nil {
		return nil, err
	}
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	posted := k.read(o, o.named(c.path("name")))
	if err := o.done(); err != nil {
		return nil, err
	}
	stored, outcome, problems, err := k.update(s.o.Metadata, c.r.Context(), posted, expect)
	if outcome == metadata.Missing && expect == metadata.AnyRevision {
		stored, outcome, problems, err = k.put(s.o.Metadata, c.r.Context(), posted)
	}
	if err == nil {
		err = checked(k.kind, problems)
	}
	switch {
	case err != nil:
		return nil, err
	case outcome == metadata.Missing || outcome == metadata.Conflict:
		return nil, preconditionFailed(k.kind, c.path("name"))
	}
	name, revision := k.head(stored)
	return s.putReply(outcome, k.path, name, revision, k.view(stored, problems)), nil
}

// delete removes a record, unless a definition needs it and the caller does not insist.
func (k *named[R]) delete(s *Server, c *call) (*reply, error) {
	expect, force, err := c.writing()
	if err != nil {
		return nil, err
	}
	name := c.path("name")
	hint := suggestion(name, k.names(s))
	outcome, err := k.remove(s.o.Metadata, c.r.Context(), name, expect, force)
	return s.removedReply(k.kind, removedView{Name: name}, hint, outcome, err)
}

func (k *named[R]) list(s *Server, _ *call) (*reply, error) {
	out := list[any]{Items: []any{}}
	for _, r := range k.all(s.o.Metadata.Load()) {
		out.Items = append(out.Items, k.view(r, nil))
	}
	return ok(out), nil
}

func (k *named[R]) get(s *Server, c *call) (*reply, error) {
	for _, r := range k.all(s.o.Metadata.Load()) {
		if name, revision := k.head(r); name == c.path("name") {
			return &reply{status: http.StatusOK, body: k.view(r, nil), etag: etag(revision)}, nil
		}
	}
	return nil, notFound(k.kind, c.path("name"), suggestion(c.path("name"), k.names(s)))
}

// names returns those that are there, in their order.
func (k *named[R]) names(s *Server) (names []string) {
	for _, r := range k.all(s.o.Metadata.Load()) {
		name, _ := k.head(r)
		names = append(names, name)
	}
	return names
}
