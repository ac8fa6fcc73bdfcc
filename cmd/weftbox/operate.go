package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

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
