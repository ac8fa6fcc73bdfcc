package main

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// unprovoked are the codes that no text leads to: their meaning says when they come.
var unprovoked = []string{"WB1256", "WB1257", "WB1499"}

// beside are codes that an example cannot do without, next to its own.
var besideOwn = map[string][]string{"WB1016": {"WB2001"}}

// TestEveryCodeHasAnExampleThatShowsIt checks as "weftbox explain CODE" tells it: the first text has this problem and no other, the better one does
// not have it.
func TestEveryCodeHasAnExampleThatShowsIt(t *testing.T) {
	n := localNode(t, true)
	home := inFolder(t, map[string]string{"weftbox.yaml": shownStrategies, "flow.yaml": shownFlow})
	if code, _, errs := typed(n, "apply", "-f", home); code != 0 {
		t.Fatalf("apply: %d %s", code, errs)
	}
	for _, c := range allCodes() {
		if slices.Contains(unprovoked, c.Code) {
			if c.Example != "" || !strings.Contains(c.Text, "No ") && !strings.Contains(c.Text, "refused") {
				t.Errorf("%s: expected no example and a text that says why, got %q", c.Code, c.Text)
			}
			continue
		}
		if c.Example == "" || c.Better == "" {
			t.Errorf("%s has no example, or no better one: write both", c.Code)
			continue
		}
		bad, good := shownCodes(t, n, home, grown(c.Example)), shownCodes(t, n, home, grown(c.Better))
		others := slices.DeleteFunc(slices.Clone(bad), func(other string) bool { return other == c.Code || slices.Contains(besideOwn[c.Code], other) })
		if !slices.Contains(bad, c.Code) || len(others) > 0 {
			t.Errorf("the example of %s has the problems %v, expected only its own:\n%s", c.Code, bad, c.Example)
		}
		if slices.ContainsFunc(good, func(other string) bool { return other == c.Code || strings.HasPrefix(other, "WB1") }) {
			t.Errorf("the better example of %s has the problems %v, expected no error, and not this code:\n%s", c.Code, good, c.Better)
		}
	}
}

const shownStrategies = `strategies:
  - {name: user_id, when: containsAttr("user_id"), domain_id: eventAttr("user_id")}
  - {name: order_id, when: 'eventTypeIs("order_created") OR eventTypeIs("payment")', domain_id: eventAttr("order_id")}
services:
  - {name: push, url: http://127.0.0.1:1/}
`

const shownFlow = `activity:
  name: coupon
  domain_id_strategy: user_id
  config: {days: 2}
  trigger: eventTypeIs("visit")
  actions:
    - name: wait
      type: sleep
      args: {time: days(config("days"))}
      ctrl: finish()
`

var (
	manyTimes  = regexp.MustCompile(`(?s)⟨([^⟩]*), (\d+) times⟩`)
	singleByte = regexp.MustCompile(`⟨byte ([0-9A-F]{2})⟩`)
)

// grown writes an example out: "⟨x, 300 times⟩" and "⟨byte 07⟩".
func grown(example string) string {
	example = manyTimes.ReplaceAllStringFunc(example, func(s string) string {
		m := manyTimes.FindStringSubmatch(s)
		times, _ := strconv.Atoi(m[2])
		var b strings.Builder
		for i := range times {
			b.WriteString(strings.ReplaceAll(m[1], "#", strconv.Itoa(i+1)))
		}
		return b.String()
	})
	return singleByte.ReplaceAllStringFunc(example, func(s string) string {
		v, _ := strconv.ParseUint(singleByte.FindStringSubmatch(s)[1], 16, 8)
		return string([]byte{byte(v)})
	})
}

var anyCode = regexp.MustCompile(`WB\d{4}`)

// shownCodes returns the codes of the problems of an example, each once. What is a part of a definition is put into one.
func shownCodes(t *testing.T, n *node, home, example string) []string {
	const head = "activity:\n  name: example\n  domain_id_strategy: user_id\n"
	const trigger = "  trigger: eventTypeIs(\"visit\")\n"
	next := "    - name: next\n      type: stdout\n      args: 1\n      ctrl: finish()\n"
	actions := next
	if !strings.Contains(example, `"next"`) && !strings.Contains(example, "(next)") {
		next = ""
	}
	in := func(by int) string {
		indent := strings.Repeat(" ", by)
		return indent + strings.ReplaceAll(strings.TrimSuffix(example, "\n"), "\n", "\n"+indent) + "\n"
	}
	begins := func(with ...string) bool {
		return slices.ContainsFunc(with, func(w string) bool { return strings.HasPrefix(example, w) })
	}
	switch {
	case begins("activity:", "# "):
		return checkedAs(n, t, example)
	case begins("trigger:"):
		return checkedAs(n, t, head+in(2)+"  actions:\n"+actions)
	case begins("config:"):
		return checkedAs(n, t, head+trigger+in(2)+"  actions:\n"+actions)
	case begins("- name:"):
		return checkedAs(n, t, head+trigger+"  actions:\n"+in(4)+next)
	case begins("strategies:", "services:", "activities:"):
		_, out, errs := typed(n, "apply", "-f", inFolder(t, map[string]string{"weftbox.yaml": example}))
		typed(n, "activities", "kill", "autumn") // its name is free again
		return codesOf(out + errs)
	case begins("weftbox "):
		_, out, errs := typed(n, strings.Fields(strings.ReplaceAll(example, "flow.yaml", filepath.Join(home, "flow.yaml")))[1:]...)
		return codesOf(out + errs)
	case begins("flow:"):
		_, out, errs := typed(nil, "test", inFolder(t, map[string]string{"example_test.yaml": example, "flow.yaml": shownFlow, "weftbox.yaml": shownStrategies}))
		return codesOf(out + errs)
	}
	_, problems := expr.Compile(example, expr.ContextAction)
	return eachOnce(problems, func(p expr.Problem) string { return p.Code })
}

// checkedAs checks a definition where the strategies and services of the node are known.
func checkedAs(n *node, t *testing.T, text string) []string {
	t.Helper()
	known := newSurroundings()
	known.services["push"] = true
	known.strategy("user_id", `containsAttr("user_id")`, `eventAttr("user_id")`)
	known.strategy("order_id", `eventTypeIs("order_created") OR eventTypeIs("payment")`, `eventAttr("order_id")`)
	_, problems := definitions.Check([]byte(text), known.env())
	return eachOnce(problems, func(p definitions.Problem) string { return p.Code })
}

func codesOf(text string) []string {
	return eachOnce(anyCode.FindAllString(text, -1), func(code string) string { return code })
}

// eachOnce returns the codes of what was found, each once.
func eachOnce[T any](found []T, code func(T) string) []string {
	set := map[string]bool{}
	for _, f := range found {
		set[code(f)] = true
	}
	return slices.Sorted(maps.Keys(set))
}
