package expr

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

var table = flag.String("table", "", "write what each function costs to this file")

// TestFunctionTable measures the example of every function: go test ./expr -run TestFunctionTable -table ../docs/performance-functions.md
// Its times are not held to anything.
func TestFunctionTable(t *testing.T) {
	if *table == "" {
		t.Skip("a measurement: it is made with -table FILE")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# What each function costs\n\nOne evaluation of the function's example (`docs/language.md`) in a warm scope, on %s/%s with %s: the least of five runs of 2,000. What\nis constant is computed all the same here; in a definition it is computed once, at post time. Written by\n`go test ./expr -run TestFunctionTable -table ../docs/performance-functions.md`.\n\n| function | example | ns | allocations | ticks |\n|---|---|---|---|---|\n",
		runtime.GOOS, runtime.GOARCH, runtime.Version())
	for _, f := range Functions() {
		p, problems := compileSource(f.Example, f.Contexts[len(f.Contexts)-1], false)
		if p == nil {
			t.Fatalf("%s: expected it to compile, got %+v", f.Example, problems)
		}
		name := f.QualifiedName()
		if f.Method {
			name = f.Namespace + name
		}
		example := strings.ReplaceAll(f.Example, "|", "\\|")
		s := SampleScope()
		least := time.Duration(1 << 62)
		for range 5 {
			begin := time.Now()
			for range 2000 {
				_, _ = p.Eval(s)
			}
			least = min(least, time.Since(begin))
		}
		ticks, _ := s.Spent()
		allocs := testing.AllocsPerRun(100, func() { _, _ = p.Eval(s) })
		fmt.Fprintf(&b, "| `%s` | `%s` | %d | %.0f | %d |\n", name, example, least.Nanoseconds()/2000, allocs, ticks)
	}
	if err := os.WriteFile(*table, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
