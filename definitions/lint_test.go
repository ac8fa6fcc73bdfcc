package definitions

import (
	"fmt"
	"strings"
	"testing"
)

// lintedAs returns what is said of actions, as "line:column code", lines counted in the text of the actions.
func lintedAs(actions string) string {
	const head = "activity:\n  name: a\n  domain_id_strategy: order_id\n  config: {n: 1}\n  trigger:\n    type: event\n    args: {condition: 'eventTypeIs(\"payment\")'}\n    context_vars: {born: 1}\n  actions:\n"
	env := testEnv()
	env.Specs["foreach"] = &Spec{Type: "foreach", Shape: ShapeKeys, Required: true, Keys: []Key{{Name: "items", Required: true},
		{Name: "next", Aliases: []string{"continue"}, Required: true, Form: FormControl}, {Name: "finish", Aliases: []string{"eof"}, Required: true, Form: FormControl}}}
	env.Specs["own"] = &Spec{Type: "own"}
	_, problems := Check([]byte(head+"  "+strings.ReplaceAll(actions, "\n", "\n  ")), env)
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%d:%d %s", p.Line-strings.Count(head, "\n"), p.Column-2, p.Code))
	}
	return strings.Join(out, ", ")
}

const end = "- {name: end, type: stdout, args: 1, ctrl: finish()}\n"

