package metadatatest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/cockroachdb/apd/v3"

	"github.com/weftbox/weftbox/metadata"
)

func testNames(s *suite) {
	names := []string{"优惠券", "コーヒー", "쿠폰", "é", "e\u0301", "A", "a", "a ", "a-b", "a'b\"c", "a%_b", "😀", "a\\b", strings.Repeat("界", 66)}
	numbers := map[uint32]string{}
	for _, name := range names {
		s.strategy(metadata.Strategy{Name: name, When: name}, metadata.Created)
		s.definition(name, "1", name, metadata.Created)
		a := s.activity(metadata.Activity{Name: name, DisplayName: name, Definition: name}, metadata.Created)
		if other, twice := numbers[a.Number]; twice {
			s.Fatalf("activity numbers: expected a new one for %q, got that of %q", name, other)
		}
		numbers[a.Number] = name
	}
	s.again()
	for _, name := range names {
		s.strategy(metadata.Strategy{Name: name, When: name}, metadata.Unchanged)
		s.definition(name, "1", name, metadata.Unchanged)
		a := s.activity(metadata.Activity{Name: name, DisplayName: name, Definition: name}, metadata.Unchanged)
		if a.Name != name || numbers[a.Number] != name {
			s.Fatalf("activity %q after a restart: expected its own number, got %d, that of %q", name, a.Number, numbers[a.Number])
		}
	}
	list := s.load().Strategies
	for i := 1; i < len(list); i++ {
		if list[i-1].Name >= list[i].Name {
			s.Fatalf("Load: expected strategies by the bytes of their names, got %q before %q", list[i-1].Name, list[i].Name)
		}
	}
}

func decimal(text string) *apd.Decimal {
	d, _, err := apd.NewFromString(text)
	if err != nil {
		panic(err)
	}
	return d
}

func testConfigTypes(s *suite) {
	config := map[string]any{
		"nil": nil, "yes": true, "text": "<a & b>\u2028", "empty": "", "raw": "\xff\x00",
		"int": int64(7), "big": int64(math.MaxInt64), "small": int64(math.MinInt64), "float": 7.0, "tiny": math.SmallestNonzeroFloat64,
		"huge": math.MaxFloat64, "nan": math.NaN(), "inf": math.Inf(-1), "zero": math.Copysign(0, -1), "float32": float32(0.1),
		"decimal": decimal("1.50"), "long": decimal("-12345678901234567890.123456789"), "exp": decimal("1E+30"),
		"list": []any{int64(1), 1.0, nil, []any{}, map[string]any{}}, "none": []any{},
		"map":    map[string]any{"a": int64(1), "$b": decimal("2"), "": "x"},
		"tag":    map[string]any{"$float": "no float"},
		"tagged": map[string]any{"$map": map[string]any{"$decimal": "1"}},
		"keys":   map[any]any{int64(1): "a", "1": "b", true: nil, 1.5: []any{decimal("0.10")}},
	}
	put := s.activity(metadata.Activity{Name: "a", Definition: "d", Config: config}, metadata.Created)
	want := metadata.Records{Revision: 1, Activities: []metadata.Activity{put}}
	want.Activities[0].Config = config
	for range 2 {
		r := s.load()
		s.same(r, want, "a config of every type")
		got := r.Activities[0].Config
		for _, k := range []string{"int", "float", "float32", "decimal", "list", "none", "keys", "raw", "nil"} {
			if g, w := fmt.Sprintf("%T", got[k]), fmt.Sprintf("%T", config[k]); g != w {
				s.Fatalf("config item %q: expected type %s, got %s", k, w, g)
			}
		}
		if d := got["decimal"].(*apd.Decimal); d.String() != "1.50" {
			s.Fatalf("a decimal: expected 1.50 with its zero, got %s", d)
		}
		if v, ok := got["nil"]; v != nil || !ok {
			s.Fatalf("an item that is null: expected it to be there, got %v, %t", v, ok)
		}
		s.again()
	}
	s.activity(metadata.Activity{Name: "a", Definition: "d", Config: config}, metadata.Unchanged)
	if _, _, err := s.store.PutActivity(context.Background(), metadata.Activity{Name: "b", Config: map[string]any{"x": 7}}); err == nil {
		s.Fatal("a config with a Go int, which is no value of the language: expected an error, got none")
	}
	s.same(s.load(), want, "after a refused put")
}

