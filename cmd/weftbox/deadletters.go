package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

func newDeadLettersCommand() *cobra.Command {
	c := &cobra.Command{Use: "dead-letters", Aliases: []string{"dead-letter", "dl"}, Short: "Look at messages that could not be taken, replay or delete them", Args: cobra.NoArgs, RunE: help}
	c.AddCommand(newDeadLettersList(), newDeadLettersGet(), newDeadLettersSettle("replay", "Give messages to their threads again, the oldest first"),
		newDeadLettersSettle("delete", "Delete dead letters, the oldest first"))
	return c
}

// deadFilter are the flags that choose dead letters.
type deadFilter struct{ reason, activity, domain, from string }

func (f *deadFilter) addFlags(c *cobra.Command) {
	p := c.Flags()
	p.StringVar(&f.reason, "reason", "", `only those of a reason, such as "panic"`)
	p.StringVar(&f.activity, "activity", "", "only those of an activity, by name or number")
	p.StringVar(&f.domain, "domain", "", "only those of a domain id")
	p.StringVar(&f.from, "from", "", "only those of this time and later, as 2026-01-31T12:00:00Z")
}

func (f *deadFilter) query() url.Values {
	q := url.Values{}
	for name, v := range map[string]string{"reason": f.reason, "activity": f.activity, "domain": f.domain, "from": f.from} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q
}

// shownLetter is a dead letter as a node shows it.
type shownLetter struct {
	ID           string          `json:"id"`
	Time         string          `json:"time"`
	Reason       string          `json:"reason"`
	Error        string          `json:"error"`
	Kind         string          `json:"kind"`
	ActivityName string          `json:"activity_name"`
	DomainID     string          `json:"domain_id"`
	Action       string          `json:"action"`
	Source       string          `json:"source"`
	Position     json.RawMessage `json:"position"`
	Replays      int             `json:"replays"`
	Message      json.RawMessage `json:"message"`
}

func newDeadLettersList() *cobra.Command {
	var f deadFilter
	var limit int
	c := &cobra.Command{
		Use:   "list",
		Short: "List the newest dead letters with their reasons",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return listDeadLetters(c, &f, limit) },
	}
	f.addFlags(c)
	c.Flags().IntVar(&limit, "limit", 20, "how many")
	return c
}

func listDeadLetters(c *cobra.Command, f *deadFilter, limit int) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	if limit < 1 {
		return fail(exitUsage, "", "--limit %d: ask for one at least", limit)
	}
	rows := [][]string{{"ID", "TIME", "REASON", "ACTIVITY", "DOMAIN", "ERROR", "MESSAGE"}}
	return listPages(c, cl, newOutput(c), "/v1/dead-letters", "&"+f.query().Encode(), limit, rows, func(item []byte) ([]string, error) {
		var d shownLetter
		err := json.Unmarshal(item, &d)
		return []string{d.ID, d.Time, d.Reason, d.ActivityName, cell(d.DomainID, 30), cell(d.Error, 90), cell(string(d.Message), 60)}, err
	})
}

func newDeadLettersGet() *cobra.Command {
	return &cobra.Command{
		Use:   "get ID",
		Short: "Show a dead letter, whole",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			body, err := cl.get(c.Context(), letterPath(args[0]), "weftbox dead-letters list")
			if err != nil {
				return err
			}
			out := newOutput(c)
			if out.json {
				return out.raw(body)
			}
			var d shownLetter
			if err := json.Unmarshal(body, &d); err != nil {
				return err
			}
			return out.table(d.rows())
		},
	}
}

func (d *shownLetter) rows() [][]string {
	rows := [][]string{{"id", d.ID}, {"time", d.Time}, {"reason", d.Reason}, {"error", d.Error}}
	for _, row := range [][]string{{"kind", d.Kind}, {"activity", d.ActivityName}, {"domain id", d.DomainID}, {"action", d.Action}, {"source", d.Source}, {"position", string(d.Position)}} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	if d.Replays > 0 {
		rows = append(rows, []string{"replays", strconv.Itoa(d.Replays)})
	}
	return append(rows, []string{"message", string(d.Message)})
}

