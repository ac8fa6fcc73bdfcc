package definitions

import (
	"reflect"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/expr"
)

// story is the published coupon story's shape in our own words, with its fault: a conditional without quotes.
const story = `# 中文注释
activity:
  name: coupon_story
  domain_id_strategy: user_id_goods_id
  config:
    most: 5
    $retention: 90s
    $schedule.max_continue_periods: -1
    $keep_sleep: On
  trigger:
    type: event
    args:
      condition: eventTypeIs("visit") AND eventAttr("what") == "看商品"
    context_vars:  # 变量
      count: 1
      seen: [1, {deep: yes}]
  actions:
    - name: wait
      type: receive
      args:
        - when: eventAttr("what") == "看商品"
          context_vars:
            count: var("count") + 1
          then: call("decide")
        - after: days(10)
          then: finish()
    - name: decide
      type: case
      args:
        - when: var("count") >= config("most")
          then: call("coupon")
        - default: call("wait")
    - name: coupon
      args:
        request: {user: eventAttr("user")}
        timeout: minutes(1)
      ctrl:
        - when: resultOk()
          then: var("told", false) ? finish() : call("tell")   # 没有引号 ? 是 : 否
        - default: failBecause("no coupon")
    - name: tell
      type: push
      args:
        request: str("您好 %s", "甲")
      await: NO
      ctrl:
        - default: call("wait")
          context_vars: {told: true}
`

func TestStoryLoadsWithOneWarning(t *testing.T) {
	def, problems := Check([]byte(story), testEnv())
	if def == nil || len(problems) != 1 || problems[0].Code != "WB2001" || problems[0].Severity != SeverityWarning {
		t.Fatalf("problems %+v, want one warning WB2001", problems)
	}
	if p := problems[0]; p.Line != 39 || p.Column != 17 || p.EndColumn != 61 {
		t.Errorf("the warning is at %d:%d-%d, want 39:17-61", p.Line, p.Column, p.EndColumn)
	}
	if got, want := def.Action("coupon").Ctrl.When[0].Then.Program.Source(), `var("told", false) ? finish() : call("tell")`; got != want {
		t.Errorf("the mended value is %q, want %q", got, want)
	}
	fixed, places := Mend([]byte(story))
	if len(places) != 1 || places[0].Line != 39 || places[0].Column != 17 || places[0].EndColumn != 61 {
		t.Errorf("mended places %+v, want one at 39:17-61", places)
	}
	if !strings.Contains(string(fixed), `          then: 'var("told", false) ? finish() : call("tell")'   # 没有引号 ? 是 : 否`+"\n") {
		t.Errorf("the mended text has no quotes:\n%s", fixed)
	}
	if again, problems := Check(fixed, testEnv()); again == nil || len(problems) != 0 {
		t.Errorf("the mended text has problems %+v, want none", problems)
	}
}

func TestDefinitionOfStory(t *testing.T) {
	def, _ := Check([]byte(story), testEnv())
	if def == nil {
		t.Fatal("the story was refused")
	}
	if def.Name != "coupon_story" || def.Strategy != "user_id_goods_id" || def.DisplayName != def.Name || def.Description != def.Name {
		t.Errorf("name %q, strategy %q, captions %q and %q: want those of the text", def.Name, def.Strategy, def.DisplayName, def.Description)
	}
	if want := map[string]any{"most": int64(5)}; !reflect.DeepEqual(def.Config, want) {
		t.Errorf("config %#v, want %#v", def.Config, want)
	}
	s := def.Settings
	if s.RetentionMs != 90_000 || !s.RetentionSet || s.MaxActions != 0 || !s.KeepSleep || s.PauseContinueOld {
		t.Errorf("settings %+v, want 90 s, default actions, keep_sleep", s)
	}
	if want := map[string]any{"$retention": "90s", "$schedule.max_continue_periods": int64(-1), "$keep_sleep": "On"}; !reflect.DeepEqual(s.Items, want) {
		t.Errorf("items %#v, want %#v", s.Items, want)
	}
	if tr := def.Trigger; tr.Type != "event" || tr.Line != 11 || len(tr.ContextVars) != 2 || tr.ContextVars[1].Value.Kind != ArgsList ||
		tr.ContextVars[1].Value.Items[1].Get("deep").Expr.Program.Source() != "true" {
		t.Errorf("trigger %+v, want two variables, the second a list whose map holds true", tr)
	}
	names := ""
	for i, a := range def.Actions {
		names += a.Name + ":" + a.Type + " "
		if a.Index != i || a.Await != (a.Name != "tell") || def.Action(a.Name) != a || a.Spec == nil {
			t.Errorf("action %d is %+v", i, a)
		}
	}
	if names != "wait:receive decide:case coupon:coupon tell:push " {
		t.Errorf("actions %q", names)
	}
	wait := def.Action("wait")
	if len(wait.Clauses) != 2 || wait.Clauses[1].Head != HeadAfter || wait.Clauses[0].ContextVars[0].Name != "count" || wait.Clauses[0].Line != 21 || wait.Clauses[0].Column != 11 {
		t.Errorf("clauses of wait: %+v", wait.Clauses)
	}
	decide := def.Action("decide")
	if c := decide.Clauses[1]; c.Head != HeadDefault || c.Cond != nil || c.Then.Program.Source() != `call("wait")` || c.Index != 1 {
		t.Errorf("default of decide: %+v", c)
	}
	coupon := def.Action("coupon")
	if coupon.Ctrl.Default == nil || len(coupon.Ctrl.When) != 1 || coupon.Ctrl.Default.Index != 1 || coupon.Args.Get("timeout") == nil || coupon.Line != 33 {
		t.Errorf("coupon: %+v", coupon)
	}
	if got := coupon.Ctrl.When[0].Then.Path; got != "/activity/actions/2/ctrl/0/then" {
		t.Errorf("path %q", got)
	}
}

