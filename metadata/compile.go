package metadata

import (
	"bytes"
	"maps"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// compiler makes snapshots. It remembers what the last one was made of and compiles only what is new: a snapshot costs a little
// for each activity, a compilation only for each text that has changed. It is not safe for concurrent use.
type compiler struct {
	env     definitions.Env // of the last snapshot
	last    *Snapshot
	sources map[string]Strategy // what last.Strategies were compiled from, those that failed included

	check    func([]byte, definitions.Env) (*definitions.Definition, []definitions.Problem)
	strategy func(name, when, domainID string) (*activity.Strategy, []definitions.Problem)
}

func newCompiler(specs map[string]*definitions.Spec, service *definitions.Spec) *compiler {
	return &compiler{
		env:      definitions.Env{Specs: specs, Service: service, Services: map[string]bool{}, Strategies: map[string]bool{}},
		last:     &Snapshot{Router: activity.NewRouter(nil, nil)},
		sources:  map[string]Strategy{},
		check:    definitions.Check,
		strategy: activity.CompileStrategy,
	}
}

// snapshot compiles records and remembers the result as the last one.
func (c *compiler) snapshot(r Records) *Snapshot {
	s := &Snapshot{Revision: r.Revision, Records: r}
	env := c.env
	env.Strategies = c.strategies(s)
	env.When = make(map[string]*definitions.Expr, len(s.Strategies))
	for name, strategy := range s.Strategies {
		env.When[name] = strategy.When
	}
	env.Services = services(s)
	changed := c.definitions(s, env)
	c.activities(s, changed)
	c.env, c.last = env, s
	return s
}

func (c *compiler) strategies(s *Snapshot) (names map[string]bool) {
	s.Strategies = make(map[string]*activity.Strategy, len(s.Records.Strategies))
	names = make(map[string]bool, len(s.Records.Strategies))
	sources := make(map[string]Strategy, len(s.Records.Strategies))
	for _, r := range s.Records.Strategies {
		sources[r.Name] = r
		compiled := c.last.Strategies[r.Name]
		if before, known := c.sources[r.Name]; !known || !before.SameContent(r) {
			compiled, _ = c.strategy(r.Name, r.When, r.DomainID)
		}
		if compiled == nil {
			continue // it was written by a program that understood it: definitions that use it show the problem
		}
		s.Strategies[r.Name] = compiled
		names[r.Name] = true
	}
	c.sources = sources
	return names
}

func services(s *Snapshot) (names map[string]bool) {
	s.Services = make(map[string]Service, len(s.Records.Services))
	names = make(map[string]bool, len(s.Records.Services))
	for _, r := range s.Records.Services {
		s.Services[r.Name] = r
		names[r.Name] = true
	}
	return names
}

// definitions compiles the versions that are new or whose surroundings changed, and returns the names of the definitions that
// differ from those of the last snapshot.
func (c *compiler) definitions(s *Snapshot, env definitions.Env) (changed map[string]bool) {
	same := maps.Equal(env.Services, c.env.Services) && maps.Equal(env.Strategies, c.env.Strategies)
	grown := covers(env.Services, c.env.Services) && covers(env.Strategies, c.env.Strategies)
	s.Definitions = make(map[string][]*Version, len(c.last.Definitions)+1)
	for _, r := range s.Records.Definitions {
		s.Definitions[r.Name] = append(s.Definitions[r.Name], c.version(r, len(s.Definitions[r.Name]), same, grown, env))
	}
	changed = map[string]bool{}
	for name, versions := range s.Definitions {
		if !sameVersions(versions, c.last.Definitions[name]) {
			changed[name] = true
		}
	}
	for name := range c.last.Definitions {
		if s.Definitions[name] == nil {
			changed[name] = true
		}
	}
	return changed
}

// version takes the version over from the last snapshot where that is the same. What compiled stays compiled while services and
// strategies are only added: a new name cannot change what the names of a text mean, for built-in types win.
func (c *compiler) version(r Definition, place int, same, grown bool, env definitions.Env) *Version {
	if v := c.lastVersion(r, place); v != nil && (same || grown && v.Compiled != nil) {
		if v.Enabled == r.Enabled && v.Order == r.Order && v.CreatedMs == r.CreatedMs && v.Revision == r.Revision {
			return v
		}
		return &Version{Definition: r, Compiled: v.Compiled, Problems: v.Problems}
	}
	v := &Version{Definition: r}
	v.Compiled, v.Problems = c.check(r.Text, env)
	if v.Compiled == nil {
		return v
	}
	trial := activity.Activity{Definition: r.Name}
	if err := trial.Bind([]activity.Version{{Version: r.Version, Enabled: r.Enabled, Definition: v.Compiled}}); err != nil {
		v.Compiled = nil
		v.Problems = append(v.Problems, problem(codeBehavior, "/activity/actions", err.Error(), "run a program that carries this action type, or post a version without it"))
	}
	return v
}

// lastVersion finds the version with the content of r; as versions are only ever added at the end, it is nearly always at its place.
func (c *compiler) lastVersion(r Definition, place int) *Version {
	versions := c.last.Definitions[r.Name]
	if place < len(versions) && versions[place].Version == r.Version && bytes.Equal(versions[place].Text, r.Text) {
		return versions[place]
	}
	for _, v := range versions {
		if v.Version == r.Version && bytes.Equal(v.Text, r.Text) {
			return v
		}
	}
	return nil
}

func (c *compiler) activities(s *Snapshot, changed map[string]bool) {
	s.Activities = make(map[uint32]*activity.Activity, len(s.Records.Activities))
	s.ByName = make(map[string]*activity.Activity, len(s.Records.Activities))
	all := make([]*activity.Activity, 0, len(s.Records.Activities))
	versions := map[string][]activity.Version{} // what Bind takes, made once per definition
	for _, r := range s.Records.Activities {
		a := c.last.Activities[r.Number]
		if a == nil || changed[r.Definition] || !sameActivity(a, r) {
			a = bindActivity(r, loadable(versions, r.Definition, s.Definitions[r.Definition]))
		}
		s.Activities[r.Number] = a
		s.ByName[r.Name] = a
		all = append(all, a)
	}
	s.Router = activity.NewRouter(s.Strategies, all)
}

func loadable(known map[string][]activity.Version, name string, versions []*Version) []activity.Version {
	if out, ok := known[name]; ok {
		return out
	}
	out := make([]activity.Version, 0, len(versions))
	for _, v := range versions {
		if v.Compiled != nil {
			out = append(out, activity.Version{Version: v.Version, Enabled: v.Enabled, Definition: v.Compiled})
		}
	}
	known[name] = out
	return out
}

func bindActivity(r Activity, versions []activity.Version) *activity.Activity {
	a := &activity.Activity{
		Number:      r.Number,
		Name:        r.Name,
		DisplayName: r.DisplayName,
		Definition:  r.Definition,
		State:       r.State,
		Overrides:   r.Config,
		CreatedMs:   r.CreatedMs,
		StateAt:     r.StateAt,
	}
	if err := a.Bind(versions); err != nil {
		// Each version passed a trial Bind when it was compiled, so this is a fault of the program; the activity then has no
		// versions and its threads stall, which harms no other.
		a.Versions, a.Latest = map[string]*activity.Bound{}, nil
	}
	return a
}

func sameActivity(a *activity.Activity, r Activity) bool {
	return a.Name == r.Name && a.DisplayName == r.DisplayName && a.Definition == r.Definition && a.State == r.State &&
		a.CreatedMs == r.CreatedMs && a.StateAt == r.StateAt && sameConfig(a.Overrides, r.Config)
}

func sameVersions(a, b []*Version) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func covers(more, fewer map[string]bool) bool {
	for name := range fewer {
		if !more[name] {
			return false
		}
	}
	return true
}
