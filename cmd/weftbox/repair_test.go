package main

import (
	"strings"
	"testing"
)

const mendFlow = `activity:
  name: mend
  domain_id_strategy: by_user
  trigger: eventTypeIs("hello")
  actions:
    - name: look
      type: case
      args:
        - when: var("ready", false)
          then: finish()
        - default: repair("no stock of PS5")
`

func TestThreadsRepair(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"weftbox.yaml": strings.NewReplacer("name: first, definition: wait, config: {limit: 3}", "name: first, definition: mend").Replace(lists), "mend.yaml": mendFlow})
	say := func(wantCode int, args ...string) string {
		t.Helper()
		code, stdout, stderr := typed(n, args...)
		if code != wantCode {
			t.Fatalf("weftbox %s: exit code %d, expected %d: %s%s", strings.Join(args, " "), code, wantCode, stdout, stderr)
		}
		return stdout + stderr
	}
	say(0, "apply", "-f", dir)
	say(0, "events", "send", "hello", "user=u1")
	if out := say(0, "threads", "get", "first", "u1"); !strings.Contains(out, "no stock of PS5") || !strings.Contains(out, "waiting") {
		t.Errorf("expected a waiting thread with its problem, got %s", out)
	}
	for _, bad := range []struct {
		ctrl, want string
		code       int
	}{{"again", "retry, waiting or goto", exitUsage}, {"waiting", "waits for nothing", exitConflict}, {"goto", "goto", exitUsage}} {
		if out := say(bad.code, "threads", "repair", "first", "u1", bad.ctrl); !strings.Contains(out, bad.want) {
			t.Errorf("repair %s: expected %q in the answer, got %s", bad.ctrl, bad.want, out)
		}
	}
	if out := say(exitConflict, "threads", "repair", "first", "u1", "goto", "nowhere"); !strings.Contains(out, "nowhere") {
		t.Errorf("expected the name of the action that is not there, got %s", out)
	}
	if out := say(0, "threads", "repair", "first", "u1", "retry", "--var", "ready=true", "--var", "note=by hand"); !strings.Contains(out, "finished") {
		t.Errorf("expected the thread to finish, got %s", out)
	}
	if out := say(0, "threads", "get", "first", "u1"); !strings.Contains(out, `"note":"by hand"`) || strings.Contains(out, "no stock") {
		t.Errorf("expected the variables that were set and no problem any more, got %s", out)
	}
	if out := say(exitConflict, "threads", "repair", "first", "u1", "retry"); !strings.Contains(out, "u1") {
		t.Errorf("expected that there is no thread u1, got %s", out)
	}
}
