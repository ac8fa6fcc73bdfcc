package expr

import (
	"fmt"
	"testing"
)

// TestGuardedReads holds which strict reads of a variable are made only where it is there: "+" guarded, "-" not.
func TestGuardedReads(t *testing.T) {
	for src, want := range map[string]string{
		`var("x") == 1`: "-",
		`context.containsKey("x") AND var("x") == 1`:                                      "+",
		`context.containsKey("x") && $("x") == 1`:                                         "+",
		`context.containsKey("x") and var("x") == 1 and var("x") < 3`:                     "++",
		`allVars().contains("x") AND var("x") == 1`:                                       "+",
		`context.containsKey("y") AND var("x") == 1`:                                      "-",
		`context.containsKey("x") OR var("x") == 1`:                                       "-",
		`NOT context.containsKey("x") OR var("x") == 1`:                                   "+",
		`!context.containsKey("x") || var("x") == 1`:                                      "+",
		`context.containsKey("x") ? var("x") : 0`:                                         "+",
		`context.containsKey("x") ? 0 : var("x")`:                                         "-",
		`NOT context.containsKey("x") ? var("x") : var("x")`:                              "-+",
		`var("x", null) != null ? var("x") : 0`:                                           "+",
		`var("x", null) == null ? 0 : var("x")`:                                           "+",
		`null NE context["x"] AND var("x") > 0`:                                           "+",
		`context.x == 5 AND var("x") > 0`:                                                 "+",
		`context.get("x") == 5 AND var("x") > 0`:                                          "+",
		`context.get("x", 5) == 5 AND var("x") > 0`:                                       "-",
		`var("x", 0) > 0 AND var("x") < 5`:                                                "+",
		`intVar("x") > 0 AND var("x") < 5`:                                                "+",
		`intVar("x") < 5 AND var("x") < 5`:                                                "-",
		`config("on") AND context.containsKey("x") AND var("x") == 1`:                     "+",
		`context.containsKey("x") AND (config("on") OR var("x") == 1)`:                    "+",
		`(context.containsKey("x") OR config("on")) AND var("x") == 1`:                    "-",
		`(context.containsKey("x") AND config("on") ? true : false) AND var("x") == 1`:    "+",
		`when(context.containsKey("x")).then(var("x")).get(var("x"))`:                     "-+", // what follows get is looked at first
		`context.containsKey("x") ? {1, 2}.?[#this == var("x")] : {}`:                     "+",
		`context.containsKey("x") AND context.containsKey("y") ? var("x") + var("y") : 0`: "++",
		`context.containsKey(config("name")) AND var("x") == 1`:                           "-",
		`config("c").containsKey("x") AND var("x") == 1`:                                  "-",
		`Hello ${context.containsKey("x") ? var("x") : "you"}`:                            "+",
	} {
		p, problems := Compile(src, ContextCtrl)
		if p == nil {
			t.Errorf("%s: expected it to compile, got %v", src, problems)
			continue
		}
		got := ""
		for _, s := range p.Sites() {
			if s.Kind == SiteVar && s.Strict {
				got += map[bool]string{true: "+", false: "-"}[s.Guarded]
			}
		}
		if got != want {
			t.Errorf("%s: expected the reads %q (+ is guarded), got %q", src, want, got)
		}
	}
}

// TestPresent holds which variables are there where a condition gave true, and where it gave false, and at its calls.
func TestPresent(t *testing.T) {
	for src, want := range map[string]string{
		`context.containsKey("x")`:                                     "true [x] false []",
		`NOT context.containsKey("x")`:                                 "true [] false [x]",
		`context.containsKey("x") AND context.containsKey("a")`:        "true [a x] false []",
		`context.containsKey("x") OR context.containsKey("a")`:         "true [] false []",
		`NOT context.containsKey("x") OR NOT context.containsKey("a")`: "true [] false [a x]",
		`resultOk() AND var("x", null) != null`:                        "true [x] false []",
		`var("x") == 1`:                                                "true [] false []",
		`var("x", 3) > 2`:                                              "true [] false [x]",
		`1 == 2`:                                                       "true [] false []",
		`context.containsKey("x") ? call("a") : call("b")`:             "true [] false [] a [x] b []",
		`config("n") == 1 ? finish() : var("x", null) == null ? call("a") : call("b")`: "true [] false [] a [] b [x]",
	} {
		p, problems := Compile(src, ContextCtrl)
		if p == nil {
			t.Errorf("%s: expected it to compile, got %v", src, problems)
			continue
		}
		got := fmt.Sprintf("true %v false %v", p.Present(true), p.Present(false))
		for _, c := range p.Calls() {
			got += fmt.Sprintf(" %s %v", c.Name, c.Present)
		}
		if got != want {
			t.Errorf("%s: expected %s, got %s", src, want, got)
		}
	}
}

// TestGuardsCostABoundedNumberOfLooks counts the parts that are looked at, and goes beyond what one source may cost.
func TestGuardsCostABoundedNumberOfLooks(t *testing.T) {
	l := &lowerer{}
	l.without("x", nil)
	if l.seeking.work != 1 {
		t.Errorf("expected each part that is looked at to count, got %d for one", l.seeking.work)
	}
	l.seeking.work = maxSoughtWork + 1
	l.guards = []guard{{}}
	if !l.guarded("x") {
		t.Error("expected a source beyond the bound to count as guarded, so that nothing is said in error")
	}
}

// FuzzPresent evaluates conditions where the thread has no variable at all: whatever comes out, no variable may be said to be there.
func FuzzPresent(f *testing.F) {
	for _, src := range []string{`context.containsKey("x") AND var("x") == 1`, `var("x", null) != null ? var("x") : 0 == 0`, `NOT context.containsKey("x") OR intVar("x") > 0`,
		`(context["x"] ?: 5) == 5`, `context?.x == null`, `when(context.containsKey("x")).then(true).get(false)`, `allVars().get("x", 3) > 2 AND $("y", 0) < 1`,
		`context.containsKey("x") ? false : eventAttr("a", true)`, `{1, 2}.?[context.containsKey("x")].size() == 0`, `resultOk() OR var("x", false)`} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, ctx := range []Context{ContextAction, ContextCtrl} {
			p, _ := Compile(src, ctx)
			if p == nil {
				continue
			}
			s := &Scope{Event: &Event{}, Result: &Result{}, Thread: &ThreadInfo{}}
			if v, err := p.Eval(s); err == nil {
				if b, isBool := v.(bool); isBool && len(p.Present(b)) > 0 {
					t.Errorf("%s gives %v where there is no variable, yet %v are said to be there then", src, b, p.Present(b))
				}
			}
		}
	})
}