func testBigValues(s *suite) {
	text := bytes.Repeat([]byte("# 一行文字\r\n\x00\xff"), 3<<20/18)
	long := strings.Repeat("值", 300_000)
	in := metadata.Definition{Name: "big", Version: "1", Text: text, Enabled: true}
	if _, outcome, err := s.store.PutDefinition(context.Background(), in); err != nil || outcome != metadata.Created {
		s.Fatalf("a definition of %d bytes: expected it to be created, got outcome %d, %v", len(text), outcome, err)
	}
	s.activity(metadata.Activity{Name: "big", Definition: "big", Config: map[string]any{"text": long}}, metadata.Created)
	before := s.load()
	s.again()
	after := s.load()
	s.same(after, before, "big values after a restart")
	if !bytes.Equal(after.Definitions[0].Text, text) {
		s.Fatalf("a text of %d bytes: expected it byte for byte, got %d bytes that differ", len(text), len(after.Definitions[0].Text))
	}
	if after.Activities[0].Config["text"] != long {
		s.Fatalf("a config value of %d bytes: expected it unchanged", len(long))
	}
}

func testIsolation(s *suite) {
	text := []byte("text")
	list := []any{int64(1)}
	config := map[string]any{"list": list}
	if _, _, err := s.store.PutDefinition(context.Background(), metadata.Definition{Name: "d", Version: "1", Text: text}); err != nil {
		s.Fatalf("PutDefinition: expected no error, got: %v", err)
	}
	s.activity(metadata.Activity{Name: "a", Definition: "d", Config: config}, metadata.Created)
	text[0], list[0], config["more"] = 'X', int64(2), true
	before := s.load()
	if got := string(before.Definitions[0].Text); got != "text" {
		s.Fatalf("the caller wrote into its text after the put: expected the store to hold \"text\", got %q", got)
	}
	if got := before.Activities[0].Config; len(got) != 1 || got["list"].([]any)[0] != int64(1) {
		s.Fatalf("the caller wrote into its config after the put: expected the store to hold list [1], got %v", got)
	}
	held, shown := []metadata.Records{before}, []string{written(s.T, before)}
	for _, name := range []string{"h", "g", "f", "e", "d2", "c", "b"} { // each goes before the others, where a list in place would shift
		s.strategy(metadata.Strategy{Name: name}, metadata.Created)
		s.service(metadata.Service{Name: name}, metadata.Created)
		s.definition("d", "", name, metadata.Created)
		s.activity(metadata.Activity{Name: name}, metadata.Created)
		r := s.load()
		held, shown = append(held, r), append(shown, written(s.T, r))
	}
	for i, r := range held {
		if got := written(s.T, r); got != shown[i] {
			s.Fatalf("records that were loaded before: expected them to stay while the store goes on, as\n%s\ngot\n%s", shown[i], got)
		}
	}
}

func testRevision(s *suite) {
	want := uint64(0)
	step := func(rise uint64, what string) {
		s.Helper()
		want += rise
		if got := s.load().Revision; got != want {
			s.Fatalf("revision after %s: expected %d, got %d", what, want, got)
		}
	}
	for _, rise := range []uint64{1, 0} {
		outcome := metadata.Created
		if rise == 0 {
			outcome = metadata.Unchanged
		}
		s.strategy(metadata.Strategy{Name: "x"}, outcome)
		step(rise, "a strategy")
		s.service(metadata.Service{Name: "x"}, outcome)
		step(rise, "a service")
		s.definition("x", "", "text", outcome)
		step(rise, "a definition")
		s.activity(metadata.Activity{Name: "x"}, outcome)
		step(rise, "an activity")
		s.again()
		step(0, "a restart")
	}
	s.strategy(metadata.Strategy{Name: "x", When: "y"}, metadata.Conflict)
	s.service(metadata.Service{Name: "x", URL: "y"}, metadata.Conflict)
	s.definition("x", "1", "y", metadata.Conflict)
	s.activity(metadata.Activity{Name: "x", Definition: "y"}, metadata.Conflict)
	step(0, "four conflicts")
}

