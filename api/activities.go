package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
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
	UpdatedAt     stamp                  `json:"updated_at"`
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
	view.UpdatedAt = stamp(max(stored.CreatedMs, stored.UpdatedMs))
	view.Warnings = items(problems, definitions.SeverityWarning)
	return s.putReply(outcome, "/v1/activities/", stored.Name, stored.Revision, view), nil
}

// activityCommand returns the handler of a command of an activity. Its next turn works by the new state; what has to be done to the threads follows
// in the background.
func activityCommand(name string) func(*Server, *call) (*reply, error) {
	return func(s *Server, c *call) (*reply, error) {
		a, err := s.activity(c)
		if err != nil {
			return nil, err
		}
		expect, err := c.expected()
		if err != nil {
			return nil, err
		}
		o, err := c.object(true)
		if err == nil {
			err = o.done()
		}
		if err != nil {
			return nil, err
		}
		stored, outcome, err := s.o.Metadata.CommandActivity(c.r.Context(), a.Number, name, expect)
		switch {
		case err != nil:
			return nil, refusedChange("activity", err)
		case outcome == metadata.Conflict:
			return nil, preconditionFailed("activity", a.Name)
		}
		s.o.Engine.MetadataChanged()
		view := viewActivity(s.o.Metadata.Load().Activities[a.Number])
		view.UpdatedAt = stamp(max(stored.CreatedMs, stored.UpdatedMs))
		return &reply{status: http.StatusOK, body: view, etag: etag(stored.Revision)}, nil
	}
}

func configText(config map[string]any) string {
	if config == nil {
		return "{}"
	}
	return string(shown(config))
}

// states are those that ?state= can ask for.
var states = []string{activity.ActivityRunning.String(), activity.ActivityPaused.String(), activity.ActivityKilled.String()}

// listActivities shows all activities, or those of ?state= and ?definition=.
func (s *Server) listActivities(c *call) (*reply, error) {
	state, definition := c.query("state"), c.query("definition")
	if state != "" && !slices.Contains(states, state) {
		return nil, badQuery("there is no state " + quote(state) + ": " + suggestion(state, states))
	}
	snap := s.o.Metadata.Load()
	out := list[activityView]{Items: []activityView{}}
	for _, r := range snap.Records.Activities {
		a := snap.Activities[r.Number]
		if state != "" && a.State.String() != state || definition != "" && a.Definition != definition {
			continue
		}
		view := viewActivity(a)
		view.UpdatedAt = stamp(max(r.CreatedMs, r.UpdatedMs))
		out.Items = append(out.Items, view)
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
	record, _ := s.o.Metadata.Load().Records.Activity(a.Number)
	view.UpdatedAt = stamp(max(record.CreatedMs, record.UpdatedMs))
	return &reply{status: http.StatusOK, body: view, etag: etag(record.Revision)}, nil
}
