package expr

import (
	"bufio"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
)

// vector is one result of the original: an expression in a context, and what it gave.
type vector struct {
	file, context, src string
	line               int
	value, typ         string // as printed, and the Java class; "null" has none
	failed             bool
	decision           string // what stands behind "## Dn: ", "" when there is nothing
}

func readVectors(t *testing.T, name string) []vector {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []vector
	context := "strategy"
	sc := bufio.NewScanner(f)
	for line := 1; sc.Scan(); line++ {
		text := sc.Text()
		if c, ok := strings.CutPrefix(text, "# context: "); ok {
			context = strings.TrimSpace(c)
			continue
		}
		src, rest, ok := strings.Cut(text, "   =>   ")
		if !ok || strings.HasPrefix(text, "# ") {
			continue
		}
		v := vector{file: name, line: line, context: context, src: src}
		rest, v.decision, _ = strings.Cut(rest, "   ## ")
		if _, d, ok := strings.Cut(v.decision, ": "); ok {
			v.decision = d
		}
		switch i := strings.LastIndex(rest, "  ("); {
		case strings.HasPrefix(rest, "!!"):
			v.failed = true
		case i >= 0:
			v.value, v.typ = rest[:i], strings.TrimSuffix(rest[i+3:], ")")
		default:
			v.value = strings.TrimSpace(rest)
		}
		out = append(out, v)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if len(out) < 100 {
		t.Fatalf("%s: expected at least 100 vectors, read %d", name, len(out))
	}
	return out
}

func dec(s string) *Decimal {
	d, _, err := apd.NewFromString(s)
	if err != nil {
		panic(err)
	}
	return d
}

type obj = map[string]any

func ints(n ...int64) []any {
	out := make([]any, len(n))
	for i, x := range n {
		out[i] = x
	}
	return out
}

func strategyAttrs() obj {
	return obj{"i": int64(5), "s": "abc", "n": nil, "d": 2.5, "uid": "10001", "l": ints(1, 2, 3), "m": obj{"k": int64(7)}}
}

func strategy2Attrs() obj {
	a := strategyAttrs()
	for k, v := range (obj{"L": int64(5), "neg": int64(-7), "t": true, "e": "", "dec": dec("2.5"), "big": int64(2147483648), "cn": "中文", "el": []any{}, "f": float32(2.5)}) {
		a[k] = v
	}
	return a
}

func jsonAttrs() obj {
	return obj{"i": int64(5), "s": "abc", "n": nil, "d": dec("2.5"), "uid": "10001", "l": ints(1, 2, 3), "m": obj{"k": int64(7)}, "price": dec("19.90"),
		"one": dec("1.0"), "big": int64(2147483648), "huge": dec("9223372036854775808"), "mix": []any{int64(1), dec("2.5")}, "prices": []any{dec("2.5"), dec("1.50")},
		"items": []any{obj{"sku": "a", "qty": int64(2), "price": dec("1.25")}, obj{"sku": "b", "qty": int64(1), "price": int64(3)}}, "t": true, "cn": "中文", "e": ""}
}

// vectorScope builds a context of the vectors, as the header of vectors-2.txt defines it.
func vectorScope(name string) (*Scope, Context) {
	s := &Scope{NowMs: 1700000000000, Seed: 7}
	config := obj{"limit": int64(10), "rate": 0.5, "title": "hello", "on": true, "words": []any{"x", "y"}, "sub": obj{"k": int64(1)}, "nul": nil}
	vars := Vars{{"a", int64(1)}, {"name", "Sam"}, {"nul", nil}, {"list", ints(3, 1, 2)}, {"m", obj{"k": int64(7), "name": "Tom"}}, {"num", "42"}, {"flag", "true"},
		{"dbl", 2.9}, {"big", int64(4294967301)}, {"ml", []any{obj{"k": int64(7), "name": "Tom"}}}, {"strs", []any{"1", "2"}}}
	thread := &ThreadInfo{Activity: 1, ActivityName: "act_a", ActivityDisplayName: "Act A", ActivityStatus: "common", Domain: "10001", Definition: "def_a",
		DefinitionDisplayName: "Def A", DefinitionDescription: "a definition", Version: "1", Action: "first", Status: "running"}
	switch name {
	case "strategy":
		s.Event = &Event{Type: "t1", Attrs: strategyAttrs()}
		return s, ContextStrategy
	case "strategy2":
		s.Event = &Event{Type: "t1", Attrs: strategy2Attrs()}
		return s, ContextStrategy
	case "json":
		s.Event = &Event{Type: "t1", Attrs: jsonAttrs()}
		return s, ContextStrategy
	case "trigger":
		s.Event, s.Config, s.Thread = &Event{Type: "t1", Attrs: strategy2Attrs()}, config, thread
		return s, ContextTrigger
	case "action", "action-noevent":
		if name == "action" {
			s.Event = &Event{Type: "t1", Attrs: strategy2Attrs()}
		}
		s.Config, s.Vars, s.Thread = config, vars, thread
		return s, ContextAction
	}
	s.Config, s.Vars, s.Thread = config, vars, thread
	s.Result = &Result{Data: obj{"x": int64(1), "s": "ok!", "nul": nil, "cnt": "12"}}
	switch name {
	case "schedule-fail":
		s.Result = &Result{Status: ResultFail, ErrorCode: "ERR1", Message: "it broke"}
	case "schedule-timeout":
		s.Result = &Result{Status: ResultTimeout}
	}
	return s, ContextCtrl
}

var javaClasses = map[string]string{
	"Integer": "int", "Long": "int", "Double": "float", "Float": "float", "BigDecimal": "decimal", "BigInteger": "decimal", "Boolean": "bool",
	"String": "string", "Character": "string", "KeySet": "list", "EntrySet": "list", "UnmodifiableSet": "list", "String[]": "list", "JSONArray": "list", "JSONObject": "map",
}

func classOf(java string) string {
	switch {
	case javaClasses[java] != "":
		return javaClasses[java]
	case strings.HasSuffix(java, "List"):
		return "list"
	case strings.HasSuffix(java, "Map"):
		return "map"
	}
	return java
}

// unordered makes texts of maps and sets comparable: its parts, sorted.
func unordered(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("{}[], ", r) })
	sort.Strings(parts)
	return strings.Join(parts, " ")
}

