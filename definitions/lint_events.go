package definitions

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weftbox/weftbox/expr"
)

// triggerLints looks at the trigger, and at what is awaited of events, by the definition's strategy.
func (c *checker) triggerLints() {
	t := &c.def.Trigger
	if t.Condition != nil {
		for _, s := range t.Condition.Program.Sites() {
			if s.Kind == expr.SiteRandom {
				c.caution("WB2115", t.Condition, s.Start, s.End, say("chance in a trigger is drawn anew for each event: who was left out is drawn again"),
					say("decide once, in a case behind the trigger, or by the domain id"))
			}
		}
		if need := t.Condition.Program.Requires(); need.Types != nil && len(need.Types) == 0 {
			c.never(t.Condition, say("this trigger is never true"), say("correct the condition"))
		}
	}
	for _, v := range t.ContextVars {
		v.Value.each(c.constantLint)
	}
	strategy := c.env.When[c.def.Strategy]
	if strategy == nil {
		return
	}
	c.letThrough(t.Condition, strategy)
	for _, a := range c.def.Actions {
		if a.Spec == nil || !a.waits() {
			continue
		}
		for i := range a.Clauses {
			if a.Clauses[i].Head == HeadWhen {
				c.letThrough(a.Clauses[i].Cond, strategy)
			}
		}
	}
}

// passes says what a strategy lets through.
func passes(list string) words {
	if list == "" {
		return say("its condition is never true: it lets nothing through")
	}
	return say("it lets through: %s", cut(list, 200))
}

// letThrough warns of a condition that asks for events that the strategy does not let through.
func (c *checker) letThrough(x, strategy *Expr) {
	if x == nil {
		return
	}
	passed, types := strategy.Program.Requires().Types, x.Program.Requires().Types
	if passed != nil && len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(passed, t) }) {
		start, end := siteOf(x, "eventTypeIs", types[0])
		c.caution("WB2110", x, start, end, say("the strategy %s lets no event of the type %s through", quote(c.def.Strategy), quote(types[0])),
			passes(strings.Join(passed, ", ")))
		return
	}
	admitted := strategy.Program.Admits()
	for _, attr := range sortedNames(x.Program.Admits()) {
		values := x.Program.Admits()[attr]
		passed, known := admitted[attr]
		if !known || slices.ContainsFunc(values, func(v any) bool {
			return slices.ContainsFunc(passed, func(w any) bool { return expr.MayBeOne(v, w) })
		}) {
			continue
		}
		start, end := siteOf(x, "", attr)
		c.caution("WB2110", x, start, end, say("the strategy %s lets no event through whose %s is what is asked for here", quote(c.def.Strategy), quote(attr)),
			passes(texts(passed)))
		return
	}
}

func texts(values []any) string {
	var out []string
	for _, v := range values {
		out = append(out, shownValue(v))
	}
	return strings.Join(out, ", ")
}

// siteOf returns where a constant stands as the first argument of a function, of any if the name is empty; the whole expression if it does not.
func siteOf(x *Expr, name, first string) (start, end int) {
	for _, s := range x.Program.Sites() {
		if s.First == first && (name == "" || s.Name == name) {
			return s.Start, s.End
		}
	}
	return 0, utf8.RuneCountInString(x.Program.Source())
}

// money are names of amounts of money.
var money = regexp.MustCompile(`(?i)(^|_)(amount|price|money|fee|cost|balance|salary|payment|refund|discount)s?($|_)|金额|价格|单价|总价|费用|余额|工资|退款`)

// exprLints looks at one expression by itself.
func (c *checker) exprLints(x *Expr) {
	for _, s := range x.Program.Sites() {
		name, _ := s.First.(string)
		short := s.Name[strings.LastIndexByte(s.Name, '.')+1:]
		switch {
		case !s.Known || name == "":
		case s.Kind == expr.SiteConfig && s.Strict && !strings.HasPrefix(name, "$"):
			c.configReads = append(c.configReads, configRead{x, s, name})
		case strings.Contains(strings.ToLower(short), "double") && money.MatchString(name):
			c.caution("WB2116", x, s.Start, s.End, say("%s reads %s as a binary fraction: sums of money will be off by a cent", s.Name, quote(name)),
				say("use %s", strings.NewReplacer("double", "decimal", "Double", "Decimal").Replace(s.Name)))
		}
	}
}

// configRead is one read of a config value without a default. What config holds is known only at the end.
type configRead struct {
	x    *Expr
	s    expr.Site
	name string
}

// configLints warns of config values that are read and that the definition does not have.
func (c *checker) configLints() {
	names := sortedNames(c.def.Config)
	for _, r := range c.configReads {
		if _, has := c.def.Config[r.name]; has {
			continue
		}
		hint := say("add it to config, or give a default: config(%s, 0)", quote(r.name))
		if meant := c.suggest.Near(r.name, names); meant != "" {
			hint = say("did you mean %s?", quote(meant))
		}
		c.caution("WB2118", r.x, r.s.Start, r.s.End, say("config has no %s: an activity that does not add it fails here", quote(r.name)), hint)
	}
}
