package scenario

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const flowText = `activity:
  name: one
  domain_id_strategy: user
  trigger: eventTypeIs("start")
  actions:
    - name: gather
      type: receive
      args:
        - when: eventTypeIs("end")
          then: finish()
        - after: days(1)
          then: failBecause("late")
`

// write puts a scenario file into a folder of its own, beside a flow and its strategy.
func write(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"one.yaml": flowText, "some_test.yaml": text,
		"weftbox.yaml": "strategies:\n  - {name: user, when: 'eventAttr(\"user\", null) != null', domain_id: eventAttr(\"user\")}\nservices: [{name: push, url: http://localhost/}]\n",
		"events.jsonl": "{\"type\":\"start\",\"attr\":{\"user\":\"u\"}}\n{\"type\":\"end\",\"attr\":{\"user\":\"u\"}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "some_test.yaml")
}

// TestProblems: each mistake is found where it stands; the file has line 4 as its only step.
func TestProblems(t *testing.T) {
	const head = "flow: one.yaml\nscenarios:\n  - name: x\n    steps: [%s]\n"
	for _, c := range []struct{ step, place, message, hint string }{
		{"{exepct: {state: waiting}}", "4:14", `a step has no key "exepct"`, `did you mean "expect"?`},
		{"{expect: {sate: waiting}}", "4:23", `expect has no key "sate"`, `did you mean "state"?`},
		{"{expect: {state: wating}}", "4:30", `there is no state "wating"`, `did you mean "waiting"?`},
		{"{expect: {}}", "4:22", "this expects nothing", "name what must be"},
		{"{expect: {at: a, action: b}}", "4:30", "at and action are the same thing", "keep one"},
		{"{expect: {verdicts: {droped: 0}}}", "4:34", `verdicts has no key "droped"`, `did you mean "dropped"?`},
		{"{expect: {timers: -1}}", "4:31", "timers must be a whole number", ""},
		{"{expect: {vars: 3}}", "4:29", "vars must be a map", ""},
		{"{expect: {sent: [{servise: push}]}}", "4:31", `has no key "servise"`, `did you mean "service"?`},
		{"{expect: {sent: [{request.a: 1}]}}", "4:30", "needs the key service", ""},
		{`{expect: {vars: {a: 'matches("(")'}}}`, "4:33", "the regular expression can not be read", ""},
		{`{expect: {vars: {a: 'matches(b)'}}}`, "4:33", "not a matches with one text", ""},
		{"{expect: {vars: {a: 0x10}}}", "4:33", "can not be written like this in an event", "decimal digits"},
		{"{event: {type: x}, advance: 1d}", "4:32", "a step is one thing, this one is event and advance", "two steps"},
		{"{times: 3}", "4:13", "the step says nothing that happens", "write one of"},
		{"{advance: 3}", "4:23", "has no unit", "2d"},
		{"{advance: 1d, times: 2}", "4:27", "times is for event and events", ""},
		{"{event: {attr: {}}}", "4:21", "an event needs the key type", ""},
		{"{event: {type: x, tipe: 1}}", "4:31", `an event has no key "tipe"`, `did you mean "type"?`},
		{"{event: {type: res}}", "4:21", "the event can not be read", ""},
		{"{command: stop}", "4:23", `there is no command "stop"`, "pause"},
		{"{play: nothing.json}", "4:20", "the events can not be read", "folder"},
		{"{event: {type: x}, domain: u}", "4:32", "domain is for expect, reply, command and manage", ""},
		{"{reply: {data: {}}}", "4:21", "reply needs the key service", ""},
		{"{deploy: {version: a}}", "4:22", "deploy posts one flow", ""},
		{"", "4:12", "the scenario has no steps", ""},
		{"{advance: 1d", "4:25", "YAML cannot be read here", ""},
	} {
		path := write(t, fmt.Sprintf(head, c.step))
		f, problems, err := Load(path)
		if err != nil || f != nil || len(problems) != 1 {
			t.Errorf("%s: expected one problem and no file, got %v, %+v, %v", c.step, f, problems, err)
			continue
		}
		p := problems[0]
		if place := fmt.Sprintf("%d:%d", p.Line, p.Column); place != c.place || !strings.Contains(p.Message, c.message) || !strings.Contains(p.Hint, c.hint) {
			t.Errorf("%s: expected %s %q (%q), got %s %q (%q)", c.step, c.place, c.message, c.hint, place, p.Message, p.Hint)
		}
	}
}

func TestProblemsOfTheFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "1:1 the file is empty",
		"- a":                          "1:1 a scenario file must be a map, this is a list",
		"flow: one.yaml":               `1:1 the file has no "scenarios"`,
		"flow: two.yaml\nscenarios: 1": "1:7 the flow can not be read",
		"scenarios: [{name: a, steps: [{advance: 1d}]}]":                                                             "1:20 the scenario has no flow",
		"flow: one.yaml\nscenarios:\n - {name: a, steps: [{advance: 1d}]}\n - {name: a, steps: [{advance: 1d}]}":     "4:11 a scenario above has this name already",
		"flow: one.yaml\ndefaults: {start: soon}\nscenarios: [{name: a, steps: [{advance: 1d}]}]":                    "2:19 start must be a time",
		"flow: one.yaml\ndefaults: {services: {push: {replay: {}}}}\nscenarios: [{name: a, steps: [{advance: 1d}]}]": `2:30 a service has no key "replay"`,
		"flow: one.yaml\ndefaults: {services: {push: timeot}}\nscenarios: [{name: a, steps: [{advance: 1d}]}]":       `2:29 there is no behavior of a service "timeot"`,
		"flow: one.yaml\nflow: one.yaml\nscenarios: [{name: a, steps: [{advance: 1d}]}]":                             `2:1 the key "flow" stands twice`,
		"\xff": "1:1 the file is not UTF-8",
		"flow: one.yaml\nscenarios: [{name: a, steps: [{expect: {state: waiting}, every: &a [*a]}]}]": "2:",
	} {
		_, problems, err := Load(write(t, text))
		if err != nil || len(problems) == 0 {
			t.Errorf("%q: expected the problem %q, got none (%v)", text, want, err)
			continue
		}
		if got := fmt.Sprintf("%d:%d %s", problems[0].Line, problems[0].Column, problems[0].Message); !strings.HasPrefix(got, want) {
			t.Errorf("%q: expected the problem %q, got %q", text, want, got)
		}
	}
	if _, _, err := Load(filepath.Join(t.TempDir(), "none_test.yaml")); !os.IsNotExist(err) {
		t.Errorf("expected the error of a file that is not there, got %v", err)
	}
}

