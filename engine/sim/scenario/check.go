package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/sim"
)

// maxDeadLetters bounds what is read of them.
const maxDeadLetters = 100_000

// expect returns what is not as expected of a thread.
func (p *player) expect(id activity.ID, e *expectation) ([]string, error) {
	m := p.marks[id]
	if m == nil {
		m = &mark{}
		p.marks[id] = m
	}
	out, err := p.expectThread(id, e)
	if err != nil {
		return nil, err
	}
	out, err = p.expectNumbers(out, id, e)
	if err != nil {
		return nil, err
	}
	out = p.expectSent(out, id, e, m)
	out = p.expectVerdicts(out, id, e, m)
	out = p.expectPrinted(out, id, e, m)
	return p.expectDead(out, id, e, m)
}

func same[T comparable](out []string, at string, want, is T) []string {
	if want != is {
		out = append(out, fmt.Sprintf("%s: expected %v, is %v", at, want, is))
	}
	return out
}

func (p *player) expectThread(id activity.ID, e *expectation) (out []string, err error) {
	var t activity.Thread
	if id.Domain != "" {
		if t, err = p.w.Engine().Thread(id, 0); err != nil {
			return nil, err
		}
	}
	if t.Status == activity.Absent && (e.action != "" || e.state != "" && e.state != "absent") {
		return []string{fmt.Sprintf("expected a thread %s, there is none", p.nameOf(id))}, nil
	}
	if e.action != "" {
		out = same(out, "at", e.action, t.Action)
	}
	if e.state != "" {
		out = same(out, "state", e.state, t.Status.String())
	}
	if e.version != "" {
		out = same(out, "version", e.version, t.Version)
	}
	if e.reason != nil {
		out = e.reason.compare(out, "reason", t.Reason, t.Reason != "")
	}
	if e.err != nil {
		out = e.err.compare(out, "error", t.Error, t.Error != "")
	}
	if e.problem != nil {
		out = e.problem.compare(out, "problem", t.Problem, t.Problem != "")
	}
	if e.vars != nil {
		vars := map[string]any{}
		for _, v := range t.Vars {
			vars[v.Name] = v.Value
		}
		out = e.vars.compare(out, "vars", vars, true)
	}
	if e.run != nil {
		out = same(out, "run", *e.run, p.w.Run(id))
	}
	if e.parked != nil {
		out = same(out, "parked", *e.parked, int(t.Parked))
	}
	if e.kept != nil {
		out = same(out, "kept", *e.kept, int(t.Kept))
	}
	return out, nil
}

func (p *player) expectNumbers(out []string, id activity.ID, e *expectation) ([]string, error) {
	if e.timers != nil {
		n, err := p.w.Timers(id)
		if err != nil {
			return nil, err
		}
		out = same(out, "timers", *e.timers, n)
	}
	if e.threads != nil {
		n, err := p.w.Live(id.Activity)
		if err != nil {
			return nil, err
		}
		out = same(out, "threads", *e.threads, n)
	}
	if e.ended != nil {
		n, err := p.w.Ended(id.Activity)
		if err != nil {
			return nil, err
		}
		out = same(out, "ended", *e.ended, int(n))
	}
	return out, nil
}

func (p *player) expectSent(out []string, id activity.ID, e *expectation, m *mark) []string {
	var asked []*sim.Call
	for _, c := range p.w.Calls() {
		if c.Activity == id.Activity && c.Domain == id.Domain {
			asked = append(asked, c)
		}
	}
	known := p.w.Metadata().Load().Services
	for _, name := range e.never {
		if _, ok := known[name]; !ok {
			out = append(out, fmt.Sprintf("never: there is no service %q; %s", name, suggest(name, sortedKeys(known))))
		}
		n := 0
		for _, c := range asked {
			if c.Service == name {
				n++
			}
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("never sent %s: it was asked %d times", name, n))
		}
	}
	fresh := asked[m.calls:]
	m.calls = len(asked)
	if !e.sentSet {
		return out
	}
	if len(fresh) != len(e.sent) {
		var list []string
		for _, c := range fresh {
			list = append(list, c.Service+" "+show(c.Args))
		}
		return append(out, fmt.Sprintf("sent: expected %d requests since the last expect, there are %d: [%s]", len(e.sent), len(fresh), strings.Join(list, ", ")))
	}
	for i := range e.sent {
		out = e.sent[i].compare(out, fmt.Sprintf("sent[%d]", i), fresh[i])
	}
	return out
}

func (s *sentPattern) compare(out []string, at string, c *sim.Call) []string {
	out = same(out, at+".service", s.service, c.Service)
	if s.action != "" {
		out = same(out, at+".action", s.action, c.Action)
	}
	for i := range s.request {
		value, found := lookUp(map[string]any{"request": c.Args}, s.request[i].key)
		out = s.request[i].compare(out, at+"."+s.request[i].key, value, found)
	}
	return out
}

func (p *player) expectVerdicts(out []string, id activity.ID, e *expectation, m *mark) []string {
	counts, n := map[activity.VerdictKind]int{}, 0
	for _, v := range p.w.Verdicts() {
		if v.Activity != 0 && (v.Activity != id.Activity || v.DomainID != id.Domain) {
			continue
		}
		if n++; n > m.verdicts {
			counts[v.Kind]++
		}
	}
	m.verdicts = n
	for _, kind := range verdictKinds {
		if want, ok := e.verdicts[activity.VerdictKind(kind)]; ok {
			out = same(out, "verdicts."+kind, want, counts[activity.VerdictKind(kind)])
		}
	}
	return out
}

// expectPrinted compares what the thread printed, without the name of the thread before it ("ACTION - {variables}" of debug).
func (p *player) expectPrinted(out []string, id activity.ID, e *expectation, m *mark) []string {
	prefix := fmt.Sprintf("ActivityThread[%d, %s]: ", id.Activity, id.Domain)
	lines := []any{}
	for _, line := range p.printed {
		if text, mine := strings.CutPrefix(line, prefix); mine {
			lines = append(lines, text)
		} else if definition, text, mine := strings.Cut(line, fmt.Sprintf(" - %d - %s - ", id.Activity, id.Domain)); mine && !strings.Contains(definition, " ") {
			lines = append(lines, text)
		}
	}
	fresh := lines[m.printed:]
	m.printed = len(lines)
	if e.printed != nil {
		out = e.printed.compare(out, "printed", fresh, true)
	}
	return out
}

func (p *player) expectDead(out []string, id activity.ID, e *expectation, m *mark) ([]string, error) {
	all, err := p.w.Engine().DeadLetters(maxDeadLetters)
	if err != nil {
		return nil, err
	}
	slices.Reverse(all) // newest first
	letters := []any{}
	for _, d := range all {
		if d.Activity == 0 || d.Activity == id.Activity && d.Domain == id.Domain {
			letters = append(letters, map[string]any{"reason": d.Reason, "error": d.Error})
		}
	}
	fresh := letters[m.dead:]
	m.dead = len(letters)
	if e.deadLetters == nil {
		return out, nil
	}
	if e.deadLetters.count != len(fresh) {
		return append(out, fmt.Sprintf("dead_letters: expected %d since the last expect, there are %d: %s", e.deadLetters.count, len(fresh), show(fresh))), nil
	}
	for i := range e.deadLetters.letters {
		out = e.deadLetters.letters[i].compare(out, fmt.Sprintf("dead_letters[%d]", i), fresh[i], true)
	}
	return out, nil
}
