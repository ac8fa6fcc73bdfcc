package main

import (
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

func newActivitiesStats() *cobra.Command {
	return &cobra.Command{
		Use:   "stats ACTIVITY",
		Short: "Show where an activity's threads stand and what became of its messages, by version, action and clause",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			body, err := cl.get(c.Context(), "/v1/activities/"+url.PathEscape(args[0])+"/stats", "weftbox apply -f PATH")
			if err != nil {
				return err
			}
			out := newOutput(c)
			if out.json {
				return out.raw(body)
			}
			var s shownStats
			if err := json.Unmarshal(body, &s); err != nil {
				return err
			}
			return s.print(out)
		},
	}
}

// shownStats is what a node counts of an activity.
type shownStats struct {
	Threads []struct {
		Version, Action, Status string
		Count                   int64
	}
	Verdicts, Strategies []struct {
		Version, Strategy, Action, Message, Verdict string
		Clause                                      *int
		Count                                       int64
	}
}

func (s *shownStats) print(out output) error {
	rows := [][]string{{"THREADS", "STATUS", "ACTION", "VERSION"}}
	for _, n := range s.Threads {
		rows = append(rows, []string{strconv.FormatInt(n.Count, 10), n.Status, n.Action, n.Version})
	}
	if err := out.table(rows); err != nil {
		return err
	}
	rows = [][]string{{}, {"MESSAGES", "VERDICT", "MESSAGE", "AT", "CLAUSE", "VERSION"}}
	for _, n := range s.Verdicts {
		at, clause := n.Action, "-"
		if at == "" {
			at = "(trigger)"
		}
		if n.Clause != nil {
			clause = strconv.Itoa(*n.Clause)
		}
		rows = append(rows, []string{strconv.FormatInt(n.Count, 10), n.Verdict, n.Message, at, clause, n.Version})
	}
	for _, n := range s.Strategies {
		rows = append(rows, []string{strconv.FormatInt(n.Count, 10), n.Verdict, n.Message, "(strategy " + n.Strategy + ")", "-", "-"})
	}
	return out.table(rows)
}
