package api

import (
	"net/http"

	"github.com/weftbox/weftbox/metadata"
)

type serviceView struct {
	Name      string `json:"name"`
	URL       string `json:"url"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
}

func viewService(s metadata.Service) serviceView {
	return serviceView{Name: s.Name, URL: s.URL, CreatedAt: stamp(s.CreatedMs), UpdatedAt: stamp(max(s.CreatedMs, s.UpdatedMs))}
}

func (s *Server) postService(c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	posted := metadata.Service{Name: o.text("name", true), URL: o.text("url", true)}
	if err := o.done(); err != nil {
		return nil, err
	}
	stored, outcome, problems, err := s.o.Metadata.PutService(c.r.Context(), posted)
	if err == nil {
		err = checked("service", problems)
	}
	if err != nil {
		return nil, err
	}
	if outcome == metadata.Conflict {
		return nil, conflict("service", posted.Name, "post this one under another name", difference{"url", stored.URL, posted.URL})
	}
	return s.putReply(outcome, "/v1/services/", stored.Name, stored.Revision, viewService(stored)), nil
}

// putService registers a service under the name in the path, or replaces the URL of the one that is there.
func (s *Server) putService(c *call) (*reply, error) {
	expect, err := c.expected()
	if err != nil {
		return nil, err
	}
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	posted := metadata.Service{Name: o.named(c.path("name")), URL: o.text("url", true)}
	if err := o.done(); err != nil {
		return nil, err
	}
	stored, outcome, problems, err := s.o.Metadata.UpdateService(c.r.Context(), posted, expect)
	if outcome == metadata.Missing && expect == metadata.AnyRevision {
		stored, outcome, problems, err = s.o.Metadata.PutService(c.r.Context(), posted)
	}
	if err == nil {
		err = checked("service", problems)
	}
	switch {
	case err != nil:
		return nil, err
	case outcome == metadata.Missing || outcome == metadata.Conflict:
		return nil, preconditionFailed("service", posted.Name)
	}
	return s.putReply(outcome, "/v1/services/", stored.Name, stored.Revision, viewService(stored)), nil
}

func (s *Server) deleteService(c *call) (*reply, error) {
	expect, force, err := c.writing()
	if err != nil {
		return nil, err
	}
	name := c.path("name")
	hint := suggestion(name, sortedKeys(s.o.Metadata.Load().Services))
	outcome, err := s.o.Metadata.DeleteService(c.r.Context(), name, expect, force)
	return s.removedReply("service", removedView{Name: name}, hint, outcome, err)
}

func (s *Server) listServices(*call) (*reply, error) {
	out := list[serviceView]{Items: []serviceView{}}
	for _, r := range s.o.Metadata.Load().Records.Services {
		out.Items = append(out.Items, viewService(r))
	}
	return ok(out), nil
}

func (s *Server) getService(c *call) (*reply, error) {
	var names []string
	for _, r := range s.o.Metadata.Load().Records.Services {
		if r.Name == c.path("name") {
			return &reply{status: http.StatusOK, body: viewService(r), etag: etag(r.Revision)}, nil
		}
		names = append(names, r.Name)
	}
	return nil, notFound("service", c.path("name"), suggestion(c.path("name"), names))
}