// testConcurrency puts the same names from several callers at once: each name is created once, each number is given once.
func testConcurrency(s *suite) {
	const callers, names = 4, 12
	outcomes := make([][3]int, callers)
	errs := make([]error, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			ctx := context.Background()
			for n := range names {
				name := fmt.Sprintf("n%d", n)
				_, service, err1 := s.store.PutService(ctx, metadata.Service{Name: name, URL: "http://x"})
				_, act, err2 := s.store.PutActivity(ctx, metadata.Activity{Name: name, Definition: "d", State: 1})
				_, def, err3 := s.store.PutDefinition(ctx, metadata.Definition{Name: "d", Text: []byte(fmt.Sprintf("%d %d", c, n)), Enabled: true})
				_, err4 := s.store.Load(ctx)
				for i, o := range []metadata.Outcome{service, act, def} {
					if o == metadata.Created {
						outcomes[c][i]++
					}
				}
				for _, err := range []error{err1, err2, err3, err4} {
					if err != nil {
						errs[c] = err
					}
				}
			}
		})
	}
	wg.Wait()
	var created [3]int
	for c := range callers {
		s.check(errs[c], "a put of several callers at once")
		for i, n := range outcomes[c] {
			created[i] += n
		}
	}
	if want := [3]int{names, names, callers * names}; created != want {
		s.Fatalf("created services, activities, definitions: expected %v, got %v", want, created)
	}
	for range 2 {
		r := s.load()
		seen := map[string]bool{}
		for i, v := range r.Services {
			seen[fmt.Sprint("destination ", v.Destination)] = true
			seen[fmt.Sprint("number ", r.Activities[i].Number)] = true
		}
		for i, d := range r.Definitions {
			seen["version "+d.Version] = true
			if i > 0 && d.Order <= r.Definitions[i-1].Order {
				s.Fatalf("definition orders: expected a rising list, got %d after %d", d.Order, r.Definitions[i-1].Order)
			}
		}
		if want := names*2 + callers*names; len(seen) != want || r.Revision != uint64(want) {
			s.Fatalf("numbers, destinations and versions: expected %d different ones at revision %d, got %d at revision %d", want, want, len(seen), r.Revision)
		}
		s.again()
	}
}

// testDurability opens the store anew after each put: what was answered is there, and nothing else changed.
func testDurability(s *suite) {
	var want metadata.Records
	for i := range 3 {
		name := fmt.Sprintf("n%d", i)
		want.Strategies = append(want.Strategies, s.strategy(metadata.Strategy{Name: name, When: "w", DomainID: "d", CreatedMs: 1}, metadata.Created))
		want.Revision++
		s.again()
		s.same(s.load(), want, "after a strategy and a restart")
		want.Services = append(want.Services, s.service(metadata.Service{Name: name, URL: "u", CreatedMs: 2}, metadata.Created))
		want.Revision++
		s.again()
		s.same(s.load(), want, "after a service and a restart")
		want.Definitions = append(want.Definitions, s.definition(name, "", "t", metadata.Created))
		want.Revision++
		s.again()
		s.same(s.load(), want, "after a definition and a restart")
		want.Activities = append(want.Activities, s.activity(metadata.Activity{Name: name, Definition: name, CreatedMs: 3, Config: map[string]any{"d": decimal("0.0")}}, metadata.Created))
		want.Revision++
		s.again()
		s.same(s.load(), want, "after an activity and a restart")
	}
}

func testCancelled(s *suite) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := s.store.PutStrategy(ctx, metadata.Strategy{Name: "x"}); err == nil {
		s.Fatal("PutStrategy with a cancelled context: expected an error, got none")
	}
	if _, err := s.store.Load(ctx); err == nil {
		s.Fatal("Load with a cancelled context: expected an error, got none")
	}
	testEmpty(s)
}

func testClosed(s *suite) {
	ctx := context.Background()
	s.strategy(metadata.Strategy{Name: "x"}, metadata.Created)
	s.check(s.store.Close(), "Close")
	_, err1 := s.store.Load(ctx)
	_, _, err2 := s.store.PutStrategy(ctx, metadata.Strategy{Name: "x"})
	_, _, err3 := s.store.PutService(ctx, metadata.Service{Name: "x"})
	_, _, err4 := s.store.PutDefinition(ctx, metadata.Definition{Name: "x"})
	_, _, err5 := s.store.PutActivity(ctx, metadata.Activity{Name: "x"})
	_, _, err6 := s.store.UpdateStrategy(ctx, metadata.Strategy{Name: "x", When: "y"}, metadata.AnyRevision)
	_, _, err7 := s.store.UpdateService(ctx, metadata.Service{Name: "x"}, metadata.AnyRevision)
	_, _, err8 := s.store.UpdateDefinition(ctx, metadata.Definition{Name: "x"}, metadata.AnyRevision)
	_, _, err9 := s.store.UpdateActivity(ctx, metadata.Activity{Number: 1}, metadata.AnyRevision)
	_, err10 := s.store.DeleteStrategy(ctx, "x", metadata.AnyRevision)
	_, err11 := s.store.DeleteService(ctx, "x", metadata.AnyRevision)
	_, err12 := s.store.DeleteDefinition(ctx, "x", "1", metadata.AnyRevision)
	for i, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, err12} {
		if err == nil {
			s.Fatalf("call %d on a closed store: expected an error, got none", i+1)
		}
	}
	s.again()
	if got := len(s.load().Strategies); got != 1 {
		s.Fatalf("opened again after Close: expected the one strategy, got %d", got)
	}
}
