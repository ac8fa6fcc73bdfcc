package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// filterFlags choose threads.
type filterFlags struct {
	names  []string
	values map[string]*string
}

func (f *filterFlags) add(c *cobra.Command) {
	f.values = map[string]*string{}
	for _, flag := range [][2]string{
		{"status", "running, waiting, paused, stalled; or finished, failed, killed for ended runs; several with commas"},
		{"action", "where they stand"},
		{"version", "of the definition"},
		{"idle", "unchanged for so long: 90s, 2h, 3d"},
		{"where", `a condition: var("count") > 3`},
		{"alarm-from", "their alarm is due then or later: 2026-01-31T12:00:00Z"},
		{"alarm-before", "their alarm is due before then"},
	} {
		f.names = append(f.names, flag[0])
		f.values[flag[0]] = c.Flags().String(flag[0], "", flag[1])
	}
}

// object returns what was given, by the names of the API.
func (f *filterFlags) object() map[string]string {
	out := map[string]string{}
	for _, name := range f.names {
		if v := *f.values[name]; v != "" {
			out[strings.ReplaceAll(name, "-", "_")] = v
		}
	}
	return out
}

func (f *filterFlags) query() string {
	values := url.Values{}
	for k, v := range f.object() {
		values.Set(k, v)
	}
	if len(values) == 0 {
		return ""
	}
	return "&" + values.Encode()
}

func newAlarmsCommand() *cobra.Command {
	c := &cobra.Command{Use: "alarms", Short: "Look at the alarms that threads wait for", Args: cobra.NoArgs, RunE: help}
	var limit int
	var f filterFlags
	list := &cobra.Command{
		Use:   "list ACTIVITY",
		Short: "List the alarms of an activity; batch start fire_alarms or delete_alarms does something with them",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			rows := [][]string{{"DUE", "DOMAIN", "ACTION", "STATUS"}}
			return listPages(c, cl, newOutput(c), "/v1/activities/"+url.PathEscape(args[0])+"/alarms", f.query(), limit, rows, func(item []byte) ([]string, error) {
				var a struct {
					Due, Action, Status string
					DomainID            string `json:"domain_id"`
				}
				err := json.Unmarshal(item, &a)
				return []string{a.Due, cell(a.DomainID, 40), a.Action, a.Status}, err
			})
		},
	}
	list.Flags().IntVar(&limit, "limit", 100, "how many")
	f.add(list)
	c.AddCommand(list)
	return c
}

func newBatchCommand() *cobra.Command {
	c := &cobra.Command{Use: "batch", Short: "Do something with many threads, as a job that survives crashes", Args: cobra.NoArgs, RunE: help}
	c.AddCommand(newBatchStart(), newBatchList(), newBatchOne("get", "Show a batch operation"), newBatchOne("stop", "Stop a batch operation for good"))
	return c
}

// shownJob is a batch operation as a node shows it.
type shownJob struct {
	ID, Operation, State, Error string
	ActivityName                string            `json:"activity_name"`
	Filter                      map[string]string `json:"filter"`
	Rate, Limit                 int64
	DryRun                      bool `json:"dry_run"`
	Seen, Hit, Refused, Skipped int64
	Errors                      int64
	CreatedAt                   string `json:"created_at"`
	EndedAt                     string `json:"ended_at"`
}

func (j *shownJob) print(out output) error {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	rows := [][]string{{"id", j.ID}, {"operation", j.Operation + " on " + j.ActivityName}, {"filter", filterText(j.Filter)}, {"state", j.State}, {"seen", n(j.Seen)}, {"hit", n(j.Hit)},
		{"refused", n(j.Refused)}, {"skipped", n(j.Skipped)}, {"errors", n(j.Errors)}, {"rate", n(j.Rate) + "/s"}, {"created", j.CreatedAt}}
	for _, row := range [][]string{{"ended", j.EndedAt}, {"error", j.Error}} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	return out.table(rows)
}

func filterText(filter map[string]string) string {
	var parts []string
	for _, key := range []string{"status", "action", "version", "idle", "where", "alarm_from", "alarm_before"} {
		if v := filter[key]; v != "" {
			parts = append(parts, key+"="+v)
		}
	}
	return strings.Join(parts, " ")
}

