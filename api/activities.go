package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

type activityView struct {
	Number        uint32                 `json:"number"`
	Name          string                 `json:"name"`
	DisplayName   string                 `json:"display_name,omitempty"`
	Definition    string                 `json:"definition"`
	LatestVersion string                 `json:"latest_version,omitempty"` // the version that newborn threads get
	State         string                 `json:"state"`
	Config        json.RawMessage        `json:"config"` // its own overrides only
	CreatedAt     stamp                  `json:"created_at"`
	Counters      []counterView          `json:"counters,omitempty"`
	Warnings      []bushttp.ProblemError `json:"warnings,omitempty"`
}

// counterView counts threads: for live statuses those that stand at the action now, for ended ones all that have ended there.
type counterView struct {
	Version string `json:"version"`
	Action  string `json:"action"`
	Status  string `json:"status"`
	Count   int64  `json:"count"`
}

func viewActivity(a *activity.Activity) activityView {
	config := a.Overrides
	if config == nil {
		config = map[string]any{}
	}
	out := activityView{Number: a.Number, Name: a.Name, DisplayName: a.DisplayName, Definition: a.Definition, State: a.State.String(),
		Config: shown(config), CreatedAt: stamp(a.CreatedMs)}
	if a.Latest != nil {
		out.LatestVersion = a.Latest.Version
	}
	return out
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func (s *Server) postActivity(c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	posted := metadata.Activity{Name: o.text("name", false), DisplayName: o.text("display_name", false), Definition: o.text("definition", true), Config: o.fields("config")}
	if err := o.done(); err != nil {
		return nil, err
	}
	stored, outcome, problems, err := s.o.Metadata.PutActivity(c.r.Context(), posted)
	if err == nil {
		err = checked("activity", problems)
	}
	if err != nil {
		return nil, err
	}
	if outcome == metadata.Conflict {
		return nil, conflict("activity", stored.Name, "post this one under another name", difference{"definition", stored.Definition, posted.Definition},
			difference{"display_name", quote(stored.DisplayName), quote(posted.DisplayName)}, difference{"config", configText(stored.Config), configText(posted.Config)})
	}
	view := activityView{Number: stored.Number, Name: stored.Name, DisplayName: stored.DisplayName, Definition: stored.Definition, State: stored.State.String(),
		Config: json.RawMessage(configText(stored.Config)), CreatedAt: stamp(stored.CreatedMs)}
	if a := s.o.Metadata.Load().Activities[stored.Number]; a != nil {
		view = viewActivity(a)
	}
	view.Warnings = items(problems, definitions.SeverityWarning)
	return created(outcome, "/v1/activities/"+url.PathEscape(stored.Name), view), nil
}

func configText(config map[string]any) string {
	if config == nil {
		return "{}"
	}
	return string(shown(config))
}

func (s *Server) listActivities(*call) (*reply, error) {
	snap := s.o.Metadata.Load()
	out := list[activityView]{Items: []activityView{}}
	for _, number := range sortedKeys(snap.Activities) {
		out.Items = append(out.Items, viewActivity(snap.Activities[number]))
	}
	return ok(out), nil
}

func (s *Server) activity(c *call) (*activity.Activity, error) {
	return s.findActivity(c.path("activity"))
}

// findActivity finds an activity by number or name.
func (s *Server) findActivity(ref string) (*activity.Activity, error) {
	snap := s.o.Metadata.Load()
	if a, found := snap.Activity(ref); found {
		return a, nil
	}
	hint := suggestion(ref, sortedKeys(snap.ByName))
	if _, err := strconv.ParseUint(ref, 10, 64); err == nil || hint == "" {
		hint = "GET /v1/activities lists them"
	}
	return nil, notFound("activity", ref, hint)
}

func (s *Server) getActivity(c *call) (*reply, error) {
	a, err := s.activity(c)
	if err != nil {
		return nil, err
	}
	counters, err := s.o.Engine.Counters(a.Number)
	if err != nil {
		return nil, err
	}
	view := viewActivity(a)
	view.Counters = []counterView{}
	for _, n := range counters {
		view.Counters = append(view.Counters, counterView{n.Version, n.Action, n.Status.String(), n.N})
	}
	return ok(view), nil
}
