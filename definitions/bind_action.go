package definitions

import (
	"strings"

	"github.com/weftbox/weftbox/expr"
)

var actionHint = say(`write "- name: …" with type, args and ctrl`)

// actions binds the list of actions.
func (c *checker) actions(n *node, path string) {
	if !c.isList(n, path, say("actions"), say("add at least one action; the first one is the entry point")) {
		c.unsure = true
		return
	}
	c.names = make(map[string]bool, len(n.items))
	c.nameNodes = make([]*node, len(n.items))
	c.brokenActions = map[int]bool{}
	for _, item := range n.items {
		if name := item.get("name"); name != nil && name.kind == kindScalar {
			c.names[name.value] = true
		}
	}
	first := make(map[string]*node, len(n.items))
	c.inAction = true
	defer func() { c.inAction = false }()
	for i, item := range n.items {
		p := at(path, i)
		c.inTurn = i
		errors := c.errors
		a := c.action(item, p, i, first)
		if c.errors > errors {
			c.brokenActions[i] = true
		}
		c.def.Actions = append(c.def.Actions, a)
		if a.Name != "" && c.def.byName[a.Name] == nil {
			c.def.byName[a.Name] = a
		}
	}
}

func (c *checker) action(n *node, path string, index int, first map[string]*node) *Action {
	a := &Action{Index: index, Await: true, Line: n.line, Column: n.column}
	if !c.isMap(n, path, say("an action"), actionHint) {
		c.unsure = true
		return a
	}
	errors := c.errors
	f := c.fields(n, path, say("an action"), "name", "type", "args", "ctrl", "await")
	name := f.need("name", actionHint)
	c.nameNodes[index] = name
	if name != nil {
		a.Name = c.name(name, sub(path, "name"), say("the action's name"))
	}
	if a.Name == "" {
		c.unsure = true
	} else if other := first[a.Name]; other != nil {
		c.report("WB1107", name, sub(path, "name"), say("an action named %s stands already in line %d", quote(a.Name), other.line), say("rename one of them"))
	} else {
		first[a.Name] = name
	}
	c.actionType(f, a, path)
	if v := f.found["args"]; v != nil {
		c.actionArgs(v, sub(path, "args"), a)
	} else if a.Spec != nil && a.Spec.Required && !n.merged {
		c.report("WB1102", n, path, say(`the key "args" is missing here: %s needs it`, a.Type), argsHint(a.Spec))
	}
	if v := f.found["ctrl"]; v != nil {
		a.Ctrl = c.ctrl(v, sub(path, "ctrl"))
	}
	if v := f.found["await"]; v != nil {
		c.await(v, sub(path, "await"), a)
	}
	if c.errors == errors && a.Spec != nil && a.Await {
		c.waitWarnings(f, a, path)
	}
	return a
}

// actionType finds the spec of an action's type, which is its name when it has none.
func (c *checker) actionType(f fields, a *Action, path string) {
	v, p := f.found["type"], sub(path, "type")
	if v == nil {
		a.Type = a.Name
		v, p = f.found["name"], sub(path, "name")
	} else {
		a.Type = c.name(v, p, say("the action's type"))
	}
	if a.Type == "" {
		return
	}
	if a.Spec = c.env.Specs[a.Type]; a.Spec == nil && c.env.Services[a.Type] {
		a.Spec = c.env.Service
	}
	if a.Spec != nil {
		return
	}
	all := sortedNames(c.env.Services, specNames(c.env.Specs))
	meant := c.suggest.Near(a.Type, all)
	if f.found["type"] == nil {
		hint := say(`add "type: …"; without it the name is the type`)
		if meant != "" {
			hint = hint.also(say("did you mean %s?", quote(meant)))
		}
		c.report("WB1201", v, p, say("the action %s has no type, and no action type or service has its name", quote(a.Type)), hint)
		return
	}
	c.report("WB1201", v, p, say("there is no action type or service %s", quote(a.Type)), didYouMean(meant, say("action type"), all))
}

