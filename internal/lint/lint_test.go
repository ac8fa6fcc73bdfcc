package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func mustPolicy(t *testing.T) *policy {
	t.Helper()
	p, err := parsePolicy(order, rooms)
	if err != nil {
		t.Fatalf("the table of packages: expected it to be readable, got: %v", err)
	}
	return p
}

func mustTree(t *testing.T, root string) *tree {
	t.Helper()
	out, err := readTree(root)
	if err != nil {
		t.Fatalf("%s: expected Go files that parse, got: %v", root, err)
	}
	if len(out.packages) == 0 {
		t.Fatalf("%s: expected at least one package, got none", root)
	}
	return out
}

// TestRepository holds every rule on the repository.
func TestRepository(t *testing.T) {
	root := filepath.Join("..", "..")
	if text, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil || !strings.HasPrefix(string(text), "module "+module+"\n") {
		t.Fatalf("go.mod: expected the module %s two folders up, got %.60q, %v", module, text, err)
	}
	repository := mustTree(t, root)
	for _, f := range lint(repository, mustPolicy(t)) {
		t.Error(f)
	}
	for name, lines := range longFiles {
		if !hasFile(repository, name) {
			t.Errorf("longFiles names %s (%d lines), which is gone: take it out", name, lines)
		}
	}
}

func hasFile(t *tree, name string) bool {
	for _, k := range t.packages {
		for _, f := range k.files {
			if f.name == name {
				return true
			}
		}
	}
	return false
}

// TestEachRuleCatches runs the rules on the small repositories in testdata. A folder "<rule>" or "<rule>-…" breaks that rule and no
// other; its want.txt has one line "<place>: <part of the text>" for each finding. The folder "clean" breaks none.
func TestEachRuleCatches(t *testing.T) {
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			root := filepath.Join("testdata", folder.Name())
			found := lint(mustTree(t, root), mustPolicy(t))
			if folder.Name() == "clean" {
				for _, f := range found {
					t.Errorf("expected no finding, got %s", f)
				}
				return
			}
			name := ruleOf(folder.Name())
			if name == "" {
				t.Fatalf("testdata/%s: expected a folder that begins with the name of a rule", folder.Name())
			}
			shown[name] = true
			expectFindings(t, root, name, found)
		})
	}
	for _, r := range rules {
		if !shown[r.name] {
			t.Errorf("rule %s: expected a folder testdata/%s that breaks it, found none", r.name, r.name)
		}
	}
	if _, err := os.Stat(filepath.Join("testdata", "clean")); err != nil {
		t.Errorf("expected the folder testdata/clean that breaks no rule: %v", err)
	}
}

func ruleOf(folder string) string {
	longest := ""
	for _, r := range rules {
		if (folder == r.name || strings.HasPrefix(folder, r.name+"-")) && len(r.name) > len(longest) {
			longest = r.name
		}
	}
	return longest
}

func expectFindings(t *testing.T, root, rule string, found []finding) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "want.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, f := range found {
		if f.rule != rule {
			t.Errorf("expected only findings of %s, got %s", rule, f)
		}
	}
	if len(found) != len(want) {
		t.Errorf("expected %d findings, got %d: %v", len(want), len(found), found)
	}
	for _, line := range want {
		place, part, _ := strings.Cut(line, ": ")
		if part == "" || !has(found, place, part) {
			t.Errorf("expected a finding at %s that says %q, got %v", place, part, found)
		}
	}
}

func has(found []finding, place, part string) bool {
	for _, f := range found {
		if f.at == place && strings.Contains(f.text, part) {
			return true
		}
	}
	return false
}

// TestPolicy holds the parts of the order that a slip in its text would open.
func TestPolicy(t *testing.T) {
	p := mustPolicy(t)
	for _, c := range []struct {
		pkg, other string
		want       bool
	}{
		{"definitions", "expr", true},
		{"actions", "expr", true},
		{"expr", "definitions", false},
		{"activity", "actions", false},
		{"metadata", "actions", false},
		{"engine", "actions", false},
		{"engine/sim", "actions", true},
		{"api", "actions", true},
		{"cmd/weftbox", "actions", true},
		{"cmd/weftbox", "metadata/pebble", true},
		{"bench/kill/child", "engine", true},
		{"engine", "metadata/pebble", false},
		{"engine/store", "definitions", true}, // by way of activity
		{"engine/store", "messagebus", false},
		{"engine/store", "PEBBLE", true},
		{"engine", "PEBBLE", false},
		{"metadata/pebble", "PEBBLE", true},
		{"metadata/mysql", "PEBBLE", false},
		{"messagebus/kafka", "KAFKA", true},
		{"messagebus/http", "KAFKA", false},
		{"messagebus/http", "metadata", false},
		{"slots", "expr", false},
		{"clock", "activity", false},
		{".", "engine", true},
	} {
		if got := p.allowed(c.pkg, c.other); got != c.want {
			t.Errorf("may %s import %s: expected %t, got %t", c.pkg, c.other, c.want, got)
		}
	}
	for pkg, want := range map[string]string{"metadata/pebble": "edge", "metadata/metadatatest": "seam", "expr": "pure", "nowhere": ""} {
		if got := p.roomOf(pkg); got != want {
			t.Errorf("room of %s: expected %q, got %q", pkg, want, got)
		}
	}
}
