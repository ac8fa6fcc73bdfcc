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
	passed, known := c.env.Passes[c.def.Strategy]
	if !known || passed.Types == nil {
		return
	}
	c.letThrough(t.Condition, passed.Types)
	for _, a := range c.def.Actions {
		if a.Spec == nil || !a.waits() {
			continue
		}
		for i := range a.Clauses {
			if a.Clauses[i].Head == HeadWhen {
				c.letThrough(a.Clauses[i].Cond, passed.Types)
			}
		}
	}
}

// letThrough warns of a condition that asks for events that the strategy does not let through.
func (c *checker) letThrough(x *Expr, passed []string) {
	if x == nil {
		return
	}
	types := x.Program.Requires().Types
	if len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return slices.Contains(passed, t) }) {
		return
	}
	start, end := 0, utf8.RuneCountInString(x.Program.Source())
	for _, s := range x.Program.Sites() {
		if s.Name == "eventTypeIs" && s.Known {
			start, end = s.Start, s.End
			break
		}
	}
	c.caution("WB2110", x, start, end, say("the strategy %s lets no event of the type %s through", quote(c.def.Strategy), quote(types[0])),
		say("it lets through: %s", cut(strings.Join(passed, ", "), 200)))
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
