package metadata

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// InUse says why something is not deleted: what would miss it.
type InUse struct {
	What string   // `strategy "user"`
	By   []string // `definition "coupon" version 3`, at most 20
	More int      // how many more there are
}

func (e *InUse) Error() string {
	text := e.What + " is in use by " + strings.Join(e.By, ", ")
	if e.More > 0 {
		text += fmt.Sprintf(" and %d more", e.More)
	}
	return text
}

// InvalidState says that a command is not for an activity of this state.
type InvalidState struct {
	State activity.State
	Err   error
}

func (e *InvalidState) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *InvalidState) Unwrap() error { return e.Err }

const maxUsersNamed = 20

func inUse(what string, by []string) error {
	if len(by) == 0 {
		return nil
	}
	e := &InUse{What: what, By: by}
	if len(by) > maxUsersNamed {
		e.By, e.More = by[:maxUsersNamed], len(by)-maxUsersNamed
	}
	return e
}

// change does one change of the store and makes it visible; what is "the strategy" or such, for errors.
func change[T any](ctx context.Context, c *Cache, what string, do func() (T, Outcome, error)) (T, Outcome, error) {
	out, outcome, err := do()
	if err == nil {
		err = c.swap(ctx)
	}
	if err != nil {
		var none T
		return none, 0, fmt.Errorf("%s: %w", what, err)
	}
	return out, outcome, nil
}

