package scenario

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/metadata"
)

// management is one change of an activity, or of what is stored.
type management struct {
	key     string // one of managing
	name    string // a command, a version or a service
	config  map[string]any
	unset   []string
	refused bool // it must be refused
}

// managing are the changes that a step can make.
var managing = []string{"activity", "config", "unset", "enable", "disable", "delete", "delete_service", "service"}

func (l *loader) manage(n *yaml.Node) *management {
	f, ok := l.fields(n, "manage", append(slices.Clone(managing), "refused")...)
	if !ok {
		return &management{}
	}
	m := &management{}
	for _, key := range managing {
		v := f.found[key]
		if v == nil {
			continue
		}
		if m.key != "" {
			l.report(f.keys[key], codeKey, fmt.Sprintf("manage changes one thing, this is %s and %s", m.key, key), "make two steps of it")
			continue
		}
		switch m.key = key; key {
		case "activity":
			m.name = l.oneOf(v, "command of an activity", []string{"pause", "resume", "continue", "kill"})
		case "config":
			m.config = l.object(v, "config")
		case "unset":
			for _, item := range l.texts(v, "unset") {
				m.unset = append(m.unset, item.Value)
			}
		default:
			m.name = l.text(v, key)
		}
	}
	if m.key == "" && f.slips == 0 {
		l.report(f.node, codeMissing, "this changes nothing", "write one of "+strings.Join(managing, ", "))
	}
	if v := f.found["refused"]; v != nil {
		m.refused = l.boolean(v, "refused")
	}
	return m
}

// manage carries a change out and compares with what the step expects of it.
func (p *player) manage(s *step) error {
	number, name, err := p.managed(s)
	if err != nil {
		return err
	}
	p.w.Note(fmt.Sprintf("manage %s: %s %s%s", name, s.manage.key, s.manage.name, strings.Join(slices.Sorted(maps.Keys(s.manage.config)), " ")))
	err = p.change(s.manage, number)
	switch {
	case err != nil && !s.manage.refused:
		return err
	case err == nil && s.manage.refused:
		return fmt.Errorf("expected %s to be refused, it was done", s.manage.key)
	}
	return nil
}

// managed finds the activity of a step: what it says, what the scenario says, or the only one there is.
func (p *player) managed(s *step) (number uint32, name string, err error) {
	if name = s.activity; name == "" {
		name = p.activity
	}
	if name == "" && len(p.names) == 1 {
		name = p.names[0]
	}
	number, ok := p.numbers[name]
	if !ok {
		return 0, "", fmt.Errorf("say which activity is meant: there are %s", strings.Join(p.names, ", "))
	}
	return number, name, nil
}

func (p *player) change(m *management, number uint32) (err error) {
	ctx, cache := context.Background(), p.w.Metadata()
	definition := cache.Load().Activities[number].Definition
	var outcome metadata.Outcome
	var messages []string
	switch m.key {
	case "activity":
		_, outcome, err = cache.CommandActivity(ctx, number, m.name, metadata.AnyRevision)
	case "config", "unset":
		messages, outcome, err = p.edit(m, number)
	case "enable", "disable":
		on := m.key == "enable"
		_, outcome, _, err = cache.ModifyDefinition(ctx, definition, m.name, nil, &on, metadata.AnyRevision)
	case "delete": // a scenario forces: its threads are the point
		outcome, err = cache.DeleteDefinition(ctx, definition, m.name, metadata.AnyRevision, true, nil)
	case "delete_service":
		outcome, err = cache.DeleteService(ctx, m.name, metadata.AnyRevision, true)
	case "service":
		_, outcome, _, err = cache.PutService(ctx, metadata.Service{Name: m.name, URL: "http://127.0.0.1/" + m.name})
	}
	switch {
	case err != nil:
		return err
	case len(messages) > 0:
		return fmt.Errorf("%s", strings.Join(messages, "; "))
	case outcome == metadata.Missing:
		return fmt.Errorf("there is no %s to %s", m.name, m.key)
	}
	return nil
}

func (p *player) edit(m *management, number uint32) (messages []string, outcome metadata.Outcome, err error) {
	_, outcome, problems, err := p.w.Metadata().EditConfig(context.Background(), number, metadata.AnyRevision, func(config map[string]any) error {
		maps.Copy(config, m.config)
		for _, key := range m.unset {
			delete(config, key)
		}
		return nil
	})
	return refused("config", "", problems, nil), outcome, err
}
