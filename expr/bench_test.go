package expr

import "testing"

// twoConditions are the conditions that the engine evaluates most: a trigger, the clause of a receive, and one that meets a variable.
var twoConditions = []struct{ name, src string }{
	{"trigger", `eventTypeIs("user_behavior") AND eventAttr("behavior") == "查看商品详情"`},
	{"receive", `eventAttr("behavior") == "查看商品详情"`},
	{"variable", `eventTypeIs("user_behavior") AND eventAttr("goods_id") == var("goods_id")`},
}

func benchScope() *Scope {
	return &Scope{
		Event: &Event{Type: "user_behavior", Attrs: map[string]any{"behavior": "查看商品详情", "user_id": "10001", "goods_id": "g1"}},
		Vars:  Vars{{"user_id", "10001"}, {"goods_id", "g1"}},
	}
}

func compileFor(tb testing.TB, src string, ctx Context) *Program {
	tb.Helper()
	p, probs := Compile(src, ctx)
	if p == nil {
		tb.Fatalf("%s: expected it to compile, got %+v", src, probs)
	}
	return p
}

func TestTwoConditionsAllocateAtMostTwice(t *testing.T) {
	for _, c := range twoConditions {
		p, s := compileFor(t, c.src, ContextAction), benchScope()
		if ok, err := p.EvalBool(s); !ok || err != nil {
			t.Fatalf("%s: expected true, got %v, %v", c.src, ok, err)
		}
		n := testing.AllocsPerRun(200, func() { _, _ = p.EvalBool(s) })
		if n > 2 {
			t.Errorf("%s: expected at most 2 allocations per evaluation, got %v", c.name, n)
		}
		t.Logf("%s: %v allocations", c.name, n)
	}
}

func BenchmarkTwoConditions(b *testing.B) {
	for _, c := range twoConditions {
		b.Run(c.name, func(b *testing.B) {
			p, s := compileFor(b, c.src, ContextAction), benchScope()
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := p.EvalBool(s); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, c := range twoConditions {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p, _ := Compile(c.src, ContextAction); p == nil {
					b.Fatal("expected it to compile")
				}
			}
		})
	}
}
