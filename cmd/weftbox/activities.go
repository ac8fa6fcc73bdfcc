package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// shownActivity is an activity as a node shows it.
type shownActivity struct {
	Number        uint32          `json:"number"`
	Name          string          `json:"name"`
	DisplayName   string          `json:"display_name"`
	Definition    string          `json:"definition"`
	LatestVersion string          `json:"latest_version"`
	State         string          `json:"state"`
	Config        json.RawMessage `json:"config"`
	CreatedAt     string          `json:"created_at"`
	UpdatedAt     string          `json:"updated_at"`
	Counters      []struct {
		Version string `json:"version"`
		Action  string `json:"action"`
		Status  string `json:"status"`
		Count   int64  `json:"count"`
	} `json:"counters"`
}

func (a *shownActivity) rows() [][]string {
	rows := [][]string{{"number", strconv.FormatUint(uint64(a.Number), 10)}, {"name", a.Name}, {"definition", a.Definition}, {"latest version", a.LatestVersion}, {"state", a.State},
		{"config", string(a.Config)}, {"created", a.CreatedAt}, {"updated", a.UpdatedAt}}
	if a.DisplayName != "" {
		rows = append(rows, []string{"display name", a.DisplayName})
	}
	for _, n := range a.Counters {
		rows = append(rows, []string{strconv.FormatInt(n.Count, 10), n.Status + " at " + n.Action + ", version " + n.Version})
	}
	return rows
}

func activityRows(body []byte) ([][]string, error) {
	var a shownActivity
	err := json.Unmarshal(body, &a)
	return a.rows(), err
}

func newActivitiesCommand() *cobra.Command {
	c := &cobra.Command{Use: "activities", Aliases: []string{"activity", "act"}, Short: "Start, look at, pause, resume, kill and configure activities", Args: cobra.NoArgs, RunE: help}
	c.AddCommand(newActivitiesList(), newActivitiesGet(), newActivitiesCreate(),
		newActivityCommand("pause", "Let all threads of an activity stand still: their mail and alarms wait"),
		newActivityCommand("resume", "Let a paused activity go on", "continue"),
		newActivityCommand("kill", "End an activity for ever, and its threads in the background"), newActivitiesConfig(), newActivitiesStats())
	return c
}

func activityPath(activity string) string { return "/v1/activities" + segment(activity) }

func newActivitiesList() *cobra.Command {
	var state, definition string
	c := &cobra.Command{Use: "list", Short: "List activities", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		query := url.Values{}
		if state != "" {
			query.Set("state", state)
		}
		if definition != "" {
			query.Set("definition", definition)
		}
		path := "/v1/activities"
		if len(query) > 0 {
			path += "?" + query.Encode()
		}
		return listed(c, path, c.CommandPath()+" --help", []string{"NUMBER", "NAME", "STATE", "DEFINITION", "LATEST", "CONFIG"}, func(item json.RawMessage) ([]string, error) {
			var a shownActivity
			err := json.Unmarshal(item, &a)
			return []string{strconv.FormatUint(uint64(a.Number), 10), cell(a.Name, 40), a.State, cell(a.Definition, 40), a.LatestVersion, cell(string(a.Config), 60)}, err
		})
	}}
	c.Flags().StringVar(&state, "state", "", "running, paused or killed ones only")
	c.Flags().StringVar(&definition, "definition", "", "those of one definition only")
	return c
}

func newActivitiesGet() *cobra.Command {
	return &cobra.Command{Use: "get ACTIVITY", Short: "Show an activity, by number or name, and where its threads stand", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodGet, activityPath(args[0]), nil, "weftbox activities list", activityRows)
	}}
}

func newActivitiesCreate() *cobra.Command {
	var name, display, config string
	c := &cobra.Command{Use: "create DEFINITION", Short: "Start an activity of a definition", Example: `  weftbox activities create coupon --name spring --config '{"max_visit_count":3}'`, Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			posted := map[string]any{"definition": args[0]}
			if name != "" {
				posted["name"] = name
			}
			if display != "" {
				posted["display_name"] = display
			}
			if config != "" {
				text, err := configArgument(c, config)
				if err != nil {
					return err
				}
				posted["config"] = text
			}
			body, err := object(posted)
			if err != nil {
				return err
			}
			return managed(c, http.MethodPost, "/v1/activities", body, "weftbox definitions list", activityRows)
		}}
	c.Flags().StringVar(&name, "name", "", "its name; by default the definition's")
	c.Flags().StringVar(&display, "display-name", "", "a name for people")
	c.Flags().StringVar(&config, "config", "", "config items of its own: JSON, or a file with it")
	return c
}

// configArgument reads JSON, or the file that holds it.
func configArgument(c *cobra.Command, text string) (json.RawMessage, error) {
	data := []byte(text)
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		var err error
		if data, err = input(c, text); err != nil {
			return nil, err
		}
	}
	if !json.Valid(data) {
		return nil, fail(exitUsage, c.CommandPath()+` --config '{"item":1}'`, "--config is not JSON")
	}
	return data, nil
}

func newActivityCommand(verb, short string, aliases ...string) *cobra.Command {
	return &cobra.Command{Use: verb + " ACTIVITY", Aliases: aliases, Short: short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodPost, activityPath(args[0])+"/"+verb, nil, "weftbox activities get "+args[0], activityRows)
	}}
}

func newActivitiesConfig() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Get, set or unset config items of an activity", Args: cobra.NoArgs, RunE: help}
	c.AddCommand(&cobra.Command{Use: "get ACTIVITY", Short: "Show its own items, and the config that follows", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodGet, activityPath(args[0])+"/config", nil, "weftbox activities list", configRows)
	}}, newConfigSet(), &cobra.Command{Use: "unset ACTIVITY ITEM", Short: "Remove an item of its own: the definition's holds again", Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodDelete, activityPath(args[0])+"/config"+segment(args[1]), nil, "weftbox activities config get "+args[0], configRows)
	}})
	return c
}

func newConfigSet() *cobra.Command {
	var kind string
	c := &cobra.Command{Use: "set ACTIVITY ITEM VALUE", Short: "Give an item a value of the activity's own", Example: "  weftbox activities config set autumn '$keep_sleep' true\n  weftbox activities config set autumn max_visit_count 5 --type int",
		Args: cobra.ExactArgs(3), RunE: func(c *cobra.Command, args []string) error {
			posted := map[string]any{"value": args[2]}
			switch {
			case kind != "":
				posted["type"] = kind
			case json.Valid([]byte(args[2])):
				posted["value"] = json.RawMessage(args[2])
			}
			body, err := object(posted)
			if err != nil {
				return err
			}
			return managed(c, http.MethodPut, activityPath(args[0])+"/config"+segment(args[1]), body, "weftbox activities config get "+args[0], configRows)
		}}
	c.Flags().StringVar(&kind, "type", "", "int, long, double, float, decimal, bool, str, list, map or json; by default JSON where the value is JSON, else text")
	return c
}

func configRows(body []byte) ([][]string, error) {
	var got struct {
		Overrides map[string]json.RawMessage `json:"overrides"`
		Effective map[string]json.RawMessage `json:"effective"`
		Version   string                     `json:"version"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return nil, err
	}
	rows := [][]string{{"ITEM", "VALUE", "FROM"}}
	for _, item := range slices.Sorted(maps.Keys(got.Effective)) {
		from := "definition version " + got.Version
		if _, own := got.Overrides[item]; own {
			from = "activity"
		}
		rows = append(rows, []string{cell(item, 40), cell(string(got.Effective[item]), 60), from})
	}
	return rows, nil
}
