package scenario

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/engine/sim"
	"github.com/weftbox/weftbox/metadata"
)

// Options of a run.
type Options struct {
	Run   *regexp.Regexp // names of the scenarios to run; nil: all
	Crash bool           // power loss and restart after every step, every turn and every request: the story must be the same
}

// Result is what became of one scenario.
type Result struct {
	File    string
	Name    string
	Line    int
	Failure *Failure // nil: all came as expected
	Story   []string // what happened, one line each, with the time since the start
	Steps   int      // those that were run
	Crashes int
	Took    time.Duration
}

// Failure is where a scenario failed and why.
type Failure struct {
	Line, Column int
	Step         string   // its verb
	Messages     []string // "at: expected waiting_buy, is deciding"
}

// Run lives the scenarios of the file through, each on a node of its own.
func (f *File) Run(o Options) []Result {
	var results []Result
	for _, s := range f.scenarios {
		if o.Run == nil || o.Run.MatchString(s.name) {
			r := s.run(o)
			r.File = f.Path
			results = append(results, r)
		}
	}
	return results
}

// player is one scenario being lived through.
type player struct {
	*scenario
	w       *sim.World
	numbers map[string]uint32
	names   []string // of activities, in order
	marks   map[activity.ID]*mark
	printed []string
}

// mark is how much of a thread's history earlier expectations have seen.
type mark struct{ calls, verdicts, printed, dead int }

func (s *scenario) run(o Options) (r Result) {
	begin := time.Now()
	r = Result{Name: s.name, Line: s.node.Line}
	p := &player{scenario: s, numbers: map[string]uint32{}, marks: map[activity.ID]*mark{}}
	at := &step{verb: "scenario", node: s.node}
	var id activity.ID
	fail := func(messages ...string) {
		r.Failure = &Failure{Line: at.node.Line, Column: at.node.Column, Step: at.verb, Messages: messages}
	}
	defer func() {
		var fault *sim.Fault
		if e := recover(); e != nil {
			err, ok := e.(error)
			if !ok || !errors.As(err, &fault) {
				panic(e)
			}
			fail(fault.Error())
		}
		if p.w != nil {
			r.Story, r.Crashes = p.story(id), p.w.Crashes()
			if err := p.w.Close(); err != nil && r.Failure == nil {
				fail(err.Error())
			}
		}
		r.Took = time.Since(begin)
	}()
	var err error
	if p.w, err = sim.New(sim.Options{StartMs: s.startMs, CrashAlways: o.Crash}); err != nil {
		fail(err.Error())
		return r
	}
	if messages := p.setUp(); len(messages) > 0 {
		fail(messages...)
		return r
	}
	for i := range s.steps {
		at = &s.steps[i]
		var messages []string
		if id, messages = p.step(at); len(messages) > 0 {
			fail(messages...)
			return r
		}
		r.Steps++
		id = activity.ID{}
		if o.Crash {
			p.w.Crash()
		}
	}
	return r
}

// setUp gives the node its strategies, services, flows and activities.
func (p *player) setUp() (messages []string) {
	ctx, cache := context.Background(), p.w.Metadata()
	latest := map[string]metadata.Strategy{}
	for _, s := range p.strategies {
		latest[s.Name] = s
	}
	for _, name := range sortedKeys(latest) {
		_, _, problems, err := cache.PutStrategy(ctx, latest[name])
		messages = append(messages, refused("strategy "+name, "", problems, err)...)
	}
	names := append(sortedKeys(p.services), p.registered...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		_, _, problems, err := cache.PutService(ctx, metadata.Service{Name: name, URL: "http://127.0.0.1/" + name})
		messages = append(messages, refused("service "+name, "", problems, err)...)
		if stub, ok := p.services[name]; ok {
			p.w.Serve(name, stub.behavior)
		}
	}
	if len(messages) > 0 {
		return messages
	}
	var defined []string
	for _, f := range p.flows {
		name, bad := p.deploy(f, "")
		messages = append(messages, bad...)
		if name != "" && !slices.Contains(defined, name) {
			defined = append(defined, name)
		}
	}
	if len(messages) > 0 {
		return messages
	}
	if messages = p.unusedServices(); len(messages) > 0 {
		return messages
	}
	return p.createActivities(ctx, defined)
}

func (p *player) createActivities(ctx context.Context, defined []string) (messages []string) {
	specs := p.activities
	if specs == nil {
		for _, name := range defined {
			specs = append(specs, activitySpec{name: name, definition: name})
		}
	}
	for _, spec := range specs {
		if spec.definition == "" {
			spec.definition = defined[0]
		}
		config := map[string]any{}
		for _, over := range []map[string]any{p.config, spec.config} {
			for k, v := range over {
				config[k] = v
			}
		}
		a, outcome, problems, err := p.w.Metadata().PutActivity(ctx, metadata.Activity{Name: spec.name, Definition: spec.definition, Config: config})
		if outcome == metadata.Conflict {
			err = errors.New("there is another activity of this name")
		}
		messages = append(messages, refused("activity "+spec.name, "", problems, err)...)
		p.numbers[a.Name] = a.Number
		p.names = append(p.names, a.Name)
	}
	return messages
}

// deploy posts a definition and returns its name.
func (p *player) deploy(f flow, version string) (name string, messages []string) {
	v, outcome, problems, err := p.w.Metadata().PutDefinition(context.Background(), f.text, version)
	if outcome == metadata.Conflict {
		err = fmt.Errorf("version %s is there with another text", v.Version)
	}
	if bad := refused("the flow", f.path, problems, err); len(bad) > 0 {
		return "", bad
	}
	return v.Name, nil
}

