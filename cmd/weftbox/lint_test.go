package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const lintFlow = `activity:
  name: flow
  domain_id_strategy: by_user
  trigger: eventTypeIs("visit")
  actions:
    - name: wait
      type: receive
      args:
        - when: eventAttr("做了") == "查看商品" AND var("数") == 1
          then: eventAttr("x", 1) == 1 ? finish() : call("push")
        - after: days(1)
          then: finish()
    - name: push
      args: {request: 1}
      ctrl: finish()
`

func TestLintText(t *testing.T) {
	dir := inFolder(t, map[string]string{"flow.yaml": lintFlow, "flow_test.yaml": "scenarios: []\n",
		"weftbox.yaml": "strategies:\n  - {name: by_user, when: containsAttr(\"user\"), domain_id: eventAttr(\"user\")}\nservices: [{name: push, url: http://localhost/}]\n"})
	code, stdout, stderr := typed(nil, "lint", dir)
	file := filepath.Join(dir, "flow.yaml")
	want := file + `:9:51: error WB1205: nothing sets the variable "数"
    9 |         - when: eventAttr("做了") == "查看商品" AND var("数") == 1
      |                                                         ^^^^
   hint: set it in context_vars, or give a default: var("数", 0)
` + file + `:10:17: warning WB2001: quote this value: YAML does not allow " : " in unquoted text
   10 |           then: eventAttr("x", 1) == 1 ? finish() : call("push")
      |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   hint: write 'eventAttr("x", 1) == 1 ? finish() : call("push")'
` + file + `:13:13: warning WB2103: the service "push" is called without a timeout: threads may wait here for ever
   13 |     - name: push
      |             ^^^^
   hint: add "timeout: minutes(1)" to args and a ctrl entry for resultTimeout()
3 problems (1 error) in 1 file · exit 1 · explain with: weftbox explain WB1205
`
	if code != 1 || stdout != want || stderr != "" {
		t.Errorf("exit %d, stderr %q, stdout\n%s\nwant exit 1 and\n%s", code, stderr, stdout, want)
	}
	if _, zh, _ := typed(nil, "lint", "--lang", "zh", file); !strings.Contains(zh, `调用服务 "push" 没有超时：线程可能永远等在这里`) {
		t.Errorf("with --lang zh the report is\n%s\nwant Chinese", zh)
	}
}

