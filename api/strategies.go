package api

import (
	"net/http"

	"github.com/weftbox/weftbox/definitions"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

type strategyView struct {
	Name      string                 `json:"name"`
	When      string                 `json:"when"`
	DomainID  string                 `json:"domain_id"`
	CreatedAt stamp                  `json:"created_at"`
	UpdatedAt stamp                  `json:"updated_at"`
	Warnings  []bushttp.ProblemError `json:"warnings,omitempty"`
}

func viewStrategy(s metadata.Strategy) strategyView {
	return strategyView{Name: s.Name, When: s.When, DomainID: s.DomainID, CreatedAt: stamp(s.CreatedMs), UpdatedAt: stamp(max(s.CreatedMs, s.UpdatedMs))}
}

func (s *Server) postStrategy(c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	posted := metadata.Strategy{Name: o.text("name", true), When: o.text("when", true), DomainID: o.text("domain_id", true)}
	if err := o.done(); err != nil {
		return nil, err
	}
	stored, outcome, problems, err := s.o.Metadata.PutStrategy(c.r.Context(), posted)
	if err == nil {
		err = checked("strategy", problems)
	}
	if err != nil {
		return nil, err
	}
	if outcome == metadata.Conflict {
		return nil, conflict("strategy", posted.Name, "post this one under another name",
			difference{"when", stored.When, posted.When}, difference{"domain_id", stored.DomainID, posted.DomainID})
	}
	v := viewStrategy(stored)
	v.Warnings = items(problems, definitions.SeverityWarning)
	return s.putReply(outcome, "/v1/strategies/", stored.Name, stored.Revision, v), nil
}

// putStrategy stores a strategy under the name in the path, or replaces the one that is there.
func (s *Server) putStrategy(c *call) (*reply, error) {
	expect, err := c.expected()
	if err != nil {
		return nil, err
	}
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	posted := metadata.Strategy{Name: o.named(c.path("name")), When: o.text("when", true), DomainID: o.text("domain_id", true)}
	if err := o.done(); err != nil {
		return nil, err
	}
	stored, outcome, problems, err := s.o.Metadata.UpdateStrategy(c.r.Context(), posted, expect)
	if outcome == metadata.Missing && expect == metadata.AnyRevision {
		stored, outcome, problems, err = s.o.Metadata.PutStrategy(c.r.Context(), posted)
	}
	if err == nil {
		err = checked("strategy", problems)
	}
	switch {
	case err != nil:
		return nil, err
	case outcome == metadata.Missing || outcome == metadata.Conflict:
		return nil, preconditionFailed("strategy", posted.Name)
	}
	v := viewStrategy(stored)
	v.Warnings = items(problems, definitions.SeverityWarning)
	return s.putReply(outcome, "/v1/strategies/", stored.Name, stored.Revision, v), nil
}

func (s *Server) deleteStrategy(c *call) (*reply, error) {
	expect, force, err := c.writing()
	if err != nil {
		return nil, err
	}
	name := c.path("name")
	hint := suggestion(name, sortedKeys(s.o.Metadata.Load().Strategies))
	outcome, err := s.o.Metadata.DeleteStrategy(c.r.Context(), name, expect, force)
	return s.removedReply("strategy", removedView{Name: name}, hint, outcome, err)
}

func (s *Server) listStrategies(*call) (*reply, error) {
	out := list[strategyView]{Items: []strategyView{}}
	for _, r := range s.o.Metadata.Load().Records.Strategies {
		out.Items = append(out.Items, viewStrategy(r))
	}
	return ok(out), nil
}

func (s *Server) getStrategy(c *call) (*reply, error) {
	var names []string
	for _, r := range s.o.Metadata.Load().Records.Strategies {
		if r.Name == c.path("name") {
			return &reply{status: http.StatusOK, body: viewStrategy(r), etag: etag(r.Revision)}, nil
		}
		names = append(names, r.Name)
	}
	return nil, notFound("strategy", c.path("name"), suggestion(c.path("name"), names))
}
