package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

func newApplyCommand() *cobra.Command {
	var path, version string
	c := &cobra.Command{
		Use:   "apply -f PATH",
		Short: "Bring strategies, services, definitions and activities of a file or folder onto a node; may be repeated",
		Long: `Bring strategies, services, definitions and activities of a file or folder onto a node; may be repeated.

A YAML file with the top key "activity" is a definition. It gets --version, or the next number when its text changed.
weftbox.yaml holds the lists strategies, services and activities, each item as it would be posted.`,
		Example: "  weftbox apply -f examples/coupon",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			set, err := readApply(path)
			if err != nil {
				return err
			}
			a := applying{c: c, client: cl, out: newOutput(c), version: version}
			return a.run(set)
		},
	}
	c.Flags().StringVarP(&path, "filename", "f", "", "file or folder")
	c.Flags().StringVar(&version, "version", "", "version of the definitions; by default the next number when the text changed")
	if err := c.MarkFlagRequired("filename"); err != nil {
		panic(err) // the flag is defined one line above
	}
	return c
}

// applying is one run of apply.
type applying struct {
	c       *cobra.Command
	client  *client
	out     output
	version string

	done, failed, conflicts int
}

// run applies stage after stage. After a stage with a failure the next is left out: it would lean on what is missing.
func (a *applying) run(set *applySet) error {
	total, tried := 0, 0
	for _, stage := range set.stages() {
		total += len(stage)
	}
	if total == 0 {
		return fail(exitUsage, "weftbox help apply", "there is nothing to apply: no definition and no weftbox.yaml was found")
	}
	for _, stage := range set.stages() {
		if a.failed > 0 {
			break
		}
		for _, item := range stage {
			tried++
			if err := a.apply(item); err != nil {
				return err
			}
		}
	}
	if left := total - tried; left > 0 {
		fmt.Fprintf(a.c.ErrOrStderr(), "%d more were not applied because of the above\n", left)
	}
	switch {
	case a.failed == 0:
		return nil
	case a.done > 0:
		return fail(exitPartly, "", "%d of %d were applied", a.done, total)
	case a.conflicts == a.failed:
		return fail(exitConflict, "", "nothing was applied: other content is there")
	}
	return fail(exitFailed, "", "nothing was applied")
}

// applied is the line that is printed for an item.
type applied struct {
	Kind    string                 `json:"kind"`
	Name    string                 `json:"name"`
	Version string                 `json:"version,omitempty"`
	Outcome string                 `json:"outcome"` // created, unchanged, conflict, failed
	File    string                 `json:"file"`
	Errors  []bushttp.ProblemError `json:"errors,omitempty"`
}

func (a *applying) apply(item applyItem) error {
	path := item.path
	if item.kind == "definition" && a.version != "" {
		path += "?version=" + url.QueryEscape(a.version)
	}
	got, err := a.client.call(a.c.Context(), http.MethodPost, path, item.body)
	if err != nil {
		return err
	}
	line := applied{Kind: item.kind, Name: item.name, File: item.file}
	if p := got.problem; p != nil {
		a.failed++
		line.Outcome, line.Errors = "failed", p.Errors
		if p.Status == http.StatusConflict {
			a.conflicts++
			line.Outcome = "conflict"
		}
		if err := a.print(line); err != nil {
			return err
		}
		fmt.Fprintln(a.c.ErrOrStderr(), problemText(p, item.file))
		return nil
	}
	var stored struct {
		Name     string                 `json:"name"`
		Version  string                 `json:"version"`
		Warnings []bushttp.ProblemError `json:"warnings"`
	}
	if err := json.Unmarshal(got.body, &stored); err != nil {
		return errors.New("the node's answer is no JSON: " + err.Error())
	}
	a.done++
	line.Name, line.Outcome = stored.Name, "unchanged"
	if item.kind == "definition" {
		line.Version = stored.Version
	}
	if got.status == http.StatusCreated {
		line.Outcome = "created"
	}
	if err := a.print(line); err != nil {
		return err
	}
	for _, w := range stored.Warnings {
		fmt.Fprintln(a.c.ErrOrStderr(), problemLine(w, item.file))
	}
	return nil
}

func (a *applying) print(line applied) error {
	if a.out.json {
		return a.out.value(line)
	}
	name := line.Name
	if line.Version != "" {
		name += " version " + line.Version
	}
	return a.out.line("%-10s %s %s", line.Kind, name, line.Outcome)
}
