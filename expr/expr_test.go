package expr

import (
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/apd/v3"
)

// TestProblems checks that bad sources are refused with the right code at the right place, and with a hint that helps.
func TestProblems(t *testing.T) {
	cases := []struct {
		src        string
		ctx        Context
		code       string
		start, end int
		hint       string // part of the hint
	}{
		{"", ContextStrategy, codeEmpty, 0, 0, ""},
		{"  \n", ContextStrategy, codeEmpty, 0, 3, ""},
		{`eventAttr（"i"）`, ContextStrategy, codeCharacter, 9, 10, "write ("},
		{`“abc”`, ContextStrategy, codeCharacter, 0, 1, `write "`},
		{`true 且 false`, ContextStrategy, codeCharacter, 5, 6, "write AND"},
		{`true && 名`, ContextStrategy, codeCharacter, 8, 9, "quotes"},
		{`"say \"hi\""`, ContextStrategy, codeCharacter, 9, 10, "doubled"},
		{`'it`, ContextStrategy, codeString, 0, 3, "close"},
		{`9223372036854775808`, ContextStrategy, codeNumber, 0, 19, "largest"},
		{`1 < 2 < 3`, ContextStrategy, codeChain, 6, 7, "AND"},
		{`2 ^ 3 ^ 2`, ContextStrategy, codeChain, 6, 7, "parentheses"},
		{`NOT 1 == 2`, ContextStrategy, codeNot, 0, 8, "NOT ("},
		{`!eventType() matches "a"`, ContextStrategy, codeNot, 0, 20, "NOT ("},
		{`1 in {1}`, ContextStrategy, codeForeign, 2, 4, "contains"},
		{`eventAttr("a") ?? 0`, ContextStrategy, codeForeign, 15, 17, "a ?: b"},
		{`? 1`, ContextStrategy, codeUnexpected, 0, 1, ""},
		{`2--3`, ContextStrategy, codeForeign, 1, 3, "space"},
		{`[1,2]`, ContextStrategy, codeUnexpected, 0, 1, "{1, 2, 3}"},
		{`(1`, ContextStrategy, codeEnded, 2, 2, ""},
		{`1 = 1`, ContextStrategy, codeAssign, 2, 3, "=="},
		{`T(Math).PI`, ContextStrategy, codeHost, 0, 1, ""},
		{`"a" instanceof T(String)`, ContextStrategy, codeHost, 4, 14, ""},
		{`#x == 1`, ContextStrategy, codeVariable, 0, 2, "var("},
		{`a${`, ContextStrategy, codeTemplate, 1, 3, ""},
		{`a${ }`, ContextStrategy, codeTemplate, 1, 5, ""},
		{`eventTyp()`, ContextStrategy, codeFunction, 0, 8, "eventType"},
		{`EventAttr("i")`, ContextStrategy, codeFunction, 0, 9, "eventAttr"},
		{`eventAttrContains("x")`, ContextStrategy, codeFunction, 0, 17, "containsAttr"},
		{`list.ad({1}, 2)`, ContextStrategy, codeFunction, 5, 7, "list.add"},
		{`finish`, ContextStrategy, codeName, 0, 6, "finish()"},
		{`visit_count + 1`, ContextAction, codeName, 0, 11, `var("visit_count")`},
		{`var("x")`, ContextStrategy, codeContext, 0, 3, "ctrl"},
		{`eventAttr("x")`, ContextCtrl, codeContext, 0, 9, "strategy"},
		{`resultOk()`, ContextAction, codeContext, 0, 8, "ctrl"},
		{`eventAttr()`, ContextStrategy, codeCount, 0, 11, "eventAttr(name"},
		{`"a".length(1)`, ContextStrategy, codeCount, 0, 13, "length()"},
		{`seconds("x")`, ContextStrategy, codeType, 8, 11, "seconds(n"},
		{`list.add(5, 1)`, ContextStrategy, codeType, 9, 10, "list.add"},
		{`all(1 < 2) and 5`, ContextStrategy, codeType, 15, 16, ""},
		{`list.sort(eventType())`, ContextStrategy, codeType, 10, 21, ""},
		{`"a" matches "["`, ContextStrategy, codeRegex, 12, 15, ""},
		{`regex.match("(?=a)", "a")`, ContextStrategy, codeRegex, 12, 19, ""},
		{`"abc".lenght()`, ContextStrategy, codeMethod, 6, 12, ".length"},
		{`eventAttr("l").add(1)`, ContextStrategy, codeMutate, 15, 18, "list.add"},
		{`when(true).then(1)`, ContextStrategy, codeWhen, 0, 18, ".get("},
		{`1 - "a"`, ContextStrategy, codeFails, 0, 7, ""},
		{`eventType() > 5`, ContextStrategy, codeType, 0, 15, "toInt"},
		{`NOT (timestamp() < eventType())`, ContextStrategy, codeType, 4, 31, "alike"},
		{`eventType() - 1`, ContextStrategy, codeType, 0, 15, "numbers"},
		{`intEventAttr("a") + 1 < "5"`, ContextStrategy, codeType, 0, 27, "alike"},
		{`listEventAttr("a") + 1`, ContextStrategy, codeType, 0, 22, "numbers"},
		{`-eventType()`, ContextStrategy, codeType, 0, 12, "numbers"},
		{`localDate() < dateTime()`, ContextStrategy, codeType, 0, 24, ""},
		{`(timestamp() + days(1)).length()`, ContextStrategy, codeMethod, 24, 30, ""},
		{`"abc".length`, ContextStrategy, codeProperty, 6, 12, "length()"},
		{`event.typ`, ContextStrategy, codeProperty, 6, 9, "event.type"},
		{`config`, ContextTrigger, codeProperty, 0, 6, "config.get"},
		{`"a" * 100000000`, ContextStrategy, codeBudget, 0, 15, ""},
	}
	for _, c := range cases {
		p, probs := Compile(c.src, c.ctx)
		if p != nil || len(probs) == 0 {
			t.Errorf("%q: expected the problem %s, got a program and %+v", c.src, c.code, probs)
			continue
		}
		q := probs[0]
		if q.Code != c.code || q.Start != c.start || q.End != c.end || !strings.Contains(q.Hint, c.hint) {
			t.Errorf("%q: expected %s at %d..%d with %q in the hint, got %+v", c.src, c.code, c.start, c.end, c.hint, q)
		}
		checkProblems(t, c.src, p, probs)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, probs := Compile(`eventTyp() == nope AND seconds("x") > var("a") OR foo.bar(1, baz)`, ContextStrategy)
	want := []string{codeFunction, codeName, codeType, codeContext, codeName, codeName}
	var got []string
	for _, q := range probs {
		got = append(got, q.Code)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("expected the problems %v, got %+v", want, probs)
	}
}

func TestWarnings(t *testing.T) {
	for src, code := range map[string]string{
		`{"a": "${1 + 1}"}`:                     codeQuotedTemplate,
		`eventType() == "x" AND 1/0 > 1`:        codeSometimesFails,
		`containsAttr("a") AND eventType() > 5`: codeSometimesFails,
		`intEventAttr("a") == "5"`:              codeNeverEqual,
	} {
		p, probs := Compile(src, ContextStrategy)
		if p == nil || len(probs) != 1 || !probs[0].Warning || probs[0].Code != code {
			t.Errorf("%s: expected a program and the warning %s, got %+v", src, code, probs)
		}
	}
	if _, probs := Compile(`it's ${1}`, ContextStrategy); len(probs) != 0 {
		t.Errorf("expected no warning where the text is no expression, got %+v", probs)
	}
}

// TestValues holds what the vectors of the original do not.
func TestValues(t *testing.T) {
	cases := []struct{ src, typ, want string }{
		{`-9223372036854775808`, "int", "-9223372036854775808"},
		{`- 9223372036854775808 + 1`, "int", "-9223372036854775807"},
		{`(-2) ^ 63`, "int", "-9223372036854775808"},
		{`3 ^ 39`, "int", "4052555153018976267"},
		{`toDecimal("2.5") / 2`, "decimal", "1.25"},
		{`toDecimal("19.90") / 3`, "decimal", "6.633333333333333333"},
		{`5 / toDecimal("2.5")`, "decimal", "2.0"},
		{`toDecimal("1") / 8`, "decimal", "0.125"},
		{`toDecimal("-1") / 3`, "decimal", "-0.3333333333333333"},
		{`toDecimal("-7.5") % 2`, "decimal", "-1.5"},
		{`toDecimal("2") ^ 10`, "decimal", "1024"},
		{`list.distinct({1, 1.0, 1L, toDecimal("1.00"), 2.5, toDecimal("2.50")})`, "list", "[1, 2.5]"},
		{`{1: "a"}[1.0]`, "string", "a"},
		{`{1.0: "a"}[1]`, "string", "a"},
		{`map.put({1: "a"}, 1.0, "b")`, "map", "{1=b}"},
		{`list.sort({3, 1.5, toDecimal("2.25")})`, "list", "[1.5, 2.25, 3]"},
		{`"汉字abc".substring(1, 3)`, "string", "字a"},
		{`"汉字".charAt(1)`, "string", "字"},
		{`"汉字x".indexOf("x")`, "int", "2"},
		{`str("%,d", 1234567)`, "string", "1,234,567"},
		{`str("%,.2f", toDecimal("1234567.895"))`, "string", "1,234,567.90"},
		{`str("%010.3f", -3.14159)`, "string", "-00003.142"},
		{`str("%(d", -5)`, "string", "(5)"},
		{`str("%x", -1)`, "string", "ffffffff"},
		{`str("%f", 5)`, "string", "5.000000"},
		{`str("%e", 0)`, "string", "0.000000e+00"},
		{`str("%.3e", 9.9999)`, "string", "1.000e+01"},
		{`str("%g", 123456789)`, "string", "1.23457e+08"},
		{`str("%5.1f|%-6s|%c", 2.25, "ab", "中")`, "string", "  2.3|ab    |中"},
		{`str("%b %b", null, 1)`, "string", "false true"},
		{`regex.replaceAll("^a", "aaa", "b")`, "string", "baa"},
		{`regex.match("^[\u4e00-\u9fa5]+$", "中文")`, "bool", "true"},
		{`regex.match("\p{L}{2}+x", "a")`, "error", ""},
		{`"a1b22".split("\d+")`, "list", "[a, b]"},
		{`"abc".split("")`, "list", "[a, b, c]"},
		{`{a: 1, b: 20}.$[value > 0]`, "map", "{b=20}"},
		{`{{a: 1}, {a: 2}}.![a]`, "list", "[1, 2]"},
		{`{"a b", "c"}.![split(" ").size()]`, "list", "[2, 1]"},
		{`{1, 2}.![{3, 4}.![#this]]`, "list", "[[3, 4], [3, 4]]"},
		{`{1, 2, 3}.?[#this > 1].^[true]`, "int", "2"},
		{`{1, null}.![#this?.toString()]`, "list", "[1, null]"},
		{`eventAttr("n")?.a.b.c()`, "error", ""},
		{`eventAttr("n")?.a.b.size()`, "null", "null"},
		{`event?.type`, "string", "t1"},
		{`#root.event.type + #root.eventType()`, "string", "t1t1"},
		{`when(eventAttr("i") == 5).then(null).when(true).then("b").get("d")`, "string", "b"},
		{`when(false).then(eventAttr("nope")).get(1)`, "int", "1"},
		{`false ? eventAttr("nope") : "ok"`, "string", "ok"},
		{`eventAttr("t", "x") ?: eventAttr("nope")`, "string", "x"},
		{`retry("2", "CALL b")`, "control", "RETRY 2 CALL b"},
		{`call("a") == "CALL a"`, "bool", "true"},
		{"a ${eventAttr(\"n\")}b${{1,{2,3}}}", "string", "a b1,2,3"},
		{`map("b", 1, "a", 2)`, "map", "{a=2, b=1}"},
		{`{3: 1, "3": 2, true: 3}.size()`, "int", "3"},
		{`math.max(1, toDecimal("1.5"))`, "decimal", "1.5"},
		{`math.max(2, 1.5)`, "float", "2.0"},
		{`math.round(toDecimal("-2.5"))`, "int", "-2"},
		{`1.0f + 1`, "float", "2.0"},
		{`toInt("１２")`, "int", "12"},
		{`1 == 1 AND NOT (2 == 3)`, "bool", "true"},
		{`eventAttr("i") == 5 and eventAttr("n")`, "error", ""},
		{`eventAttr("n") and false`, "error", ""},
		{`eventAttr("s") or true`, "error", ""},
	}
	for _, c := range cases {
		s, ctx := vectorScope("strategy")
		p, probs := Compile(c.src, ctx)
		var v any
		var err error
		if p != nil {
			v, err = p.Eval(s)
		}
		if c.typ == "error" {
			if p != nil && err == nil {
				t.Errorf("%s: expected an error, got %s", c.src, Text(v))
			}
			continue
		}
		if p == nil || err != nil {
			t.Errorf("%s: expected %s, got %v %+v", c.src, c.want, err, probs)
			continue
		}
		if TypeName(v) != c.typ || Text(v) != c.want {
			t.Errorf("%s: expected %s %s, got %s %s", c.src, c.typ, c.want, TypeName(v), Text(v))
		}
	}
}

func TestErrorsTellTheirPlace(t *testing.T) {
	src := `eventType() == "中" OR` + "\n" + `  1 + eventAttr("nope") > 2`
	p := compileFor(t, src, ContextStrategy)
	_, err := p.Eval(&Scope{Event: &Event{Type: "t"}})
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("expected *Error, got %v", err)
	}
	if got := string([]rune(src)[e.Start:e.End]); got != `eventAttr("nope")` {
		t.Errorf("expected the error at eventAttr(\"nope\"), got %q: %s", got, e.Message)
	}
	if e.Limit || !strings.Contains(e.Message, `"nope"`) {
		t.Errorf("expected a message that names the attribute and no limit, got %+v", e)
	}
}

