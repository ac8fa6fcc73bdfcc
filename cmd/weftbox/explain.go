package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/engine/sim/scenario"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/metadata"
)

func newExplainCommand() *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:     "explain [CODE]",
		Short:   "What a problem's code means, what to do about it, and an example; without a code the list of all",
		Example: "  weftbox explain WB1203\n  weftbox explain WB2101 --lang zh",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(languages, lang) {
				return fail(exitUsage, "", "there is no language %q: choose %s", lang, strings.Join(languages, " or "))
			}
			if len(args) == 0 {
				return explainAll(newOutput(c), lang)
			}
			form, _ := c.Flags().GetString("output")
			return explain(newOutput(c), args[0], lang, form == "json")
		},
	}
	c.Flags().StringVar(&lang, "lang", "en", "language: en or zh")
	return c
}

// allCodes are those of definitions, their expressions, metadata and scenarios, in ascending order.
func allCodes() []definitions.Code {
	all := slices.Concat(definitions.Codes(), metadata.Codes(), scenario.Codes())
	slices.SortFunc(all, func(a, b definitions.Code) int { return strings.Compare(a.Code, b.Code) })
	return all
}

func explainAll(out output, lang string) error {
	rows := [][]string{{"CODE", "SEVERITY", "MEANING"}}
	for _, code := range allCodes() {
		if out.json {
			if err := out.value(code); err != nil {
				return err
			}
			continue
		}
		text, _ := inLanguage(code, lang)
		rows = append(rows, []string{code.Code, string(code.Severity), text})
	}
	if out.json {
		return nil
	}
	return out.table(rows)
}

// inLanguage returns a code's meaning and what to do; what has no Chinese is told in English.
func inLanguage(code definitions.Code, lang string) (text, fix string) {
	if lang == "zh" && code.TextZh != "" {
		return code.TextZh, code.FixZh
	}
	return code.Text, code.Fix
}

func explain(out output, name, lang string, asJSON bool) error {
	var names []string
	for _, code := range allCodes() {
		names = append(names, code.Code)
		if !strings.EqualFold(code.Code, name) {
			continue
		}
		text, fix := inLanguage(code, lang)
		var b strings.Builder
		fmt.Fprintf(&b, "%s (%s): %s\n", code.Code, code.Severity, text)
		if fix != "" {
			fmt.Fprintf(&b, "%s\n", fix)
		}
		for _, e := range []struct{ head, text string }{{"\nFor example:", code.Example}, {"\nBetter:", code.Better}} {
			if e.text != "" {
				if lang == "zh" {
					e.head = map[string]string{"\nFor example:": "\n例如：", "\nBetter:": "\n改成："}[e.head]
				}
				fmt.Fprintf(&b, "%s\n  %s\n", e.head, strings.ReplaceAll(strings.TrimSpace(e.text), "\n", "\n  "))
			}
		}
		if strings.Contains(code.Example+code.Better, "⟨") {
			fmt.Fprintf(&b, "\n%s\n", map[bool]string{
				false: `⟨x, 300 times⟩ stands for 300 times x (a # counts them from 1), ⟨byte 07⟩ for that byte.`,
				true:  `⟨x, 300 times⟩ 表示 300 个 x（# 表示从 1 起的序号），⟨byte 07⟩ 表示这个字节。`}[lang == "zh"])
		}
		if asJSON {
			return out.value(code)
		}
		return out.line("%s", strings.TrimSuffix(b.String(), "\n"))
	}
	next := "weftbox explain"
	if near := expr.Nearest(strings.ToUpper(name), names); near != "" {
		next = "weftbox explain " + near
	}
	return fail(exitNotFound, next, "there is no code %s", name)
}
