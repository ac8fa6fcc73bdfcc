package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// foreignNames are names that people bring from elsewhere, with what is meant here.
var foreignNames = map[string]words{
	"eventAttrContains": say("write containsAttr(name)"), "len": say("write value.length() for a text, value.size() for a list"), "size": say("write value.size()"),
	"length": say("write value.length()"), "now": say("write timestamp()"), "format": say("write str(format, ...)"), "concat": say("join texts with +"),
	"contains": say("write value.contains(x)"), "filter": say("write list.?[condition]"), "coalesce": say("write a ?: b"), "ifelse": say("write cond ? a : b"),
	"abs": say("write math.abs(x)"), "max": say("write math.max(a, b) or list.max(l)"), "min": say("write math.min(a, b) or list.min(l)"), "round": say("write math.round(x)"),
	"sum": say("write list.sumInt(l), list.sumDouble(l) or list.sumDecimal(l)"), "join": say("write list.join(l, delimiter)"), "let": say("compute it in a variable"),
}

var contextNames = [...]words{
	ContextStrategy: say("a strategy"), ContextTrigger: say("a trigger"), ContextAction: say("the arguments of an action"), ContextCtrl: say("ctrl"),
}

func (f *Function) contextHint() words {
	var names words
	for i, c := range f.Contexts {
		if i == 0 {
			names = contextNames[c]
			continue
		}
		names = say("%s, %s", names, contextNames[c])
	}
	return say("it can be used in %s", names)
}

// suggestFunction returns "did you mean .." for a name in a namespace, "" when nothing is close.
func (l *lowerer) suggestFunction(space, name string) words {
	var names []string
	for _, f := range listing {
		if !f.Method && f.Namespace == space && f.contexts.has(l.ctx) && f.Name != name {
			names = append(names, f.Name)
		}
	}
	best := Nearest(name, names)
	if best == "" {
		return words{}
	}
	f := registry[strings.TrimPrefix(space+"."+best, ".")]
	if f == nil || f.Property {
		return say("did you mean %s?", strings.TrimPrefix(space+"."+best, "."))
	}
	text := f.Signatures[0].Text
	return say("did you mean %s?", text[:strings.LastIndexByte(text, ')')+1])
}

func objectHint(space string) words {
	var names, calls []string // properties first, then functions, both in the order of listing
	for _, f := range listing {
		switch {
		case f.Method || f.Namespace != space:
		case f.Property:
			names = append(names, f.QualifiedName())
		default:
			calls = append(calls, f.QualifiedName()+"(..)")
		}
	}
	if names = append(names, calls...); len(names) > 6 {
		names = append(names[:6], "...")
	}
	return say("write %s", strings.Join(names, ", "))
}

// name lowers a bare word: a constant such as all, or inside a projection a property of the item.
func (l *lowerer) name(n *node) lowered {
	if f := registry["#"+n.text]; f != nil {
		return l.apply(n, "#"+n.text, f, nil)
	}
	switch {
	case spaces[n.text]:
		return l.problem(n.start, n.end, codeProperty, say("%s is no value by itself", n.text), objectHint(n.text))
	case l.loops > 0:
		item := lowered{n: located(&ast.PointerNode{}, n), typ: "any"}
		return l.op(n, "prop", item, constant(n, n.text))
	case registry[n.text] != nil:
		return l.problem(n.start, n.end, codeName, say("%s is a function", n.text), say("write %s", registry[n.text].Signatures[0].Text))
	}
	hint := l.suggestFunction("", n.text)
	if hint.none() {
		if l.ctx >= ContextAction {
			hint = say(`a text needs quotes: "%s"; a variable is read with var("%s")`, n.text, n.text)
		} else {
			hint = say(`a text needs quotes: "%s"; an attribute is read with eventAttr("%s")`, n.text, n.text)
		}
	}
	return l.problem(n.start, n.end, codeName, say("there is no %s", n.text), hint)
}

// call lowers name(args): a function, or inside a projection a method of the item.
func (l *lowerer) call(n *node) lowered {
	if n.text == "when" {
		return l.problem(n.start, n.end, codeWhen, say("when(..) is not complete"), say("write when(condition).then(value).get(default)"))
	}
	f := registry[n.text]
	fits := f != nil && f.signature(len(n.kids)) != nil
	if l.loops > 0 && !fits && methods[n.text] != nil {
		item := &node{kind: nodeThis, start: n.start, end: n.nameEnd}
		m := *n
		m.kind, m.kids = nodeMethod, append([]*node{item}, n.kids...)
		return l.method(&m)
	}
	return l.function(n)
}

// function lowers the call of a plain function.
func (l *lowerer) function(n *node) lowered {
	f := registry[n.text]
	if f == nil {
		hint := foreignNames[n.text]
		if registry["#"+n.text] != nil {
			hint = say("write %s without parentheses", n.text)
		}
		if hint.none() {
			hint = l.suggestFunction("", n.text)
		}
		l.lowerAll(n.kids)
		return l.problem(n.nameStart, n.nameEnd, codeFunction, say("there is no function %s", n.text), hint)
	}
	return l.apply(n, n.text, f, n.kids)
}