func TestEvalBoolTakesBooleansOnly(t *testing.T) {
	for _, src := range []string{`null`, `1`, `"true"`, `eventAttr("n")`, `{}`} {
		if _, err := compileFor(t, src, ContextStrategy).EvalBool(&Scope{Event: &Event{Attrs: obj{"n": nil}}}); err == nil || !strings.Contains(err.Error(), "true or false") {
			t.Errorf("%s: expected an error about true or false, got %v", src, err)
		}
	}
}

func TestControls(t *testing.T) {
	for src, want := range map[string]string{
		`call("a b")`: "CALL a b", `finish()`: "FINISH", `fail()`: "FAIL", `failBecause("no such user")`: "FAIL because no such user",
		`retry(3)`: "RETRY 3", `retry(3, failBecause("a b"))`: "RETRY 3 FAIL because a b", `"RETRY 2 CALL x y"`: "RETRY 2 CALL x y", `eventAttr("c")`: "FINISH",
	} {
		c, err := compileFor(t, src, ContextAction).EvalControl(&Scope{Event: &Event{Attrs: obj{"c": "FINISH"}}})
		if err != nil || c.String() != want {
			t.Errorf("%s: expected %q, got %q, %v", src, want, c.String(), err)
			continue
		}
		back, err := ParseControl(c.String())
		if err != nil || back.String() != want {
			t.Errorf("%s: expected ParseControl to read it back, got %q, %v", want, back.String(), err)
		}
	}
	for _, text := range []string{"", "CALL", "WAITING", "FINISH now", "FAIL x", "RETRY", "RETRY x", "RETRY 1 RETRY", "RETRY 1 x", "call a", "FAIL becausex"} {
		if c, err := ParseControl(text); err == nil {
			t.Errorf("%q: expected an error, got %+v", text, c)
		}
	}
	if _, err := compileFor(t, `"nothing"`, ContextAction).EvalControl(&Scope{}); err == nil {
		t.Error("expected an error for a text that is no control")
	}
}

