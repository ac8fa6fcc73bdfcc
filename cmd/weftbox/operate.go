package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func newDeadLettersCommand() *cobra.Command {
	c := &cobra.Command{Use: "dead-letters", Aliases: []string{"dead-letter", "dl"}, Short: "Look at messages that could not be taken", Args: cobra.NoArgs, RunE: help}
	var limit int
	l := &cobra.Command{
		Use:   "list",
		Short: "List the newest dead letters with their reasons",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return listDeadLetters(c, limit) },
	}
	l.Flags().IntVar(&limit, "limit", 20, "how many, at most 1000")
	c.AddCommand(l)
	return c
}

func listDeadLetters(c *cobra.Command, limit int) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	body, err := cl.get(c.Context(), fmt.Sprintf("/v1/dead-letters?limit=%d", limit), c.CommandPath()+" --limit 100")
	if err != nil {
		return err
	}
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return err
	}
	out := newOutput(c)
	rows := [][]string{{"TIME", "REASON", "ACTIVITY", "DOMAIN", "ERROR", "MESSAGE"}}
	for _, item := range page.Items {
		if out.json {
			if err := out.raw(item); err != nil {
				return err
			}
			continue
		}
		var d struct {
			Time         string          `json:"time"`
			Reason       string          `json:"reason"`
			ActivityName string          `json:"activity_name"`
			DomainID     string          `json:"domain_id"`
			Error        string          `json:"error"`
			Message      json.RawMessage `json:"message"`
		}
		if err := json.Unmarshal(item, &d); err != nil {
			return err
		}
		rows = append(rows, []string{d.Time, d.Reason, d.ActivityName, cell(d.DomainID, 30), cell(d.Error, 90), cell(string(d.Message), 60)})
	}
	if out.json {
		return nil
	}
	return out.table(rows)
}

func newClockCommand() *cobra.Command {
	c := &cobra.Command{Use: "clock", Short: "Read or turn a node's clock", Args: cobra.NoArgs, RunE: help}
	c.AddCommand(&cobra.Command{
		Use:   "now",
		Short: "Print the node's time",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			body, err := cl.get(c.Context(), "/v1/clock", "")
			if err != nil {
				return err
			}
			return showClock(c, body, func(v shownClock) string { return v.Now + " (" + v.Mode + " clock)" })
		},
	}, &cobra.Command{
		Use:   "advance DURATION",
		Short: "Turn a manual clock forward: 2d, 48h, 1h30m",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			cl.http.Timeout = 0 // a long span may have many alarms
			request, err := json.Marshal(map[string]string{"by": args[0]})
			if err != nil {
				return err
			}
			body, err := cl.post(c.Context(), "/v1/clock/advance", request, c.CommandPath()+" 2d")
			if err != nil {
				return err
			}
			return showClock(c, body, func(v shownClock) string { return fmt.Sprintf("%s, %d alarms reached their threads", v.Now, v.Fired) })
		},
	})
	return c
}

// shownClock is what a node says about its clock.
type shownClock struct {
	Now   string `json:"now"`
	Mode  string `json:"mode"`
	Fired int64  `json:"fired"`
}

func showClock(c *cobra.Command, body []byte, text func(shownClock) string) error {
	out := newOutput(c)
	if out.json {
		return out.raw(body)
	}
	var v shownClock
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return out.line("%s", text(v))
}
