package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func newThreadsCommand() *cobra.Command {
	c := &cobra.Command{Use: "threads", Aliases: []string{"thread", "th"}, Short: "Look at threads, pause, resume, repair and kill them", Args: cobra.NoArgs, RunE: help}
	c.AddCommand(newThreadsGet(), newThreadsList(), newThreadCommand("pause", "Pause a thread: its mail and alarms wait"),
		newThreadCommand("resume", "Let a paused or stalled thread go on", "continue"), newThreadCommand("kill", "End a thread"), newThreadsRepair(), newThreadsExplain())
	return c
}

func help(c *cobra.Command, _ []string) error { return c.Help() }

// newThreadCommand sends a command to one thread; the node has carried it out when it answers.
func newThreadCommand(verb, short string, aliases ...string) *cobra.Command {
	return &cobra.Command{Use: verb + " ACTIVITY DOMAIN", Aliases: aliases, Short: short, Args: cobra.ExactArgs(2), RunE: func(c *cobra.Command, args []string) error {
		return managed(c, http.MethodPost, threadPath(args[0], args[1])+"/"+verb, nil, "weftbox threads get "+args[0]+" "+args[1], func(body []byte) ([][]string, error) {
			var got struct {
				Status string `json:"status"`
				Action string `json:"action"`
			}
			err := json.Unmarshal(body, &got)
			return [][]string{{"status", got.Status}, {"action", got.Action}}, err
		})
	}}
}

func newThreadsGet() *cobra.Command {
	var run uint64
	c := &cobra.Command{
		Use:   "get ACTIVITY DOMAIN",
		Short: "Show the live thread of a domain id, else its last ended run",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			path := threadPath(args[0], args[1])
			if run > 0 {
				path += "?run=" + strconv.FormatUint(run, 10)
			}
			body, err := cl.get(c.Context(), path, "weftbox threads list "+args[0])
			if err != nil {
				return err
			}
			out := newOutput(c)
			if out.json {
				return out.raw(body)
			}
			var t shownThread
			if err := json.Unmarshal(body, &t); err != nil {
				return err
			}
			return out.table(t.rows())
		},
	}
	c.Flags().Uint64Var(&run, "run", 0, "another run than the last")
	return c
}

// shownThread is a thread as a node shows it.
type shownThread struct {
	ActivityName string          `json:"activity_name"`
	DomainID     string          `json:"domain_id"`
	Definition   string          `json:"definition"`
	Version      string          `json:"version"`
	Status       string          `json:"status"`
	Action       string          `json:"action"`
	Reason       string          `json:"reason"`
	Error        string          `json:"error"`
	Problem      string          `json:"problem"`
	Vars         json.RawMessage `json:"vars"`
	Parked       int             `json:"parked"`
	Kept         int             `json:"kept"`
	Run          json.RawMessage `json:"run"`
	CreatedAt    string          `json:"created_at"`
	UpdatedAt    string          `json:"updated_at"`
	EndedAt      string          `json:"ended_at"`
}

func (t *shownThread) rows() [][]string {
	rows := [][]string{
		{"activity", t.ActivityName}, {"domain id", t.DomainID}, {"definition", t.Definition + " version " + t.Version}, {"status", t.Status}, {"action", t.Action},
	}
	for _, row := range [][]string{{"to be repaired", t.Problem}, {"reason", t.Reason}, {"error", t.Error}, {"ended", t.EndedAt}} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	if t.Parked > 0 {
		rows = append(rows, []string{"mail", fmt.Sprintf("%d messages wait, %d of them kept for a later action", t.Parked, t.Kept)})
	}
	return append(rows, []string{"vars", string(t.Vars)}, []string{"run", strings.Trim(string(t.Run), `"`)}, []string{"created", t.CreatedAt}, []string{"updated", t.UpdatedAt})
}

func newThreadsList() *cobra.Command {
	var limit int
	var f filterFlags
	c := &cobra.Command{
		Use:   "list ACTIVITY",
		Short: "List the threads of an activity that a filter chooses, by default all live ones",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			return listThreads(c, cl, args[0], f.query(), limit)
		},
	}
	c.Flags().IntVar(&limit, "limit", 100, "how many")
	f.add(c)
	return c
}

func listThreads(c *cobra.Command, cl *client, activity, filter string, limit int) error {
	out := newOutput(c)
	rows := [][]string{{"DOMAIN", "STATUS", "ACTION", "VERSION", "UPDATED", "VARS"}}
	return listPages(c, cl, out, threadPath(activity), filter, limit, rows, func(item []byte) ([]string, error) {
		var t shownThread
		err := json.Unmarshal(item, &t)
		return []string{cell(t.DomainID, 40), t.Status, t.Action, t.Version, t.UpdatedAt, cell(string(t.Vars), 60)}, err
	})
}

// listPages prints up to limit items of a list, page by page: as a table of the rows that row makes, or as JSON lines.
func listPages(c *cobra.Command, cl *client, out output, path, query string, limit int, rows [][]string, row func(item []byte) ([]string, error)) error {
	if limit < 1 {
		return fail(exitUsage, "", "--limit %d: ask for one at least", limit)
	}
	var page struct {
		Items []json.RawMessage `json:"items"`
		Next  string            `json:"next_cursor"`
	}
	turn := func(cursor string, limit int) error {
		page.Items, page.Next = nil, ""
		body, err := cl.get(c.Context(), path+fmt.Sprintf("?limit=%d&cursor=%s%s", limit, url.QueryEscape(cursor), query), c.CommandPath()+" --help")
		if err != nil {
			return err
		}
		return json.Unmarshal(body, &page)
	}
	cursor, shown := "", 0
	for shown < limit {
		if err := turn(cursor, min(limit-shown, 1000)); err != nil {
			return err
		}
		for _, item := range page.Items {
			shown++
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
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if !out.json {
		if err := out.table(rows); err != nil {
			return err
		}
	}
	if cursor == "" {
		return nil
	}
	if err := turn(cursor, 1); err != nil { // a cursor does not say that anything is behind it
		return err
	}
	switch {
	case len(page.Items) > 0:
		fmt.Fprintf(c.ErrOrStderr(), "there are more: --limit %d\n", limit*10)
	case page.Next != "":
		fmt.Fprintf(c.ErrOrStderr(), "there may be more: --limit %d\n", limit*10)
	}
	return nil
}
