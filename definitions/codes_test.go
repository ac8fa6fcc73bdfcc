package definitions

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/expr"
)

// unshown are codes without an example: limits, and what a page cannot show. Those of the language may have one.
var unshown = map[string]bool{"WB1002": true, "WB1003": true, "WB1004": true, "WB1005": true, "WB1010": true, "WB1011": true, "WB1012": true, "WB1013": true, "WB1016": true,
	"WB1130": true, "WB1131": true, "WB2105": true, "WB2117": true}

// codesIn returns the codes of the problems of an example, in the text of a definition around it.
func codesIn(example string) (codes []string) {
	const head = "activity:\n  name: example\n  domain_id_strategy: user_id\n"
	const trigger = "  trigger: eventTypeIs(\"visit\")\n"
	const last = "    - name: next\n      type: stdout\n      args: 1\n      ctrl: finish()\n"
	in := func(text string, by int) string {
		return strings.Repeat(" ", by) + strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", by)) + "\n"
	}
	text := ""
	switch {
	case strings.HasPrefix(example, "activity:"):
		text = example
	case strings.HasPrefix(example, "trigger:"):
		text = head + in(example, 2) + "  actions:\n" + last
	case strings.HasPrefix(example, "config:"):
		text = head + trigger + in(example, 2) + "  actions:\n" + last
	case strings.HasPrefix(example, "- name:"):
		text = head + trigger + "  actions:\n" + in(example, 4) + last
	default:
		_, problems := expr.Compile(example, expr.ContextAction)
		for _, p := range problems {
			codes = append(codes, p.Code)
		}
		return codes
	}
	_, problems := Check([]byte(text), testEnv())
	for _, p := range problems {
		codes = append(codes, p.Code)
	}
	return codes
}

// TestExamplesShowTheirCode checks that each example has the problem, that the better one has not, and which codes have none.
func TestExamplesShowTheirCode(t *testing.T) {
	for _, c := range Codes() {
		if c.Example == "" {
			if !unshown[c.Code] && !strings.Contains("WB13 WB14 WB15 WB25", c.Code[:4]) {
				t.Errorf("%s has no example, and is not listed as one without", c.Code)
			}
			continue
		}
		if unshown[c.Code] {
			t.Errorf("%s has an example: take it out of the list of those without", c.Code)
		}
		if got := codesIn(c.Example); !slices.Contains(got, c.Code) {
			t.Errorf("the example of %s has the problems %v:\n%s", c.Code, got, c.Example)
		}
		if got := codesIn(c.Better); c.Better != "" && slices.Contains(got, c.Code) {
			t.Errorf("the better example of %s has it, too:\n%s", c.Code, c.Better)
		}
	}
}

func TestCodesAreExplainedInChinese(t *testing.T) {
	han := regexp.MustCompile(`\p{Han}`)
	known := map[string]bool{}
	for _, c := range Codes() {
		known[c.Code] = true
		if !han.MatchString(c.TextZh) || (c.Fix == "") != (c.FixZh == "") {
			t.Errorf("%s: expected Chinese beside %q and %q, got %q and %q: write it into chineseCodes", c.Code, c.Text, c.Fix, c.TextZh, c.FixZh)
		}
	}
	for code := range chineseCodes {
		if !known[code] {
			t.Errorf("there is Chinese for %s, which is no code", code)
		}
	}
	for code := range examples {
		if !known[code] {
			t.Errorf("there is an example for %s, which is no code", code)
		}
	}
}
