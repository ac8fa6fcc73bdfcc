package definitions

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// identifier is the form of names of definitions, actions, types and ctrl variables: dotted ASCII words.
var identifier = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z_0-9]*(\.[a-zA-Z_][a-zA-Z_0-9]*)*$`)

var identifierHint = say("use letters, digits and _, in parts joined by dots; no part begins with a digit")

// maxPathBytes bounds a path, so that long keys high up do not cost their length at each value below.
const maxPathBytes = 512

// sub is the path of an entry; with long keys it stays that of the parent.
func sub(path, key string) string {
	if len(path)+len(key) > maxPathBytes {
		return path
	}
	if strings.ContainsAny(key, "~/") {
		key = strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
	}
	return path + "/" + key
}

func at(path string, i int) string { return sub(path, strconv.Itoa(i)) }

// fields are the entries of a map whose keys the grammar knows.
type fields struct {
	c     *checker
	n     *node
	path  string
	found map[string]*node
	keys  map[string]*node
}

// fields sorts the entries of a map by key. Unknown keys are problems; an entry whose key is a slip for a known one is taken for
// it, so that one slip gives one problem and what stands below is checked all the same.
func (c *checker) fields(n *node, path string, owner words, known ...string) fields {
	f := fields{c: c, n: n, path: path, found: map[string]*node{}, keys: map[string]*node{}}
	var unknown []int
	for i, key := range n.keys {
		if !contains(known, key.value) {
			unknown = append(unknown, i)
			continue
		}
		f.found[key.value], f.keys[key.value] = n.items[i], key
	}
	for _, i := range unknown {
		key := n.keys[i]
		var free []string
		for _, k := range known {
			if f.found[k] == nil {
				free = append(free, k)
			}
		}
		meant := c.suggest.Near(key.value, free)
		c.report("WB1101", key, sub(path, key.value), say("%s has no key %s", owner, quote(key.value)), didYouMean(meant, say("key"), known))
		if meant != "" {
			f.found[meant], f.keys[meant] = n.items[i], key
		}
	}
	return f
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// need returns an entry that must be there.
func (f fields) need(key string, hint words) *node {
	n := f.found[key]
	if n == nil && !f.n.merged {
		f.c.report("WB1102", f.n, f.path, say("the key %s is missing here", quote(key)), hint)
	}
	return n
}

// isMap reports whether a node is a map, and says so if it is not.
func (c *checker) isMap(n *node, path string, owner, hint words) bool {
	if n.kind == kindMap {
		return true
	}
	c.report("WB1103", n, path, say("%s must be a map, this is %s", owner, n.what()), hint)
	return false
}

// isList reports whether a node is a list with entries, and says so if it is not.
func (c *checker) isList(n *node, path string, owner, hint words) bool {
	if n.kind != kindList {
		c.report("WB1103", n, path, say("%s must be a list, this is %s", owner, n.what()), hint)
		return false
	}
	if len(n.items) == 0 {
		c.report("WB1105", n, path, say("%s is an empty list", owner), hint)
		return false
	}
	return true
}

// text returns a plain text; "" after a problem.
func (c *checker) text(n *node, path string, owner words) string {
	if n.kind != kindScalar || n.empty() {
		c.report("WB1103", n, path, say("%s must be a text, this is %s", owner, n.what()), words{})
		return ""
	}
	return n.value
}

// name returns a text in the form of an identifier; "" after a problem.
func (c *checker) name(n *node, path string, owner words) string {
	text := c.text(n, path, owner)
	if text != "" && !identifier.MatchString(text) {
		c.report("WB1106", n, path, say("%s %s has a form that is not allowed", owner, quote(text)), identifierHint)
		return ""
	}
	return text
}

// bind turns the tree into the Definition.
func (c *checker) bind(root *node) {
	c.def = &Definition{Config: map[string]any{}, byName: map[string]*Action{}}
	if !c.isMap(root, "", say("a definition"), say(`it begins with "activity:"`)) {
		return
	}
	top := c.fields(root, "", say("a definition"), "activity")
	n := top.need("activity", say(`a definition begins with "activity:"`))
	if n == nil || !c.isMap(n, "/activity", say("activity"), words{}) {
		return
	}
	const path = "/activity"
	f := c.fields(n, path, say("an activity"), "name", "domain_id_strategy", "display_name", "description", "config", "trigger", "actions")
	if v := f.need("name", say(`add "name: …"`)); v != nil {
		c.def.Name = c.name(v, path+"/name", say("the name"))
	}
	if v := f.need("domain_id_strategy", say(`add "domain_id_strategy: …": it says whose events these are`)); v != nil {
		c.strategy(v, path+"/domain_id_strategy")
	}
	c.def.DisplayName = c.caption(f.found["display_name"], path+"/display_name", c.def.Name)
	c.def.Description = c.caption(f.found["description"], path+"/description", c.def.DisplayName)
	if v := f.found["config"]; v != nil && !(v.tag == tagNull && v.kind == kindScalar) {
		c.config(v, path+"/config")
	}
	if v := f.need("trigger", say(`add "trigger: <condition>"`)); v != nil {
		c.trigger(v, path+"/trigger")
	}
	if v := f.need("actions", say("add the list of actions; the first one is the entry point")); v != nil {
		c.actions(v, path+"/actions")
	}
	c.flow()
}

func (c *checker) strategy(n *node, path string) {
	name := c.text(n, path, say("domain_id_strategy"))
	if name != "" && !c.env.Strategies[name] {
		all := sortedNames(c.env.Strategies)
		c.report("WB1202", n, path, say("there is no strategy %s", quote(name)), didYouMean(c.suggest.Near(name, all), say("strategy"), all))
	}
	c.def.Strategy = name
}

// caption returns a text for people, which may be left out.
func (c *checker) caption(n *node, path, absent string) string {
	if n == nil || n.kind == kindScalar && n.empty() {
		return absent
	}
	return c.text(n, path, say("%s", path[strings.LastIndexByte(path, '/')+1:]))
}

func (c *checker) trigger(n *node, path string) {
	t := Trigger{Type: "event", Line: n.line, Column: n.column}
	defer func() { c.def.Trigger = t }()
	switch n.kind {
	case kindScalar:
		t.Condition = c.condition(n, path, expr.ContextTrigger)
		return
	case kindList:
		c.report("WB1103", n, path, say("the trigger must be an expression or a map, this is a list"), say("write trigger: <condition>"))
		return
	}
	f := c.fields(n, path, say("a trigger"), "type", "args", "context_vars")
	if v := f.need("type", say(`add "type: event"`)); v != nil {
		if name := c.text(v, sub(path, "type"), say("the trigger's type")); name != "" && name != "event" {
			c.report("WB1114", v, sub(path, "type"), say("there is no trigger type %s", quote(name)), say(`the only type is "event"`))
		}
	}
	argsPath := sub(path, "args")
	if v := f.need("args", say(`add "args:" with "condition: <expression>"`)); v != nil && c.isMap(v, argsPath, say("the trigger's args"), say(`write "condition: <expression>" in it`)) {
		args := c.fields(v, argsPath, say("the trigger's args"), "condition")
		if v := args.need("condition", say(`add "condition: <expression>"`)); v != nil {
			t.Condition = c.condition(v, sub(argsPath, "condition"), expr.ContextTrigger)
		}
	}
	t.ContextVars = c.assigns(f.found["context_vars"], sub(path, "context_vars"), expr.ContextTrigger, false)
}

// assigns binds context_vars; names are checked in ctrl blocks only, as the original does.
func (c *checker) assigns(n *node, path string, ctx expr.Context, checkNames bool) []Assign {
	if n == nil || !c.isMap(n, path, say("context_vars"), say(`write "name: <expression>" in it`)) {
		return nil
	}
	out := make([]Assign, 0, len(n.keys))
	for i, key := range n.keys {
		if strings.HasPrefix(key.value, "$") {
			c.reserved(key, sub(path, key.value))
		} else if checkNames {
			c.name(key, sub(path, key.value), say("the variable name"))
		}
		if a := c.args(n.items[i], sub(path, key.value), ctx); a != nil {
			out = append(out, Assign{Name: key.value, Value: a})
		}
	}
	return out
}

// args binds a tree of expressions. It returns nil after a problem at its root.
func (c *checker) args(n *node, path string, ctx expr.Context) *Args {
	a := &Args{Line: n.line, Column: n.column}
	switch n.kind {
	case kindList:
		a.Kind = ArgsList
		a.Items = make([]*Args, 0, len(n.items))
		for i, item := range n.items {
			if v := c.args(item, at(path, i), ctx); v != nil {
				a.Items = append(a.Items, v)
			}
		}
	case kindMap:
		a.Kind = ArgsMap
		a.Pairs = make([]Assign, 0, len(n.items))
		for i, item := range n.items {
			key := n.keys[i]
			if strings.Contains(key.value, " ? ") && key.style == stylePlain {
				c.warn("WB2002", key, sub(path, key.value), say(`this "…: …" was read as a map with one key`),
					say("if a conditional is meant, put the whole value in single quotes; otherwise quote the key"))
			}
			c.surprise(key, sub(path, key.value), true)
			if v := c.args(item, sub(path, key.value), ctx); v != nil {
				a.Pairs = append(a.Pairs, Assign{Name: key.value, Value: v})
			}
		}
	default:
		if a.Expr = c.expression(n, path, ctx); a.Expr == nil {
			return nil
		}
	}
	return a
}
