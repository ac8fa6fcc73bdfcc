package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestDeadLetterCommands(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"weftbox.yaml": lists, "wait.yaml": waitFlow})
	if code, _, errs := typed(n, "apply", "-f", dir); code != 0 {
		t.Fatalf("apply: %d %s", code, errs)
	}
	for _, user := range []string{"1", "2", "3"} {
		if code, _, errs := typed(n, "events", "send", "hello", "user="+user); code != 0 { // "title" is missing
			t.Fatalf("events send: %d %s", code, errs)
		}
	}
	ids := func(args ...string) (out []string) {
		t.Helper()
		code, text, errs := typed(n, append([]string{"dead-letters", "list"}, args...)...)
		if code != 0 {
			t.Fatalf("dead-letters list %v: %d %s", args, code, errs)
		}
		for line := range strings.Lines(text) {
			var d shownLetter
			if err := json.Unmarshal([]byte(line), &d); err != nil {
				t.Fatalf("dead-letters list: %v in %s", err, line)
			}
			out = append(out, d.ID)
		}
		return out
	}
	all := ids()
	if len(all) != 3 || len(ids("--limit", "2")) != 2 || len(ids("--domain", "2", "--activity", "first", "--reason", "trigger")) != 1 || len(ids("--reason", "panic")) != 0 {
		t.Fatalf("expected 3 letters, 2 with a limit, 1 of a domain id, 0 of another reason, got %v", all)
	}
	check := func(code int, part string, args ...string) {
		t.Helper()
		got, out, errs := typed(n, append([]string{"dead-letters"}, args...)...)
		if got != code || !strings.Contains(out+errs, part) {
			t.Errorf("dead-letters %v: expected exit code %d and %q, got %d %s%s", args, code, part, got, out, errs)
		}
	}
	check(0, `"domain_id":"3"`, "get", ids("--domain", "3")[0])
	check(0, "source     http/default", "get", all[0], "-o", "table")
	check(exitNotFound, "try:   weftbox dead-letters list", "get", "nope")
	check(exitUsage, "--all", "replay")
	check(exitUsage, "not both", "delete", all[0], "--all")
	check(exitNotFound, "nope", "replay", "nope")
	check(exitFailed, "dead_letter", "replay", all[0])
	check(exitNotFound, all[0], "replay", all[0]) // another letter has taken its place
	check(exitFailed, `"failed":3`, "replay", "--all")
	mended := inFolder(t, map[string]string{"wait.yaml": strings.Replace(waitFlow, `eventAttr("title")`, `eventAttr("title", "none")`, 1)})
	if code, _, errs := typed(n, "apply", "-f", mended); code != 0 {
		t.Fatalf("apply: %d %s", code, errs)
	}
	one := ids("--domain", "1")[0]
	check(exitPartly, "dead letters were not replayed", "replay", "nope", one)
	check(0, "1 replayed, 0 failed", "replay", "--domain", "2", "-o", "table")
	check(0, `"deleted":1`, "delete", "--activity", "first")
	if left := ids(); len(left) != 0 {
		t.Errorf("expected no letters to be left, got %v", left)
	}
	if code, out, _ := typed(n, "threads", "list", "first"); code != 0 || strings.Count(out, `"status":"waiting"`) != 2 {
		t.Errorf("expected the two replayed threads to wait, got %d %s", code, out)
	}
}

func TestBoundFlags(t *testing.T) {
	c := newServeCommand()
	for name, cases := range map[string]map[string]string{
		"dead-letters-max-bytes": {"": "1GiB", "512MiB": "512MiB", "1000": "1000", "2048": "2KiB", "0": "", "-1": "", "1GB": "", "9999999999TiB": ""},
		"dead-letters-max-age":   {"": "30d", "12h": "12h0m0s", "2d": "2d", "1s": "", "soon": ""},
		"idempotency-max-keys":   {"": "50000000", "7": "7", "0": "", "many": ""},
	} {
		f := c.Flags().Lookup(name)
		if f == nil {
			t.Fatalf("serve has no flag %s", name)
		}
		if f.DefValue != cases[""] {
			t.Errorf("--%s: expected the default %s, got %s", name, cases[""], f.DefValue)
		}
		for text, want := range cases {
			if text == "" {
				continue
			}
			if err := f.Value.Set(text); (err == nil) != (want != "") || err == nil && f.Value.String() != want {
				t.Errorf("--%s %s: expected %q, got %q (%v)", name, text, want, f.Value.String(), err)
			}
		}
	}
	for text, want := range map[string]time.Duration{"1d": 24 * time.Hour, "90m": 90 * time.Minute} {
		var v ageValue
		if err := v.Set(text); err != nil || time.Duration(v) != want {
			t.Errorf("%s: expected %v, got %v (%v)", text, want, time.Duration(v), err)
		}
	}
}