func TestCalls(t *testing.T) {
	p := compileFor(t, `resultOk() ? call("下一步") : retry(2, call("b")).toString() + call(resultVar("x"))`, ContextCtrl)
	calls := p.Calls()
	if len(calls) != 2 || !reflect.DeepEqual(calls[0], CallTarget{Name: "下一步", Start: 18, End: 23}) || calls[1].Name != "b" {
		t.Errorf("expected the targets 下一步 at 18..23 and b, got %+v", calls)
	}
}

func TestConst(t *testing.T) {
	for src, want := range map[string]string{
		`1 + 2`: "3", `{1, 2}.![#this * 2]`: "[2, 4]", `days(2)`: "172800000", `finish()`: "FINISH", `true ? "a" : eventType()`: "a", `a${1}b`: "a1b", `null`: "null",
	} {
		if v, ok := compileFor(t, src, ContextStrategy).Const(); !ok || Text(v) != want {
			t.Errorf("%s: expected the constant %s, got %s, %v", src, want, Text(v), ok)
		}
	}
	for _, src := range []string{`eventType()`, `timestamp()`, `random()`, `eventAttr("x", 1)`, `domainId`, `{1, 2}.![eventType()]`} {
		if v, ok := compileFor(t, src, ContextAction).Const(); ok {
			t.Errorf("%s: expected no constant, got %v", src, v)
		}
	}
}

