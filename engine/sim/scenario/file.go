package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/engine/sim"
	"github.com/weftbox/weftbox/metadata"
)

// File is one scenario file, read and checked.
type File struct {
	Path      string
	Name      string // of the file, without _test.yaml
	scenarios []*scenario
}

// Names returns the names of the scenarios, in order.
func (f *File) Names() []string {
	var names []string
	for _, s := range f.scenarios {
		names = append(names, s.name)
	}
	return names
}

// setting is what a scenario begins with; a scenario's own lies over the file's defaults.
type setting struct {
	flows      []flow
	unread     bool // a flow is named and could not be read
	strategies []metadata.Strategy
	services   map[string]stub // those that answer; others are silent
	registered []string        // service names of a weftbox.yaml
	config     map[string]any
	startMs    int64
}

// flow is the text of a definition.
type flow struct {
	path string // "" when it stands in the scenario file
	text []byte
	node *yaml.Node
}

// stub is a service of a scenario, and where its name stands.
type stub struct {
	behavior sim.Behavior
	node     *yaml.Node
	shared   bool // it comes from the defaults of the file
}

type activitySpec struct {
	name, definition string
	config           map[string]any
	node             *yaml.Node
}

type scenario struct {
	setting
	name       string
	node       *yaml.Node
	domain     string
	activity   string
	activities []activitySpec
	steps      []step
	ownFlow    bool // it has a flow other than the file's
}

// defaultStart is when a scenario without a start begins.
var defaultStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// Load reads a scenario file with the flows and events it names. The error is about the file itself; everything wrong inside comes as
// problems with line and column, and then there is no File.
func Load(path string) (*File, []definitions.Problem, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	l := &loader{dir: filepath.Dir(path)}
	f := &File{Path: path, Name: strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".yaml"), "_test")}
	if root := l.parse(text); root != nil {
		f.scenarios = l.file(root)
	}
	if len(l.problems) > 0 {
		return nil, l.problems, nil
	}
	return f, nil, nil
}

// loader is a binder that knows where the files lie that a scenario names.
type loader struct {
	binder
	dir string
}

func (l *loader) file(root *yaml.Node) []*scenario {
	f, ok := l.fields(root, "a scenario file", "flow", "definition", "defaults", "scenarios")
	if !ok {
		return nil
	}
	base := setting{startMs: defaultStart, services: map[string]stub{}, config: map[string]any{}}
	l.flows(f, &base)
	if n := f.found["defaults"]; n != nil {
		if d, ok := l.fields(n, "defaults", "config", "start", "zone", "services", "strategies"); ok {
			l.setting(d, &base)
		}
	}
	for name, s := range base.services {
		s.shared = true
		base.services[name] = s
	}
	n := f.found["scenarios"]
	if n == nil && f.slips > 0 {
		return nil
	}
	if n == nil {
		l.report(root, codeMissing, `the file has no "scenarios"`, `add "scenarios:" with a list of them`)
		return nil
	}
	var all []*scenario
	names := map[string]bool{}
	for _, item := range l.list(n, "scenarios") {
		if s := l.scenario(item, base); s != nil {
			if names[s.name] {
				l.report(s.node, codeName, "a scenario above has this name already", "give it another one, so that --run can tell them apart")
			}
			names[s.name] = true
			all = append(all, s)
		}
	}
	return all
}

// flows reads "flow" (paths) and "definition" (texts) into s, in place of what s had.
func (l *loader) flows(f fields, s *setting) {
	paths, texts := f.found["flow"], f.found["definition"]
	if paths == nil && texts == nil {
		return
	}
	s.flows, s.unread = nil, false
	if paths != nil {
		for _, n := range l.texts(paths, "flow") {
			fl, ok := l.flowFile(n)
			if s.unread = s.unread || !ok; ok {
				s.flows = append(s.flows, fl)
				l.beside(n, fl.path, s)
			}
		}
	}
	if texts != nil {
		for _, n := range l.texts(texts, "definition") {
			s.flows = append(s.flows, flow{text: []byte(n.Value), node: n})
		}
	}
}

func (l *loader) flowFile(n *yaml.Node) (flow, bool) {
	path := filepath.Join(l.dir, n.Value)
	text, err := os.ReadFile(path)
	if err != nil {
		l.report(n, codeFlow, "the flow can not be read: "+err.Error(), "the path is that from the scenario file's folder")
		return flow{}, false
	}
	return flow{path: path, text: text, node: n}, true
}

