package api

import (
	"net/url"

	"github.com/weftbox/weftbox/definitions"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

type strategyView struct {
	Name      string                 `json:"name"`
	When      string                 `json:"when"`
	DomainID  string                 `json:"domain_id"`
	CreatedAt stamp                  `json:"created_at"`
	Warnings  []bushttp.ProblemError `json:"warnings,omitempty"`
}

func viewStrategy(s metadata.Strategy) strategyView {
	return strategyView{Name: s.Name, When: s.When, DomainID: s.DomainID, CreatedAt: stamp(s.CreatedMs)}
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
	return created(outcome, "/v1/strategies/"+url.PathEscape(stored.Name), v), nil
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
			return ok(viewStrategy(r)), nil
		}
		names = append(names, r.Name)
	}
	return nil, notFound("strategy", c.path("name"), suggestion(c.path("name"), names))
}