func sameText(v vector, want, got string) bool {
	if want == got {
		return true
	}
	if v.typ == "JSONArray" || v.typ == "JSONObject" {
		plain := strings.NewReplacer(" ", "", `"`, "", ":", "=")
		return plain.Replace(want) == plain.Replace(got)
	}
	if strings.Contains(want, "{") || strings.Contains(v.src, "distinct") {
		return unordered(want) == unordered(got)
	}
	return false
}

// check runs a vector and says what is wrong, "" when nothing is.
func (v vector) check() string {
	s, ctx := vectorScope(v.context)
	p, probs := Compile(v.src, ctx)
	var val any
	why := ""
	if p == nil {
		for _, q := range probs {
			if !q.Warning {
				why = q.Code + " " + q.Message
				break
			}
		}
	} else {
		got, err := p.Eval(s)
		val = got
		if err != nil {
			why = err.Error()
		}
	}
	if strings.Contains(why, "internal error") || strings.Contains(why, codeInternal) {
		return "internal error: " + why
	}
	want, typ := v.value, classOf(v.typ)
	switch {
	case v.decision == "any":
		return ""
	case v.decision == "error", v.decision == "" && v.failed:
		if why == "" {
			return "expected an error, got " + TypeName(val) + " " + Text(val)
		}
		return ""
	case v.decision != "":
		want, typ = strings.Trim(v.decision, `"`), ""
		if strings.HasPrefix(v.decision, `["`) {
			want = strings.ReplaceAll(v.decision, `"`, "")
		}
	}
	if why != "" {
		return "expected " + want + ", got the error: " + why
	}
	got := Text(val)
	if !sameText(v, want, got) {
		return "expected " + want + ", got " + got
	}
	have := TypeName(val)
	if have == "control" {
		have = "string"
	}
	if v.value == "null" && v.typ == "" {
		typ = "null"
	}
	if typ != "" && typ != have {
		return "expected the type " + typ + ", got " + have + " " + got
	}
	return ""
}

func TestVectors(t *testing.T) {
	ran := 0
	for _, file := range []string{"vectors-1.txt", "vectors-2.txt"} {
		for _, v := range readVectors(t, file) {
			ran++
			if msg := v.check(); msg != "" {
				t.Errorf("%s:%d [%s] %s: %s", v.file, v.line, v.context, v.src, msg)
			}
		}
	}
	if ran < 1500 {
		t.Errorf("expected at least 1500 vectors, ran %d", ran)
	}
	t.Logf("%d vectors", ran)
}
