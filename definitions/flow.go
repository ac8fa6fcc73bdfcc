package definitions

import (
	"slices"
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// waitWarnings finds waits that may last for ever, in an action whose args are well.
func (c *checker) waitWarnings(f fields, a *Action, path string) {
	key := "type"
	if f.found[key] == nil {
		key = "name"
	}
	if a.Spec.Waits && a.Spec.Shape == ShapeClauses && len(a.Clauses) > 0 && mayHave(a.Spec, HeadAfter) {
		for _, cl := range a.Clauses {
			if cl.Head == HeadAfter {
				return
			}
		}
		c.warn("WB2101", f.found[key], sub(path, key), say(`this %s has no "after": threads may wait here for ever`, a.Type),
			say(`add "- after: days(10)" with "then: finish()"`))
	}
	if ctrl := a.Args.Get("ctrl"); a.Type == "concurrent" && ctrl != nil && !slices.ContainsFunc(ctrl.Clauses, func(cl Clause) bool { return cl.Head == HeadAfter }) {
		c.afterless = append(c.afterless, typeNode{a, f.found[key], sub(path, key)})
	}
	if a.Spec.Service && a.Args != nil && a.Args.Get("timeout") == nil {
		for _, k := range a.Spec.Keys {
			if k.Name == "timeout" {
				c.timeless = append(c.timeless, typeNode{a, f.found[key], sub(path, key)})
			}
		}
	}
}

// typeNode is where an action's type stands.
type typeNode struct {
	a    *Action
	n    *node
	path string
}

// timeouts warns of services that are awaited without a timeout. What a concurrent begins has none of its own: there the after of the
// concurrent counts.
func (c *checker) timeouts() {
	started := map[int]bool{}
	for _, a := range c.def.Actions {
		if a.Spec != nil {
			for _, i := range c.startedBy(a) {
				started[i] = true
			}
		}
	}
	for _, at := range c.timeless {
		if !started[at.a.Index] {
			c.warn("WB2103", at.n, at.path, say("the service %s is called without a timeout: threads may wait here for ever", quote(at.a.Type)),
				say(`add "timeout: minutes(1)" to args and a ctrl entry for resultTimeout()`))
		}
	}
}

// unbounded warns of concurrents without an after that begin a service without a timeout. Where all that they begin ends by itself, so
// do they.
func (c *checker) unbounded() {
	timeless := map[int]bool{}
	for _, at := range c.timeless {
		timeless[at.a.Index] = true
	}
	for _, at := range c.afterless {
		for _, i := range c.startedBy(at.a) {
			if timeless[i] {
				c.warn("WB2101", at.n, at.path, say(`this %s has no "after", and the service %s that it starts no timeout: threads may wait here for ever`, at.a.Type, quote(c.def.Actions[i].Type)),
					say(`add "- after: minutes(1)" with "then: failBecause(…)" to ctrl, or a timeout to the service`))
				break
			}
		}
	}
}

func mayHave(s *Spec, head Head) bool {
	for _, h := range s.Heads {
		if h == head {
			return true
		}
	}
	return false
}

// flow checks where threads come from and go: triggers that every event is tried against, calls of actions that do not exist, and
// actions that no thread reaches.
func (c *checker) flow() {
	c.triggerWarning()
	defer c.lint()
	if c.unsure {
		return
	}
	all := make([]string, 0, len(c.def.Actions))
	for _, a := range c.def.Actions {
		all = append(all, a.Name)
	}
	type callKey struct {
		program *expr.Program
		start   int
	}
	checked := map[callKey]bool{}
	for _, u := range c.uses {
		for _, call := range u.x.Program.Calls() {
			k := callKey{u.x.Program, call.Start}
			if c.def.Action(call.Name) == nil && !checked[k] {
				checked[k] = true
				c.unknownCall(u, call, all)
			}
		}
		c.constantTarget(u, all)
		c.partTarget(u, all)
	}
}

func (c *checker) unknownCall(u use, call expr.CallTarget, all []string) {
	c.mark("WB1203", u.x, call.Start, call.End, say("call(%s): no action has this name", quote(call.Name)),
		didYouMean(c.suggest.Near(call.Name, all), say("action"), all))
}

// constantTarget checks a control that is written as a text ("CALL name").
func (c *checker) constantTarget(u use, all []string) {
	v, fixed := u.x.Program.Const()
	text, ok := v.(string)
	if !u.control || !fixed || !ok {
		return
	}
	ctrl, err := expr.ParseControl(text)
	if err != nil {
		return
	}
	for at := &ctrl; at != nil; at = at.Then {
		if at.Kind == expr.ControlCall && c.def.Action(at.Target) == nil {
			c.report("WB1203", u.n, u.x.Path, say("CALL %s: no action has this name", cut(at.Target, 60)),
				didYouMean(c.suggest.Near(at.Target, all), say("action"), all))
		}
	}
}

// settled reports whether every way through a control expression ends in a control function whose target is written out.
func settled(source string, depth int) bool {
	s := strings.TrimSpace(source)
	if depth > 40 || strings.Contains(s, "${") || !strings.HasSuffix(s, ")") {
		return false
	}
	if strings.HasPrefix(s, "(") && topLevel(s[1:], ")") == len(s)-2 {
		return settled(s[1:len(s)-1], depth+1)
	}
	if q := topLevel(s, "?"); q >= 0 {
		rest := s[q+1:]
		if strings.HasPrefix(rest, ":") || strings.HasPrefix(rest, ".") {
			return false
		}
		colon := branchEnd(rest)
		return colon >= 0 && settled(rest[:colon], depth+1) && settled(rest[colon+1:], depth+1)
	}
	open := strings.IndexByte(s, '(')
	if open < 0 || topLevel(s[open+1:], ")") != len(s)-open-2 {
		return false
	}
	args := strings.TrimSpace(s[open+1 : len(s)-1])
	switch strings.TrimSpace(s[:open]) {
	case "finish", "fail", "failBecause":
		return true
	case "call":
		return args != "" && (args[0] == '"' || args[0] == '\'') && skipText(args, 0) == len(args)
	case "retry":
		comma := topLevel(args, ",")
		return comma < 0 || settled(args[comma+1:], depth+1)
	}
	return false
}

// branchEnd returns the offset of the ":" that belongs to the "?" before rest.
func branchEnd(rest string) int {
	open := 0
	for i := 0; i < len(rest); {
		next := topLevel(rest[i:], "?:")
		if next < 0 {
			return -1
		}
		i += next
		if rest[i] == '?' {
			open++
		} else if open == 0 {
			return i
		} else {
			open--
		}
		i++
	}
	return -1
}

// topLevel returns the offset of the first of the signs that stands outside texts and brackets, -1 if there is none.
func topLevel(s, signs string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case depth == 0 && strings.IndexByte(signs, ch) >= 0:
			return i
		case ch == '"' || ch == '\'':
			i = skipText(s, i) - 1
		case ch == '(' || ch == '[' || ch == '{':
			depth++
		case ch == ')' || ch == ']' || ch == '}':
			depth--
		}
	}
	return -1
}

// skipText returns the offset behind the text of an expression that begins at i; a doubled quote belongs to it.
func skipText(s string, i int) int {
	q := s[i]
	for i++; i < len(s); i++ {
		if s[i] != q {
			continue
		}
		if i+1 < len(s) && s[i+1] == q {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}
