package main

import (
	"strings"
	"testing"
)

// TestWrongCommandLinesSayWhatToType holds that a slip is told in words of the command line, and what to type next.
func TestWrongCommandLinesSayWhatToType(t *testing.T) {
	for _, c := range []struct{ line, said, next string }{
		{"threads list", `the command is "weftbox threads list ACTIVITY", this has 0 arguments`, "weftbox threads list --help"},
		{"batch start kill", `"weftbox batch start OPERATION ACTIVITY", this has 1 argument`, "weftbox batch start --help"},
		{"lint", `"weftbox lint PATH…", this has 0 arguments`, "weftbox lint --help"},
		{"threads lst", `unknown command "lst"`, "weftbox threads list"},
		{"thraeds", `unknown command "thraeds"`, "weftbox threads"},
		{"help nope", `unknown command "nope"`, "weftbox help --help"},
		{"events send x --tims 2", "did you mean --times?", "weftbox events send --help"},
		{"events send x --times x", `"--times" flag: write a whole number`, "weftbox events send --help"},
		{"serve --slots 99999", "too small or too large", "weftbox serve --help"},
		{"strategies delete x --force=x", "write true or false", "weftbox strategies delete --help"},
		{"threads repair a 1 fly", "write retry, waiting or goto ACTION", "weftbox threads repair --help"},
		{"threads repair a 1 goto", "takes the name of an action", "weftbox threads repair a 1 goto ACTION"},
		{"threads repair a 1 retry wait", "takes the name of an action", "weftbox threads repair a 1 goto ACTION"},
		{"threads repair a 1 retry --var x", "--var x is not NAME=VALUE", "weftbox threads repair --help"},
		{"threads explain a 1 --lang fr", "choose en or zh", ""},
		{"alarms list a --limit 0", "ask for one at least", ""},
		{"batch start repair a --args x", "--args is no JSON object: x", `weftbox batch start repair ACTIVITY --args '{"ctrl":"retry"}'`},
		{"activities list --server ftp://x", "is no URL of http or https", "weftbox activities list --server http://127.0.0.1:8420"},
	} {
		code, stdout, stderr := typed(nil, strings.Fields(c.line)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, c.said) || !strings.HasSuffix(stderr, "try:   "+c.next+"\n") && c.next != "" {
			t.Errorf("weftbox %s: expected exit code %d, %q and try %q, got %d %s%s", c.line, exitUsage, c.said, c.next, code, stdout, stderr)
		}
	}
	if code, stdout, _ := typed(nil, "help", "threads", "list"); code != 0 || !strings.Contains(stdout, "weftbox threads list ACTIVITY [flags]") {
		t.Errorf("weftbox help threads list: expected its help, got %d %s", code, stdout)
	}
}

// TestWhatIsNotThereLeadsToTheList: after a 404 the next command lists what there is.
func TestWhatIsNotThereLeadsToTheList(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"weftbox.yaml": lists, "wait.yaml": waitFlow})
	if code, _, errs := typed(n, "apply", "-f", dir); code != 0 {
		t.Fatalf("apply: %d %s", code, errs)
	}
	if code, _, errs := typed(n, "events", "send", "hello", "user=1", "title=x"); code != 0 {
		t.Fatalf("events send: %d %s", code, errs)
	}
	for line, next := range map[string]string{
		"threads pause first nobody": "weftbox threads list first", "threads get first 1 --run 9": "weftbox threads list first", "services delete nope": "weftbox services list",
		"strategies delete nope": "weftbox strategies list", "definitions delete nope 1": "weftbox definitions list", "threads list nope": "weftbox activities list",
	} {
		if code, _, stderr := typed(n, strings.Fields(line)...); code != exitNotFound || !strings.HasSuffix(stderr, "try:   "+next+"\n") {
			t.Errorf("weftbox %s: expected exit code %d and try %q, got %d %s", line, exitNotFound, next, code, stderr)
		}
	}
	for i, c := range []struct{ file, text, want string }{
		{"weftbox.yaml", "strategies: [{name: a, when: 'nope(1)', domain_id: 'nor(2)'}]\n", "weftbox.yaml /domain_id:1:1: error WB1401"},
		{"weftbox.yaml", "activities: [{name: a, definition: wait, config: {limit: " + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}}]\n", "weftbox.yaml: byte "},
		{"flow.yaml", strings.Replace(waitFlow, "by_user", "by_usr", 1), "flow.yaml:3:23: error WB1202"},
	} {
		folder := inFolder(t, map[string]string{c.file: c.text})
		if _, _, stderr := typed(n, "apply", "-f", folder); !strings.Contains(stderr, c.want) {
			t.Errorf("apply %d: expected %q, got %s", i, c.want, stderr)
		}
	}
	if _, stdout, stderr := typed(n, "threads", "list", "first", "--limit", "1", "-o", "json"); stdout == "" || stderr != "" {
		t.Errorf("expected one thread and no word of more, got %s%s", stdout, stderr)
	}
	typed(n, "events", "send", "hello", "user=2", "title=x")
	if _, _, stderr := typed(n, "threads", "list", "first", "--limit", "1", "-o", "json"); stderr != "there are more: --limit 10\n" {
		t.Errorf("expected to be told that there are more, got %q", stderr)
	}
}