func showJob(c *cobra.Command, body []byte) error {
	out := newOutput(c)
	if out.json {
		return out.raw(body)
	}
	var j shownJob
	if err := json.Unmarshal(body, &j); err != nil {
		return err
	}
	return j.print(out)
}

func newBatchStart() *cobra.Command {
	var f filterFlags
	var rate, limit int64
	var dryRun, wait bool
	var operands string
	c := &cobra.Command{
		Use:   "start OPERATION ACTIVITY",
		Short: "Begin one: pause, resume, kill, repair, remove, fire_alarms or delete_alarms, with all threads that the filter chooses",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			job := map[string]any{"operation": args[0], "activity": args[1], "filter": f.object(), "rate": rate, "limit": limit, "dry_run": dryRun}
			if operands != "" {
				job["args"] = json.RawMessage(operands)
			}
			body, err := json.Marshal(job)
			if err != nil {
				return fail(exitUsage, c.CommandPath()+` repair ACTIVITY --args '{"ctrl":"retry"}'`, "--args is no JSON object: %s", operands)
			}
			if body, err = cl.post(c.Context(), "/v1/batch-operations", body, c.CommandPath()+" --help"); err != nil {
				return err
			}
			if wait {
				if body, err = awaitJob(c, cl, body); err != nil {
					return err
				}
			}
			return showJob(c, body)
		},
	}
	f.add(c)
	c.Flags().Int64Var(&rate, "rate", 0, "threads a second (0: 1000)")
	c.Flags().Int64Var(&limit, "limit", 0, "threads at most (0: all)")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only count")
	c.Flags().BoolVar(&wait, "wait", false, "wait until it has ended; exit code 1 when it failed, 7 when it was stopped")
	c.Flags().StringVar(&operands, "args", "", "arguments of the operation, as a JSON object")
	return c
}

// awaitJob asks for a job until it has ended.
func awaitJob(c *cobra.Command, cl *client, body []byte) ([]byte, error) {
	for {
		var j shownJob
		if err := json.Unmarshal(body, &j); err != nil {
			return nil, err
		}
		switch j.State {
		case "done":
			return body, nil
		case "failed":
			return nil, fail(exitFailed, "weftbox batch get "+j.ID, "the batch operation failed: %s", j.Error)
		case "stopped":
			return nil, fail(exitPartly, "weftbox batch get "+j.ID, "the batch operation was stopped after %d threads", j.Hit)
		}
		select {
		case <-c.Context().Done():
			return nil, c.Context().Err()
		case <-time.After(100 * time.Millisecond):
		}
		var err error
		if body, err = cl.get(c.Context(), "/v1/batch-operations/"+url.PathEscape(j.ID), ""); err != nil {
			return nil, err
		}
	}
}

func newBatchList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the batch operations, newest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			body, err := cl.get(c.Context(), "/v1/batch-operations", "")
			if err != nil {
				return err
			}
			var page struct{ Items []json.RawMessage }
			if err := json.Unmarshal(body, &page); err != nil {
				return err
			}
			out := newOutput(c)
			rows := [][]string{{"ID", "OPERATION", "ACTIVITY", "STATE", "SEEN", "HIT", "FILTER"}}
			for _, item := range page.Items {
				var j shownJob
				if err := json.Unmarshal(item, &j); err != nil {
					return err
				}
				if out.json {
					if err := out.raw(item); err != nil {
						return err
					}
				}
				rows = append(rows, []string{j.ID, j.Operation, j.ActivityName, j.State, fmt.Sprint(j.Seen), fmt.Sprint(j.Hit), cell(filterText(j.Filter), 60)})
			}
			if out.json {
				return out.bad
			}
			return out.table(rows)
		},
	}
}

func newBatchOne(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			path, body := "/v1/batch-operations/"+url.PathEscape(args[0]), []byte(nil)
			if verb == "stop" {
				body, err = cl.post(c.Context(), path+"/stop", nil, "weftbox batch list")
			} else {
				body, err = cl.get(c.Context(), path, "weftbox batch list")
			}
			if err != nil {
				return err
			}
			return showJob(c, body)
		},
	}
}