// beside takes strategies and services from the weftbox.yaml in the flow's folder, if there is one.
func (l *loader) beside(n *yaml.Node, flowPath string, s *setting) {
	path := filepath.Join(filepath.Dir(flowPath), "weftbox.yaml")
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return
	}
	var with struct {
		Strategies []struct {
			Name     string `yaml:"name"`
			When     string `yaml:"when"`
			DomainID string `yaml:"domain_id"`
		} `yaml:"strategies"`
		Services []struct {
			Name string `yaml:"name"`
		} `yaml:"services"`
	}
	if err == nil {
		err = yaml.Unmarshal(text, &with)
	}
	if err != nil {
		l.report(n, codeFlow, path+" can not be read: "+err.Error(), "")
		return
	}
	for _, st := range with.Strategies {
		s.strategies = append(s.strategies, metadata.Strategy{Name: st.Name, When: st.When, DomainID: st.DomainID})
	}
	for _, sv := range with.Services {
		s.registered = append(s.registered, sv.Name)
	}
}

// setting reads what defaults and scenarios have in common and lays it over s, whose maps it does not write into.
func (l *loader) setting(f fields, s *setting) {
	if n := f.found["config"]; n != nil {
		merged := map[string]any{}
		for k, v := range s.config {
			merged[k] = v
		}
		for k, v := range l.object(n, "config") {
			merged[k] = v
		}
		s.config = merged
	}
	if n := f.found["start"]; n != nil {
		s.startMs = l.instant(n, "start")
	}
	if n := f.found["strategies"]; n != nil {
		for _, item := range l.list(n, "strategies") {
			s.strategies = append(s.strategies[:len(s.strategies):len(s.strategies)], l.strategy(item))
		}
	}
	if n := f.found["services"]; n != nil {
		l.services(n, s)
	}
}

func (l *loader) strategy(n *yaml.Node) (s metadata.Strategy) {
	f, ok := l.fields(n, "a strategy", "name", "when", "domain_id")
	if !ok {
		return s
	}
	for _, part := range []struct {
		key string
		to  *string
	}{{"name", &s.Name}, {"when", &s.When}, {"domain_id", &s.DomainID}} {
		if v := l.need(f, part.key); v != nil {
			*part.to = l.text(v, part.key)
		}
	}
	return s
}

func (l *loader) need(f fields, key string) *yaml.Node {
	if n := f.found[key]; n != nil {
		return n
	}
	if f.slips == 0 {
		l.report(f.node, codeMissing, f.what+" needs the key "+key, "")
	}
	return nil
}

func (l *loader) services(n *yaml.Node, s *setting) {
	if n = deref(n); n.Kind != yaml.MappingNode {
		l.report(n, codeValue, "services must be a map of names, this is "+what(n), "write {coupon: {reply: {…}, after: 200ms}, push: {record: true}}")
		return
	}
	merged := map[string]stub{}
	for k, v := range s.services {
		merged[k] = v
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		merged[name.Value] = stub{behavior: l.behavior(n.Content[i+1]), node: name}
	}
	s.services = merged
}

func (l *loader) behavior(n *yaml.Node) sim.Behavior {
	n = deref(n)
	switch n.Kind {
	case yaml.ScalarNode:
		l.oneOf(n, "behavior of a service", []string{"timeout", "silent", "record"})
		return nil
	case yaml.SequenceNode:
		var all sim.Behavior
		for _, item := range n.Content {
			if b := l.behavior(item); len(b) == 1 {
				all = append(all, b[0])
			} else {
				all = append(all, sim.Reply{Silent: true})
			}
		}
		return all
	}
	f, ok := l.fields(n, "a service", "reply", "after", "status", "error_code", "message", "record", "silent")
	if !ok {
		return nil
	}
	r := sim.Reply{Result: l.result(f, "reply")}
	if v := f.found["after"]; v != nil {
		r.AfterMs = l.duration(v, "after")
	}
	if v := f.found["silent"]; v != nil {
		r.Silent = l.boolean(v, "silent")
	}
	if v := f.found["record"]; v != nil && l.boolean(v, "record") && f.found["reply"] == nil && f.found["status"] == nil {
		r.Silent = true // it notes what it is asked, as every service here does, and answers nothing
	}
	return sim.Behavior{r}
}