// refused says why something could not be put; warnings are for "weftbox lint".
func refused(what_, path string, problems []definitions.Problem, err error) (messages []string) {
	if err != nil {
		messages = append(messages, what_+": "+err.Error())
	}
	for _, p := range problems {
		if p.Severity != definitions.SeverityError {
			continue
		}
		at := what_ + " at "
		if path != "" {
			at = path + ":"
		}
		m := fmt.Sprintf("%s%d:%d: %s", at, p.Line, p.Column, p.Message)
		if p.Hint != "" {
			m += "; " + p.Hint
		}
		messages = append(messages, m)
	}
	return messages
}

// unusedServices finds names of services that no flow asks: a slip of the pen would make a test pass that tests nothing.
func (p *player) unusedServices() (messages []string) {
	var types []string
	for _, versions := range p.w.Metadata().Load().Definitions {
		for _, v := range versions {
			for _, a := range v.Compiled.Actions {
				if a.Spec.Service {
					types = append(types, a.Type)
				}
			}
			for _, m := range v.Compiled.Settings.With(p.config).Monitors {
				types = append(types, m.Service)
			}
		}
	}
	slices.Sort(types)
	types = slices.Compact(types)
	for _, name := range sortedKeys(p.services) {
		if !slices.Contains(types, name) && !p.deploysLater() && !(p.ownFlow && p.services[name].shared) {
			messages = append(messages, fmt.Sprintf("line %d: no action of the flow asks a service %q; %s", p.services[name].node.Line, name, suggest(name, types)))
		}
	}
	return messages
}

func (p *player) deploysLater() bool {
	return slices.ContainsFunc(p.steps, func(s step) bool { return s.verb == "deploy" })
}

// step lives one step through; id is the thread it is about, if it is about one.
func (p *player) step(s *step) (id activity.ID, messages []string) {
	var err error
	switch s.verb {
	case "event", "events", "play":
		err = p.post(s)
	case "advance":
		err = p.w.Advance(s.advanceMs)
	case "after_crash":
		p.w.Note("power loss and restart")
		p.w.Crash()
	case "deploy":
		if _, messages = p.deploy(s.flow, s.version); len(messages) == 0 {
			err = p.w.Settle()
		}
	case "manage":
		if err = p.manage(s); err == nil {
			err = p.w.Settle()
		}
	case "command", "reply", "expect":
		if id, err = p.address(s); err == nil {
			switch s.verb {
			case "command":
				err = p.w.CommandWith(id, s.command, s.args)
			case "reply":
				err = p.reply(id, s.reply)
			default:
				messages, err = p.expect(id, s.expect)
			}
		}
	}
	if err == nil && s.verb != "expect" {
		err = p.w.Audit()
	}
	if err != nil {
		messages = append(messages, err.Error())
	}
	for _, line := range strings.Split(p.w.TakePrinted(), "\n") {
		if line != "" {
			p.printed = append(p.printed, line)
		}
	}
	return id, messages
}

func (p *player) post(s *step) error {
	for range s.times {
		for _, body := range s.posts {
			if err := p.w.Post(body); err != nil {
				return err
			}
		}
		if s.everyMs > 0 {
			if err := p.w.Advance(s.everyMs); err != nil {
				return err
			}
		}
	}
	return nil
}

// address finds the thread that a step is about: what it says, what the scenario says, or the only one there is.
func (p *player) address(s *step) (activity.ID, error) {
	name := s.activity
	if name == "" {
		name = p.activity
	}
	if name == "" && len(p.names) == 1 {
		name = p.names[0]
	}
	if name == "" {
		return activity.ID{}, fmt.Errorf("there are several activities (%s): say which with activity", strings.Join(p.names, ", "))
	}
	number, ok := p.numbers[name]
	if !ok {
		return activity.ID{}, fmt.Errorf("there is no activity %q; %s", name, suggest(name, p.names))
	}
	id := activity.ID{Activity: number, Domain: s.domain}
	if id.Domain == "" {
		id.Domain = p.domain
	}
	if id.Domain != "" {
		return id, nil
	}
	var domains []string
	for _, other := range p.w.Threads() {
		if other.Activity == number {
			domains = append(domains, other.Domain)
		}
	}
	if len(domains) > 1 {
		return activity.ID{}, fmt.Errorf("there are several threads (%s): say which with domain", strings.Join(domains, ", "))
	}
	if len(domains) == 1 {
		id.Domain = domains[0]
	}
	return id, nil
}

func (p *player) reply(id activity.ID, r *handReply) error {
	var asked []*sim.Call
	for _, c := range p.w.Calls() {
		if c.Activity == id.Activity && c.Domain == id.Domain && c.Service == r.service {
			asked = append(asked, c)
		}
	}
	nth := r.nth
	if nth == 0 {
		nth = len(asked)
	}
	if nth == 0 || nth > len(asked) {
		return fmt.Errorf("there is no request to answer: %s was asked %d times by %s", r.service, len(asked), p.nameOf(id))
	}
	return p.w.Answer(asked[nth-1], r.result, !r.withoutID)
}

func (p *player) nameOf(id activity.ID) string {
	for name, number := range p.numbers {
		if number == id.Activity {
			return name + "/" + id.Domain
		}
	}
	return id.Domain
}
