package definitions

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// hostile texts, and the code that their first error must have.
func hostile() map[string]struct{ text, code string } {
	type c = struct{ text, code string }
	wrap := func(config string) string {
		return "activity:\n  name: a\n  domain_id_strategy: user_id\n  trigger: 1 == 1\n  actions: [{name: stdout, args: 1, ctrl: finish()}]\n  config:\n" + config
	}
	lines := func(n int, f string) string {
		var b strings.Builder
		for i := 0; i < n; i++ {
			fmt.Fprintf(&b, f, i)
		}
		return b.String()
	}
	bomb := "    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		bomb += fmt.Sprintf("    a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	deep := func(n int) string { return "    d: " + strings.Repeat("[", n) + strings.Repeat("]", n) + "\n" }
	garbage := make([]byte, 1<<20)
	rand.New(rand.NewSource(1)).Read(garbage)
	wide := lines(2000, "    - &w%d x\n")
	long := strings.Repeat("x", MaxScalarBytes+1)
	return map[string]c{
		"alias bomb":             {wrap(bomb), "WB1011"},
		"alias in itself":        {wrap("    a: &a {b: {c: *a}}\n"), "WB1015"},
		"alias depth":            {wrap("    a: &a " + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "\n    b: " + strings.Repeat("[", 20) + "*a" + strings.Repeat("]", 20) + "\n"), "WB1010"},
		"86 KB of keys":          {wrap(lines(6500, "    key%05d: 1\n")), "WB1012"},
		"1,001 keys":             {wrap(lines(1001, "    k%d: 1\n")), "WB1012"},
		"deep by one":            {wrap(deep(MaxDepth - 2)), "WB1010"},
		"deep":                   {wrap(deep(5000)), "WB1010"},
		"deeper than parser":     {wrap(deep(20000)), "WB1001"},
		"many nodes":             {wrap("    l: [" + strings.Repeat("1,", 25000) + "]\n"), "WB1011"},
		"long value":             {wrap("    v: " + long + "\n"), "WB1013"},
		"long key":               {wrap("    ? " + long + "\n    : 1\n"), "WB1013"},
		"too large":              {wrap("    # " + strings.Repeat("x", MaxTextBytes)), "WB1003"},
		"1 MB of garbage":        {string(garbage), "WB1003"},
		"binary":                 {string(garbage[:100_000]), "WB1004"},
		"zero bytes":             {strings.Repeat("\x00", 1000), "WB1005"},
		"invalid UTF-8":          {wrap("    a: \xc3\x28\n"), "WB1004"},
		"UTF-16":                 {"\xff\xfea\x00:\x00", "WB1004"},
		"unclosed":               {wrap("    a: [" + strings.Repeat("{a: ", 1000)), "WB1001"},
		"long alias name":        {wrap("    a: *" + strings.Repeat("x", 100_000) + "\n"), "WB1001"},
		"long tag":               {wrap("    a: !" + strings.Repeat("x", 100_000) + " 1\n"), "WB1009"},
		"one fault 15,000 times": {strings.Replace(wrap(""), "args: 1", "args: [&x '', "+strings.Repeat("*x, ", 15000)+"]", 1), "WB1104"},
		"wide anchors":           {wrap("    w:\n" + wide + "    l: [" + strings.Repeat("*w1, ", 20000) + "]\n"), "WB1011"},
		"mends at every line":    {wrap(lines(8000, "    k%d: 1 ? 2 : 3\n")), "WB1016"},
		"mends behind nodes":     {wrap("    l: [" + strings.Repeat("1,", 60_000) + "]\n" + lines(60, "    k%d: 1 ? 2 : 3\n") + "    x: [\n"), "WB1016"},
	}
}

