package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestBatchSurvivesKill9 kills a node in the middle of a job (WEFTBOX_TEST_MILLION=1: among a million threads): it goes on by itself where it
// stood, and hits each thread once.
func TestBatchSurvivesKill9(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	threads, rate := int64(600), 200
	if os.Getenv("WEFTBOX_TEST_MILLION") != "" {
		threads, rate = 1_000_000, 40_000
	}
	dir := t.TempDir()
	start := func() *child {
		return serveChild(t, nil, "--data", dir, "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0")
	}
	c := start()
	c.must(201, "POST", "/v1/strategies", `{"name":"user","when":"containsAttr(\"user\")","domain_id":"eventAttr(\"user\")"}`)
	c.must(201, "POST", "/v1/definitions?version=1", floodFlow)
	c.must(201, "POST", "/v1/activities", `{"name":"flood","definition":"flood"}`)
	for i := int64(0); i < threads; {
		var events []string
		for range min(2000, threads-i) {
			events = append(events, fmt.Sprintf(`{"type":"hit","attr":{"user":"u%d"}}`, i))
			i++
		}
		c.must(202, "POST", "/v1/events", "["+strings.Join(events, ",")+"]")
	}
	c.must(202, "POST", "/v1/batch-operations", fmt.Sprintf(`{"operation":"pause","activity":"flood","rate":%d}`, rate))
	job := func() (j shownJob) {
		if err := json.Unmarshal([]byte(c.must(200, "GET", "/v1/batch-operations/1", "")), &j); err != nil {
			t.Fatal(err)
		}
		return j
	}
	reach := func(hit int64) (j shownJob) {
		for j = job(); j.Hit < hit && j.State != "failed"; j = job() {
		}
		return j
	}
	deaths := 0
	for _, hit := range []int64{threads / 12, threads / 3, threads * 2 / 3} {
		if j := reach(hit); j.State != "running" {
			t.Fatalf("after %d hits the job is %s: %s", j.Hit, j.State, j.Error)
		}
		c.signal(syscall.SIGKILL)
		deaths++
		c = start()
	}
	j := reach(threads)
	for j.State == "running" {
		j = job()
	}
	if j.State != "done" || j.Hit != threads || j.Refused != 0 {
		t.Errorf("after %d deaths the job is %s with %d hits and %d refusals, want done with %d and none", deaths, j.State, j.Hit, j.Refused, threads)
	}
	var stats shownStats
	if err := json.Unmarshal([]byte(c.must(200, "GET", "/v1/activities/flood/stats", "")), &stats); err != nil {
		t.Fatal(err)
	}
	for _, v := range stats.Verdicts {
		if v.Message == "command" && (v.Verdict != "taken" || v.Count != threads) {
			t.Errorf("the counters say %+v, want %d commands, all taken", v, threads)
		}
	}
	c.signal(syscall.SIGTERM)
}

func TestBatchCommands(t *testing.T) {
	n := localNode(t, true)
	dir := inFolder(t, map[string]string{"weftbox.yaml": lists, "flows/wait.yaml": waitFlow})
	for _, step := range []struct {
		line string
		code int
		want string // in stdout and stderr together
	}{
		{"apply -f " + dir, 0, "first"},
		{"events send hello user=u1 title=x", 0, ""},
		{"events send hello user=u2 title=y", 0, ""},
		{`threads list first -o table --where var("title")=="x"`, 0, "u1"},
		{"threads list first --status wating", exitUsage, `did you mean "waiting"?`},
		{"alarms list first -o table --alarm-before 2999-01-01T00:00:00Z", 0, "u2"},
		{`batch start pause first --where var("title")=="x" --wait -o table`, 0, "hit        1"},
		{"threads list first -o table --status paused", 0, "u1"},
		{"batch list -o table", 0, "pause"},
		{"batch get 1", 0, `"state":"done"`},
		{"batch stop 1", 0, `"state":"done"`},
		{"batch get 7", exitNotFound, "weftbox batch list"},
		{"batch start explode first", exitUsage, "there is no operation"},
		{"activities stats first -o table", 0, "(trigger)"},
		{"threads explain first u1 --lang zh", 0, "它在动作 waiting 被暂停"},
		{"threads explain first u2 --lang en", 0, "It waits at action waiting."},
		{"threads explain first u2 -o json", 0, `"sentences":[`},
		{"threads explain first nosuch", exitNotFound, "weftbox threads list first"},
		{"threads explain first u1 --lang fr", exitUsage, "en or zh"},
		{"activities stats nosuch", exitNotFound, ""},
	} {
		code, out, errs := typed(n, strings.Fields(step.line)...)
		if code != step.code || !strings.Contains(out+errs, step.want) {
			t.Errorf("weftbox %s: expected exit code %d and %q, got %d\n%s%s", step.line, step.code, step.want, code, out, errs)
		}
	}
}