func (l *lowerer) lowerAll(kids []*node) []lowered {
	out := make([]lowered, len(kids))
	for i, k := range kids {
		out[i] = l.lower(k)
	}
	return out
}

// apply lowers the call of a function of the registry and checks context, count and types.
func (l *lowerer) apply(n *node, key string, f *Function, kids []*node) lowered {
	at := *n
	if n.nameEnd > n.nameStart {
		at.start, at.end = n.nameStart, n.nameEnd
	}
	if !f.contexts.has(l.ctx) {
		l.lowerAll(kids)
		return l.problem(at.start, at.end, codeContext, say("%s cannot be used in %s", f.QualifiedName(), contextNames[l.ctx]), f.contextHint())
	}
	sig := f.signature(len(kids))
	if sig == nil {
		l.lowerAll(kids)
		return l.problem(n.start, n.end, codeCount, say("%s does not take %s", f.QualifiedName(), plural(len(kids), "argument")), say("write %s", f.counts()))
	}
	args := make([]lowered, len(kids))
	for i, k := range kids {
		args[i] = l.argument(f, sig.param(i), k)
	}
	if key == "call" && args[0].known {
		l.calls = append(l.calls, CallTarget{Name: Text(args[0].val), Start: kids[0].start, End: kids[0].end, Present: l.guardedBy()})
	}
	l.site(&at, key, f, kids, args)
	if !l.checked(n, f, args) || !l.formatted(kids, sig, args) {
		return lowered{n: &ast.NilNode{}, typ: "any", bad: true}
	}
	if f.pure {
		if out, ok := l.folded(n, f.call, args); ok {
			return out
		}
	} else {
		l.pure = false
	}
	return lowered{n: callNode(n, key, args...), typ: sig.Result}
}

// checked asks the function's own check of constant arguments; false means that a problem was noted.
func (l *lowerer) checked(n *node, f *Function, args []lowered) bool {
	if f.check == nil {
		return true
	}
	vals := make([]any, len(args))
	for i, a := range args {
		if !a.known || a.bad {
			return true
		}
		vals[i] = a.val
	}
	if err := f.check(vals); err != nil {
		l.fails(n, codeFails, err)
		return l.maybe > 0
	}
	return true
}

// argument lowers one argument and checks what is known of it against the parameter.
func (l *lowerer) argument(f *Function, p Param, k *node) lowered {
	x := l.lower(k)
	if x.known {
		switch p.Type {
		case "regex":
			return l.pattern(k, x)
		case "datePattern":
			return l.datePattern(k, x)
		}
		if err := typeFits(p.Type, x.val); err != nil {
			l.problem(k.start, k.end, codeType, say("%s, %s: %s", f.QualifiedName(), p.Name, wordsOf(err)), say("write %s", f.counts()))
			return lowered{n: x.n, typ: x.typ}
		}
		return x
	}
	if !canBe(x.typ, p.Type) {
		want := strings.TrimSuffix(p.Type, "?")
		l.problem(k.start, k.end, codeType, say("%s, %s: %s is needed, not %s", f.QualifiedName(), p.Name, typeNames[want], typeNames[strings.TrimSuffix(x.typ, "?")]), say("write %s", f.counts()))
	}
	return x
}

// member lowers a.name: a property of an object, or of a value.
func (l *lowerer) member(n *node) lowered {
	recv := n.kids[0]
	if isRoot(recv, l.loops) {
		return l.name(&node{kind: nodeName, text: n.text, start: n.start, end: n.end})
	}
	if space := spaceOf(recv, l.loops); space != "" {
		key := space + "." + n.text
		if f := registry[key]; f != nil && f.Property {
			return l.apply(n, key, f, nil)
		} else if f != nil {
			return l.problem(n.nameStart, n.nameEnd, codeProperty, say("%s is a function", key), say("write %s", f.Signatures[0].Text))
		}
		hint := l.suggestFunction(space, n.text)
		if hint.none() {
			hint = objectHint(space)
		}
		return l.problem(n.nameStart, n.nameEnd, codeProperty, say("%s has no property %s", space, n.text), hint)
	}
	x := l.lower(recv)
	if x.bad {
		return x
	}
	if typ := strings.TrimSuffix(x.typ, "?"); typ != "any" && typ != "map" && n.text != "empty" && getter(typ, n.text) == nil {
		hint := words{}
		if methods[n.text] != nil {
			hint = say("a method needs parentheses: %s()", n.text)
		}
		return l.problem(n.nameStart, n.nameEnd, codeProperty, say("%s has no property %s", typeNames[strings.TrimSuffix(x.typ, "?")], n.text), hint)
	}
	return l.op(n, "prop", x, constant(n, n.text))
}

// isRoot tells whether the receiver stands for the whole scope: #root, or #this outside of a projection.
func isRoot(n *node, loops int) bool { return n.kind == nodeRoot || n.kind == nodeThis && loops == 0 }

