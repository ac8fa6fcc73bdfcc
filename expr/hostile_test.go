package expr

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"
)

// readHostile reads testdata/hostile.txt; its head describes the format.
func readHostile(tb testing.TB) []string {
	tb.Helper()
	data, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		out = append(out, expandRepeats(tb, line))
	}
	return out
}

func expandRepeats(tb testing.TB, line string) string {
	tb.Helper()
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(line, "@repeat ")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		count, rest, _ := strings.Cut(rest, " ")
		text, after, closed := strings.Cut(rest, "@end")
		n, err := strconv.Atoi(count)
		if err != nil || !closed {
			tb.Fatalf("hostile.txt: expected @repeat N TEXT@end in %q", line)
		}
		b.WriteString(strings.Repeat(text, n))
		line = after
	}
}

func hostileScope() *Scope {
	var deep any = []any{}
	for range 2000 {
		deep = []any{deep}
	}
	items, words, wide := make([]any, 10_000), make([]any, 1000), map[string]any{}
	for i := range items {
		items[i] = int64(i)
	}
	for i := range words {
		words[i] = "w" + strconv.Itoa(i)
	}
	for i := range 5000 {
		wide["k"+strconv.Itoa(i)] = int64(i)
	}
	attrs := map[string]any{"big": strings.Repeat("a", 1<<20), "items": items, "words": words, "deep": deep, "wide": wide, "n": nil, "t": true, "i": int64(5),
		"huge": apd.New(1, 1_000_000_000)}
	s := &Scope{Event: &Event{Type: "t", Attrs: attrs}, Config: attrs, Result: &Result{Data: attrs}, Thread: &ThreadInfo{Domain: "d"}, Seed: 1}
	for name, v := range attrs {
		s.Vars = append(s.Vars, Var{name, v})
	}
	return s
}

// checkProblems fails when a problem lies outside of the text or does not explain itself.
func checkProblems(tb testing.TB, src string, p *Program, probs []Problem) {
	tb.Helper()
	n := utf8.RuneCountInString(src)
	failed := false
	for _, q := range probs {
		failed = failed || !q.Warning
		if q.Start < 0 || q.End < q.Start || q.End > n {
			tb.Errorf("%.80q: expected a problem inside of 0..%d, got %d..%d (%s)", src, n, q.Start, q.End, q.Message)
		}
		if q.Code == codeInternal {
			tb.Errorf("%.80q: expected no internal problem, got %s", src, q.Message)
		}
		if q.Message == "" || codeText(q.Code) == "" {
			tb.Errorf("%.80q: expected a message and a known code, got %+v", src, q)
		}
		if len(q.Message)+len(q.Hint) > 2000 {
			tb.Errorf("%.80q: expected a message of at most 2000 bytes, got %d", src, len(q.Message)+len(q.Hint))
		}
	}
	if failed != (p == nil) {
		tb.Errorf("%.80q: expected a program exactly when there is no error, got %v and %+v", src, p != nil, probs)
	}
}

func codeText(code string) string {
	for _, c := range Codes {
		if c.Code == code {
			return c.Text
		}
	}
	return ""
}

// checkRun evaluates and fails when the budget or the bounds of an error are not kept.
func checkRun(tb testing.TB, p *Program, s *Scope) {
	tb.Helper()
	v, err := p.Eval(s)
	ticks, bytes := s.Spent()
	if ticks > MaxTicks || bytes > MaxBytes {
		tb.Errorf("%.80q: expected at most %d ticks and %d bytes, spent %d and %d", p.Source(), MaxTicks, MaxBytes, ticks, bytes)
	}
	if err == nil {
		if strings.Contains(TypeName(v), ".") {
			tb.Errorf("%.80q: expected a value of the language, got %s", p.Source(), TypeName(v))
		}
		return
	}
	e, ok := err.(*Error)
	if !ok {
		tb.Fatalf("%.80q: expected *Error, got %T", p.Source(), err)
	}
	if n := utf8.RuneCountInString(p.Source()); e.Start < 0 || e.End < e.Start || e.End > n {
		tb.Errorf("%.80q: expected the error inside of 0..%d, got %d..%d", p.Source(), n, e.Start, e.End)
	}
	if strings.Contains(e.Message, "internal error") {
		tb.Errorf("%.80q: expected an error of the language, got %s", p.Source(), e.Message)
	}
}

func TestHostileInputStaysInBudget(t *testing.T) {
	cases := readHostile(t)
	if len(cases) < 100 {
		t.Fatalf("expected at least 100 hostile expressions, got %d", len(cases))
	}
	s := hostileScope()
	var before, after runtime.MemStats
	worst, worstSrc := uint64(0), ""
	for _, src := range cases {
		runtime.ReadMemStats(&before)
		p, probs := Compile(src, ContextAction)
		checkProblems(t, src, p, probs)
		if p != nil {
			checkRun(t, p, s)
		}
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		if used > worst {
			worst, worstSrc = used, src
		}
		if used > 64<<20 {
			t.Errorf("%.80q: expected at most 64 MiB of memory for compiling and running, used %d MiB", src, used>>20)
		}
	}
	t.Logf("%d expressions, the worst used %d KiB: %.80q", len(cases), worst>>10, worstSrc)
}

// heapBytes is how much of the heap objects take that were not freed yet.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestSourceLimitComesFirst(t *testing.T) {
	src := strings.Repeat("(", 16<<20)
	n := testing.AllocsPerRun(5, func() {
		if p, probs := Compile(src, ContextAction); p != nil || len(probs) != 1 || probs[0].Code != codeLength {
			t.Fatalf("expected one problem %s, got %+v", codeLength, probs)
		}
	})
	if n > 8 {
		t.Errorf("expected a source of 16 MiB to be refused with at most 8 allocations, got %v", n)
	}
}