func TestHostileYAML(t *testing.T) {
	bomb := "a: &a0 [1,1]\n"
	for i := 1; i < 40; i++ {
		bomb += fmt.Sprintf("b%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	for _, text := range []string{
		"flow: one.yaml\nscenarios:\n - name: a\n   config:\n" + regexp.MustCompile(`(?m)^`).ReplaceAllString(bomb, "     ") + "\n   steps: [{advance: 1d}]\n",
		"flow: one.yaml\nscenarios: [{name: a, steps: [{expect: {vars: {a: &x [*x]}}}]}]\n",
		"flow: one.yaml\nscenarios: [{name: a, steps: [{event: {type: a, attr: &x {b: *x}}}]}]\n",
		strings.Repeat("[", 20000),
	} {
		if f, problems, err := Load(write(t, text)); f != nil || err != nil || len(problems) == 0 {
			t.Errorf("%.60q: expected problems, got %v, %v", text, f, err)
		}
	}
}

const mixed = `flow: one.yaml
scenarios:
  - name: good
    steps:
      - play: events.jsonl
      - expect: {state: finished, run: 1}
  - name: bad
    steps:
      - event: {type: start, attr: {user: u}}
      - advance: 1d
      - expect: {state: waiting, at: other, vars: {n: 1}, sent: [{service: push}], verdicts: {spawned: 2}, threads: 1}
`

// TestFailure: a failure says where it stands, what was expected and what is, and what happened before.
func TestFailure(t *testing.T) {
	path := write(t, mixed)
	report, err := RunFiles([]string{path}, Options{}, nil)
	if err != nil || report.Ran() != 2 || report.Failed() != 1 {
		t.Fatalf("expected 2 scenarios run and 1 failed, got %d, %d, %v", report.Ran(), report.Failed(), err)
	}
	var out bytes.Buffer
	report.Files[0].WriteText(&out, false)
	for _, want := range []string{
		"--- FAIL bad\n", path + ":11:9: expect\n", "at: expected other, is gather\n", "state: expected waiting, is failed\n",
		"vars.n: expected 1, there is none\n", "sent: expected 1 requests since the last expect, there are 0: []\n", "verdicts.spawned: expected 2, is 1\n",
		"threads: expected 1, is 0\n", `+0s        event start {"user":"u"}: spawned`, "+0s        → waiting at gather {}", "+1d        → failed at gather because late {}",
		"FAIL some  1 of 2 scenarios failed (",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("expected the text %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "good") {
		t.Errorf("expected nothing of scenarios that passed in\n%s", out.String())
	}
	out.Reset()
	if err := report.WriteJSON(&out, false); err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		OK                bool
		Scenarios, Failed int
		Files             []struct {
			Scenarios []struct {
				OK      bool
				Failure *struct{ Line int }
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &parsed); err != nil || parsed.OK || parsed.Scenarios != 2 || parsed.Failed != 1 || parsed.Files[0].Scenarios[1].Failure.Line != 11 {
		t.Errorf("expected the failure of line 11 as JSON, got %v and\n%s", err, out.String())
	}
	out.Reset()
	if err := report.WriteJUnit(&out); err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(out.Bytes(), &suites); err != nil || len(suites.Suites) != 1 || suites.Suites[0].Failures != 1 || suites.Suites[0].Cases[1].Failure == nil {
		t.Errorf("expected one failure as JUnit, got %v and\n%s", err, out.String())
	}
}

func TestRunChoosesByName(t *testing.T) {
	f, _, err := Load(write(t, mixed))
	if err != nil || f == nil {
		t.Fatal("expected a file", err)
	}
	if r := f.Run(Options{Run: regexp.MustCompile("^go")}); len(r) != 1 || r[0].Name != "good" || r[0].Failure != nil {
		t.Errorf("expected the scenario good only, got %+v", r)
	}
}

// TestSlips: names that nothing has fail a scenario, even where it would pass without them.
func TestSlips(t *testing.T) {
	const head = "flow: one.yaml\nscenarios:\n  - name: x\n"
	for text, want := range map[string]string{
		"    services: {psh: timeout}\n    steps: [{advance: 1d}]\n":                                                                        `no action of the flow asks a service "psh"`,
		"    steps: [{event: {type: start, attr: {user: u}}}, {expect: {never: {sent: psh}}}]\n":                                            `there is no service "psh"; did you mean "push"?`,
		"    steps: [{expect: {state: waiting}}]\n":                                                                                         "there is none",
		"    steps: [{event: {type: start, attr: {user: u}}}, {event: {type: start, attr: {user: v}}}, {expect: {state: waiting}}]\n":       "there are several threads (u, v): say which with domain",
		"    steps: [{expect: {threads: 0}, activity: on}]\n":                                                                               `there is no activity "on"; did you mean "one"?`,
		"    activities: [{name: a}, {name: b}]\n    steps: [{expect: {threads: 0}}]\n":                                                     "there are several activities (a, b): say which with activity",
		"    steps: [{event: {type: start, attr: {user: u}}}, {reply: {service: push}}]\n":                                                  "there is no request to answer",
		"    activities: [{name: a, definition: on}]\n    steps: [{advance: 1d}]\n":                                                         `there is no definition "on"`,
		"    definition: |\n      activity: {name: x, domain_id_strategy: user, trigger: foo(), actions: []}\n    steps: [{advance: 1d}]\n": "the flow at 1:",
		"    definition: |\n      activity: {name: x, domain_id_strategy: user, trigger: true, actions: [{name: a, type: compute, args: [{n: 1}], ctrl: call(\"a\")}]}\n" +
			"    steps: [{event: {type: x, attr: {user: u}}}]\n": "some thread goes round in circles without ever waiting",
	} {
		f, problems, err := Load(write(t, head+text))
		if err != nil || f == nil {
			t.Errorf("%s: expected a file, got %v, %v", text, problems, err)
			continue
		}
		r := f.Run(Options{})[0]
		if r.Failure == nil || !strings.Contains(strings.Join(r.Failure.Messages, "\n"), want) {
			t.Errorf("%s: expected the failure %q, got %+v", text, want, r.Failure)
		}
	}
}
