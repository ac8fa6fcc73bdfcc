package expr

import (
	"reflect"
	"strings"
	"testing"
)

// requirements are conditions and what they require: types joined by | ("-": any), attributes joined by commas.
var requirements = []struct{ src, types, attrs string }{
	{`eventTypeIs("a")`, "a", ""},
	{`eventType() == "a"`, "a", ""},
	{`"a" == event.type`, "a", ""},
	{`event.getType() == "a" OR eventTypeIs("b")`, "a|b", ""},
	{`#root.eventTypeIs("a")`, "a", ""},
	{`{"b", "a", 1}.contains(eventType())`, "a|b", ""},
	{`containsAttr("x")`, "-", "x"},
	{`event.contains("x")`, "-", "x"},
	{`isAttrNotEmpty("x")`, "-", "x"},
	{`NOT isAttrEmpty("x")`, "-", "x"},
	{`eventAttr("x", null) != null`, "-", "x"},
	{`eventAttr("user_id", null) != null AND eventAttr("goods_id", null) != null`, "-", "goods_id,user_id"},
	{`event.get("x") == 1`, "-", "x"},
	{`event.get("x", 1) == 1`, "-", ""},
	{`eventAttr("x", "") == "y"`, "-", "x"},
	{`eventAttr("x", "").startsWith("y")`, "-", "x"},
	{`intEventAttr("x") > 5`, "-", "x"},
	{`intEventAttr("x") < 5`, "-", ""},
	{`(eventAttr("x", null) ?: "no") == "yes"`, "-", "x"},
	{`eventAttr("x", null)?.length() == 2`, "-", "x"},
	{`eventAttr("x")`, "-", ""},
	{`eventAttr("x") == 1`, "-", ""}, // where x is missing the verdict is an error, which may not be lost
	{`eventAttr("x") == 1 AND containsAttr("x")`, "-", ""},
	{`containsAttr("x") AND eventAttr("x") == 1`, "-", "x"},
	{`eventTypeIs("a") AND eventAttr("x") == 1 AND containsAttr("y")`, "a", ""},
	{`eventTypeIs("a") AND eventAttr("x") == 1 OR eventTypeIs("b")`, "a|b", ""},
	{`eventTypeIs("a") AND containsAttr("x") OR eventTypeIs("b") AND containsAttr("x")`, "a|b", "x"},
	{`eventTypeIs("a") AND containsAttr("x") OR containsAttr("y")`, "-", ""},
	{`(eventTypeIs("a") OR eventTypeIs("b")) AND NOT eventTypeIs("b")`, "a", ""},
	{`NOT eventTypeIs("a")`, "-", ""},
	{`NOT (eventTypeIs("a") OR NOT containsAttr("x"))`, "-", "x"},
	{`eventTypeIs("a") ? containsAttr("x") : false`, "a", "x"},
	{`eventTypeIs("a") ? true : containsAttr("x")`, "-", ""},
	{`eventTypeIs("a") AND eventTypeIs("b")`, "", ""},
	{`containsAttr("x") AND false`, "", ""},
	{`1 == 2`, "", ""},
	{`true`, "-", ""},
	{`timestamp() > 5 AND eventTypeIs("a")`, "-", ""},
	{`eventTypeIs("a") AND timestamp() > 5`, "a", ""},
	{`eventTypeIs(5)`, "-", ""},
	{`eventTypeIs(eventAttr("x", "a"))`, "-", ""},
	{`eventType() != "a"`, "-", ""},
	{`eventType() == ""`, "", ""},
	{`containsAttr(eventType())`, "-", ""},
	{`eventAttr("x", eventAttr("y")) == 1`, "-", ""},
	{`eventAttr("x", {1}) == {2}`, "-", ""},
	{`when(eventTypeIs("a")).then(true).get(false)`, "a", ""},
	{`config("on", true) AND eventTypeIs("a")`, "-", ""},
	{`eventTypeIs("a") AND config("on", true)`, "a", ""},
	{`{1, 2}.?[eventTypeIs("a")].size() == 0`, "-", ""},
	{`"eventTypeIs(a)" == eventAttr("x", null)`, "-", "x"},
}

func TestRequires(t *testing.T) {
	for _, c := range requirements {
		p, probs := Compile(c.src, ContextTrigger)
		if p == nil {
			t.Fatalf("%s: expected it to compile, got %v", c.src, probs)
		}
		got := p.Requires()
		types := "-"
		if got.Types != nil {
			types = strings.Join(got.Types, "|")
		}
		if attrs := strings.Join(got.Attrs, ","); types != c.types || attrs != c.attrs {
			t.Errorf("%s: expected types %q and attributes %q to be required, got %q and %q", c.src, c.types, c.attrs, types, attrs)
		}
		if got.Indexed() != (c.types != "-" || c.attrs != "") {
			t.Errorf("%s: expected Indexed to say whether anything is required, got %v", c.src, got.Indexed())
		}
		checkRequires(t, p, c.src)
	}
}