// spaceOf returns the object or namespace that the receiver names, also as #root.name.
func spaceOf(n *node, loops int) string {
	if n.kind == nodeMember && isRoot(n.kids[0], loops) || n.kind == nodeName && !n.paren {
		if spaces[n.text] {
			return n.text
		}
	}
	return ""
}

// method lowers a.name(args): a function of a namespace, the end of when(..), or a method of a value.
func (l *lowerer) method(n *node) lowered {
	recv := n.kids[0]
	if isRoot(recv, l.loops) {
		c := *n
		c.kind, c.kids = nodeCall, n.kids[1:]
		return l.function(&c) // never a method of the item
	}
	if out, ok := l.when(n); ok {
		return out
	}
	if space := spaceOf(recv, l.loops); space != "" {
		key := space + "." + n.text
		f := registry[key]
		if f != nil && !f.Method && !f.Property {
			return l.apply(n, key, f, n.kids[1:])
		}
		l.lowerAll(n.kids[1:])
		hint := l.suggestFunction(space, n.text)
		if hint.none() {
			hint = objectHint(space)
		}
		return l.problem(n.nameStart, n.nameEnd, codeFunction, say("%s has no function %s", space, n.text), hint)
	}
	return l.valueMethod(n, l.lower(recv))
}

// mutators are Java's methods that change a value in place.
var mutators = map[string]string{
	"add": "list.add(l, x)", "addAll": "list.add(l, x)", "addFirst": "list.add(l, 0, x)", "addLast": "list.add(l, x)", "remove": "list.removeByElement(l, x) or map.removeByKey(m, k)",
	"removeAll": "list.removeByElement(l, x)", "removeIf": ".?[condition]", "retainAll": ".?[condition]", "set": "list.set(l, i, x)", "sort": "list.sort(l)",
	"put": "map.put(m, k, v)", "putAll": "map.update(m, n)", "putIfAbsent": "map.put(m, k, v)", "clear": "list() or map()", "replaceAll": ".![..]",
	"merge": "map.put(m, k, v)", "compute": "map.put(m, k, v)",
}

func (l *lowerer) valueMethod(n *node, recv lowered) lowered {
	if recv.bad {
		l.lowerAll(n.kids[1:])
		return recv
	}
	typ := receiverOf(recv)
	var fits, named []*Function
	for _, m := range methods[n.text] {
		if typ != "" && m.Namespace != typ {
			continue
		}
		named = append(named, m)
		if m.signature(len(n.kids)-1) != nil {
			fits = append(fits, m)
		}
	}
	switch {
	case len(named) == 0 && mutators[n.text] != "":
		l.lowerAll(n.kids[1:])
		return l.problem(n.nameStart, n.nameEnd, codeMutate, say("%s() would change a value in place; values never change", n.text), say("write %s", mutators[n.text]))
	case len(named) == 0:
		l.lowerAll(n.kids[1:])
		return l.problem(n.nameStart, n.nameEnd, codeMethod, noMethod(n.text, typ), suggestMethod(n.text, typ))
	case len(fits) == 0:
		l.lowerAll(n.kids[1:])
		return l.problem(n.start, n.end, codeCount, say("%s() does not take %s", n.text, plural(len(n.kids)-1, "argument")), say("write %s", named[0].counts()))
	}
	args := []lowered{recv}
	for i, k := range n.kids[1:] {
		p := fits[0].signature(len(n.kids) - 1).param(i)
		for _, m := range fits[1:] {
			if m.signature(len(n.kids)-1).param(i).Type != p.Type {
				p.Type = "any"
			}
		}
		args = append(args, l.argument(fits[0], p, k))
	}
	name := n.text
	if out, ok := l.folded(n, func(s *Scope, a []any) (any, error) { return callMethod(s, name, methods[name], a) }, args); ok {
		return out
	}
	result := fits[0].signature(len(n.kids) - 1).Result
	for _, m := range fits[1:] {
		if m.signature(len(n.kids)-1).Result != result {
			result = "any"
		}
	}
	return lowered{n: callNode(n, "."+name, args...), typ: result}
}

// receiverOf returns the namespace of the methods of a value whose type is known, "" when it is not.
func receiverOf(x lowered) string {
	if x.known && x.val != nil {
		return receiverType(x.val)
	}
	switch x.typ {
	case "text", "string":
		return "string"
	case "int", "number":
		return "number"
	case "bool", "list", "map", "dateTime", "localDate", "localTime":
		return x.typ
	}
	return ""
}

func noMethod(name, typ string) words {
	if typ == "" {
		return say("no method %s()", name)
	}
	return say("no method %s() on a %s", name, say(typ))
}

func suggestMethod(name, typ string) words {
	var names []string
	for _, f := range listing {
		if f.Method && (typ == "" || f.Namespace == typ) {
			names = append(names, f.Name)
		}
	}
	best := Nearest(name, names)
	if best == "" {
		return words{}
	}
	return say("did you mean .%s(..)?", best)
}