func TestDraws(t *testing.T) {
	p := compileFor(t, `{random(), randInt(100), randInt(5, 10), list.shuffle({1,2,3,4,5}), list.randomChoice({1,2,3})}`, ContextAction)
	run := func(s *Scope) string {
		v, err := p.Eval(s)
		if err != nil {
			t.Fatal(err)
		}
		return Text(v)
	}
	s := &Scope{Seed: 42}
	first, second := run(s), run(s)
	if first == second {
		t.Errorf("expected the second evaluation to go on drawing, got %s twice", first)
	}
	s.Reseed(42)
	if a, b := run(s), run(s); a != first || b != second {
		t.Errorf("expected the same draws after Reseed: %s %s, got %s %s", first, second, a, b)
	}
	s.Seed = 43
	other := run(s)
	s.Seed = 42
	if again := run(s); again != first || other == first {
		t.Errorf("expected %s again for the same seed and another for 43, got %s and %s", first, again, other)
	}
	if got := run(&Scope{Seed: 42}); got != first {
		t.Errorf("expected another Scope with the seed to draw %s, got %s", first, got)
	}
	counts := map[string]int{}
	choice := compileFor(t, `randInt(3)`, ContextAction)
	for range 3000 {
		v, err := choice.Eval(s)
		if err != nil {
			t.Fatal(err)
		}
		counts[Text(v)]++
	}
	for _, k := range []string{"0", "1", "2"} {
		if counts[k] < 850 || counts[k] > 1150 {
			t.Errorf("expected each of 0, 1, 2 about 1000 times, got %v", counts)
		}
	}
}

