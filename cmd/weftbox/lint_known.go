package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// surroundings are the strategies and services that a definition may name.
type surroundings struct {
	services   map[string]bool
	strategies map[string]*definitions.Expr // the condition of each; nil where it is not known
}

func newSurroundings() surroundings {
	return surroundings{services: map[string]bool{}, strategies: map[string]*definitions.Expr{}}
}

// with returns both; what the other knows of a strategy wins.
func (s surroundings) with(other surroundings) surroundings {
	out := surroundings{services: maps.Clone(s.services), strategies: maps.Clone(s.strategies)}
	maps.Copy(out.services, other.services)
	maps.Copy(out.strategies, other.strategies)
	return out
}

func (s surroundings) env() definitions.Env {
	env := definitions.Env{Services: s.services, Strategies: map[string]bool{}, When: map[string]*definitions.Expr{}}
	env.Specs, env.Service = activity.Specs()
	for name, when := range s.strategies {
		env.Strategies[name] = true
		if when != nil {
			env.When[name] = when
		}
	}
	return env
}

// strategy adds a strategy with its condition and returns what is wrong with it.
func (s surroundings) strategy(name, when, domainID string) []definitions.Problem {
	compiled, problems := activity.CompileStrategy(name, when, domainID)
	s.strategies[name] = nil
	if compiled != nil {
		s.strategies[name] = compiled.When
	}
	return problems
}

// given returns what the flags name, and what the server has where one is named on the command line.
func (l *linter) given(c *cobra.Command) (surroundings, error) {
	s := newSurroundings()
	if c.Flags().Changed("server") {
		if err := s.ask(c); err != nil {
			return s, err
		}
	}
	for _, name := range l.services {
		s.services[name] = true
	}
	for _, name := range l.strategies {
		if _, known := s.strategies[name]; !known {
			s.strategies[name] = nil
		}
	}
	return s, nil
}

func (s surroundings) ask(c *cobra.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var list struct {
		Items []struct {
			Name     string `json:"name"`
			When     string `json:"when"`
			DomainID string `json:"domain_id"`
		} `json:"items"`
	}
	for _, path := range []string{"/v1/services", "/v1/strategies"} {
		body, err := cl.get(c.Context(), path, "")
		if err != nil {
			return err
		}
		list.Items = nil
		if err := json.Unmarshal(body, &list); err != nil {
			return fail(exitFailed, "", "%s%s answered what is no list: %v", cl.server, path, err)
		}
		for _, item := range list.Items {
			if path == "/v1/services" {
				s.services[item.Name] = true
			} else {
				s.strategy(item.Name, item.When, item.DomainID)
			}
		}
	}
	return nil
}

// beside reads the weftbox.yaml of a folder, if there is one. Its own problems go into the report.
func (l *linter) beside(dir string, r *findings) (surroundings, error) {
	s := newSurroundings()
	for _, name := range []string{"weftbox.yaml", "weftbox.yml"} {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return s, fail(exitUsage, "", "%v", err)
		}
		var with struct {
			Strategies []struct {
				Name     yaml.Node `yaml:"name"`
				When     yaml.Node `yaml:"when"`
				DomainID yaml.Node `yaml:"domain_id"`
			} `yaml:"strategies"`
			Services []struct {
				Name string `yaml:"name"`
			} `yaml:"services"`
		}
		if err := yaml.Unmarshal(text, &with); err != nil {
			return s, fail(exitUsage, "", "%s: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
		}
		for _, item := range with.Services {
			s.services[item.Name] = true
		}
		for _, item := range with.Strategies {
			nodes := map[string]yaml.Node{"/when": item.When, "/domain_id": item.DomainID}
			problems := s.strategy(item.Name.Value, item.When.Value, item.DomainID.Value)
			for i := range problems {
				standing(&problems[i], nodes[problems[i].Path], item.Name)
			}
			r.add(file, text, problems, l.lang)
		}
	}
	return s, nil
}

// standing gives a problem of a strategy's expression its place in the file: exact where the expression is written on one line without
// escapes, otherwise where it begins.
func standing(p *definitions.Problem, n, name yaml.Node) {
	if n.Line == 0 {
		n = name
	}
	column := n.Column
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		column++
	}
	if p.Line > 1 || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(n.Value, `'"\`) && n.Style != 0 {
		p.Line, p.Column, p.EndColumn = n.Line, n.Column, n.Column+1
		return
	}
	p.Line, p.Column, p.EndColumn = n.Line, column+p.Column-1, column+p.EndColumn-1
}