// someEvents are events with all mixtures of the given types and attributes; each attribute takes several values.
func someEvents(types, attrs []string) []*Event {
	values := []any{nil, "", "y", int64(0), int64(7), []any{int64(1)}}
	var out []*Event
	for i, typ := range types {
		for mask := 0; mask < 1<<min(len(attrs), 4); mask++ {
			e := &Event{Type: typ, Attrs: map[string]any{}}
			for j := range min(len(attrs), 4) {
				if mask>>j&1 == 1 {
					e.Attrs[attrs[j]] = values[(i+mask+j)%len(values)]
				}
			}
			out = append(out, e)
		}
	}
	return append(out, nil)
}

// checkRequires asks p about events of all kinds: one that lacks what p requires must make it false, neither true nor an error.
func checkRequires(t *testing.T, p *Program, src string) {
	t.Helper()
	r := p.Requires()
	types := append([]string{"a", "b", "", "x", "5"}, r.Types...)
	attrs := append(append([]string(nil), r.Attrs...), "x", "y")
	s := &Scope{NowMs: 1_700_000_000_000}
	for _, e := range someEvents(types, attrs) {
		if r.Met(e) {
			continue
		}
		s.Event = e
		s.Reseed(1)
		if ok, err := p.EvalBool(s); ok || err != nil {
			t.Errorf("%q requires %+v; for an event without that, %+v, expected false, got %v, %v", src, r, e, ok, err)
		}
	}
}

func TestRequiresIsBounded(t *testing.T) {
	var parts []string
	for i := range 300 {
		parts = append(parts, `eventTypeIs("t`+strings.Repeat("i", i%100)+`") AND containsAttr("n`+strings.Repeat("i", i%90)+`")`)
	}
	src := strings.Join(parts[:120], " OR ")
	p, probs := Compile(src, ContextStrategy)
	if p == nil {
		t.Fatalf("expected the long condition to compile, got %v", probs[:1])
	}
	if got := p.Requires(); got.Indexed() {
		t.Errorf("a source that names more types than are looked at: expected nothing to be required, got %+v", got)
	}
	checkRequires(t, p, "the long condition")
	costly, _ := Compile(`str("%999s", eventAttr("x", "")).length() == 1 OR containsAttr("x")`, ContextStrategy)
	if costly == nil {
		t.Fatal("expected the condition with str to compile")
	}
	checkRequires(t, costly, "the condition with str")
}

func TestRequirementMet(t *testing.T) {
	r := Requirement{Types: []string{"a", "b"}, Attrs: []string{"x"}}
	for _, c := range []struct {
		event *Event
		want  bool
	}{
		{nil, false},
		{&Event{Type: "a"}, false},
		{&Event{Type: "c", Attrs: obj{"x": int64(1)}}, false},
		{&Event{Type: "b", Attrs: obj{"x": nil}}, true},
	} {
		if got := r.Met(c.event); got != c.want {
			t.Errorf("%+v of %+v: expected %v, got %v", r, c.event, c.want, got)
		}
	}
	if !(Requirement{}).Met(nil) || (Requirement{Types: []string{}}).Met(&Event{}) {
		t.Error("expected the zero requirement to be met by every event, and an empty list of types by none")
	}
}

// TestAttrReaders pins the functions that readsAttr finds by their signature: their first argument names the attribute they read.
func TestAttrReaders(t *testing.T) {
	for _, f := range Functions() {
		name := f.QualifiedName()
		reads := !f.Method && (strings.HasSuffix(name, "EventAttr") || strings.HasPrefix(name, "event.get") || strings.HasPrefix(name, "event.contains") ||
			name == "eventAttr" || name == "containsAttr" || name == "isAttrEmpty" || name == "isAttrNotEmpty") &&
			name != "event.getType" && name != "event.getAllAttributes"
		if !f.Property && readsAttr(name) != reads {
			t.Errorf("%s: expected readsAttr to be %v", name, reads)
		}
	}
	p, _ := Compile(`eventTypeIs("b") OR eventTypeIs("a")`, ContextCtrl)
	if p != nil {
		t.Error("expected ctrl to see no event")
	}
	first, _ := Compile(`containsAttr("b") AND containsAttr("a")`, ContextStrategy)
	again, _ := Compile(`containsAttr("a") AND containsAttr("b")`, ContextStrategy)
	if !reflect.DeepEqual(first.Requires(), again.Requires()) {
		t.Errorf("expected the order of the source not to matter, got %+v and %+v", first.Requires(), again.Requires())
	}
}

// FuzzRequires: whatever the condition, an event that lacks what it requires makes it false.
func FuzzRequires(f *testing.F) {
	for _, c := range requirements {
		f.Add(c.src)
	}
	for _, fn := range Functions() {
		f.Add(fn.Example)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, ctx := range []Context{ContextStrategy, ContextTrigger} {
			if p, _ := Compile(src, ctx); p != nil {
				checkRequires(t, p, src)
			}
		}
	})
}
