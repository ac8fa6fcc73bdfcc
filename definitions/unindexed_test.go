package definitions

import "testing"

func TestCompileWhen(t *testing.T) {
	for _, c := range []struct {
		when string
		want string // code of the only problem; "" for none
	}{
		{`eventAttr("user_id",null) != null AND eventAttr("goods_id",null) != null`, ""},
		{`containsAttr("user_id")`, ""},
		{`true`, ""},
		{`eventAttr("user_id") != null`, "WB2105"},
		{`timestamp() > 0`, "WB2105"},
		{`nosuch()`, "WB1401"},
	} {
		x, problems := CompileWhen(c.when, "/when")
		got := ""
		if len(problems) > 0 {
			got = problems[0].Code
		}
		if got != c.want || len(problems) > 1 {
			t.Errorf("%s: expected the problem %q and no other, got %+v", c.when, c.want, problems)
			continue
		}
		if (x == nil) != (c.want == "WB1401") {
			t.Errorf("%s: expected a program unless there is an error, got %v", c.when, x)
		}
		if c.want == "WB2105" && (problems[0].Severity != SeverityWarning || problems[0].Line != 1 || problems[0].Column != 1 || problems[0].EndColumn != len(c.when)+1) {
			t.Errorf("%s: expected a warning that underlines the condition, got %+v", c.when, problems[0])
		}
	}
}
