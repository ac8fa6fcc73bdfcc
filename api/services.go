package api

import (
	"net/url"

	"github.com/weftbox/weftbox/metadata"
)

type serviceView struct {
	Name      string `json:"name"`
	URL       string `json:"url"`
	CreatedAt stamp  `json:"created_at"`
}

func viewService(s metadata.Service) serviceView {
	return serviceView{Name: s.Name, URL: s.URL, CreatedAt: stamp(s.CreatedMs)}
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
	return created(outcome, "/v1/services/"+url.PathEscape(stored.Name), viewService(stored)), nil
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
			return ok(viewService(r)), nil
		}
		names = append(names, r.Name)
	}
	return nil, notFound("service", c.path("name"), suggestion(c.path("name"), names))
}
