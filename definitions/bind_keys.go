package definitions

import (
	"regexp"

	"github.com/weftbox/weftbox/expr"
)

// keyArgs binds a map with the keys of an action type; an alias is bound under the key's own name.
func (c *checker) keyArgs(n *node, path string, owner words, keys []Key) *Args {
	var known, names []string
	for _, k := range keys {
		names = append(names, k.Name)
		known = append(append(known, k.Name), k.Aliases...)
	}
	if !c.isMap(n, path, owner, say("its keys are: %s", cut(joined(names), 200))) {
		return nil
	}
	f := c.fields(n, path, owner, known...)
	for i := range keys {
		k := &keys[i]
		for _, alias := range k.Aliases {
			if f.found[alias] == nil {
				continue
			}
			if f.found[k.Name] != nil {
				c.report("WB1130", f.keys[alias], sub(path, alias), say("%s and %s are the same", quote(k.Name), quote(alias)), say("keep one of them"))
				continue
			}
			f.found[k.Name], f.keys[k.Name] = f.found[alias], f.keys[alias]
		}
		if k.Required {
			f.need(k.Name, say("%s", k.Doc))
		}
	}
	out := &Args{Kind: ArgsMap, Line: n.line, Column: n.column}
	for i, key := range n.keys { // in the order of the text
		for j := range keys {
			if f.keys[keys[j].Name] != key {
				continue
			}
			if v := c.keyValue(n.items[i], sub(path, key.value), owner, &keys[j]); v != nil {
				out.Pairs = append(out.Pairs, Assign{Name: keys[j].Name, Value: v})
			}
		}
	}
	return out
}

// keyValue binds the value of one key by its form.
func (c *checker) keyValue(n *node, path string, owner words, k *Key) *Args {
	owner = say("%s of %s", quote(k.Name), owner)
	switch k.Form {
	case FormControl:
		return leaf(n, c.control(n, path, expr.ContextAction))
	case FormName:
		return leaf(n, c.nameValue(n, path))
	case FormService:
		x := c.nameValue(n, path)
		if x == nil {
			return nil
		}
		name, fixed := x.Program.Const()
		if text := expr.Text(name); fixed && text != OwnName && !c.env.Services[text] {
			all := sortedNames(c.env.Services)
			c.report("WB1204", n, path, say("there is no service %s", quote(text)), didYouMean(c.suggest.Near(text, all), say("service"), all))
			return nil
		}
		return leaf(n, x)
	case FormAction:
		x := c.nameValue(n, path)
		if x != nil {
			c.uses[len(c.uses)-1].target = true
		}
		return leaf(n, x)
	case FormClauses:
		if !c.isList(n, path, owner, clauseForm(k.Heads)) {
			return nil
		}
		return &Args{Kind: ArgsClauses, Clauses: c.clauses(n, path, owner, k.Heads, expr.ContextAction), Line: n.line, Column: n.column}
	case FormHandlers:
		return c.handlers(n, path, owner)
	case FormMaps:
		if !c.isList(n, path, owner, say("write a list of maps")) {
			return nil
		}
		out := &Args{Kind: ArgsList, Line: n.line, Column: n.column}
		for i, item := range n.items {
			if v := c.keyArgs(item, at(path, i), say("an entry of %s", owner), k.Keys); v != nil {
				out.Items = append(out.Items, v)
			}
		}
		return out
	}
	return c.args(n, path, expr.ContextAction)
}

func leaf(n *node, x *Expr) *Args {
	if x == nil {
		return nil
	}
	return &Args{Kind: ArgsExpr, Expr: x, Line: n.line, Column: n.column}
}

// bareWord is a name that is no expression: the manual of the original writes names like this.
var bareWord = regexp.MustCompile(`^[\pL_$][\pL\pN_$.]*$`)