func TestBudgets(t *testing.T) {
	p := compileFor(t, `eventAttr("l").![#this + 1]`, ContextStrategy)
	s := &Scope{Event: &Event{Attrs: obj{"l": ints(make([]int64, 1000)...)}}}
	if _, err := p.Eval(s); err != nil {
		t.Fatal(err)
	}
	ticks, bytes := s.Spent()
	if ticks < 1000 || bytes < 16000 {
		t.Errorf("expected at least 1000 ticks and 16000 bytes, spent %d and %d", ticks, bytes)
	}
	for _, limit := range []func(){func() { s.MaxTicks, s.MaxBytes = 500, 0 }, func() { s.MaxTicks, s.MaxBytes = 0, 500 }} {
		limit()
		_, err := p.Eval(s)
		if e, ok := err.(*Error); !ok || !e.Limit {
			t.Errorf("expected a limit error, got %v", err)
		}
	}
	s.MaxTicks, s.MaxBytes = 0, 0
	if _, err := p.Eval(s); err != nil {
		t.Errorf("expected the Scope to work again after a limit, got %v", err)
	}
}

func TestProgramsAreShared(t *testing.T) {
	p := compileFor(t, `eventAttr("l").?[#this > 1].![#this * randInt(1, 2)]`, ContextStrategy)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s := &Scope{Event: &Event{Attrs: obj{"l": ints(1, 2, 3)}}}
			for range 200 {
				if v, err := p.Eval(s); err != nil || Text(v) != "[2, 3]" {
					t.Errorf("expected [2, 3], got %s, %v", Text(v), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestToMillis(t *testing.T) {
	for _, c := range []struct {
		v    any
		want int64
	}{{int64(5), 5}, {2.9, 2}, {"172800000", 172800000}, {dec("1500.5"), 1500}, {" 7 ", 7}} {
		if n, err := ToMillis(c.v); err != nil || n != c.want {
			t.Errorf("%v: expected %d, got %d, %v", c.v, c.want, n, err)
		}
	}
	for _, v := range []any{nil, true, "x", "", int64(-1), "-5", math.Inf(1), []any{}} {
		if n, err := ToMillis(v); err == nil {
			t.Errorf("%v: expected an error, got %d", v, n)
		}
	}
}

func TestTextAndTypes(t *testing.T) {
	cases := []struct {
		v         any
		typ, text string
	}{
		{nil, "null", "null"}, {true, "bool", "true"}, {int64(-5), "int", "-5"}, {1.0, "float", "1.0"}, {1e7, "float", "1.0E7"}, {1e-4, "float", "1.0E-4"},
		{float32(0.1), "float", "0.1"}, {5e-324, "float", "4.9E-324"}, {float32(1e-45), "float", "1.4E-45"}, {-1e23, "float", "-1.0E23"}, {2e-323, "float", "2.0E-323"}, {0.001, "float", "0.001"}, {9999999.0, "float", "9999999.0"}, {1.5e300, "float", "1.5E300"}, {math.Inf(-1), "float", "-Infinity"},
		{dec("1.10"), "decimal", "1.10"}, {dec("1e3"), "decimal", "1E+3"}, {dec("0.0000001"), "decimal", "1E-7"}, {ints(1, 2), "list", "[1, 2]"},
		{obj{"k": []any{nil, "x"}, "a": 2.0}, "map", "{a=2.0, k=[null, x]}"}, {map[any]any{int64(2): "b", "10": "a"}, "map", "{10=a, 2=b}"}, {Control{Kind: ControlFinish}, "control", "FINISH"},
	}
	for _, c := range cases {
		if TypeName(c.v) != c.typ || Text(c.v) != c.text {
			t.Errorf("expected %s %s, got %s %s", c.typ, c.text, TypeName(c.v), Text(c.v))
		}
	}
}

func TestEqual(t *testing.T) {
	equal := [][2]any{{int64(1), 1.0}, {dec("2.50"), 2.5}, {ints(1), []any{1.0}}, {obj{"a": int64(1)}, obj{"a": dec("1.0")}}, {map[any]any{int64(1): "x"}, map[any]any{1.0: "x"}},
		{float32(0.5), 0.5}, {nil, nil}, {apd.New(1, 1_000_000_000), apd.New(1, 1_000_000_000)}}
	for _, p := range equal {
		if !Equal(p[0], p[1]) || !Equal(p[1], p[0]) {
			t.Errorf("expected %s and %s to be equal", show(p[0]), show(p[1]))
		}
	}
	unequal := [][2]any{{int64(1), "1"}, {nil, false}, {nil, ""}, {true, int64(1)}, {ints(1), ints(1, 2)}, {obj{"a": nil}, obj{"b": nil}}, {math.NaN(), math.NaN()},
		{int64(9007199254740993), 9007199254740992.0}, {int64(math.MaxInt64), 9223372036854775807.0}, {apd.New(1, 1_000_000_000), int64(1)}, {math.Inf(1), dec("1")}}
	for _, p := range unequal {
		if Equal(p[0], p[1]) || Equal(p[1], p[0]) {
			t.Errorf("expected %s and %s to differ", show(p[0]), show(p[1]))
		}
	}
}
