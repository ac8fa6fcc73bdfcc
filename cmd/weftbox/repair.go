package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newThreadsRepair() *cobra.Command {
	var vars []string
	c := &cobra.Command{
		Use:   "repair ACTIVITY DOMAIN retry|waiting|goto [ACTION]",
		Short: "Let a thread go on that waits for repair: run its action again, wait on, or go to another action",
		Args:  cobra.RangeArgs(3, 4),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case !slices.Contains([]string{"retry", "waiting", "goto"}, args[2]):
				return fail(exitUsage, c.CommandPath()+" --help", "there is no %q: write retry, waiting or goto ACTION", args[2])
			case (args[2] == "goto") != (len(args) == 4):
				return fail(exitUsage, c.CommandPath()+" "+typedOut(args[0])+" "+typedOut(args[1])+" goto ACTION", "goto, and nothing else, takes the name of an action")
			}
			body := map[string]any{"ctrl": args[2]}
			if len(args) == 4 {
				body["goto"] = args[3]
			}
			if len(vars) > 0 {
				set := map[string]any{}
				for _, v := range vars {
					name, text, ok := strings.Cut(v, "=")
					if !ok || name == "" {
						return fail(exitUsage, c.CommandPath()+" --help", "--var %s is not NAME=VALUE", v)
					}
					if json.Valid([]byte(text)) {
						set[name] = json.RawMessage(text)
					} else {
						set[name] = text
					}
				}
				body["context_vars"] = set
			}
			request, err := json.Marshal(body)
			if err != nil {
				return err
			}
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			answer, err := cl.post(c.Context(), threadPath(args[0], args[1])+"/repair", request, "weftbox threads get "+args[0]+" "+args[1])
			if err != nil {
				return err
			}
			out := newOutput(c)
			if out.json {
				return out.raw(answer)
			}
			var v struct {
				Status string `json:"status"`
				Action string `json:"action"`
			}
			if err := json.Unmarshal(answer, &v); err != nil {
				return err
			}
			return out.table([][]string{{"status", v.Status}, {"action", v.Action}})
		},
	}
	c.Flags().StringArrayVar(&vars, "var", nil, "NAME=VALUE of a variable to be set, as JSON or as plain text; may be given several times")
	return c
}
