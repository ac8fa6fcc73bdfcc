package api

import (
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

func viewStrategy(s metadata.Strategy, problems []definitions.Problem) any {
	return strategyView{Name: s.Name, When: s.When, DomainID: s.DomainID, CreatedAt: stamp(s.CreatedMs), UpdatedAt: stamp(max(s.CreatedMs, s.UpdatedMs)),
		Warnings: items(problems, definitions.SeverityWarning)}
}

var strategies = &named[metadata.Strategy]{
	kind: "strategy", path: "/v1/strategies/",
	read: func(o *object, name string) metadata.Strategy {
		return metadata.Strategy{Name: name, When: o.text("when", true), DomainID: o.text("domain_id", true)}
	},
	head: func(r metadata.Strategy) (string, uint64) { return r.Name, r.Revision },
	view: viewStrategy,
	differ: func(stored, posted metadata.Strategy) []difference {
		return []difference{{"when", stored.When, posted.When}, {"domain_id", stored.DomainID, posted.DomainID}}
	},
	all:    func(s *metadata.Snapshot) []metadata.Strategy { return s.Records.Strategies },
	put:    (*metadata.Cache).PutStrategy,
	update: (*metadata.Cache).UpdateStrategy,
	remove: (*metadata.Cache).DeleteStrategy,
}