func specNames(specs map[string]*Spec) map[string]bool {
	names := make(map[string]bool, len(specs))
	for name := range specs {
		names[name] = true
	}
	return names
}

func argsHint(s *Spec) words {
	switch s.Shape {
	case ShapeClauses:
		return say(`add "args:" with a list of clauses`)
	case ShapeAssignments:
		return say(`add "args:" with a list of "- variable: <expression>"`)
	case ShapeVars:
		return say(`add "args:" with "variable: <expression>"`)
	case ShapeNames:
		return say(`add "args: all" or "args:" with a list of names`)
	case ShapeKeys:
		for _, k := range s.Keys {
			if k.Required {
				return say(`add "args:" with "%s: …"`, k.Name)
			}
		}
	}
	return say(`add "args:"`)
}

func (c *checker) actionArgs(n *node, path string, a *Action) {
	if n.kind == kindScalar && n.empty() {
		c.report("WB1104", n, path, say("args is empty"), say("delete the key, or write the arguments"))
		return
	}
	if a.Spec == nil {
		c.args(n, path, expr.ContextAction)
		return
	}
	owner := say("the args of %s", a.Type)
	switch a.Spec.Shape {
	case ShapeKeys:
		a.Args = c.keyArgs(n, path, owner, a.Spec.Keys)
	case ShapeVars:
		if c.isMap(n, path, owner, say(`write "variable: <expression>" in it`)) {
			a.Args = c.args(n, path, expr.ContextAction)
		}
	case ShapeNames:
		a.Args = c.nameArgs(n, path, owner)
	case ShapeClauses:
		if c.isList(n, path, owner, clauseForm(a.Spec.Heads)) {
			a.Clauses = c.clauses(n, path, say("%s", a.Type), a.Spec.Heads, expr.ContextAction)
		}
	case ShapeAssignments:
		a.Args = c.assignments(n, path, owner)
	default:
		a.Args = c.args(n, path, expr.ContextAction)
	}
}

func joined(words []string) string {
	out := ""
	for i, w := range words {
		if i > 0 {
			out += ", "
		}
		out += w
	}
	return out
}

// assignments binds a list of maps with one entry each.
func (c *checker) assignments(n *node, path string, owner words) *Args {
	if !c.isList(n, path, owner, say(`write "- variable: <expression>", one entry for each variable`)) {
		return nil
	}
	out := &Args{Kind: ArgsList, Line: n.line, Column: n.column}
	for i, item := range n.items {
		p := at(path, i)
		if !c.isMap(item, p, say("an entry of %s", owner), say(`write "- variable: <expression>"`)) {
			continue
		}
		if len(item.keys) != 1 {
			c.report("WB1112", item, p, say("an entry of %s sets one variable, this one has %d", owner, len(item.keys)),
				say(`begin each variable with "- ", so that their order is certain`))
			continue
		}
		c.reserved(item.keys[0], sub(p, item.keys[0].value))
		if v := c.args(item, p, expr.ContextAction); v != nil {
			out.Items = append(out.Items, v)
		}
	}
	return out
}

// reserved refuses the name of a variable that only the engine sets.
func (c *checker) reserved(key *node, path string) {
	if strings.HasPrefix(key.value, "$") {
		c.report("WB1120", key, path, say("variables whose names begin with $ are the engine's, so %s cannot be set", quote(key.value)), say("give it another name"))
	}
}

func (c *checker) await(n *node, path string, a *Action) {
	v, ok := n.yaml11Bool()
	if !ok {
		c.report("WB1113", n, path, say("await must be true or false, this is %s", n.what()), say("write await: true or await: false, without quotes"))
		return
	}
	a.Await = v
	if !v && a.Spec != nil && !a.Spec.Waits {
		c.report("WB1118", n, path, say("%s waits for nothing, so await: false has no meaning here", a.Type), say("delete the key"))
	}
}
