package fault

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryFaultIsBuiltIn: the list and the branches name the same faults.
func TestEveryFaultIsBuiltIn(t *testing.T) {
	asks := regexp.MustCompile(`fault\.On\("([^"]+)"\)|fault:"([^"]+)"`)
	found := map[string]int{}
	for _, dir := range []string{"activity", "engine", "engine/store"} {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range asks.FindAllStringSubmatch(string(text), -1) {
				found[m[1]+m[2]]++
			}
		}
	}
	for _, name := range Names() {
		if found[name] == 0 {
			t.Errorf("expected code that asks for the fault %s, there is none", name)
		}
	}
	for name := range found {
		if !slices.Contains(Names(), name) {
			t.Errorf("expected the fault %s, for which code asks, in the list", name)
		}
	}
}

// TestNoneWithoutChoice: a build in which nothing is chosen has no fault.
func TestNoneWithoutChoice(t *testing.T) {
	if Chosen() != "" {
		t.Skip("a fault is chosen: " + Chosen())
	}
	for _, name := range Names() {
		if On(name) {
			t.Errorf("expected no fault, %s is on", name)
		}
	}
}
