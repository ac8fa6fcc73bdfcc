package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// block is a fenced block of a document.
type block struct {
	file, language, text string
}

// documents returns the fenced blocks of the project's documents.
func documents(t *testing.T) []block {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "examples/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	fence := regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	var blocks []block
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(root, file)
		for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
			blocks = append(blocks, block{name, m[1], m[2]})
		}
	}
	if len(blocks) < 5 {
		t.Fatalf("the documents have %d blocks, want at least the README's", len(blocks))
	}
	return blocks
}

func TestDocumentsShowYAMLAndJSONThatHolds(t *testing.T) {
	builtin, service := activity.Specs()
	env := definitions.Env{Specs: builtin, Service: service, Services: map[string]bool{"coupon": true, "push": true},
		Strategies: map[string]bool{"user_id": true, "user_id_goods_id": true}}
	for _, b := range documents(t) {
		switch {
		case b.language == "yaml" && strings.HasPrefix(b.text, "activity:"):
			if d, problems := definitions.Check([]byte(b.text), env); d == nil || len(problems) > 0 {
				t.Errorf("%s: a definition has problems: %v", b.file, problems)
			}
		case b.language == "json":
			if !json.Valid([]byte(b.text)) {
				t.Errorf("%s: this is no JSON: %s", b.file, b.text)
			}
		}
	}
}

// elsewhere are command lines that other tests run: the demo's own, and the test script, which runs this test.
var elsewhere = map[string]bool{"go run ./cmd/weftbox demo": true, "./scripts/test": true, "./scripts/test full": true}

// TestDocumentsShowCommandsThatWork runs the sh blocks of each document in order, in a folder that looks like a fresh clone. A line that starts
// a node in the background is waited for; the default ports become free ones.
func TestDocumentsShowCommandsThatWork(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not here: the documents' commands can not be run", tool)
		}
	}
	byFile := map[string][]string{}
	for _, b := range documents(t) {
		if b.language == "sh" && !strings.HasPrefix(b.file, "docs/performance") {
			byFile[b.file] = append(byFile[b.file], b.text)
		}
	}
	if len(byFile["README.md"]) < 3 {
		t.Fatalf("README.md has %d blocks of commands, want the two first commands and the five minutes", len(byFile["README.md"]))
	}
	for file, texts := range byFile {
		t.Run(file, func(t *testing.T) { runCommands(t, texts) })
	}
}

func runCommands(t *testing.T, texts []string) {
	dir := t.TempDir()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"weftbox": builtProgram(t), "examples": filepath.Join(root, "examples")} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	ports := [2]string{freeAddr(t), freeAddr(t)}
	script := "set -eu\ncurl() { command curl --silent --show-error --fail-with-body \"$@\"; echo; }\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"
	for _, text := range texts {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			switch {
			case line == "" || strings.HasPrefix(line, "#") || elsewhere[line] || strings.HasPrefix(line, "go build -o weftbox"):
			case strings.HasSuffix(line, "&"):
				script += line + "\nfor i in $(seq 200); do command curl --silent --fail localhost:8420/readyz >/dev/null && break; sleep 0.05; done\n"
			default:
				script += line + "\n"
			}
		}
	}
	script = strings.ReplaceAll(script, "localhost:8420", ports[0])
	c := exec.Command("bash", "-c", script)
	c.Dir = dir
	c.Env = append(os.Environ(), "WEFTBOX_HTTP_ADDR="+ports[0], "WEFTBOX_ADMIN_ADDR="+ports[1], "WEFTBOX_SERVER=http://"+ports[0], "PATH="+dir+":"+os.Getenv("PATH"))
	c.WaitDelay = 5 * time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("the commands fail: %v\n%s\n--- they were\n%s", err, out, script)
	}
	if answered, err := http.Get("http://" + ports[0] + "/healthz"); err == nil {
		answered.Body.Close()
		t.Error("the commands left a node behind")
	}
}

// freeAddr returns a loopback address nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