// TestLints holds what is said of small flows, and above all what is not: each silent case once was, or could be, a false alarm.
func TestLints(t *testing.T) {
	for _, c := range []struct{ name, actions, want string }{
		{"silent: a way round that counts", "- name: n\n  type: compute\n  args:\n    - i: var(\"i\", 0) + 1\n  ctrl:\n    - when: var(\"i\") < 5\n      then: call(\"n\")\n    - default: call(\"end\")\n" + end, ""},
		{"round without a way out", "- {name: n, type: compute, args: [{i: 1}], ctrl: call(\"m\")}\n- {name: m, type: stdout, args: 1, ctrl: call(\"n\")}\n", "1:10 WB2109"},
		{"round behind a way out", "- name: n\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      then: finish()\n    - default: call(\"m\")\n- {name: m, type: stdout, args: 1, ctrl: call(\"m\")}\n", "7:10 WB2109"},
		{"silent: the round waits and can end", "- {name: n, type: sleep, args: {time: days(1)}, ctrl: call(\"m\")}\n- name: m\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      then: finish()\n    - default: call(\"n\")\n", ""},
		{"waits and never ends", "- {name: n, type: sleep, args: {time: days(1)}, ctrl: call(\"n\")}\n", "1:10 WB2106"},
		{"silent: a control from data may end", "- {name: n, type: sleep, args: {time: days(1)}, ctrl: 'config(\"where\", \"FINISH\")'}\n", ""},
		{"silent: a service may say where to go", "- {name: coupon, args: {request: 1, timeout: 5}}\n", ""},
		{"await: false does not rest", "- {name: push, args: {request: 1}, await: false, ctrl: call(\"push\")}\n", "1:10 WB2109, 1:61 WB2114"},
		{"silent: retry ends", "- {name: push, args: {request: 1, timeout: 5}, ctrl: retry(3)}\n", ""},
		{"retry that only goes round", "- {name: n, type: sleep, args: {time: 1}, ctrl: 'retry(3, call(\"n\"))'}\n", "1:10 WB2106"},

		{"variable of the trigger", "- {name: n, type: stdout, args: var(\"born\"), ctrl: finish()}\n", ""},
		{"variable set by nothing", "- {name: n, type: stdout, args: var(\"bron\"), ctrl: finish()}\n", "1:37 WB1205"},
		{"typed getters give a zero", "- {name: n, type: stdout, args: intVar(\"bron\"), ctrl: finish()}\n", "1:40 WB2112"},
		{"what the original keeps in variables", "- {name: n, type: stdout, args: 'var(\"$n.retry\", 0) + var(\"_FR\")', ctrl: finish()}\n", "1:38 WB2112, 1:59 WB1205"},
		{"silent: a foreach's variables", "- name: each\n  type: foreach\n  args: {items: '{1}', next: 'var(\"$each.idx\") < 3 ? call(\"m\") : finish()', finish: finish()}\n- {name: m, type: stdout, args: var(\"$each.ele\"), ctrl: call(\"each\")}\n", ""},
		{"slips in a foreach's variables", "- {name: each, type: foreach, args: {items: '{1}', next: call(\"m\"), finish: finish()}}\n- {name: m, type: stdout, args: 'var(\"$eahc.ele\") + var(\"$each.elem\") + var(\"each.idx\") + var(\"$other.ele\", 1)', ctrl: call(\"each\")}\n", "2:38 WB1205, 2:57 WB1205, 2:77 WB1205, 2:95 WB2112"},
		{"a foreach's variables behind its end", "- {name: each, type: foreach, args: {items: '{1}', next: call(\"m\"), eof: call(\"n\")}}\n- {name: m, type: stdout, args: 1, ctrl: call(\"each\")}\n- {name: n, type: stdout, args: var(\"$each.ele\"), ctrl: finish()}\n", "3:37 WB2111"},
		{"a foreach's variables in its own arguments", "- {name: each, type: foreach, args: {items: var(\"$each.ele\"), next: call(\"each\"), finish: 'failBecause(var(\"$each.ele\"))'}}\n", "1:49 WB2111"},
		{"a variable of no foreach", "- {name: m, type: stdout, args: var(\"$m.ele\"), ctrl: finish()}\n", "1:37 WB1205"},
		{"silent: types from elsewhere keep what they like", "- {name: m, type: own, ctrl: call(\"n\")}\n- {name: n, type: stdout, args: var(\"$m.ele\"), ctrl: finish()}\n", ""},

		{"nothing sets it, and it is looked for", "- {name: n, type: stdout, args: 'context.containsKey(\"x\") AND var(\"x\") == 1', ctrl: finish()}\n", "1:67 WB2112"},
		{"nothing sets it, and it is looked for with a default", "- {name: n, type: stdout, args: 'var(\"x\", null) == null ? 0 : var(\"x\")', ctrl: finish()}\n", "1:38 WB2112"},
		{"nothing sets it, and something else is looked for", "- {name: n, type: stdout, args: 'context.containsKey(\"y\") ? var(\"x\") : 0', ctrl: finish()}\n", "1:65 WB1205"},
		{"looked for by the clause", "- name: n\n  type: case\n  args:\n    - when: context.containsKey(\"x\") && config(\"n\") == 1\n      context_vars: {y: 'var(\"x\")'}\n      then: 'var(\"x\") == 1 ? finish() : fail()'\n    - default: finish()\n", "5:30 WB2112"},
		{"looked for by the clause before", "- name: n\n  type: case\n  args:\n    - when: NOT context.containsKey(\"x\")\n      then: finish()\n    - when: var(\"x\") == 1\n      then: fail()\n    - default: 'failBecause(var(\"x\"))'\n", "6:17 WB1205"},
		{"looked for by the clause before, and set on one way", "- name: n\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      context_vars: {x: 1}\n      then: call(\"m\")\n    - default: call(\"m\")\n- name: m\n  type: case\n  args:\n    - when: NOT context.containsKey(\"x\")\n      then: finish()\n    - default: 'failBecause(var(\"x\"))'\n", ""},
		{"looked for on the way to the action", "- name: n\n  type: case\n  args:\n    - when: context.containsKey(\"x\")\n      then: call(\"m\")\n    - default: finish()\n- {name: m, type: stdout, args: var(\"x\"), ctrl: finish()}\n", "7:37 WB2112"},
		{"looked for on one of two ways to the action", "- name: n\n  type: case\n  args:\n    - when: context.containsKey(\"x\")\n      then: call(\"m\")\n    - default: call(\"m\")\n- {name: m, type: stdout, args: var(\"x\"), ctrl: finish()}\n", "7:37 WB1205"},
		{"looked for by the control that calls", "- {name: n, type: stdout, args: 1, ctrl: 'context.containsKey(\"x\") ? call(\"m\") : call(\"end\")'}\n- {name: m, type: stdout, args: var(\"x\"), ctrl: finish()}\n" + end, "2:37 WB2112"},
		{"looked for by one of two calls", "- {name: n, type: stdout, args: 1, ctrl: 'context.containsKey(\"x\") ? call(\"m\") : call(\"m\")'}\n- {name: m, type: stdout, args: var(\"x\"), ctrl: finish()}\n", "2:37 WB1205"},
		{"set on every way", "- name: n\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      context_vars: {x: 1}\n      then: call(\"m\")\n    - default: call(\"m\")\n      context_vars: {x: 2}\n- {name: m, type: stdout, args: var(\"x\"), ctrl: finish()}\n", ""},
		{"set on one way", "- name: n\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      context_vars: {x: 1}\n      then: call(\"m\")\n    - default: call(\"m\")\n- {name: m, type: stdout, args: var(\"x\"), ctrl: finish()}\n", "8:37 WB2111"},
		{"silent: set on one way and guarded", "- name: n\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      context_vars: {x: 1}\n      then: call(\"m\")\n    - default: call(\"m\")\n- {name: m, type: stdout, args: 'var(\"x\", null) != null ? var(\"x\") : 0', ctrl: finish()}\n", ""},
		{"silent: set before a round, read in it", "- {name: n, type: compute, args: [{x: 1}], ctrl: call(\"m\")}\n- name: m\n  type: receive\n  args:\n    - when: var(\"x\") > 1\n      then: call(\"m\")\n    - after: 5\n      then: finish()\n", ""},
		{"compute sees what stands before", "- name: n\n  type: compute\n  args:\n    - a: 1\n    - b: var(\"a\") + var(\"c\")\n    - c: 2\n  ctrl: finish()\n", "5:25 WB2111"},
		{"ctrl sees what the action sets", "- {name: n, type: compute, args: [{a: 1}], ctrl: [{when: var(\"a\") > 0, then: finish()}, {default: fail()}]}\n", ""},
		{"a clause does not see what it sets", "- name: n\n  type: receive\n  args:\n    - when: eventTypeIs(\"payment\")\n      context_vars: {x: 1, y: 'var(\"x\")'}\n      then: finish()\n    - after: 5\n      then: finish()\n", "5:36 WB2111"},
		{"silent: nothing is certain of ways that are not known", "- {name: n, type: stdout, args: 1, ctrl: 'call(config(\"where\", \"m\"))'}\n- {name: m, type: stdout, args: var(\"x\"), ctrl: finish()}\n- {name: o, type: compute, args: [{x: 1}], ctrl: call(\"m\")}\n", ""},
		{"silent: unreachable actions read what they like", "- {name: n, type: compute, args: [{x: 1}], ctrl: finish()}\n- {name: m, type: stdout, args: 'var(\"y\", 0)', ctrl: finish()}\n", "2:10 WB2102"},

		{"one root of what is not reached", "- {name: n, type: stdout, args: 1, ctrl: finish()}\n- {name: m, type: stdout, args: 1, ctrl: call(\"o\")}\n- {name: o, type: stdout, args: 1, ctrl: call(\"m\")}\n- {name: p, type: stdout, args: 1, ctrl: call(\"m\")}\n", "4:10 WB2102"},
		{"silent: an error explains it", "- {name: n, type: stdout, args: 1, ctrl: call(\"p\")}\n- {name: m, type: stdout, args: 'var(\"x\", 1)', ctrl: finish()}\n", "1:47 WB1203"},
		{"no ctrl, and nothing about what it leads to", "- {name: n, type: stdout, args: 1}\n" + end, "1:10 WB2119"},

		{"same condition, other blanks", "- name: n\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      then: finish()\n    - when: config(\"n\")   ==   1\n      then: fail()\n    - default: fail()\n", "6:13 WB2107"},
		{"silent: same condition in two actions", "- name: n\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      then: call(\"end\")\n    - default: call(\"m\")\n- name: m\n  type: case\n  args:\n    - when: config(\"n\") == 1\n      then: call(\"end\")\n    - default: fail()\n" + end, ""},
		{"never true", "- name: n\n  type: case\n  args:\n    - when: 1 > 2\n      then: finish()\n    - default: fail()\n", "4:13 WB2108"},
		{"let through: one of two types", "- name: n\n  type: receive\n  args:\n    - when: eventTypeIs(\"payment\") OR eventTypeIs(\"refund\")\n      then: finish()\n    - after: 5\n      then: finish()\n", ""},
		{"let through: none", "- name: n\n  type: receive\n  args:\n    - when: eventTypeIs(\"paid\") OR eventTypeIs(\"refund\")\n      then: finish()\n    - after: 5\n      then: finish()\n", "4:25 WB2110"},
		{"let through: the strategy asks for the source of payments only", "- name: n\n  type: receive\n  args:\n    - when: eventAttr(\"source\") == \"app\"\n      then: finish()\n    - after: 5\n      then: finish()\n", ""},
		{"silent: the service counts", "- name: push\n  args: {request: 1, timeout: 5}\n  ctrl:\n    - when: resultFailure() AND var(\"n\", 0) < 3\n      context_vars: {n: 'var(\"n\", 0) + 1'}\n      then: call(\"push\")\n    - default: finish()\n", ""},
		{"silent: a timeout is a pause", "- name: push\n  args: {request: 1, timeout: 5}\n  ctrl:\n    - when: resultTimeout()\n      then: call(\"push\")\n    - default: finish()\n", ""},
		{"constants of every thread", "- name: n\n  type: receive\n  args:\n    - after: 5\n      context_vars: {x: '\"" + strings.Repeat("x", 5000) + "\"'}\n      then: finish()\n", "5:26 WB2117"},
		{"silenced on the line", "- name: n\n  type: receive # lint: ok WB2101 they leave by themselves\n  args:\n    - when: eventTypeIs(\"payment\")\n      then: finish()\n", ""},
		{"silenced from above", "- name: n\n  # lint: ok WB2101 they leave by themselves\n  # and more of it\n\n  type: receive\n  args:\n    - when: eventTypeIs(\"payment\")\n      then: finish()\n", ""},
		{"errors are not silenced", "- {name: n, type: stdout, args: var(\"x\"), ctrl: finish()} # lint: ok WB1205 no\n", "1:37 WB1205"},
		{"no comment inside a text", "- name: n\n  type: stdout\n  args: |\n    \"# lint: ok WB2101 x\"\n  ctrl: \"call('end') # lint: ok WB2101 x\"\n" + end, "5:22 WB1305"},
		{"other code", "- name: n\n  type: receive # lint: ok WB2102 wrong\n  args:\n    - when: eventTypeIs(\"payment\")\n      then: finish()\n", "2:9 WB2101, 2:17 WB2004"},
	} {
		if got := lintedAs(c.actions); got != c.want {
			t.Errorf("%s: got %q, want %q\n%s", c.name, got, c.want, c.actions)
		}
	}
}