func TestHostileTextsAreRefused(t *testing.T) {
	for name, tc := range hostile() {
		t.Run(name, func(t *testing.T) {
			def, problems := Check([]byte(tc.text), testEnv())
			if def != nil {
				t.Fatal("the definition was taken, want it refused")
			}
			var first *Problem
			size := 0
			for i, p := range problems {
				if first == nil && p.Severity == SeverityError {
					first = &problems[i]
				}
				size += len(p.Message) + len(p.Hint) + len(p.Path)
			}
			if first == nil || first.Code != tc.code {
				t.Errorf("first error %+v, want %s", first, tc.code)
			}
			if len(problems) > 60 || size > 60_000 {
				t.Errorf("%d problems with %d bytes of text, want at most 60 and 60,000", len(problems), size)
			}
			if msg := misplaced(tc.text, problems); msg != "" {
				t.Error(msg)
			}
		})
	}
}

// TestLimitsAreReachable takes texts that stay just inside a limit.
func TestLimitsAreReachable(t *testing.T) {
	base := strings.Replace(story, "    most: 5\n", "    most: 5\n    big:%s\n", 1)
	big := func(b string) string { return strings.Replace(base, "%s", b, 1) }
	keys := ""
	for i := 0; i < MaxKeys; i++ {
		keys += fmt.Sprintf("\n      k%d: %d", i, i)
	}
	for name, text := range map[string]string{
		"depth":  big(" " + strings.Repeat("[", MaxDepth-3) + strings.Repeat("]", MaxDepth-3)),
		"keys":   big(keys),
		"nodes":  big(" [" + strings.Repeat("1,", MaxNodes-200) + "]"),
		"scalar": big(" " + strings.Repeat("x", MaxScalarBytes)),
		"text":   big(" 1") + "#" + strings.Repeat("x", MaxTextBytes-len(big(" 1"))-1),
		"BOM":    bom + story,
		"CRLF":   strings.ReplaceAll(story, "\n", "\r\n"),
	} {
		if def, problems := Check([]byte(text), testEnv()); def == nil {
			t.Errorf("%s: refused with %+v, want it taken", name, problems)
		}
	}
}

// TestAliasedExpressionsCompileOnce counts compilations: an alias must not multiply the cost of a long expression.
func TestAliasedExpressionsCompileOnce(t *testing.T) {
	source := "list(" + strings.Repeat("1, ", 500) + "1)"
	text := strings.Replace(story, `request: str("您好 %s", "甲")`, "request: [&x '"+source+"', "+strings.Repeat("*x, ", 15_000)+"]", 1)
	c := &checker{env: testEnv(), compiled: map[compileKey]*compiled{}, statics: map[*node]any{}}
	c.bind(c.load([]byte(text)))
	if c.errors != 0 {
		t.Fatalf("problems %+v, want no error", c.sorted()[:1])
	}
	if got := len(c.def.Action("tell").Args.Get("request").Items); got != 15_001 {
		t.Errorf("%d items, want 15,001", got)
	}
	if len(c.compiled) > 30 {
		t.Errorf("%d compilations, want at most 30", len(c.compiled))
	}
}

// misplaced says which problem does not lie inside the text.
func misplaced(text string, problems []Problem) string {
	src := newSource(strings.TrimPrefix(text, bom))
	line, column := 1, 1
	for _, p := range problems {
		if p.Line < 1 || p.Line > len(src.lines) || p.Column < 1 || p.Column > src.width(p.Line)+1 ||
			p.EndColumn < p.Column || p.EndColumn > src.width(p.Line)+1 {
			if p.Code == "WB1003" && p.Line == 1 && p.Column == 1 && p.EndColumn == 1 {
				continue
			}
			return fmt.Sprintf("the problem %+v lies outside the text (%d lines, its line has %d runes)", p, len(src.lines), src.width(p.Line))
		}
		if p.Line < line || p.Line == line && p.Column < column {
			return fmt.Sprintf("the problem %+v is out of order: one at %d:%d came before", p, line, column)
		}
		line, column = p.Line, p.Column
	}
	return ""
}
