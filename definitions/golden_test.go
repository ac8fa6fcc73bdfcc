package definitions

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata")

// shown writes problems the way an author sees them, with what is underlined. The words of the language's own problems are
// left out: they are tested where they are written.
func shown(text string, problems []Problem) string {
	src := newSource(strings.TrimPrefix(text, bom))
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%d:%d-%d %s %s %s\n", p.Line, p.Column, p.EndColumn, p.Severity, p.Code, p.Path)
		line := []rune(src.line(p.Line))
		fmt.Fprintf(&b, "   at: %s\n", string(line[p.Column-1:min(p.EndColumn-1, len(line))]))
		if strings.Contains("WB13 WB14 WB15 WB25", p.Code[:4]) {
			continue
		}
		fmt.Fprintf(&b, "  say: %s\n", p.Message)
		if p.Hint != "" {
			fmt.Fprintf(&b, " hint: %s\n", p.Hint)
		}
		fmt.Fprintf(&b, "   zh: %s\n", p.MessageZh)
		if p.HintZh != "" {
			fmt.Fprintf(&b, "   zh: %s\n", p.HintZh)
		}
	}
	if len(problems) == 0 {
		b.WriteString("no problems\n")
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("found %d golden definitions (%v), want at least 30", len(files), err)
	}
	whole, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(whole) < 60 {
		t.Fatalf("found %d whole broken definitions (%v), want at least 60", len(whole), err)
	}
	files = append(files, whole...)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			def, problems := Check(text, testEnv())
			got := shown(string(text), problems)
			if def == nil {
				got += "refused\n"
			}
			out := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(out, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
			}
		})
	}
}
