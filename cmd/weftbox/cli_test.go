package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/engine/store"
)

// localNode runs a node in this process.
func localNode(t *testing.T, manual bool) *node {
	t.Helper()
	n, err := openNode(context.Background(), nodeConfig{HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Manual: manual, Durability: store.Memory,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Stdout: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	n.start()
	t.Cleanup(func() {
		if err := n.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return n
}

// typed carries a command line out.
func typed(n *node, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	if n != nil {
		args = append(args, "--server", n.URL)
	}
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// inFolder writes files into a new folder.
func inFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const lists = `strategies:
  - {name: by_user, when: 'eventAttr("user", null) != null', domain_id: eventAttr("user")}
services:
  - {name: coupon, url: http://127.0.0.1:1/}
activities:
  - {name: first, definition: wait, config: {limit: 3}}
`

const waitFlow = `activity:
  name: wait
  domain_id_strategy: by_user
  config:
    limit: 1
  trigger:
    type: event
    args:
      condition: eventTypeIs("hello")
    context_vars:
      title: eventAttr("title")
  actions:
    - name: waiting
      type: receive
      args:
        - when: eventTypeIs("bye")
          then: finish()
        - after: days(2)
          then: finish()
`

func TestApply(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"weftbox.yaml": lists, "flows/wait.yaml": waitFlow, "flows/wait_test.yaml": "scenarios: []\n", "notes.txt": "an activity: no", ".git/x.yaml": "activity: ["})
	outcomes := func(text string) string {
		var all []string
		for line := range strings.Lines(text) {
			var a applied
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				t.Fatalf("expected JSON lines, got %s", line)
			}
			all = append(all, strings.TrimSpace(a.Kind+" "+a.Name+" "+a.Version)+" "+a.Outcome)
		}
		return strings.Join(all, ", ")
	}
	for _, step := range []struct {
		change func()
		args   []string
		code   int
		want   string
	}{
		{nil, nil, 0, "strategy by_user created, service coupon created, definition wait 1 created, activity first created"},
		{nil, nil, 0, "strategy by_user unchanged, service coupon unchanged, definition wait 1 unchanged, activity first unchanged"},
		{func() { os.WriteFile(filepath.Join(dir, "flows/wait.yaml"), []byte(waitFlow+"# more\n"), 0o644) }, nil, 0,
			"strategy by_user unchanged, service coupon unchanged, definition wait 2 created, activity first unchanged"},
		{nil, []string{"--version", "1"}, exitPartly, "strategy by_user unchanged, service coupon unchanged, definition " + filepath.Join(dir, "flows/wait.yaml") + " conflict"},
		{func() {
			os.WriteFile(filepath.Join(dir, "weftbox.yaml"), []byte(strings.Replace(lists, `", null) != null`, `", null) == null`, 1)), 0o644)
		}, nil, exitConflict, "strategy by_user conflict"},
	} {
		if step.change != nil {
			step.change()
		}
		code, out, errs := typed(n, append([]string{"apply", "-f", dir}, step.args...)...)
		if code != step.code || outcomes(out) != step.want {
			t.Errorf("apply: expected exit code %d and %s, got %d %s\n%s", step.code, step.want, code, out, errs)
		}
	}
	bad := filepath.Join(inFolder(t, map[string]string{"bad.yaml": strings.Replace(waitFlow, "finish()", `call("waitin")`, 1)}), "bad.yaml")
	code, _, errs := typed(n, "apply", "-f", bad)
	if code != exitFailed || !strings.Contains(errs, bad+":17:") || !strings.Contains(errs, `did you mean "waiting"?`) {
		t.Errorf("a definition with an error: expected exit code 1 and file, line and hint, got %d %s", code, errs)
	}
	for _, path := range []string{filepath.Join(dir, "notes.txt"), filepath.Join(dir, "missing"), t.TempDir(), filepath.Join(inFolder(t, map[string]string{"weftbox.yaml": "servces: []\n"}), "weftbox.yaml")} {
		if code, out, errs := typed(n, "apply", "-f", path); code != exitUsage || out != "" || errs == "" {
			t.Errorf("apply -f %s: expected exit code 2 and a reason, got %d %s %s", path, code, out, errs)
		}
	}
}

func TestClientCommands(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"weftbox.yaml": lists, "wait.yaml": waitFlow, "event.json": `{"type":"hello","attr":{"user":"filed","title":"t"}}`})
	if code, _, errs := typed(n, "apply", "-f", dir); code != 0 {
		t.Fatalf("apply: %d %s", code, errs)
	}
	for _, c := range []struct {
		args  []string
		code  int
		parts []string // of either stream
	}{
		{[]string{"events", "send", "hello", "user=小明", "title=12", "note=007", "--id", "a"}, 0, []string{`"accepted":1`, `"verdict":"spawned"`, `"domain_id":"小明"`, `"id":"a"`}},
		{[]string{"events", "send", "hello", "user=小明", "title=12", "note=007", "--id", "a"}, 0, []string{`"duplicates":1`}},
		{[]string{"events", "send", "hello", "user=7", "title=x", "--times", "3", "--id", "b", "-o", "table"}, 0, []string{"EVENT", "b-3", "dropped"}},
		{[]string{"events", "send", "hello", "user=8", "-o", "table"}, 0, []string{"dead_letter", "title"}},
		{[]string{"events", "send", "other", "-o", "table"}, 0, []string{"no strategy took it"}},
		{[]string{"events", "send", "--file", filepath.Join(dir, "event.json")}, 0, []string{`"domain_id":"filed"`}},
		{[]string{"events", "send"}, exitUsage, []string{"type is missing"}},
		{[]string{"events", "send", "hello", "user"}, exitUsage, []string{"KEY=VALUE"}},
		{[]string{"events", "send", "hello", "--file", "x"}, exitUsage, []string{"whole events"}},
		{[]string{"threads", "get", "first", "小明"}, 0, []string{`"title":12`, `"status":"waiting"`}},
		{[]string{"threads", "get", "first", "小明", "-o", "table"}, 0, []string{"domain id   小明", "waiting"}},
		{[]string{"threads", "get", "first", "nobody"}, exitNotFound, []string{"try:   weftbox threads list first"}},
		{[]string{"threads", "get", "frist", "小明"}, exitNotFound, []string{`did you mean "first"?`, "try:   weftbox activities list"}},
		{[]string{"threads", "get", "first"}, exitUsage, []string{"try:   weftbox threads get --help"}},
		{[]string{"threads", "list", "first", "-o", "table"}, 0, []string{"DOMAIN  STATUS", "小明    waiting", "filed   waiting"}},
		{[]string{"threads", "list", "first", "--limit", "1", "-o", "table"}, 0, []string{"there are more"}},
		{[]string{"dead-letters", "list"}, 0, []string{`"reason":"trigger"`, `"domain_id":"8"`}},
		{[]string{"dead-letters", "list", "-o", "table"}, 0, []string{"REASON", "trigger"}},
		{[]string{"clock", "advance", "2d", "-o", "table"}, 0, []string{"3 alarms reached their threads"}},
		{[]string{"clock", "advance", "soon"}, exitUsage, []string{"48h"}},
		{[]string{"clock", "now"}, 0, []string{`"mode":"manual"`}},
		{[]string{"version", "-o", "table"}, 0, []string{"weftbox "}},
		{[]string{"version", "-o", "xml"}, exitUsage, []string{"table or json"}},
		{[]string{"help", "exit-codes"}, 0, []string{"124"}},
		{[]string{"lunch"}, exitUsage, []string{"unknown command", "try:   weftbox --help"}},
	} {
		code, out, errs := typed(n, c.args...)
		for _, part := range c.parts {
			if code != c.code || !strings.Contains(out+errs, part) {
				t.Errorf("%v: expected exit code %d and %q, got %d %s%s", c.args, c.code, part, code, out, errs)
			}
		}
		if c.code != 0 && !strings.HasPrefix(errs, "error: ") {
			t.Errorf("%v: expected the error on stderr, got %q", c.args, errs)
		}
	}
	if code, _, errs := typed(nil, "clock", "now", "--server", "127.0.0.1:1"); code != exitUnreachable || !strings.Contains(errs, "try:   weftbox serve") {
		t.Errorf("no node: expected exit code 3 and what to type, got %d %s", code, errs)
	}
	if code, _, errs := typed(localNode(t, false), "clock", "advance", "1h"); code != exitConflict || !strings.Contains(errs, "try:   weftbox serve --clock manual") {
		t.Errorf("a wall clock: expected exit code 5, got %d %s", code, errs)
	}
}

func TestAttributeValues(t *testing.T) {
	for text, want := range map[string]string{"7": "7", "007": `"007"`, "1.50": "1.50", "true": "true", "null": "null", "": `""`, "x": `"x"`, `"q"`: `"\"q\""`, "[1]": `"[1]"`, "9007199254740993": "9007199254740993", "1 2": `"1 2"`, " 7": `" 7"`} {
		if got, _ := json.Marshal(attributeValue(text)); string(got) != want {
			t.Errorf("%q: expected %s, got %s", text, want, got)
		}
	}
}

func TestTableWidths(t *testing.T) {
	var b bytes.Buffer
	if err := (output{to: &b}).table([][]string{{"a", "b"}, {"小明", "x"}, {"é", "y"}, {"ﾊﾝ", "z"}, {"한글ab", "w"}}); err != nil {
		t.Fatal(err)
	}
	if want := "a       b\n小明    x\né       y\nﾊﾝ      z\n한글ab  w\n"; b.String() != want {
		t.Errorf("expected columns that line up:\n%s\ngot:\n%s", want, b.String())
	}
	if got := cell("小明\n小明", 6); got != "小明 …" {
		t.Errorf("expected a cell of 6 columns, got %q", got)
	}
}
