package main

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

func newThreadsExplain() *cobra.Command {
	var run uint64
	var lang string
	c := &cobra.Command{
		Use:   "explain ACTIVITY DOMAIN",
		Short: "Tell a thread's story in sentences: what became of its messages, where it stands, what it waits for; also after it ended",
		Args:  cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(languages, lang) {
				return fail(exitUsage, "", "there is no language %q: choose %s", lang, strings.Join(languages, " or "))
			}
			cl, err := newClient(c)
			if err != nil {
				return err
			}
			query := "?lang=" + url.QueryEscape(lang)
			if run > 0 {
				query += "&run=" + strconv.FormatUint(run, 10)
			}
			body, err := cl.get(c.Context(), threadPath(args[0], args[1])+"/explain"+query, "weftbox threads list "+args[0])
			if err != nil {
				return err
			}
			out := newOutput(c)
			if out.json && c.Flags().Changed("output") {
				return out.raw(body)
			}
			var story struct {
				Sentences []struct{ Time, Text string }
			}
			if err := json.Unmarshal(body, &story); err != nil {
				return err
			}
			for _, s := range story.Sentences {
				if s.Time == "" {
					s.Time = strings.Repeat(" ", len("2006-01-02T15:04:05.000Z"))
				}
				if err := out.line("%s  %s", s.Time, s.Text); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&lang, "lang", usualLanguage(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), `"en" or "zh"; by default what the environment says`)
	c.Flags().Uint64Var(&run, "run", 0, "another run than the last")
	return c
}

// usualLanguage is zh where the first locale that is set is Chinese.
func usualLanguage(locales ...string) string {
	for _, l := range locales {
		if l != "" {
			if strings.HasPrefix(l, "zh") {
				return "zh"
			}
			break
		}
	}
	return "en"
}
