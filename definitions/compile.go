package definitions

import (
	"github.com/weftbox/weftbox/expr"
)

// compileKey names one compilation: a value that stands in several places through an alias is compiled once.
type compileKey struct {
	n   *node
	ctx expr.Context
}

type compiled struct {
	program *expr.Program // nil after a problem
	place   place
}

// use is one expression of an action, kept for the checks of the flow.
type use struct {
	action  int
	x       *Expr
	n       *node
	control bool // its value is where the thread goes next
	target  bool // its value is the name of an action that is run too
}

// expression compiles a scalar. It returns nil after a problem.
func (c *checker) expression(n *node, path string, ctx expr.Context) *Expr {
	key := compileKey{n, ctx}
	done := c.compiled[key]
	if done == nil {
		done = &compiled{}
		c.compiled[key] = done
		if source, ok := c.sourceOf(n, path); ok {
			c.surprise(n, path, false)
			done.place = placeOfScalar(c.src, n)
			if source != n.value {
				done.place = place{line: n.line, column: n.column, fixed: true}
			}
			program, problems := expr.Compile(source, ctx)
			done.program = program
			for _, p := range problems {
				c.add(c.bareAction(exprProblem(c.src, done.place, p, path), source, p))
			}
			if program != nil {
				c.exprLints(&Expr{Program: program, Path: path, place: done.place})
			}
		}
	}
	if done.program == nil {
		return nil
	}
	x := &Expr{Program: done.program, Path: path, place: done.place}
	if c.inAction {
		c.uses = append(c.uses, use{action: c.inTurn, x: x, n: n})
	}
	return x
}

// bareAction says of an unknown word that it is the name of an action, if it is.
func (c *checker) bareAction(p Problem, source string, found expr.Problem) Problem {
	if p.Code != "WB1402" {
		return p
	}
	runes := []rune(source)
	word := string(runes[min(found.Start, len(runes)):min(found.End, len(runes))])
	if !c.isAction(word) {
		return p
	}
	p.Code = "WB1206"
	return p.says(say("the action's name %s stands without quotes", word), say("write call(%s)", quote(word)))
}

// sourceOf returns the expression in a scalar: its text, where YAML 1.1 reads no Boolean.
func (c *checker) sourceOf(n *node, path string) (string, bool) {
	switch {
	case n.kind != kindScalar:
		c.report("WB1103", n, path, say("an expression is expected here, this is %s", n.what()), say("an expression that begins with { or [ needs quotes"))
		return "", false
	case n.empty():
		hint := say("write an expression")
		if n.value != "" {
			hint = say("write 'null' in quotes if the value null is meant")
		}
		c.report("WB1104", n, path, say("an expression is expected here, this is empty"), hint)
		return "", false
	case n.tag == tagDate:
		c.report("WB1117", n, path, say("a date without quotes is no expression"), say(`write '"%s"' for the text`, n.value))
		return "", false
	}
	switch v, ok := n.yaml11Bool(); {
	case ok && v:
		return "true", true
	case ok:
		return "false", true
	}
	return n.value, true
}

// condition compiles an expression whose value must be a Boolean.
func (c *checker) condition(n *node, path string, ctx expr.Context) *Expr {
	x := c.expression(n, path, ctx)
	if x == nil {
		return nil
	}
	if v, fixed := x.Program.Const(); fixed {
		if _, ok := v.(bool); !ok {
			c.report("WB1119", n, path, say("a condition must be true or false; this is always %s (%s)", shownValue(v), expr.TypeName(v)),
				say("compare the value with something"))
			return nil
		}
	}
	return x
}

// control compiles an expression whose value says where the thread goes next.
func (c *checker) control(n *node, path string, ctx expr.Context) *Expr {
	x := c.expression(n, path, ctx)
	if x == nil {
		return nil
	}
	c.uses[len(c.uses)-1].control = true
	v, fixed := x.Program.Const()
	if !fixed {
		return x
	}
	if text, ok := v.(string); ok {
		if _, err := expr.ParseControl(text); err == nil {
			return x
		}
	} else if _, ok := v.(expr.Control); ok {
		return x
	}
	hint := say(`write call("action"), finish(), fail(), failBecause("reason") or retry(n)`)
	if text, ok := v.(string); ok && c.isAction(text) {
		hint = say("write call(%s)", quote(text))
	}
	c.report("WB1119", n, path, say("this must say where the thread goes next; it is always %s (%s)", shownValue(v), expr.TypeName(v)), hint)
	return nil
}

// delay compiles an expression whose value is a number of milliseconds.
func (c *checker) delay(n *node, path string, ctx expr.Context) *Expr {
	x := c.expression(n, path, ctx)
	if x == nil {
		return nil
	}
	v, fixed := x.Program.Const()
	if !fixed {
		return x
	}
	switch v.(type) {
	case int64, float64, float32, *expr.Decimal, string:
		return x
	}
	c.report("WB1119", n, path, say("a delay must be a number of milliseconds; this is always %s (%s)", shownValue(v), expr.TypeName(v)),
		say("write days(10), hours(2), minutes(5) or seconds(30)"))
	return nil
}

// isAction reports whether an action of the definition has this name.
func (c *checker) isAction(name string) bool { return c.names[name] }

// shownValue prints a constant for a message.
func shownValue(v any) string {
	if text, ok := v.(string); ok {
		return quote(text)
	}
	return cut(expr.Text(v), 60)
}