func TestLintJSON(t *testing.T) {
	dir := inFolder(t, map[string]string{"flow.yaml": lintFlow})
	file := filepath.Join(dir, "flow.yaml")
	code, stdout, _ := typed(nil, "lint", "--format", "json", "--strategy", "by_user", "--service", "push", "--service", "coupon", file)
	var report struct {
		Problems []map[string]any `json:"problems"`
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 1 || len(report.Problems) != 3 {
		t.Fatalf("exit %d, %v:\n%s\nwant exit 1 and three problems", code, err, stdout)
	}
	want := map[string]any{"file": file, "code": "WB1205", "severity": "error", "path": "/activity/actions/0/args/0/when", "line": 9.0, "column": 51.0, "end_column": 54.0,
		"message": `nothing sets the variable "数"`, "hint": `set it in context_vars, or give a default: var("数", 0)`}
	if !reflect.DeepEqual(report.Problems[0], want) {
		t.Errorf("the first problem is %v, want %v", report.Problems[0], want)
	}
	if code, stdout, _ := typed(nil, "lint", "--format", "json", filepath.Join("..", "..", "examples", "coupon")); code != 0 || stdout != "{\"problems\":[]}\n" {
		t.Errorf("examples/coupon: exit %d and %q, want 0 and no problems", code, stdout)
	}
}

func TestLintExitCodes(t *testing.T) {
	good := strings.NewReplacer(" AND var(\"数\") == 1", "", "eventAttr(\"x\", 1) == 1 ? finish() : call(\"push\")", `call("push")`).Replace(lintFlow)
	dir := inFolder(t, map[string]string{"good.yaml": good, "bad.yaml": lintFlow, "other/list.yaml": "a: 1\n", "strategy/flow.yaml": good,
		"strategy/weftbox.yaml": "services: [{name: push}]\nstrategies:\n  - name: by_user\n    when: containsAttr(user)\n    domain_id: eventAttr(\"user\")\n"})
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.Symlink(at("strategy"), at("link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{at("good.yaml"), "--strategy", "by_user", "--service", "push"}, 0, "1 problem (0 errors) in 1 file · exit 0"},
		{[]string{at("good.yaml"), "--strategy", "by_user", "--service", "push", "--strict"}, 1, "exit 1"},
		{[]string{at("good.yaml"), "--service", "push"}, 1, "no strategies or services are known here: name them with --strategy"},
		{[]string{at("bad.yaml"), "--strategy", "by_user", "--service", "push"}, 1, "exit 1"},
		{[]string{at("strategy")}, 1, at("strategy/weftbox.yaml") + ":4:24: error WB1402: "},
		{[]string{at("link"), "--strategy", "by_user", "--service", "push"}, 1, at("link/flow.yaml") + ":"},
		{[]string{at("none.yaml")}, 2, "no such file"},
		{[]string{at("other")}, 2, "holds no definition"},
		{[]string{at("none.yaml"), at("strategy")}, 2, at("strategy/weftbox.yaml") + ":4:24: error WB1402: "},
		{[]string{at("good.yaml"), "--format", "xml"}, 2, "choose text or json"},
		{[]string{at("good.yaml"), "--lang", "fr"}, 2, "choose en or zh"},
		{nil, 2, `"weftbox lint PATH…", this has 0 arguments`},
		{[]string{at("good.yaml"), "--server", "http://127.0.0.1:1"}, 3, "no node answers"},
	} {
		code, stdout, stderr := typed(nil, append([]string{"lint"}, c.args...)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("weftbox lint %v: exit %d and\n%s%s\nwant %d and %q", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
}

// TestLintTellsInJSONWhatItCouldNotRead holds that stdout has the whole report although something could not be looked at.
func TestLintTellsInJSONWhatItCouldNotRead(t *testing.T) {
	dir := inFolder(t, map[string]string{"flow.yaml": lintFlow, "broken/flow.yaml": lintFlow, "broken/weftbox.yaml": "services: [\n"})
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		args             []string
		code             int
		problems         int
		paths, failureOf string
	}{
		{[]string{at("none.yaml")}, exitUsage, 0, at("none.yaml"), "no such file"},
		{[]string{at("none.yaml"), at("flow.yaml"), at("nor")}, exitUsage, 3, at("none.yaml") + " " + at("nor"), "no such file"},
		{[]string{at("broken")}, exitUsage, 0, at("broken"), "weftbox.yaml: line "},
		{[]string{at("flow.yaml"), "--server", "http://127.0.0.1:1"}, exitUnreachable, 0, "http://127.0.0.1:1", "no node answers"},
	} {
		code, stdout, stderr := typed(nil, append([]string{"lint", "--format", "json", "--strategy", "by_user", "--service", "push"}, c.args...)...)
		var report struct{ Problems, Failures []map[string]any }
		if err := json.Unmarshal([]byte(stdout), &report); err != nil {
			t.Fatalf("lint %v: expected JSON on stdout, got %q (%v)", c.args, stdout, err)
		}
		var paths []string
		for _, f := range report.Failures {
			paths = append(paths, f["path"].(string))
			if !strings.Contains(f["error"].(string), c.failureOf) {
				t.Errorf("lint %v: expected an error that says %q, got %v", c.args, c.failureOf, f)
			}
		}
		if code != c.code || len(report.Problems) != c.problems || strings.Join(paths, " ") != c.paths || !strings.Contains(stderr, c.failureOf) {
			t.Errorf("lint %v: expected exit %d, %d problems and failures of %s, got %d and %s%s", c.args, c.code, c.problems, c.paths, code, stdout, stderr)
		}
	}
}

func TestLintAsksAServer(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"lists/weftbox.yaml": "services: [{name: push, url: http://127.0.0.1:1/}]\nstrategies:\n  - name: by_user\n    when: eventTypeIs(\"other\") AND containsAttr(\"user\")\n    domain_id: eventAttr(\"user\")\n",
		"flow.yaml": "activity:\n  name: flow\n  domain_id_strategy: by_user\n  trigger: eventTypeIs(\"visit\")\n  actions:\n    - name: push\n      args: {request: 1, timeout: minutes(1)}\n      ctrl: finish()\n"})
	if code, _, stderr := typed(n, "apply", "-f", filepath.Join(dir, "lists")); code != 0 {
		t.Fatalf("apply: exit %d, %s", code, stderr)
	}
	code, stdout, stderr := typed(n, "lint", filepath.Join(dir, "flow.yaml"))
	if code != 0 || !strings.Contains(stdout, `warning WB2110: the strategy "by_user" lets no event of the type "visit" through`) {
		t.Errorf("exit %d and\n%s%s\nwant 0 and the warning that the server's strategy lets no visit through", code, stdout, stderr)
	}
}

func TestLintFixes(t *testing.T) {
	dir := inFolder(t, map[string]string{"flow.yaml": lintFlow})
	file := filepath.Join(dir, "flow.yaml")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	_, stdout, stderr := typed(nil, "lint", "--fix", file)
	text, err := os.ReadFile(file)
	if want := strings.Replace(lintFlow, `eventAttr("x", 1) == 1 ? finish() : call("push")`, `'eventAttr("x", 1) == 1 ? finish() : call("push")'`, 1); err != nil || string(text) != want {
		t.Errorf("the file is now (%v)\n%s\nwant\n%s", err, text, want)
	}
	if stderr != file+": 1 value quoted\n" || strings.Contains(stdout, "WB2001") {
		t.Errorf("stderr %q and stdout\n%s\nwant one value quoted and no warning of it", stderr, stdout)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v (%v), want 600 as before", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("files are left behind: %v", left)
	}
}

func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		source      string
		column, end int
		want        string
	}{
		{"a: b", 4, 5, "    7 | a: b\n      |    ^\n"},
		{"a\t查b看", 3, 5, "    7 | a 查b看\n      |   ^^^\n"},
		{"a:", 3, 3, "    7 | a:\n      |   ^\n"},
		{strings.Repeat("x", 200) + "查" + strings.Repeat("y", 200), 201, 202, "    7 | …" + strings.Repeat("x", 30) + "查" + strings.Repeat("y", 29) + "…\n      | " + strings.Repeat(" ", 31) + "^^\n"},
	} {
		if got := excerpt(c.source, 7, c.column, c.end); got != c.want {
			t.Errorf("excerpt of %q is\n%s\nwant\n%s", c.source, got, c.want)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"WB1203"}, 0, "WB1203 (error): A call leads to an action that the definition does not have.\nCorrect the name, or add the action.\n\nFor example:\n  - name: tell\n    type: stdout\n    args: 1\n    ctrl: call(\"nxt\")\n\nBetter:\n  - name: tell\n    type: stdout\n    args: 1\n    ctrl: call(\"next\")\n"},
		{[]string{"wb2101", "--lang", "zh"}, 0, "WB2101 (warning): receive 没有 after，或者 concurrent 启动了没有超时的服务而没有 after：线程可能会永远等下去。\n"},
		{[]string{"WB1307"}, 0, "1 < eventAttr(\"a\") AND eventAttr(\"a\") < 3\n"},
		{[]string{"WB1251"}, 0, "WB1251 (error): A name cannot be used."},
		{[]string{"WB3002", "--lang", "zh"}, 0, "WB3002 (error): 场景里的键"},
		{[]string{"WB2101", "-o", "json"}, 0, `"code":"WB2101","severity":"warning"`},
		{[]string{"-o", "table"}, 0, "WB1203  error     A call leads to"},
		{[]string{"-o", "json"}, 0, `{"code":"WB2101"`},
		{[]string{"WB9999"}, 4, "there is no code WB9999"},
		{[]string{"WB1203", "--lang", "fr"}, 2, "choose en or zh"},
	} {
		code, stdout, stderr := typed(nil, append([]string{"explain"}, c.args...)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("weftbox explain %v: exit %d and\n%s%s\nwant %d and %q", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
}

func TestFmt(t *testing.T) {
	messy := "activity:\n  # 名字\n  name: flow\n  trigger: 'true'\n  domain_id_strategy: by_user\n  actions:\n  - type: stdout\n    name: a\n    args: 1\n"
	neat := "activity:\n  # 名字\n  name: flow\n  domain_id_strategy: by_user\n  trigger: 'true'\n  actions:\n    - name: a\n      type: stdout\n      args: 1\n"
	dir := inFolder(t, map[string]string{"messy.yaml": messy, "neat.yaml": neat, "list.yaml": "b:   1\n"})
	file := filepath.Join(dir, "messy.yaml")
	if code, stdout, _ := typed(nil, "fmt", "--check", dir); code != 1 || stdout != file+"\n" {
		t.Errorf("fmt --check: exit %d and %q, want 1 and %s", code, stdout, file)
	}
	if code, stdout, stderr := typed(nil, "fmt", dir); code != 0 || stdout != file+"\n" {
		t.Errorf("fmt: exit %d, %q and %q, want 0 and %s", code, stdout, stderr, file)
	}
	if text, _ := os.ReadFile(file); string(text) != neat {
		t.Errorf("the file is now\n%s\nwant\n%s", text, neat)
	}
	if text, _ := os.ReadFile(filepath.Join(dir, "list.yaml")); string(text) != "b:   1\n" {
		t.Errorf("a file that is no definition was changed to %q", text)
	}
	if code, stdout, _ := typed(nil, "fmt", "--check", dir); code != 0 || stdout != "" {
		t.Errorf("fmt --check afterwards: exit %d and %q, want 0 and nothing", code, stdout)
	}
	bad := inFolder(t, map[string]string{"bad.yaml": "activity: [\n"})
	if code, _, stderr := typed(nil, "fmt", bad); code != 1 || !strings.Contains(stderr, "bad.yaml:2:1: error WB1001") {
		t.Errorf("a text that YAML cannot read: exit %d and %q, want 1 and its place", code, stderr)
	}
	if code, stdout, _ := typed(nil, "fmt", "--check", filepath.Join("..", "..", "examples")); code != 0 {
		t.Errorf("examples are not in canonical form: %s", stdout)
	}
}

func TestLintTellsTheLanguagesProblemsInChinese(t *testing.T) {
	dir := inFolder(t, map[string]string{"flow.yaml": strings.Replace(lintFlow, `var("数") == 1`, `evntAttr("a") == 1`, 1)})
	_, stdout, _ := typed(nil, "lint", "--lang", "zh", "--strategy", "by_user", "--service", "push", dir)
	if !strings.Contains(stdout, "WB1401: 没有") || strings.Contains(stdout, "did you mean") {
		t.Errorf("the report is\n%s\nwant an unknown function told in Chinese", stdout)
	}
}

// TestFlowsInTheOriginalsWays checks flows of our own that are written in all the ways that definitions of the original are: nothing is said
// of them, and what fmt makes of them is the same.
func TestFlowsInTheOriginalsWays(t *testing.T) {
	flows := filepath.Join("testdata", "flows")
	if code, stdout, stderr := typed(nil, "lint", "--strict", flows); code != 0 || stdout != "no problems in 7 files\n" {
		t.Errorf("exit %d and\n%s%s\nwant no problems in 7 files", code, stdout, stderr)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(flows)); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := typed(nil, "fmt", dir); code != 0 {
		t.Fatalf("fmt: exit %d, %s", code, stderr)
	}
	if code, stdout, stderr := typed(nil, "lint", "--strict", dir); code != 0 || stdout != "no problems in 7 files\n" {
		t.Errorf("formatted: exit %d and\n%s%s\nwant no problems in 7 files", code, stdout, stderr)
	}
}

func TestEveryCodeIsExplainedOnceAndInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range allCodes() {
		if seen[c.Code] || c.Text == "" || c.TextZh == "" || (c.Fix == "") != (c.FixZh == "") {
			t.Errorf("%s stands twice or lacks words: %+v", c.Code, c)
		}
		seen[c.Code] = true
	}
}