// UpdateStrategy replaces a strategy's expressions, as Store.UpdateStrategy. With an error among the problems nothing is written and the
// outcome is 0. Events of the next turn are asked the new ones; a thread stays under the domain id it has.
func (c *Cache) UpdateStrategy(ctx context.Context, s Strategy, expect uint64) (Strategy, Outcome, []definitions.Problem, error) {
	_, problems := activity.CompileStrategy(s.Name, s.When, s.DomainID)
	if hasError(problems) {
		return Strategy{}, 0, problems, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.UpdatedMs = c.nowMs()
	out, outcome, err := change(ctx, c, "strategy "+quoted(s.Name), func() (Strategy, Outcome, error) { return c.store.UpdateStrategy(ctx, s, expect) })
	return out, outcome, problems, err
}

// UpdateService replaces a service's URL, as Store.UpdateService. What waits in outboxes goes to the new one.
func (c *Cache) UpdateService(ctx context.Context, s Service, expect uint64) (Service, Outcome, []definitions.Problem, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	problems := checkService(s, c.compiler.env.Specs)
	if hasError(problems) {
		return Service{}, 0, problems, nil
	}
	s.UpdatedMs = c.nowMs()
	out, outcome, err := change(ctx, c, "service "+quoted(s.Name), func() (Service, Outcome, error) { return c.store.UpdateService(ctx, s, expect) })
	return out, outcome, problems, err
}

// DeleteStrategy deletes a strategy. Unless force is set, one that versions of definitions name is not: the error is an *InUse. With force these
// versions cannot be loaded any more, and their threads stall until the strategy is back.
func (c *Cache) DeleteStrategy(ctx context.Context, name string, expect uint64, force bool) (Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := inUse("strategy "+quoted(name), c.versionsThat(func(d *definitions.Definition) bool { return d.Strategy == name })); err != nil && !force {
		return 0, err
	}
	_, outcome, err := change(ctx, c, "strategy "+quoted(name), func() (struct{}, Outcome, error) {
		o, err := c.store.DeleteStrategy(ctx, name, expect)
		return struct{}{}, o, err
	})
	return outcome, err
}

// DeleteService is DeleteStrategy for a service: it is in use where a version has an action of its type, or names it as a monitor.
func (c *Cache) DeleteService(ctx context.Context, name string, expect uint64, force bool) (Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := inUse("service "+quoted(name), c.versionsThat(func(d *definitions.Definition) bool { return asks(d, name) })); err != nil && !force {
		return 0, err
	}
	_, outcome, err := change(ctx, c, "service "+quoted(name), func() (struct{}, Outcome, error) {
		o, err := c.store.DeleteService(ctx, name, expect)
		return struct{}{}, o, err
	})
	return outcome, err
}

func asks(d *definitions.Definition, service string) bool {
	for _, a := range d.Actions {
		if a.Spec.Service && a.Type == service {
			return true
		}
	}
	monitors, _ := d.Settings.Items["$monitors"].([]any)
	for _, m := range monitors {
		if fields, ok := m.(map[string]any); ok && fields["service"] == service {
			return true
		}
	}
	return false
}

// versionsThat names the loadable versions of all definitions that a test takes. One that cannot be loaded now misses something already.
func (c *Cache) versionsThat(test func(*definitions.Definition) bool) (names []string) {
	s := c.Load()
	for _, name := range slices.Sorted(maps.Keys(s.Definitions)) {
		for _, v := range s.Definitions[name] {
			if v.Compiled != nil && test(v.Compiled) {
				names = append(names, "definition "+quoted(name)+" version "+v.Version)
			}
		}
	}
	return names
}

// ModifyDefinition replaces the text of a version in place: its threads run the new text from their next message on. enabled nil leaves that as
// it is. With an error among the problems nothing is written and the outcome is 0; so it is when the text is that of another definition.
func (c *Cache) ModifyDefinition(ctx context.Context, name, version string, text []byte, enabled *bool, expect uint64) (*Version, Outcome, []definitions.Problem, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	there := c.Load().Version(name, version)
	if there == nil {
		return nil, Missing, nil, nil
	}
	next := there.Definition
	var problems []definitions.Problem
	if text != nil {
		var d *definitions.Definition
		d, problems = definitions.Check(text, c.compiler.env)
		if d != nil && d.Name != name {
			problems = append(problems, problem(codeDefinition, "/activity/name", "the text is that of definition "+quoted(d.Name)+", not of "+quoted(name), "post it under its own name"))
		}
		if d == nil || hasError(problems) {
			return nil, 0, problems, nil
		}
		next.Text = text
	}
	if enabled != nil {
		next.Enabled = *enabled
	}
	next.UpdatedMs = c.nowMs()
	stored, outcome, err := change(ctx, c, "definition "+quoted(name), func() (Definition, Outcome, error) { return c.store.UpdateDefinition(ctx, next, expect) })
	if err != nil || outcome == Missing {
		return nil, outcome, problems, err
	}
	if v := c.Load().Version(name, version); v != nil {
		return v, outcome, problems, nil
	}
	return &Version{Definition: stored}, outcome, problems, nil // another node has deleted it since
}

// DeleteDefinition deletes a version. Unless force is set, one that is in use is not, and the error is an *InUse: threads counts those that live
// by it, by activity, and it is in use too where it is the last one that an activity which is not killed could run. With force its threads stall
// until a version of that name is there again.
func (c *Cache) DeleteDefinition(ctx context.Context, name, version string, expect uint64, force bool, threads func(activityNumber uint32) (int64, error)) (Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Load().Version(name, version) == nil {
		return Missing, nil
	}
	if !force {
		by, err := c.usersOf(name, version, threads)
		if err == nil {
			err = inUse("definition "+quoted(name)+" version "+version, by)
		}
		if err != nil {
			return 0, err
		}
	}
	_, outcome, err := change(ctx, c, "definition "+quoted(name), func() (struct{}, Outcome, error) {
		o, err := c.store.DeleteDefinition(ctx, name, version, expect)
		return struct{}{}, o, err
	})
	return outcome, err
}

func (c *Cache) usersOf(name, version string, threads func(uint32) (int64, error)) (by []string, err error) {
	s := c.Load()
	runnable := 0
	for _, v := range s.Definitions[name] {
		if v.Version != version && v.Enabled && v.Compiled != nil {
			runnable++
		}
	}
	for _, number := range slices.Sorted(maps.Keys(s.Activities)) {
		a := s.Activities[number]
		if a.Definition != name || a.State == activity.ActivityKilled {
			continue
		}
		n, err := threads(number)
		if err != nil {
			return nil, err
		}
		switch {
		case n > 0:
			by = append(by, fmt.Sprintf("%d threads of activity %s", n, quoted(a.Name)))
		case runnable == 0:
			by = append(by, "activity "+quoted(a.Name)+", which could run no other version")
		}
	}
	return by, nil
}

// CommandActivity gives an activity a command ("pause", "resume", "continue", "kill"). A command that is not for its state is an *InvalidState.
func (c *Cache) CommandActivity(ctx context.Context, number uint32, command string, expect uint64) (Activity, Outcome, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	there, found := c.Load().Records.Activity(number)
	if !found {
		return Activity{}, Missing, nil
	}
	if expect != AnyRevision && expect != there.Revision {
		return there, Conflict, nil
	}
	next := there
	var err error
	if next.State, err = there.State.Next(command); err != nil {
		return there, 0, &InvalidState{there.State, err}
	}
	next.UpdatedMs = c.nowMs()
	return change(ctx, c, "activity "+quoted(there.Name), func() (Activity, Outcome, error) { return c.store.UpdateActivity(ctx, next, there.Revision) })
}

// EditConfig changes the overrides of an activity: edit gets a copy of them (never nil) and changes it, or says why not. The whole is checked as
// PutActivity does; with an error among the problems nothing is written and the outcome is 0. A killed activity is an *InvalidState.
func (c *Cache) EditConfig(ctx context.Context, number uint32, expect uint64, edit func(config map[string]any) error) (Activity, Outcome, []definitions.Problem, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	there, found := c.Load().Records.Activity(number)
	switch {
	case !found:
		return Activity{}, Missing, nil, nil
	case expect != AnyRevision && expect != there.Revision:
		return there, Conflict, nil, nil
	case there.State == activity.ActivityKilled:
		return there, 0, nil, &InvalidState{there.State, errors.New("the config of an activity that is killed cannot be changed: nothing reads it any more")}
	}
	next := there
	if next.Config = maps.Clone(there.Config); next.Config == nil {
		next.Config = map[string]any{}
	}
	if err := edit(next.Config); err != nil {
		return there, 0, nil, err
	}
	problems := c.checkOverrides(next)
	if hasError(problems) {
		return there, 0, problems, nil
	}
	next.UpdatedMs = c.nowMs()
	out, outcome, err := change(ctx, c, "activity "+quoted(there.Name), func() (Activity, Outcome, error) { return c.store.UpdateActivity(ctx, next, there.Revision) })
	return out, outcome, problems, err
}

// checkOverrides checks a config against the version that would run now, or, while there is none, against nothing but its form.
func (c *Cache) checkOverrides(a Activity) []definitions.Problem {
	d, _ := c.runnable(a.Definition)
	if d == nil {
		d = &definitions.Definition{Name: a.Definition, Config: a.Config}
	}
	return append(checkConfig(a.Config, d), unknownMonitors(a.Config, c.Load().Services)...)
}

// Version returns a stored version of a definition, nil if there is none.
func (s *Snapshot) Version(name, version string) *Version {
	for _, v := range s.Definitions[name] {
		if v.Version == version {
			return v
		}
	}
	return nil
}

// Activity returns the record of an activity.
func (r *Records) Activity(number uint32) (Activity, bool) {
	place, found := slices.BinarySearchFunc(r.Activities, number, func(a Activity, n uint32) int { return cmp.Compare(a.Number, n) })
	if !found {
		return Activity{}, false
	}
	return r.Activities[place], true
}
