package definitions

import (
	"unicode/utf8"

	"github.com/weftbox/weftbox/expr"
)

// Warnings of conditions that an index of events cannot pass over.
const (
	codeTriggerUnindexed  = "WB2104"
	codeStrategyUnindexed = "WB2105"
)

// indexHint says how a condition comes to require something of the event (expr.Requirement).
var indexHint = say(`begin it with eventTypeIs("…") AND, or with containsAttr("…") AND: what stands behind is then asked only where it may hold`)

// unindexed says whether every event must be asked: nothing of the event is required, and the condition is more than a constant.
func unindexed(x *Expr) bool {
	if x == nil || x.Program.Requires().Indexed() {
		return false
	}
	_, fixed := x.Program.Const()
	return !fixed
}

func (x *Expr) warning(src *source, code string, message words) Problem {
	return exprProblem(src, x.place, expr.Problem{Code: code, Warning: true, End: utf8.RuneCountInString(x.Program.Source())}, x.Path).says(message, indexHint)
}

// triggerWarning finds a trigger that every event of its strategy is tried against.
func (c *checker) triggerWarning() {
	if x := c.def.Trigger.Condition; unindexed(x) {
		c.add(x.warning(c.src, codeTriggerUnindexed, say("every event of the strategy is tried against this trigger: it requires neither a type nor an attribute of the event")))
	}
}

// CompileWhen compiles the condition of a strategy as CompileExpr does, and warns of one that every event must be asked.
func CompileWhen(source, path string) (*Expr, []Problem) {
	x, problems := CompileExpr(source, expr.ContextStrategy, path)
	if unindexed(x) {
		problems = append(problems, x.warning(newSource(source), codeStrategyUnindexed, say("every event is tried against this strategy: its condition requires neither a type nor an attribute of the event")))
	}
	return x, problems
}
