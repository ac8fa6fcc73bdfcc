package definitions

import (
	"github.com/weftbox/weftbox/expr"
)

var headNames = [...]string{HeadWhen: "when", HeadAfter: "after", HeadDefault: "default"}

// String returns the key that opens the clause: when, after or default.
func (h Head) String() string { return headNames[h] }

var ctrlHeads = []Head{HeadWhen, HeadDefault}

// clauseForm says how clauses with these heads are written.
func clauseForm(heads []Head) words {
	var out words
	for i, h := range heads {
		var form words
		switch h {
		case HeadWhen:
			form = say(`"- when: <condition>" with "then: <control>"`)
		case HeadAfter:
			form = say(`"- after: <ms>" with "then: <control>"`)
		case HeadDefault:
			form = say(`"- default: <control>"`)
		}
		if out = say("%s, %s", out, form); i == 0 {
			out = form
		}
	}
	return say("write a list of %s", out)
}

// ctrl binds a ctrl block: an expression, or a list of clauses.
func (c *checker) ctrl(n *node, path string) Ctrl {
	var out Ctrl
	if n.kind == kindScalar {
		if x := c.control(n, path, expr.ContextCtrl); x != nil {
			out.Default = &Clause{Head: HeadDefault, Then: x, Line: n.line, Column: n.column}
		}
		return out
	}
	if n.kind == kindMap {
		c.report("WB1103", n, path, say("ctrl must be an expression or a list, this is a map"), say(`begin each entry with "- "`))
		return out
	}
	if !c.isList(n, path, say("ctrl"), clauseForm(ctrlHeads)) {
		return out
	}
	for _, clause := range c.clauses(n, path, say("ctrl"), ctrlHeads, expr.ContextCtrl) {
		if clause.Head == HeadDefault {
			out.Default = &clause
		} else {
			out.When = append(out.When, clause)
		}
	}
	return out
}

// clauses binds the entries of a case, a receive or a ctrl. Entries with problems are left out.
func (c *checker) clauses(n *node, path string, owner words, heads []Head, ctx expr.Context) []Clause {
	out := make([]Clause, 0, len(n.items))
	var standing *node
	var defaultPath string
	late := false
	for i, item := range n.items {
		p := at(path, i)
		if !c.isMap(item, p, say("a clause of %s", owner), clauseForm(heads)) {
			continue
		}
		clause, head, ok := c.clause(item, p, owner, heads, ctx)
		if head != nil && clause.Head == HeadDefault {
			if standing != nil {
				c.report("WB1111", head, p, say("a second default; the first stands in line %d", standing.line), say("keep one of them"))
				continue
			}
			standing, defaultPath = head, p
		}
		if head != nil && clause.Head != HeadDefault && standing != nil && !late {
			late = true
			c.report("WB1121", standing, defaultPath, say("a default stands last: line %d has a clause behind it", head.line), say("move it to the end"))
		}
		clause.Index = i
		if ok {
			out = append(out, clause)
		}
	}
	return out
}

// clause binds one entry. It also returns the key that opens it, nil if it has none.
func (c *checker) clause(n *node, path string, owner words, heads []Head, ctx expr.Context) (Clause, *node, bool) {
	cl := Clause{Line: n.line, Column: n.column}
	known := make([]string, 0, 5)
	for _, h := range heads {
		known = append(known, h.String())
	}
	known = append(known, "then", "context_vars")
	f := c.fields(n, path, say("a clause of %s", owner), known...)
	var head *node
	broken := false
	for _, h := range heads {
		key := f.keys[h.String()]
		switch {
		case key == nil:
		case head != nil:
			c.report("WB1109", key, path, say("a clause begins with one of when, after and default; this one has %s and %s", cl.Head, h),
				say(`begin a clause of its own with "- "`))
			broken = true
		default:
			head, cl.Head = key, h
		}
	}
	cl.ContextVars = c.assigns(f.found["context_vars"], sub(path, "context_vars"), ctx, ctx == expr.ContextCtrl)
	if head == nil {
		if !c.foreignHead(n) {
			c.report("WB1108", n, path, say("this clause of %s has no %s", owner, headList(heads)), clauseForm(heads))
		}
		return cl, nil, false
	}
	if broken {
		return cl, head, false
	}
	return cl, head, c.clauseBody(f, path, &cl, ctx)
}

// foreignHead reports whether an entry begins with a head that is not allowed where it stands, which was reported as an unknown key.
func (c *checker) foreignHead(n *node) bool {
	for _, name := range headNames {
		if n.get(name) != nil {
			return true
		}
	}
	return false
}

func headList(heads []Head) words {
	var out words
	for i, h := range heads {
		name := say("%q", h.String())
		if out = say("%s and no %s", out, name); i == 0 {
			out = name
		}
	}
	return out
}

func (c *checker) clauseBody(f fields, path string, cl *Clause, ctx expr.Context) bool {
	then := f.found["then"]
	name := cl.Head.String()
	v, p := f.found[name], sub(path, name)
	if cl.Head == HeadDefault {
		cl.Then = c.control(v, p, ctx)
		if then != nil {
			c.report("WB1110", f.keys["then"], sub(path, "then"), say(`a default has no "then"`), say(`write "default: <control>"`))
			return false
		}
		return cl.Then != nil
	}
	if cl.Head == HeadAfter {
		cl.Cond = c.delay(v, p, ctx)
	} else {
		cl.Cond = c.condition(v, p, ctx)
	}
	if then == nil {
		c.report("WB1102", f.n, path, say(`the key "then" is missing here: %q needs it`, name), say(`add "then: <control>"`))
		return false
	}
	cl.Then = c.control(then, sub(path, "then"), ctx)
	return cl.Cond != nil && cl.Then != nil
}
