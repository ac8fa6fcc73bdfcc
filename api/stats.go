package api

import (
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// statsView is what an activity did and where its threads stand.
type statsView struct {
	Activity     uint32        `json:"activity"`
	ActivityName string        `json:"activity_name"`
	Definition   string        `json:"definition"`
	Threads      []counterView `json:"threads"`
	Verdicts     []countedView `json:"verdicts"`   // messages that reached a thread or its trigger
	Strategies   []countedView `json:"strategies"` // events at the strategies of its versions that concerned no thread; all activities of a strategy share them
}

// countedView counts messages of which the same became.
type countedView struct {
	Version  string `json:"version,omitempty"`
	Strategy string `json:"strategy,omitempty"`
	Action   string `json:"action,omitempty"` // where the thread stood; absent: there was none, the trigger was asked
	Message  string `json:"message"`          // event, reply, alarm or command
	Verdict  string `json:"verdict"`
	Clause   *int16 `json:"clause,omitempty"` // of the action, from 0; absent: none took it
	Count    int64  `json:"count"`
}

func viewCounted(n *store.VerdictCount) countedView {
	v := countedView{Version: n.Version, Action: n.Action, Message: n.Sort.String(), Verdict: string(n.Verdict), Count: n.N}
	if n.Clause >= 0 {
		v.Clause = &n.Clause
	}
	return v
}

func (s *Server) getStats(c *call) (*reply, error) {
	a, err := s.activity(c)
	if err != nil {
		return nil, err
	}
	counters, err := s.o.Engine.Counters(a.Number)
	if err != nil {
		return nil, err
	}
	verdicts, err := s.o.Engine.Verdicts(a.Number)
	if err != nil {
		return nil, err
	}
	unheard, err := s.o.Engine.Verdicts(0)
	if err != nil {
		return nil, err
	}
	v := statsView{Activity: a.Number, ActivityName: a.Name, Definition: a.Definition, Threads: []counterView{}, Verdicts: []countedView{}, Strategies: []countedView{}}
	for _, n := range counters {
		v.Threads = append(v.Threads, counterView{n.Version, n.Action, n.Status.String(), n.N})
	}
	for i := range verdicts {
		v.Verdicts = append(v.Verdicts, viewCounted(&verdicts[i]))
	}
	names := strategiesOf(a)
	for i := range unheard {
		if n := &unheard[i]; slices.Contains(names, n.Action) {
			v.Strategies = append(v.Strategies, countedView{Strategy: n.Action, Message: n.Sort.String(), Verdict: string(n.Verdict), Count: n.N})
		}
	}
	return ok(v), nil
}

func strategiesOf(a *activity.Activity) (names []string) {
	for _, b := range a.Versions {
		names = append(names, b.Definition.Strategy)
	}
	return names
}