func letterPath(id string) string { return "/v1/dead-letters/" + url.PathEscape(id) }

// newDeadLettersSettle makes "replay" and "delete": of the letters named, or of those that a filter takes.
func newDeadLettersSettle(verb, short string) *cobra.Command {
	var f deadFilter
	var all bool
	c := &cobra.Command{
		Use:   verb + " [ID…]",
		Short: short,
		RunE: func(c *cobra.Command, args []string) error {
			chosen := len(f.query()) > 0
			switch {
			case len(args) > 0 && (chosen || all):
				return fail(exitUsage, c.CommandPath()+" --help", "name ids or choose by flags, not both")
			case len(args) == 0 && !chosen && !all:
				return fail(exitUsage, c.CommandPath()+" --all", "name ids, choose by flags, or say --all")
			}
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			s := &settling{cl: cl, verb: verb, help: c.CommandPath() + " --help"}
			if len(args) > 0 {
				err = s.named(c.Context(), args)
			} else {
				err = s.chosen(c.Context(), f.query())
			}
			if err != nil {
				return err
			}
			return s.report(newOutput(c))
		},
	}
	f.addFlags(c)
	c.Flags().BoolVar(&all, "all", false, "all of them")
	return c
}

// settling is a replay or deletion under way, and what became of the letters so far.
type settling struct {
	cl           *client
	verb, help   string
	done, failed int
	why          string // of the last failure of a named letter
}

func (s *settling) named(ctx context.Context, ids []string) error {
	for _, id := range ids {
		method, path := http.MethodDelete, letterPath(id)
		if s.verb == "replay" {
			method, path = http.MethodPost, path+"/replay"
		}
		a, err := s.cl.call(ctx, method, path, nil)
		if err != nil {
			return err
		}
		if a.problem != nil && len(ids) > 1 && (a.status == http.StatusNotFound || a.status == http.StatusConflict) {
			s.failed++
			s.why = problemText(a.problem, "")
			continue
		}
		body, err := s.cl.must("weftbox dead-letters list")(a, nil)
		if err != nil {
			return err
		}
		var v struct {
			Replayed bool `json:"replayed"`
			Verdicts []struct {
				Verdict string `json:"verdict"`
				Error   string `json:"error"`
			} `json:"verdicts"`
		}
		if err := json.Unmarshal(body, &v); err != nil {
			return err
		}
		if s.verb == "delete" || v.Replayed {
			s.done++
			continue
		}
		s.failed++
		for _, x := range v.Verdicts {
			s.why = x.Verdict + ": " + x.Error
		}
	}
	return nil
}

func (s *settling) chosen(ctx context.Context, q url.Values) error {
	for {
		method, path := http.MethodDelete, "/v1/dead-letters"
		if s.verb == "replay" {
			method, path = http.MethodPost, path+"/replay"
		}
		body, err := s.cl.must(s.help)(s.cl.call(ctx, method, path+"?"+q.Encode(), nil))
		if err != nil {
			return err
		}
		var page struct {
			Replayed int    `json:"replayed"`
			Deleted  int    `json:"deleted"`
			Failed   int    `json:"failed"`
			Next     string `json:"next_cursor"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return err
		}
		s.done += page.Replayed + page.Deleted
		s.failed += page.Failed
		if page.Next == "" {
			return nil
		}
		q.Set("cursor", page.Next)
	}
}

// report prints the numbers; letters that could not be replayed make the command fail: wholly or partly.
func (s *settling) report(out output) error {
	past := map[string]string{"replay": "replayed", "delete": "deleted"}[s.verb]
	var err error
	if out.json {
		err = out.value(map[string]int{past: s.done, "failed": s.failed})
	} else {
		err = out.line("%d %s, %d failed", s.done, past, s.failed)
	}
	if err != nil || s.failed == 0 {
		return err
	}
	code, why := exitPartly, ""
	if s.done == 0 {
		code = exitFailed
	}
	if s.why != "" {
		why = ": " + s.why
	}
	return fail(code, "weftbox dead-letters list", fmt.Sprintf("%d dead letters were not %s", s.failed, past)+"%s", why)
}
