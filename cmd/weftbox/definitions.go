package main

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"
)

// shownVersion is a version of a definition as a node shows it.
type shownVersion struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Enabled   bool   `json:"enabled"`
	Runnable  bool   `json:"runnable"`
	SHA256    string `json:"sha256"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
	Strategy  string `json:"strategy"`
	Text      string `json:"text"`
}

func newDefinitionsCommand() *cobra.Command {
	c := &cobra.Command{Use: "definitions", Aliases: []string{"definition", "def"}, Short: "Look at definitions and their versions, switch and delete versions", Args: cobra.NoArgs, RunE: help}
	c.AddCommand(newDefinitionsList(), newDefinitionsGet(), newDefinitionsVersions(), newDefinitionsSwitch("enable", "Let a version give birth to threads and run them"),
		newDefinitionsSwitch("disable", "No more births; its threads fail with def_not_enable at their next message"), newDefinitionsDelete())
	return c
}

func newDefinitionsList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List all definitions", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return listed(c, "/v1/definitions", c.CommandPath()+" --help", []string{"NAME", "LATEST", "VERSIONS"}, func(item json.RawMessage) ([]string, error) {
			var d struct {
				Name          string         `json:"name"`
				LatestVersion string         `json:"latest_version"`
				Versions      []shownVersion `json:"versions"`
			}
			err := json.Unmarshal(item, &d)
			return []string{cell(d.Name, 40), d.LatestVersion, strconv.Itoa(len(d.Versions))}, err
		})
	}}
}

func newDefinitionsVersions() *cobra.Command {
	return &cobra.Command{Use: "versions NAME", Short: "List the versions of a definition, oldest first", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return listed(c, "/v1/definitions"+segment(args[0])+"/versions", "weftbox definitions list", []string{"VERSION", "ENABLED", "RUNNABLE", "CREATED", "UPDATED", "SHA256"},
			func(item json.RawMessage) ([]string, error) {
				var v shownVersion
				err := json.Unmarshal(item, &v)
				return []string{v.Version, strconv.FormatBool(v.Enabled), strconv.FormatBool(v.Runnable), v.CreatedAt, v.UpdatedAt, cell(v.SHA256, 12)}, err
			})
	}}
}

func newDefinitionsGet() *cobra.Command {
	var text bool
	c := &cobra.Command{Use: "get NAME [VERSION]", Short: "Show a definition, or one version with its text", Args: cobra.RangeArgs(1, 2), RunE: func(c *cobra.Command, args []string) error {
		if len(args) == 1 {
			return managed(c, http.MethodGet, "/v1/definitions"+segment(args[0]), nil, "weftbox definitions list", definitionRows)
		}
		path := "/v1/definitions" + segment(args[0]) + "/versions" + segment(args[1])
		if !text {
			return managed(c, http.MethodGet, path, nil, "weftbox definitions versions "+args[0], versionRows)
		}
		cl, err := newClient(c)
		if err != nil {
			return err
		}
		body, err := cl.get(c.Context(), path, "weftbox definitions versions "+args[0])
		if err != nil {
			return err
		}
		var v shownVersion
		if err := json.Unmarshal(body, &v); err != nil {
			return err
		}
		_, err = c.OutOrStdout().Write([]byte(v.Text))
		return err
	}}
	c.Flags().BoolVar(&text, "text", false, "print the YAML and nothing else")
	return c
}

func definitionRows(body []byte) ([][]string, error) {
	var d struct {
		Name          string         `json:"name"`
		LatestVersion string         `json:"latest_version"`
		Versions      []shownVersion `json:"versions"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	rows := [][]string{{"name", d.Name}, {"latest version", d.LatestVersion}}
	for _, v := range d.Versions {
		state := "enabled"
		if !v.Enabled {
			state = "disabled"
		}
		if !v.Runnable {
			state += ", has errors now"
		}
		rows = append(rows, []string{"version " + v.Version, state})
	}
	return rows, nil
}

func versionRows(body []byte) ([][]string, error) {
	var v shownVersion
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, err
	}
	rows := [][]string{{"name", v.Name}, {"version", v.Version}, {"enabled", strconv.FormatBool(v.Enabled)}, {"runnable", strconv.FormatBool(v.Runnable)}}
	if v.Strategy != "" {
		rows = append(rows, []string{"strategy", v.Strategy})
	}
	return append(rows, []string{"sha256", v.SHA256}, []string{"created", v.CreatedAt}, []string{"updated", v.UpdatedAt}), nil
}

func newDefinitionsSwitch(verb, short string) *cobra.Command {
	return &cobra.Command{Use: verb + " NAME VERSION", Short: short, Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodPost, "/v1/definitions"+segment(args[0])+"/versions"+segment(args[1])+"/"+verb, nil, "weftbox definitions versions "+args[0], versionRows)
	}}
}

func newDefinitionsDelete() *cobra.Command {
	var force bool
	c := &cobra.Command{Use: "delete NAME VERSION", Short: "Delete a version that nothing lives by", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		path := "/v1/definitions" + segment(args[0]) + "/versions" + segment(args[1]) + forced(force)
		return managed(c, http.MethodDelete, path, nil, "weftbox definitions delete --force "+args[0]+" "+args[1], removedRows)
	}}
	addForce(c, &force)
	return c
}