func TestAttributesThatAreNotLetThrough(t *testing.T) {
	for when, want := range map[string]string{
		`eventAttr("source") == "shop" AND eventAttr("n", 0) > 1`:            "",
		`eventAttr("source") == "mail" OR eventAttr("source") == "app"`:      "",
		`eventAttr("source") == "mail" OR eventAttr("n") == 1`:               "",
		`eventAttr("source") == 5`:                                           "",
		`eventAttr("source", "mail") == "mail"`:                              "",
		`NOT (eventAttr("source") == "mail")`:                                "",
		`eventAttr("n", 0) == 1 AND "mail" == eventAttr("source")`:           `10:59 "source"`,
		`(eventAttr("source") == "mail" OR strEventAttr("source") == "web")`: `10:23 "source"`,
	} {
		text := "activity:\n  name: a\n  domain_id_strategy: visitors\n  trigger: eventTypeIs(\"visit\")\n  actions:\n" +
			"    - name: receive\n      args:\n        - after: 5\n          then: fail()\n        - when: " + when + "\n          then: finish()\n"
		text = strings.Replace(text, "- when: "+when, "- when: >-\n           "+when, 1)
		_, problems := Check([]byte(text), testEnv())
		got := ""
		for _, p := range problems {
			line := []rune(strings.Split(text, "\n")[p.Line-1])
			got += fmt.Sprintf("%d:%d %s", p.Line-1, p.Column, string(line[p.Column-1:p.EndColumn-1]))
			if p.Code != "WB2110" {
				t.Errorf("%s: problem %+v, want only WB2110", when, p)
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
	}
}

// TestVariablesOfLargeFlows has a long chain and a dense graph: the analysis ends, and says what it knows.
func TestVariablesOfLargeFlows(t *testing.T) {
	var b strings.Builder
	const n = 300
	for i := range n {
		fmt.Fprintf(&b, "- name: a%d\n  type: case\n  args:\n    - when: config(\"n\") == %d\n      context_vars: {v%d: 1}\n      then: call(\"a%d\")\n    - default: call(\"a%d\")\n", i, i, i, (i+1)%n, (i*7+3)%n)
	}
	fmt.Fprintf(&b, "- {name: last, type: stdout, args: var(\"v5\"), ctrl: finish()}\n")
	got := lintedAs(b.String())
	if !strings.Contains(got, "WB2102") || !strings.Contains(got, "1:9 WB2109") {
		t.Errorf("got %q, want the round and the action that is not reached", got)
	}
}

func TestAStrategyThatLetsNothingThrough(t *testing.T) {
	env := testEnv()
	env.When["visitors"], _ = CompileWhen("1 == 2", "/when")
	_, problems := Check([]byte("activity:\n  name: a\n  domain_id_strategy: visitors\n  trigger: eventTypeIs(\"visit\")\n  actions: [{name: n, type: stdout, args: 1, ctrl: finish()}]\n"), env)
	if len(problems) != 1 || problems[0].Code != "WB2110" || !strings.Contains(problems[0].Hint, "lets nothing through") {
		t.Errorf("expected WB2110 with the hint that nothing is let through, got %+v", problems)
	}
}
