package main

import (
	"strings"
	"testing"
)

// TestManagementCommands walks the verbs of activities, definitions, strategies, services and threads as a person would type them.
func TestManagementCommands(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"weftbox.yaml": lists, "wait.yaml": waitFlow})
	if code, _, errs := typed(n, "apply", "-f", dir); code != 0 {
		t.Fatalf("apply: %d %s", code, errs)
	}
	for _, c := range []struct {
		code int
		part string // of what is printed
		line string
	}{
		{0, `"name":"first"`, "activities list"},
		{0, "NUMBER  NAME", "activities list -o table"},
		{0, "", "activities list --state paused"},
		{exitUsage, "running", "activities list --state asleep"},
		{0, `"state":"running"`, "activities get first"},
		{0, `"state":"paused"`, "activities pause first"},
		{exitConflict, "only for one that is running", "activities pause first"},
		{0, `"state":"running"`, "act continue 1"},
		{0, `"overrides":{"limit":3}`, "activities config get first"},
		{0, "limit  3      activity", "activities config get first -o table"},
		{0, `"limit":9`, "activities config set first limit 9"},
		{0, `"limit":"9"`, "activities config set first limit 9 --type str"},
		{0, `"$keep_sleep":true`, "activities config set first $keep_sleep true"},
		{exitFailed, "true or false", "activities config set first $keep_sleep maybe"},
		{0, `"overrides":{"$keep_sleep":true}`, "activities config unset first limit"},
		{exitNotFound, "limit", "activities config unset first limit"},
		{0, `"number":2`, "activities create wait --name second --config {\"limit\":7}"},
		{exitUsage, "not JSON", "activities create wait --name third --config {"},
		{0, `"state":"killed"`, "activities kill second"},
		{exitConflict, "killed", "activities resume second"},
		{exitNotFound, "weftbox activities list", "activities get nope"},
		{0, `"latest_version":"1"`, "definitions list"},
		{0, `"version":"1"`, "definitions versions wait"},
		{0, `"enabled":true`, "definitions get wait 1"},
		{0, "activity:", "definitions get wait 1 --text"},
		{0, "version 1       enabled", "def get wait -o table"},
		{0, `"enabled":false`, "definitions disable wait 1"},
		{0, `"enabled":true`, "definitions enable wait 1"},
		{exitConflict, "weftbox definitions delete --force wait 1", "definitions delete wait 1"},
		{exitNotFound, "version", "definitions delete wait 9"},
		{0, `"name":"by_user"`, "strategies list"},
		{0, `"domain_id"`, "strategies get by_user"},
		{0, `"when":"true"`, "strategies put by_all --when true --domain-id \"x\""},
		{exitUsage, "domain-id", "strategies put by_all --when true"},
		{0, `"deleted":true`, "strategies delete by_all"},
		{exitConflict, "in use", "strategies delete by_user"},
		{0, "coupon", "svc list -o table"},
		{0, `"url":"http://127.0.0.1:2/"`, "services put coupon --url http://127.0.0.1:2/"},
		{0, `"url":"http://127.0.0.1:2/"`, "services get coupon"},
		{0, `"deleted":true`, "services delete coupon"},
		{exitNotFound, "coupon", "services delete coupon"},
		{0, "", "events send hello user=1 title=x"},
		{0, `"status":"paused"`, "threads pause first 1"},
		{exitConflict, "only for one that is", "threads pause first 1"},
		{0, "status  waiting", "threads continue first 1 -o table"},
		{0, `"status":"killed"`, "threads kill first 1"},
		{exitConflict, "killed", "threads resume first 1"},
		{exitNotFound, "weftbox threads list first\n", "threads kill first 2"},
		{0, `"deleted":true`, "definitions delete wait 1 --force"},
	} {
		code, out, errs := typed(n, strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(out+errs, c.part) {
			t.Errorf("weftbox %s: expected exit code %d and %q, got %d %s%s", c.line, c.code, c.part, code, out, errs)
		}
	}
}
