package expr

import (
	"fmt"
	"reflect"
	"testing"
)

func TestSites(t *testing.T) {
	src := `var("a") > intVar("b", 1) AND (resultOk() OR config(str("%s", "c")) == random()) ? call("x") : var(config("y"))`
	p, problems := Compile(src, ContextCtrl)
	if p == nil {
		t.Fatalf("problems %+v, want none", problems)
	}
	var got []string
	for _, s := range p.Sites() {
		got = append(got, fmt.Sprintf("%s kind %d args %d %v strict %v always %v at %s", s.Name, s.Kind, s.Args, s.First, s.Strict, s.Always, string([]rune(src)[s.Start:s.End])))
	}
	want := []string{
		`var kind 3 args 1 a strict true always true at "a"`,
		`intVar kind 3 args 2 b strict false always true at "b"`,
		`resultOk kind 4 args 0 <nil> strict false always false at resultOk`,
		`str kind 0 args 2 %s strict false always false at "%s"`,
		`config kind 2 args 1 c strict true always false at str("%s", "c")`,
		`random kind 5 args 0 <nil> strict false always false at random`,
		`call kind 0 args 1 x strict false always false at "x"`,
		`config kind 2 args 1 y strict true always false at "y"`,
		`var kind 3 args 1 <nil> strict true always false at var`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestAdmits(t *testing.T) {
	for src, want := range map[string]map[string][]any{
		`eventAttr("a") == "x"`:                                                                        {"a": {"x"}},
		`"x" == eventAttr("a") AND eventTypeIs("t")`:                                                   {"a": {"x"}},
		`eventAttr("a") == "x" OR eventAttr("a") == "y"`:                                               {"a": {"x", "y"}},
		`(eventAttr("a") == "x" OR eventAttr("a") == "y") AND eventAttr("a") == "y"`:                   {"a": {"y"}},
		`eventAttr("a") == "x" OR eventAttr("b") == "y"`:                                               nil,
		`eventAttr("a") == "x" AND eventAttr("b") == "y"`:                                              {"a": {"x"}, "b": {"y"}},
		`eventAttr("a", "x") == "x"`:                                                                   nil,
		`NOT (eventAttr("a") == "x")`:                                                                  nil,
		`strEventAttr("a") == ""`:                                                                      nil,
		`eventAttr("a") == eventAttr("b")`:                                                             nil,
		`eventAttr("a") == "x" AND (eventAttr("b") == "y" OR eventTypeIs("t"))`:                        {"a": {"x"}},
		`(eventAttr("a") == "x" AND eventTypeIs("t")) OR (eventAttr("a") == "z" AND eventTypeIs("u"))`: {"a": {"x", "z"}},
	} {
		p, problems := Compile(src, ContextTrigger)
		if p == nil {
			t.Fatalf("%s: problems %+v", src, problems)
		}
		if got := p.Admits(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s admits %v, want %v", src, got, want)
		}
	}
}
