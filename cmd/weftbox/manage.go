package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

// managed runs a command that sends one request and shows what the node answers: rows for people, the answer itself for programs.
func managed(c *cobra.Command, method, path string, body []byte, next string, rows func(body []byte) ([][]string, error)) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	got, err := cl.must(next)(cl.call(c.Context(), method, path, body))
	if err != nil {
		return err
	}
	out := newOutput(c)
	if out.json {
		return out.raw(got)
	}
	table, err := rows(got)
	if err != nil {
		return err
	}
	return out.table(table)
}

// listed shows the items of a list: a table, or one JSON value a line.
func listed(c *cobra.Command, path, next string, head []string, row func(item json.RawMessage) ([]string, error)) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	body, err := cl.get(c.Context(), path, next)
	if err != nil {
		return err
	}
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return err
	}
	out, rows := newOutput(c), [][]string{head}
	for _, item := range page.Items {
		if out.json {
			if err := out.raw(item); err != nil {
				return err
			}
			continue
		}
		cells, err := row(item)
		if err != nil {
			return err
		}
		rows = append(rows, cells)
	}
	if out.json {
		return out.bad
	}
	return out.table(rows)
}

// object posts nothing but the fields given.
func object(fields map[string]any) ([]byte, error) { return json.Marshal(fields) }

func segment(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// newStored builds the verbs list, get, put and delete of what has a name and a few fields of text: strategies and services.
func newStored(use, short string, aliases []string, path string, fields []string, example string) *cobra.Command {
	parent := &cobra.Command{Use: use, Aliases: aliases, Short: short, Args: cobra.NoArgs, RunE: help}
	noun := parent.Name()
	rows := func(body []byte) ([][]string, error) {
		var got map[string]any
		if err := json.Unmarshal(body, &got); err != nil {
			return nil, err
		}
		out := [][]string{{"name", textOf(got["name"])}}
		for _, f := range fields {
			out = append(out, []string{strings.ReplaceAll(f, "_", " "), textOf(got[f])})
		}
		return append(out, []string{"created", textOf(got["created_at"])}, []string{"updated", textOf(got["updated_at"])}), nil
	}
	head := []string{"NAME"}
	for _, f := range fields {
		head = append(head, strings.ToUpper(strings.ReplaceAll(f, "_", " ")))
	}
	parent.AddCommand(&cobra.Command{Use: "list", Short: "List all " + noun, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return listed(c, path, c.CommandPath()+" --help", head, func(item json.RawMessage) ([]string, error) {
			var got map[string]any
			if err := json.Unmarshal(item, &got); err != nil {
				return nil, err
			}
			row := []string{cell(textOf(got["name"]), 40)}
			for _, f := range fields {
				row = append(row, cell(textOf(got[f]), 60))
			}
			return row, nil
		})
	}}, &cobra.Command{Use: "get NAME", Short: "Show one of the " + noun + ", by name", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodGet, path+segment(args[0]), nil, "weftbox "+noun+" list", rows)
	}}, newStoredPut(path, noun, fields, example, rows), newStoredDelete(path, noun))
	return parent
}

func newStoredPut(path, noun string, fields []string, example string, rows func([]byte) ([][]string, error)) *cobra.Command {
	values := make([]string, len(fields))
	c := &cobra.Command{Use: "put NAME", Short: "Store one of the " + noun + ", or replace the one of that name", Example: "  " + example, Args: cobra.ExactArgs(1)}
	for i, f := range fields {
		flag := strings.ReplaceAll(f, "_", "-")
		c.Flags().StringVar(&values[i], flag, "", "its "+strings.ReplaceAll(f, "_", " "))
		if err := c.MarkFlagRequired(flag); err != nil {
			panic(err) // the flag is defined one line above
		}
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		posted := map[string]any{}
		for i, f := range fields {
			posted[f] = values[i]
		}
		body, err := object(posted)
		if err != nil {
			return err
		}
		return managed(c, http.MethodPut, path+segment(args[0]), body, "weftbox "+noun+" put --help", rows)
	}
	return c
}

func newStoredDelete(path, noun string) *cobra.Command {
	var force bool
	c := &cobra.Command{Use: "delete NAME", Short: "Delete one of the " + noun + " that nothing uses", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodDelete, path+segment(args[0])+forced(force), nil, "weftbox "+noun+" delete --force "+args[0], removedRows)
	}}
	addForce(c, &force)
	return c
}

func addForce(c *cobra.Command, force *bool) {
	c.Flags().BoolVar(force, "force", false, "delete it although it is in use: what lives by it stands still until it is back")
}

func forced(force bool) string {
	if force {
		return "?force=true"
	}
	return ""
}

func removedRows(body []byte) ([][]string, error) {
	var got struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Deleted bool   `json:"deleted"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return nil, err
	}
	if !got.Deleted {
		return nil, errors.New("the node's answer does not say that it was deleted")
	}
	name := got.Name
	if got.Version != "" {
		name += " version " + got.Version
	}
	return [][]string{{name, "deleted"}}, nil
}

// textOf shows a value of JSON in a cell.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, _ := json.Marshal(v) // it came out of JSON
	return string(text)
}

func newStrategiesCommand() *cobra.Command {
	return newStored("strategies", "Look at strategies, store and delete them: which events concern a thread, and its domain id", []string{"strategy", "ds"}, "/v1/strategies", []string{"when", "domain_id"},
		`weftbox strategies put by_user --when 'containsAttr("user_id")' --domain-id 'eventAttr("user_id")'`)
}

func newServicesCommand() *cobra.Command {
	return newStored("services", "Look at services, store and delete them: action types with a URL", []string{"service", "svc"}, "/v1/services", []string{"url"},
		`weftbox services put coupon --url http://127.0.0.1:9001/`)
}
