package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// unrunExamples are commands whose examples are not run here: they run for ever, or long, and other tests run them.
var unrunExamples = map[string]bool{"serve": true, "demo": true, "bench": true, "bench growth": true}

// prepared are the command lines that an example needs before it, beside the coupon story of all.
var prepared = map[string]string{
	"activities resume": "activities pause autumn", "threads resume": "threads pause autumn 10010_2002",
	"batch get": "batch start pause autumn --wait", "batch stop": "batch start pause autumn --dry-run",
}

// otherwise are the exit codes of examples that cannot do what they are for without what a person would do before.
var otherwise = map[string]int{
	"threads repair":   exitConflict, // the thread does not wait for repair
	"dead-letters get": exitNotFound, // ids are drawn
}

// TestEveryCommandHasExamplesThatRun runs the examples of each command, in a folder like the project's and on a node that has the coupon story.
func TestEveryCommandHasExamplesThatRun(t *testing.T) {
	home := t.TempDir()
	if err := os.CopyFS(filepath.Join(home, "examples"), os.DirFS(filepath.Join("..", "..", "examples"))); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"coupon.yaml": "flow.yaml", "events.json": "events.json", "weftbox.yaml": "weftbox.yaml"} {
		text, err := os.ReadFile(filepath.Join(home, "examples", "coupon", from))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range []string{home, filepath.Join(home, "flows")} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, to), text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Chdir(home)
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		name := strings.TrimPrefix(c.CommandPath(), "weftbox ")
		switch {
		case c.Name() == "completion": // cobra's own
		case c.HasAvailableSubCommands() && c.Example == "":
			for _, sub := range c.Commands() {
				visit(sub)
			}
		case c.Example == "":
			t.Errorf("weftbox %s has no example: write one into usualExamples", name)
		default:
			for _, line := range strings.Split(strings.TrimSpace(c.Example), "\n") {
				runExample(t, name, strings.TrimSpace(line))
			}
			for _, sub := range c.Commands() {
				visit(sub)
			}
		}
	}
	visit(newRootCommand())
}

func runExample(t *testing.T, name, line string) {
	t.Helper()
	words := words(line)
	if len(words) == 0 || words[0] != "weftbox" {
		if !strings.Contains(line, "| weftbox ") {
			t.Errorf("weftbox %s: expected an example to begin with weftbox, got %s", name, line)
		}
		return
	}
	if unrunExamples[name] {
		return
	}
	n := localNode(t, true)
	for _, before := range []string{"apply -f examples/coupon", "events send user_behavior behavior=查看商品详情 user_id=10010 goods_id=2002 goods_title=PS5", prepared[name]} {
		if code, _, errs := typed(n, strings.Fields(before)...); before != "" && code != 0 {
			t.Fatalf("%s: %d %s", before, code, errs)
		}
	}
	if code, out, errs := typed(n, words[1:]...); code != otherwise[name] {
		t.Errorf("the example of weftbox %s: %s\nexpected exit code %d, got %d %s%s", name, line, otherwise[name], code, out, errs)
	}
}

// words cuts a command line as a shell does, with quotes and without anything else.
func words(line string) (out []string) {
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range line {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inside = r, true
		case quote == 0 && r == ' ':
			if inside {
				out = append(out, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if inside {
		out = append(out, word.String())
	}
	return out
}
