package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// sendBatch is how many events one request carries at most.
const sendBatch = 500

type sendFlags struct {
	times int
	id    string
	file  string
}

func newEventsCommand() *cobra.Command {
	c := &cobra.Command{Use: "events", Aliases: []string{"event", "ev"}, Short: "Send events", Args: cobra.NoArgs, RunE: help}
	f := &sendFlags{}
	send := &cobra.Command{
		Use:   "send TYPE [KEY=VALUE…]",
		Short: "Send an event, or those of a file, and say what became of them",
		Example: `  weftbox events send user_behavior behavior=查看商品详情 user_id=10010 goods_id=2002 goods_title="Sony PS5" --times 5
  weftbox events send --file events.json`,
		RunE: func(c *cobra.Command, args []string) error { return sendEvents(c, f, args) },
	}
	send.Flags().IntVar(&f.times, "times", 1, "how often")
	send.Flags().StringVar(&f.id, "id", "", "the event's id, by which a repeat is recognised; with --times, -1, -2, … is added")
	send.Flags().StringVar(&f.file, "file", "", `a JSON file with one event or an array of them; "-" reads stdin`)
	c.AddCommand(send)
	return c
}

func sendEvents(c *cobra.Command, f *sendFlags, args []string) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	bodies, err := f.bodies(c, args)
	if err != nil {
		return err
	}
	out := newOutput(c)
	rows := [][]string{{"EVENT", "ACTIVITY", "DOMAIN", "VERDICT", "STATUS", "ACTION", "ERROR"}}
	n := 0
	for _, body := range bodies {
		data, err := cl.post(c.Context(), "/v1/events?wait=processed", body, "weftbox help events send")
		if err != nil {
			return err
		}
		if out.json {
			if err := out.raw(data); err != nil {
				return err
			}
			continue
		}
		var a sendAnswer
		if err := json.Unmarshal(data, &a); err != nil {
			return err
		}
		for _, r := range a.Results {
			n++
			rows = append(rows, r.rows(n)...)
		}
	}
	if out.json {
		return nil
	}
	return out.table(rows)
}

// bodies returns the requests to be posted.
func (f *sendFlags) bodies(c *cobra.Command, args []string) ([][]byte, error) {
	if f.file != "" {
		if len(args) > 0 || f.times != 1 || f.id != "" {
			return nil, fail(exitUsage, c.CommandPath()+" --file "+f.file, "--file holds whole events: leave out the type, the attributes, --times and --id")
		}
		data, err := input(c, f.file)
		return [][]byte{data}, err
	}
	if len(args) == 0 {
		return nil, fail(exitUsage, c.CommandPath()+" user_behavior user_id=10010", "the event's type is missing")
	}
	if f.times < 1 {
		return nil, fail(exitUsage, "", "--times %d: once at least", f.times)
	}
	attrs, err := attributes(c, args[1:])
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for first := 0; first < f.times; first += sendBatch {
		batch := make([]map[string]any, min(sendBatch, f.times-first))
		for i := range batch {
			batch[i] = map[string]any{"type": args[0], "attr": attrs}
			switch {
			case f.id != "" && f.times > 1:
				batch[i]["id"] = fmt.Sprintf("%s-%d", f.id, first+i+1)
			case f.id != "":
				batch[i]["id"] = f.id
			}
		}
		body, err := json.Marshal(batch)
		if err != nil {
			return nil, err
		}
		out = append(out, body)
	}
	return out, nil
}

// attributes reads KEY=VALUE: numbers, true, false and null as JSON has them, all else as text.
func attributes(c *cobra.Command, args []string) (map[string]any, error) {
	attrs := map[string]any{}
	for _, arg := range args {
		key, text, found := strings.Cut(arg, "=")
		if !found || key == "" {
			return nil, fail(exitUsage, c.CommandPath()+" TYPE "+arg+"=VALUE", "%q is no attribute: write KEY=VALUE", arg)
		}
		if _, twice := attrs[key]; twice {
			return nil, fail(exitUsage, "", "attribute %q is given twice", key)
		}
		attrs[key] = attributeValue(text)
	}
	return attrs, nil
}

func attributeValue(text string) any {
	if strings.TrimSpace(text) != text {
		return text
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber() // 2^53 and more stay what they are
	var v any
	if d.Decode(&v) != nil || d.More() || int(d.InputOffset()) != len(text) {
		return text
	}
	switch v.(type) {
	case json.Number, bool, nil:
		return v
	}
	return text
}

// sendAnswer is what a node says about posted events.
type sendAnswer struct {
	Results []sendResult `json:"results"`
}

type sendResult struct {
	ID        string `json:"id"`
	Duplicate bool   `json:"duplicate"`
	Error     *struct {
		Detail string `json:"detail"`
	} `json:"error"`
	Verdicts []struct {
		ActivityName string `json:"activity_name"`
		Strategy     string `json:"strategy"`
		DomainID     string `json:"domain_id"`
		Verdict      string `json:"verdict"`
		Status       string `json:"status"`
		Action       string `json:"action"`
		Error        string `json:"error"`
	} `json:"verdicts"`
}

func (r *sendResult) rows(n int) [][]string {
	name := strconv.Itoa(n)
	if r.ID != "" {
		name = cell(r.ID, 30)
	}
	switch {
	case r.Error != nil:
		return [][]string{{name, "", "", "refused", "", "", cell(r.Error.Detail, 80)}}
	case r.Duplicate:
		return [][]string{{name, "", "", "duplicate", "", "", ""}}
	case len(r.Verdicts) == 0:
		return [][]string{{name, "", "", "no strategy took it", "", "", ""}}
	}
	var rows [][]string
	for _, v := range r.Verdicts {
		activity := v.ActivityName
		if activity == "" {
			activity = v.Strategy
		}
		rows = append(rows, []string{name, activity, cell(v.DomainID, 40), v.Verdict, v.Status, v.Action, cell(v.Error, 80)})
	}
	return rows
}
