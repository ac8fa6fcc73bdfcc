package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/bench/load"
)

var fewEvents = []string{"--threads", "300", "--hot", "100", "--events", "1000", "--rounds", "1", "--connections", "4", "--array", "25", "--durability", "memory", "--quiet"}

func benched(t *testing.T, n *node, args ...string) load.Report {
	t.Helper()
	code, stdout, stderr := typed(n, append(append(args, fewEvents...), "--format", "json", "--dir", t.TempDir())...)
	var report load.Report
	if err := json.Unmarshal([]byte(stdout), &report); code != 0 || err != nil {
		t.Fatalf("%v: expected a report as JSON, got code %d, %v\n%s%s", args, code, err, stdout, stderr)
	}
	for _, r := range report.Results {
		want := int64(300 + 250 + 1000)
		if r.Scenario == "timers" {
			want = 300
		}
		if r.Sent != want || r.Applied != want || r.Ceiling == nil {
			t.Errorf("%s: expected %d events sent and applied, and a ceiling, got %d, %d, %v", r.Scenario, want, r.Sent, r.Applied, r.Ceiling)
		}
	}
	return report
}

func TestBenchInProcess(t *testing.T) {
	if r := benched(t, nil, "bench", "counter", "timers"); len(r.Results) != 2 || r.Results[1].Scenario != "timers" || r.Results[0].Mode != "in process" {
		t.Errorf("expected counter and timers in process, got %+v", r.Results)
	}
	profile := filepath.Join(t.TempDir(), "cpu.pprof")
	code, stdout, stderr := typed(nil, append([]string{"bench", "cold", "--cpu-profile", profile}, fewEvents...)...)
	if written, err := os.Stat(profile); err != nil || written.Size() == 0 {
		t.Errorf("expected a profile, got %v", err)
	}
	if code != 0 || !strings.Contains(stdout, "cold, in process: 300 threads, 300 of them hit") || !strings.Contains(stdout, "1550 sent, 1550 found") {
		t.Errorf("expected a table with its books, got code %d\n%s%s", code, stdout, stderr)
	}
}

func TestBenchOverHTTP(t *testing.T) {
	n := localNode(t, true)
	for range 2 { // a second run on the same node meets what the first left
		r := benched(t, n, "bench")
		var names []string
		for _, x := range r.Results {
			names = append(names, x.Scenario)
			if x.Mode != "http" || x.EventsPerSecond.Median <= 0 || x.TurnMean.Median <= 0 {
				t.Errorf("%s: expected figures taken over HTTP, got %+v", x.Scenario, x)
			}
		}
		if strings.Join(names, " ") != "counter coupon timers cold" {
			t.Errorf("expected the scenarios that run over HTTP, got %v", names)
		}
	}
	if code, _, stderr := typed(n, append([]string{"bench", "fanout"}, fewEvents...)...); code == 0 || !strings.Contains(stderr, "leave --server out") {
		t.Errorf("expected fanout to be refused over HTTP, got code %d, %s", code, stderr)
	}
	if code, _, stderr := typed(localNode(t, false), append([]string{"bench", "timers"}, fewEvents...)...); code == 0 || !strings.Contains(stderr, "manual") {
		t.Errorf("expected a node on the wall clock to be refused, got code %d, %s", code, stderr)
	}
}

func TestBenchGrowthWritesPlots(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	code, stdout, stderr := typed(nil, "bench", "growth", "--threads", "200", "--hot", "20", "--events", "100", "--activities", "10", "--rounds", "1", "--connections", "2",
		"--array", "10", "--durability", "memory", "--quiet", "--format", "svg", "--out", dir)
	if code != 0 || !strings.Contains(stdout, "waiting threads") {
		t.Fatalf("expected a table, got code %d\n%s%s", code, stdout, stderr)
	}
	for _, name := range []string{"threads", "activities", "vars"} {
		plot, err := os.ReadFile(filepath.Join(dir, "performance-"+name+".svg"))
		if err != nil || !strings.HasPrefix(string(plot), "<svg ") {
			t.Errorf("%s: expected a plot, got %.40q, %v", name, plot, err)
		}
	}
}

func TestBenchRefusesWrongFlags(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"bench nothing", "the scenarios are counter, coupon, timers, fanout, cold"},
		{"bench --format xml", "--format xml"},
		{"bench growth --format xml", "svg"},
		{"bench --durability never", "--durability never"},
		{"bench --threads -5", "--threads -5"},
	} {
		if code, _, stderr := typed(nil, strings.Fields(c.typed)...); code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: expected code %d and %q, got %d, %s", c.typed, exitUsage, c.want, code, stderr)
		}
	}
	if code, _, stderr := typed(nil, append([]string{"bench", "counter", "--server", "http://127.0.0.1:1"}, fewEvents...)...); code == 0 || !strings.Contains(stderr, "no node answers") {
		t.Errorf("expected a node that is not there to be named, got code %d, %s", code, stderr)
	}
}