// nameValue binds a name: a bare word stands for itself, everything else is an expression.
func (c *checker) nameValue(n *node, path string) *Expr {
	if n.kind != kindScalar || n.empty() || !bareWord.MatchString(n.value) {
		return c.expression(n, path, expr.ContextAction)
	}
	program, problems := expr.Compile("'"+n.value+"'", expr.ContextAction)
	if program == nil {
		for _, p := range problems {
			c.add(exprProblem(c.src, placeOfScalar(c.src, n), p, path))
		}
		return nil
	}
	x := &Expr{Program: program, Path: path, place: place{line: n.line, column: n.column, fixed: true}}
	c.uses = append(c.uses, use{action: c.inTurn, x: x, n: n})
	return x
}

// nameArgs binds the args of ShapeNames.
func (c *checker) nameArgs(n *node, path string, owner words) *Args {
	switch n.kind {
	case kindScalar:
		return leaf(n, c.nameValue(n, path))
	case kindMap:
		c.report("WB1103", n, path, say(`%s must be "all" or a list of names, this is a map`, owner), say(`write "- name", one entry for each`))
		return nil
	}
	if !c.isList(n, path, owner, say(`write "- name", one entry for each`)) {
		return nil
	}
	out := &Args{Kind: ArgsList, Line: n.line, Column: n.column}
	for i, item := range n.items {
		if x := c.nameValue(item, at(path, i)); x != nil {
			out.Items = append(out.Items, leaf(item, x))
		}
	}
	return out
}

func handlerForm() words {
	return say(`write a list of "- when: <condition>" with "context_vars: {…}", or "- default: {name: <expression>}"`)
}

// handlers binds what is to be noted of a result: the first entry that holds.
func (c *checker) handlers(n *node, path string, owner words) *Args {
	if !c.isList(n, path, owner, handlerForm()) {
		return nil
	}
	out := &Args{Kind: ArgsClauses, Line: n.line, Column: n.column}
	var standing *node
	for i, item := range n.items {
		p := at(path, i)
		if !c.isMap(item, p, say("an entry of %s", owner), handlerForm()) {
			continue
		}
		cl := Clause{Index: i, Line: item.line, Column: item.column}
		f := c.fields(item, p, say("an entry of %s", owner), "when", "context_vars", "default")
		when, other := f.found["when"], f.found["default"]
		switch {
		case when != nil && other != nil:
			c.report("WB1109", f.keys["default"], p, say("an entry begins with one of when and default; this one has both"), say(`begin a clause of its own with "- "`))
			continue
		case other != nil && standing != nil:
			c.report("WB1111", f.keys["default"], p, say("a second default; the first stands in line %d", standing.line), say("keep one of them"))
			continue
		case other != nil:
			standing = f.keys["default"]
			cl.Head = HeadDefault
			cl.ContextVars = c.assigns(other, sub(p, "default"), expr.ContextCtrl, true)
		case when != nil:
			if cl.Cond = c.condition(when, sub(p, "when"), expr.ContextCtrl); cl.Cond == nil {
				continue
			}
		default:
			f.need("when", handlerForm())
			continue
		}
		cl.ContextVars = append(cl.ContextVars, c.assigns(f.found["context_vars"], sub(p, "context_vars"), expr.ContextCtrl, true)...)
		out.Clauses = append(out.Clauses, cl)
	}
	return out
}

// partTarget checks the name of an action that is run beside others.
func (c *checker) partTarget(u use, all []string) {
	v, fixed := u.x.Program.Const()
	if !u.target || !fixed {
		return
	}
	name := expr.Text(v)
	part := c.def.Action(name)
	if part == nil {
		c.report("WB1203", u.n, u.x.Path, say("no action has the name %s", quote(name)), didYouMean(c.suggest.Near(name, all), say("action"), all))
	} else if part.Spec != nil && !part.Spec.Beside {
		c.report("WB1131", u.n, u.x.Path, say("%s is a %s, which can not be run beside others", quote(name), part.Type), say("name actions of services, sleep or clock"))
	}
}
