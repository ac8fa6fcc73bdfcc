package scenario

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/activity"
)

// expectation is what a thread must be like, and what must have happened since the last expectation about it.
type expectation struct {
	action, state, version string
	reason, err, problem   *pattern
	vars                   *pattern
	run, timers            *int
	parked, kept           *int
	ended, threads         *int

	sent        []sentPattern
	sentSet     bool
	never       []string // services that must never have been asked
	verdicts    map[activity.VerdictKind]int
	printed     *pattern
	deadLetters *deadPattern
}

type sentPattern struct {
	service, action string
	request         []patternPair // key "request" or a path "request.…"
	node            *yaml.Node
}

type deadPattern struct {
	count   int
	letters []pattern // of {reason, error}; nil: only the count matters
}

var states = []string{"absent", "running", "waiting", "paused", "stalled", "finished", "failed", "killed"}

var verdictKinds = []string{
	string(activity.VerdictSpawned), string(activity.VerdictTaken), string(activity.VerdictDropped), string(activity.VerdictNoTrigger),
	string(activity.VerdictError), string(activity.VerdictDead), string(activity.VerdictParked), string(activity.VerdictKept), string(activity.VerdictLate), string(activity.VerdictDuplicate),
}

var expectKeys = []string{"at", "action", "state", "status", "version", "reason", "error", "problem", "vars", "run", "timers", "parked", "kept", "ended", "threads", "sent", "never", "verdicts",
	"printed", "dead_letters"}

func (l *loader) expectation(n *yaml.Node) *expectation {
	e := &expectation{}
	f, ok := l.fields(n, "expect", expectKeys...)
	if !ok {
		return e
	}
	if len(f.found) == 0 && f.slips == 0 {
		l.report(f.node, codeMissing, "this expects nothing, so it could never fail", "name what must be: at, state, vars, sent, …")
	}
	l.expectThread(f, e)
	for _, part := range []struct {
		key string
		to  **int
	}{{"run", &e.run}, {"timers", &e.timers}, {"parked", &e.parked}, {"kept", &e.kept}, {"ended", &e.ended}, {"threads", &e.threads}} {
		if v := f.found[part.key]; v != nil {
			n := l.count(v, part.key, 0)
			*part.to = &n
		}
	}
	if v := f.found["sent"]; v != nil {
		e.sentSet = true
		for _, item := range l.list(v, "sent") {
			e.sent = append(e.sent, l.sent(item))
		}
	}
	if v := f.found["never"]; v != nil {
		if never, ok := l.fields(v, "never", "sent"); ok {
			if s := l.need(never, "sent"); s != nil {
				for _, name := range l.texts(s, "never sent") {
					e.never = append(e.never, name.Value)
				}
			}
		}
	}
	l.expectHistory(f, e)
	return e
}

// expectThread reads what the thread must be like now.
func (l *loader) expectThread(f fields, e *expectation) {
	for _, twin := range [][2]string{{"at", "action"}, {"state", "status"}} {
		if f.found[twin[0]] != nil && f.found[twin[1]] != nil {
			l.report(f.keys[twin[1]], codeKey, fmt.Sprintf("%s and %s are the same thing", twin[0], twin[1]), "keep one of them")
		}
	}
	for _, key := range []string{"at", "action"} {
		if v := f.found[key]; v != nil {
			e.action = l.text(v, key)
		}
	}
	for _, key := range []string{"state", "status"} {
		if v := f.found[key]; v != nil {
			e.state = l.oneOf(v, "state", states)
		}
	}
	if v := f.found["version"]; v != nil {
		e.version = l.text(v, "version")
	}
	for _, part := range []struct {
		key string
		to  **pattern
	}{{"reason", &e.reason}, {"error", &e.err}, {"problem", &e.problem}, {"vars", &e.vars}} {
		if v := f.found[part.key]; v != nil {
			p := l.pattern(v)
			*part.to = &p
		}
	}
	if e.vars != nil && e.vars.kind != patternMap {
		l.report(deref(f.found["vars"]), codeValue, "vars must be a map, this is "+what(f.found["vars"]), "write {name: value}")
	}
}

// expectHistory reads what must have happened.
func (l *loader) expectHistory(f fields, e *expectation) {
	if v := f.found["verdicts"]; v != nil {
		if counts, ok := l.fields(v, "verdicts", verdictKinds...); ok {
			e.verdicts = map[activity.VerdictKind]int{}
			for kind, n := range counts.found {
				e.verdicts[activity.VerdictKind(kind)] = l.count(n, kind, 0)
			}
		}
	}
	if v := f.found["printed"]; v != nil {
		if l.list(v, "printed"); deref(v).Kind == yaml.SequenceNode {
			p := l.pattern(v)
			e.printed = &p
		}
	}
	if v := f.found["dead_letters"]; v != nil {
		e.deadLetters = l.dead(v)
	}
}

func (l *loader) dead(n *yaml.Node) *deadPattern {
	if n = deref(n); n.Kind == yaml.ScalarNode {
		return &deadPattern{count: l.count(n, "dead_letters", 0)}
	}
	d := &deadPattern{letters: []pattern{}}
	for _, item := range l.list(n, "dead_letters") {
		if _, ok := l.fields(item, "a dead letter", "reason", "error"); ok {
			d.letters = append(d.letters, l.pattern(item))
		}
	}
	d.count = len(d.letters)
	return d
}

func (l *loader) sent(n *yaml.Node) (s sentPattern) {
	n = deref(n)
	s.node = n
	if n.Kind != yaml.MappingNode {
		l.report(n, codeValue, "an element of sent must be a map, this is "+what(n), "write {service: NAME, request: {…}}")
		return s
	}
	known := []string{"service", "action", "request"}
	slips := 0
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Value == "service":
			s.service = l.text(value, "service")
		case key.Value == "action":
			s.action = l.text(value, "action")
		case key.Value == "request" || strings.HasPrefix(key.Value, "request."):
			s.request = append(s.request, patternPair{key.Value, l.pattern(value)})
		case !slices.Contains(known, key.Value):
			slips++
			l.report(key, codeKey, fmt.Sprintf("an element of sent has no key %q", cut(key.Value, 60)), suggest(key.Value, known))
		}
	}
	if s.service == "" && slips == 0 {
		l.report(n, codeMissing, "an element of sent needs the key service", "")
	}
	return s
}
