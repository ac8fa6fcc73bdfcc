package metadata

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// Options of NewCache.
type Options struct {
	Specs   map[string]*definitions.Spec // built-in action types; activity.Specs gives both
	Service *definitions.Spec            // the spec of an action whose type is a registered service
	NowMs   func() int64                 // the time a record is created at, Unix ms
}

// Cache holds the snapshot of this process and is the only way by which this process changes metadata. Load may be called by
// anyone at any time; puts are done one after the other.
type Cache struct {
	store    Store
	nowMs    func() int64
	snapshot atomic.Pointer[Snapshot]

	mu       sync.Mutex // puts and Refresh
	compiler *compiler
}

// NewCache loads and compiles all that the store holds. Definitions that no longer compile are kept with their Problems; only an
// unreadable store is an error. The store stays the caller's to close.
func NewCache(ctx context.Context, store Store, o Options) (*Cache, error) {
	if o.NowMs == nil {
		return nil, errors.New("metadata: Options.NowMs is missing")
	}
	c := &Cache{store: store, nowMs: o.NowMs, compiler: newCompiler(o.Specs, o.Service)}
	if err := c.Refresh(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Load returns the present snapshot; it never waits. A turn calls it once.
func (c *Cache) Load() *Snapshot { return c.snapshot.Load() }

// Refresh makes what other nodes have changed visible here. A store that only this process writes never needs it.
func (c *Cache) Refresh(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reload(ctx)
}

func (c *Cache) reload(ctx context.Context) error {
	records, err := c.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("metadata cannot be loaded: %w", err)
	}
	if last := c.snapshot.Load(); last != nil && last.Revision == records.Revision {
		return nil
	}
	c.snapshot.Store(c.compiler.snapshot(records))
	return nil
}

// swap makes the next Load show what was just put. It ignores that the caller may have gone: the change is in the store.
func (c *Cache) swap(ctx context.Context) error {
	if err := c.reload(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("the change is stored, but this node still works with the metadata before it; repeat the request: %w", err)
	}
	return nil
}

// PutStrategy stores a strategy. With an error among the problems nothing is written and the outcome is 0. On Conflict the
// strategy returned is the one that is there.
func (c *Cache) PutStrategy(ctx context.Context, s Strategy) (Strategy, Outcome, []definitions.Problem, error) {
	problems := checkName("strategy", s.Name)
	_, more := activity.CompileStrategy(s.Name, s.When, s.DomainID)
	problems = append(problems, more...)
	if hasError(problems) {
		return Strategy{}, 0, problems, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.CreatedMs = c.nowMs()
	stored, outcome, err := c.store.PutStrategy(ctx, s)
	if err == nil {
		err = c.swap(ctx)
	}
	if err != nil {
		return Strategy{}, 0, problems, fmt.Errorf("strategy %q: %w", s.Name, err)
	}
	return stored, outcome, problems, nil
}

// PutService stores a service and draws the number of its destination. With an error among the problems nothing is written and the
// outcome is 0. On Conflict the service returned is the one that is there.
func (c *Cache) PutService(ctx context.Context, s Service) (Service, Outcome, []definitions.Problem, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	problems := checkService(s, c.compiler.env.Specs)
	if hasError(problems) {
		return Service{}, 0, problems, nil
	}
	s.CreatedMs = c.nowMs()
	stored, outcome, err := c.store.PutService(ctx, s)
	if err == nil {
		err = c.swap(ctx)
	}
	if err != nil {
		return Service{}, 0, problems, fmt.Errorf("service %q: %w", s.Name, err)
	}
	return stored, outcome, problems, nil
}

// CheckDefinition checks a definition's text against the present services and strategies and stores nothing. With an error among
// the problems the definition is nil.
func (c *Cache) CheckDefinition(text []byte) (*definitions.Definition, []definitions.Problem) {
	c.mu.Lock()
	env := c.compiler.env
	c.mu.Unlock()
	return definitions.Check(text, env)
}

// PutDefinition stores a version of the definition that text names, enabled. Version "" draws the next number, or answers
// Unchanged with the latest version when that has the same text. With an error among the problems nothing is written and the
// outcome is 0. On Conflict the version returned is the one that is there.
func (c *Cache) PutDefinition(ctx context.Context, text []byte, version string) (*Version, Outcome, []definitions.Problem, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	problems := checkVersion(version)
	d, more := definitions.Check(text, c.compiler.env)
	problems = append(problems, more...)
	if d == nil || hasError(problems) {
		return nil, 0, problems, nil
	}
	stored, outcome, err := c.store.PutDefinition(ctx, Definition{Name: d.Name, Version: version, Text: text, Enabled: true, CreatedMs: c.nowMs()})
	if err == nil {
		err = c.swap(ctx)
	}
	if err != nil {
		return nil, 0, problems, fmt.Errorf("definition %q: %w", d.Name, err)
	}
	for _, v := range c.Load().Definitions[stored.Name] {
		if v.Version == stored.Version {
			return v, outcome, problems, nil
		}
	}
	return &Version{Definition: stored}, outcome, problems, nil // another node has deleted it since
}

// PutActivity stores an activity and draws its number. The name of a killed one is free. Its name is the definition's when empty, its state running when 0. The
// definition must have an enabled version that compiles. Config items that the definition does not know are warned of and kept.
// With an error among the problems nothing is written and the outcome is 0. On Conflict the activity returned is the one that is there.
func (c *Cache) PutActivity(ctx context.Context, a Activity) (Activity, Outcome, []definitions.Problem, error) {
	if a.Name == "" {
		a.Name = a.Definition
	}
	if a.State == 0 {
		a.State = activity.ActivityRunning
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	problems := c.checkActivity(a)
	if hasError(problems) {
		return Activity{}, 0, problems, nil
	}
	a.CreatedMs = c.nowMs()
	stored, outcome, err := c.store.PutActivity(ctx, a)
	if err == nil {
		err = c.swap(ctx)
	}
	if err != nil {
		return Activity{}, 0, problems, fmt.Errorf("activity %q: %w", a.Name, err)
	}
	return stored, outcome, problems, nil
}

func (c *Cache) checkActivity(a Activity) []definitions.Problem {
	problems := checkName("activity", a.Name)
	if len(a.DisplayName) > MaxNameBytes*4 {
		problems = append(problems, problem(codeName, "/display_name", fmt.Sprintf("the display name has %d bytes, at most %d are allowed", len(a.DisplayName), MaxNameBytes*4), "use a shorter one"))
	}
	if a.State > activity.ActivityKilled {
		problems = append(problems, problem(codeState, "/state", fmt.Sprintf("there is no activity state %d", a.State), `use "running", "paused" or "killed"`))
	}
	d, why := c.runnable(a.Definition)
	if d == nil {
		return append(problems, why)
	}
	problems = append(problems, checkConfig(a.Config, d)...)
	return append(problems, unknownMonitors(a.Config, c.Load().Services)...)
}

// runnable returns the latest enabled version that compiles, or why there is none.
func (c *Cache) runnable(name string) (*definitions.Definition, definitions.Problem) {
	s := c.Load()
	versions := s.Definitions[name]
	for i := len(versions) - 1; i >= 0; i-- {
		if v := versions[i]; v.Enabled && v.Compiled != nil {
			return v.Compiled, definitions.Problem{}
		}
	}
	if len(versions) > 0 {
		latest := versions[len(versions)-1]
		hint := "enable a version, or post a new one"
		for _, p := range latest.Problems {
			if p.Severity == definitions.SeverityError {
				hint = fmt.Sprintf("version %s says at %d:%d: %s", latest.Version, p.Line, p.Column, p.Message)
				break
			}
		}
		return nil, problem(codeDefinition, "/definition", "definition "+quoted(name)+" has no enabled version that can run now", hint)
	}
	names := make([]string, 0, len(s.Definitions))
	for n := range s.Definitions {
		names = append(names, n)
	}
	hint := "post the definition first"
	if near := expr.Nearest(name, names); near != "" {
		hint = "did you mean " + quoted(near) + "?"
	}
	return nil, problem(codeDefinition, "/definition", "there is no definition "+quoted(name), hint)
}

// Activity finds an activity by its number, written in digits, or by its name.
func (s *Snapshot) Activity(ref string) (*activity.Activity, bool) {
	if n, err := strconv.ParseUint(ref, 10, 32); err == nil {
		if a, ok := s.Activities[uint32(n)]; ok {
			return a, true
		}
	}
	a, ok := s.ByName[ref]
	return a, ok
}
