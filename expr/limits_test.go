package expr

import (
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// outcome compiles and runs, and says what went wrong: a code and its message, or "limit: " or "error: " and the message.
func outcome(src string) string {
	p, probs := Compile(src, ContextAction)
	if p == nil {
		return probs[0].Code + " " + probs[0].Message
	}
	_, err := p.Eval(hostileScope())
	switch e := err.(type) {
	case nil:
		return ""
	case *Error:
		if e.Limit {
			return "limit: " + e.Message
		}
	}
	return "error: " + err.Error()
}

func repeated(text string, n int) string { return strings.Repeat(text, n) }

func quoted(text string, n int) string { return `"` + repeated(text, n) + `"` }

// TestEachLimitHasItsError: at its limit a source is taken, one step beyond it is refused by the error of that limit.
func TestEachLimitHasItsError(t *testing.T) {
	nested := func(n int) string { return repeated("(", n) + "1" + repeated(")", n) }
	for _, c := range []struct{ name, within, beyond, want string }{
		{"source", `isEmpty(` + quoted("a", MaxSourceBytes-11) + `)`, `isEmpty(` + quoted("a", MaxSourceBytes-10) + `)`, codeLength},
		{"nodes", "1" + repeated("+1", (MaxNodes-1)/2), "1" + repeated("+1", MaxNodes/2+1), codeNodes},
		{"depth", nested(MaxDepth - 1), nested(MaxDepth), codeDepth},
		{"name", repeated("a", MaxNameRunes) + "()", repeated("a", MaxNameRunes+1) + "()", codeLength},
		{"pattern bytes", `regex.match(` + quoted("a", MaxRegexBytes) + `, "a")`, `regex.match(` + quoted("a", MaxRegexBytes+1) + `, "a")`, codeRegexLimit},
		{"pattern cost", `regex.match("(a.b.c){500}", "a")`, `regex.match("(a.b.c.d.e.f.g){1000}", "a")`, codeRegexLimit},
		{"pattern cost, dynamic", `regex.match(strVar("i") + "(a.b.c){500}", "a")`, `regex.match(strVar("i") + "(a.b.c.d.e.f.g){1000}", "a")`, "limit: a regular expression repeats too much"},
		{"items", `split("a," * (var("i") * 10000), ",").size()`, `split("a," * (var("i") * 10000 + 1), ",").size()`, "limit: a list or map would have more than 50000 items"},
		{"range", `range(` + strconv.Itoa(MaxItems) + `).size() + var("i")`, `range(` + strconv.Itoa(MaxItems+1) + `).size() + var("i")`, codeBudget},
		{"bytes", `(strVar("i") * 4000000).length()`, `(strVar("i") * 4200000).length()`, "limit: the evaluation made too much text"},
		{"constant bytes", `"a" * 4000000`, `"a" * (2 ^ 30)`, codeBudget},
		{"ticks", `var("items").?[#this >= 0].size()`, `var("items").![var("items").?[#this >= 0].size()]`, "limit: the evaluation took too many steps"},
		{"decimal digits", `toDecimal(` + quoted("9", MaxDecimalDigits) + `) + 0`, `toDecimal(` + quoted("9", MaxDecimalDigits) + `) * var("i") * 1000000000`, "limit: a decimal has more than 1000 digits"},
		{"format width", `str("%1000d", var("i"))`, `str("%1001d", var("i"))`, codeFormat},
		{"format precision", `str("%.1000f", var("i"))`, `str("%.1001f", var("i"))`, codeFormat},
		{"value depth", `var("wide") == var("wide")`, `var("deep") == {var("deep")[0]}`, "limit: a value is nested too deeply"},
		{"date pattern", `dateTime().toString(` + quoted("y", maxPatternBytes) + `)`, `dateTime().toString(` + quoted("y", maxPatternBytes+1) + `)`, codePattern},
		{"date text", `localDate(strVar("i") + "-01-01")`, `localDate(strVar("big"))`, "error: a date has at most 800 bytes"},
		{"year", `localDate().withYear(290000000)`, `localDate().withYear(290000001)`, "error: year must lie between"},
	} {
		if got := outcome(c.within); got != "" && !(c.name == "name" && strings.HasPrefix(got, codeFunction)) {
			t.Errorf("%s: expected %.60s to be taken, got %s", c.name, c.within, got)
		}
		if got := outcome(c.beyond); !strings.HasPrefix(strings.TrimPrefix(got, "error: localDate: "), c.want) && !strings.HasPrefix(withoutName(got), c.want) {
			t.Errorf("%s: expected %s of %.60s, got %.200s", c.name, c.want, c.beyond, got)
		}
	}
}

// withoutName drops the name of the function from "error: name: message".
func withoutName(s string) string {
	kind, rest, _ := strings.Cut(s, ": ")
	_, message, ok := strings.Cut(rest, ": ")
	if !ok {
		return s
	}
	return kind + ": " + message
}

// TestHostileInputUnderAMemoryLimit: all of it together, again and again on one Scope, leaves the heap below 64 MiB.
func TestHostileInputUnderAMemoryLimit(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(48 << 20))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the limit alone says when to collect
	s := hostileScope()
	peak := uint64(0)
	for _, src := range readHostile(t) {
		if p, _ := Compile(src, ContextAction); p != nil {
			_, _ = p.Eval(s)
		}
		peak = max(peak, heapBytes())
	}
	if peak > 64<<20 {
		t.Errorf("expected the heap to stay below 64 MiB, it had %d MiB", peak>>20)
	}
	t.Logf("at most %d MiB of heap", peak>>20)
}