func TestStaticConfig(t *testing.T) {
	text := strings.Replace(story, "    most: 5\n", `    most: 5
    float: 2.5
    text: '5'
    flag: true
    word: yes
    day: 2024-01-01
    none:
    ints: &i [1, -0x10, 1_000]
    again: *i
    map: {a: {b: 看}, c: .5}
    mixed: {1: a, 看: 2, true: 3, 2.5: 4}
    1: one
`, 1)
	def, problems := Check([]byte(text), testEnv())
	if def == nil {
		t.Fatalf("problems %+v", problems)
	}
	ints := []any{int64(1), int64(-16), int64(1000)}
	want := map[string]any{
		"most": int64(5), "float": 2.5, "text": "5", "flag": true, "word": "yes", "day": "2024-01-01", "none": nil, "ints": ints, "again": ints,
		"map":   map[string]any{"a": map[string]any{"b": "看"}, "c": 0.5},
		"mixed": map[any]any{int64(1): "a", "看": int64(2), true: int64(3), 2.5: int64(4)},
		"1":     "one",
	}
	if !reflect.DeepEqual(def.Config, want) {
		t.Errorf("config\n%#v, want\n%#v", def.Config, want)
	}
}

func TestYaml11Booleans(t *testing.T) {
	for word, want := range map[string]string{
		"yes": "true", "Yes": "true", "YES": "true", "on": "true", "On": "true", "true": "true", "TRUE": "true",
		"no": "false", "No": "false", "NO": "false", "off": "false", "OFF": "false", "False": "false",
		"yEs": "", "y": "", "n": "", "'no'": "", "0": "", "~": "", "[no]": "",
	} {
		text := strings.Replace(story, "await: NO", "await: "+word, 1)
		def, problems := Check([]byte(text), testEnv())
		got := ""
		if def != nil {
			got = map[bool]string{true: "true", false: "false"}[def.Action("tell").Await]
		} else if len(problems) != 2 || problems[1].Code != "WB1113" {
			t.Errorf("await: %s has problems %+v, want one WB1113", word, problems)
		}
		if got != want {
			t.Errorf("await: %s is %q, want %q", word, got, want)
		}
	}
}

func TestEvalErrorKnowsItsPlace(t *testing.T) {
	def, problems := Check([]byte(strings.Replace(story, `condition: eventTypeIs("visit") AND eventAttr("what") == "看商品"`,
		`condition: "eventTypeIs('\u67e5') OR\n eventAttr('没有') == '看'"`, 1)), testEnv())
	if def == nil {
		t.Fatalf("problems %+v", problems)
	}
	_, err := def.Trigger.Condition.EvalBool(&expr.Scope{Event: &expr.Event{Type: "visit", Attrs: map[string]any{}}})
	e, ok := err.(*EvalError)
	if !ok {
		t.Fatalf("error %v, want an EvalError", err)
	}
	if e.Line != 13 || e.Column != 46 || e.Path != "/activity/trigger/args/condition" {
		t.Errorf("the error is at %d:%d %s (%v), want 13:46, where eventAttr stands", e.Line, e.Column, e.Path, e)
	}
}

func TestCompileExpr(t *testing.T) {
	x, problems := CompileExpr("eventTypeIs(\"a\") AND\n eventAttr(\"查\") == 1", expr.ContextStrategy, "/when")
	if x == nil || len(problems) != 0 {
		t.Fatalf("problems %+v, want none", problems)
	}
	if line, column := x.At(23); line != 2 || column != 3 {
		t.Errorf("rune 23 is at %d:%d, want 2:3", line, column)
	}
	x, problems = CompileExpr("\"查\" == \n  nosuch(1)", expr.ContextStrategy, "/when")
	if x != nil || len(problems) != 1 || problems[0].Line != 2 || problems[0].Column != 3 || problems[0].Path != "/when" {
		t.Errorf("problems %+v, want one at 2:3 with path /when", problems)
	}
	if x, problems := CompileExpr("", expr.ContextStrategy, "/when"); x != nil || len(problems) != 1 || problems[0].Line != 1 || problems[0].Column != 1 {
		t.Errorf("an empty expression gives %+v, want one problem at 1:1", problems)
	}
}

func TestCodesAreExplainedInOrder(t *testing.T) {
	codes := Codes()
	for i, c := range codes {
		if c.Text == "" || c.Severity == "" || i > 0 && codes[i-1].Code >= c.Code {
			t.Errorf("code %d is %+v after %s: want a text and ascending order", i, c, codes[max(0, i-1)].Code)
		}
	}
	if c, ok := Explain("wb1203"); !ok || c.Code != "WB1203" || c.Fix == "" {
		t.Errorf("Explain(wb1203) = %+v, %v", c, ok)
	}
	if _, ok := Explain("WB9999"); ok {
		t.Error("Explain knows WB9999, want not")
	}
}

func TestHash(t *testing.T) {
	if got, want := Hash([]byte("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("Hash(abc) = %s, want %s", got, want)
	}
}
