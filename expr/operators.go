package expr

// operatorTable holds what the signs of the language are compiled to. Arguments are checked by value.
var operatorTable = []operator{
	{"add", true, "any", func(s *Scope, a []any) (any, error) { return add(s, a[0], a[1]) }},
	{"sub", true, "any", func(s *Scope, a []any) (any, error) { return arith(s, '-', a[0], a[1]) }},
	{"mul", true, "any", func(s *Scope, a []any) (any, error) { return multiply(s, a[0], a[1]) }},
	{"div", true, "any", func(s *Scope, a []any) (any, error) { return arith(s, '/', a[0], a[1]) }},
	{"mod", true, "any", func(s *Scope, a []any) (any, error) { return arith(s, '%', a[0], a[1]) }},
	{"pow", true, "any", func(s *Scope, a []any) (any, error) { return power(s, a[0], a[1]) }},
	{"neg", true, "any", func(s *Scope, a []any) (any, error) { return negate(s, a[0]) }},
	{"plus", true, "any", func(s *Scope, a []any) (any, error) {
		if numberKind(a[0]) == notNumber {
			return nil, failf("+ is not possible before %s", show(a[0]))
		}
		return a[0], nil
	}},
	{"eq", true, "bool", func(s *Scope, a []any) (any, error) { return equalDeep(s, a[0], a[1], 0) }},
	{"ne", true, "bool", func(s *Scope, a []any) (any, error) {
		eq, err := equalDeep(s, a[0], a[1], 0)
		return !eq, err
	}},
	{"lt", true, "bool", ordered(func(c int) bool { return c < 0 })},
	{"le", true, "bool", ordered(func(c int) bool { return c <= 0 })},
	{"gt", true, "bool", ordered(func(c int) bool { return c > 0 })},
	{"ge", true, "bool", ordered(func(c int) bool { return c >= 0 })},
	{"between", true, "bool", between},
	{"matches", true, "bool", matches},
	{"bool", true, "bool", func(_ *Scope, a []any) (any, error) {
		b, ok := a[0].(bool)
		if !ok {
			return nil, failf("a condition must be true or false, not %s", show(a[0]))
		}
		return b, nil
	}},
	{"isNull", true, "bool", func(_ *Scope, a []any) (any, error) { return a[0] == nil, nil }},
	{"isBlank", true, "bool", func(_ *Scope, a []any) (any, error) { return a[0] == nil || a[0] == "", nil }},
	{"concat", true, "any", func(s *Scope, a []any) (any, error) { return concat(s, "", a...) }},
	{"list", true, "any", func(s *Scope, a []any) (any, error) {
		out, err := s.newList(len(a))
		return append(out, a...), err
	}},
	{"map", true, "any", func(s *Scope, a []any) (any, error) { return mapOf(s, a) }},
	{"index", true, "any", func(s *Scope, a []any) (any, error) { return index(a[0], a[1]) }},
	{"prop", true, "any", func(s *Scope, a []any) (any, error) { return property(s, a[0], a[1].(string)) }},
	{"items", true, "items", items},
	{"reversed", true, "items", func(s *Scope, a []any) (any, error) {
		list, err := items(s, a)
		if err != nil {
			return nil, err
		}
		return listReverse(s, []any{list})
	}},
	{"each", true, "any", func(s *Scope, a []any) (any, error) { return a[0], s.grow(itemBytes) }},
	{"all", true, "any", func(s *Scope, a []any) (any, error) { return selected(s, a[0], a[1].([]any)) }},
	{"one", true, "any", func(s *Scope, a []any) (any, error) {
		if a[1] == nil || !isMap(a[0]) {
			return a[1], nil
		}
		return selected(s, a[0], a[1:2])
	}},
}

func ordered(holds func(c int) bool) callFunc {
	return func(s *Scope, a []any) (any, error) {
		if x, ok := a[0].(int64); ok {
			if y, ok := a[1].(int64); ok {
				return holds(compare(x, y)), nil
			}
		}
		c, ok, err := order(s, a[0], a[1])
		return ok && holds(c), err
	}
}

// between is lo <= x <= hi.
func between(s *Scope, a []any) (any, error) {
	bounds, ok := a[1].([]any)
	if !ok || len(bounds) != 2 {
		return nil, failf("between needs a list of two values, {low, high}, not %s", show(a[1]))
	}
	low, ok1, err := order(s, a[0], bounds[0])
	if err != nil {
		return nil, err
	}
	high, ok2, err := order(s, a[0], bounds[1])
	return ok1 && ok2 && low >= 0 && high <= 0, err
}

// matches is the full match of a text (numbers by their text) against a regular expression; null never matches.
func matches(s *Scope, a []any) (any, error) {
	p, err := patternArg(s, a[1])
	if err != nil {
		return nil, err
	}
	if a[0] == nil {
		return false, nil
	}
	text, err := stringParam(s, a[0])
	if err != nil {
		return nil, err
	}
	if err := p.charge(s, len(text)); err != nil {
		return nil, err
	}
	return p.full.MatchString(text), nil
}

// index is value[key]: an item of a list, a character of a text, the value of a key.
func index(v, key any) (any, error) {
	if c, ok := v.(Control); ok {
		v = c.String()
	}
	switch x := v.(type) {
	case map[string]any, map[any]any:
		val, _ := mapGet(x, key)
		return val, nil
	case []any:
		i, err := indexArg(key)
		if err != nil {
			return nil, err
		}
		if i < 0 || i >= int64(len(x)) {
			return nil, failf("the list has %s, there is no index %d", plural(len(x), "item"), i)
		}
		return x[i], nil
	case string:
		i, err := indexArg(key)
		if err != nil {
			return nil, err
		}
		return runeAt(x, i)
	}
	return nil, failf("%s has no items to index", show(v))
}

func indexArg(key any) (int64, error) {
	i, err := intArg(key)
	if err != nil {
		return 0, failf("an index must be a number, not %s", show(key))
	}
	return i, nil
}

// property is value.name on a value: the key of a map (D20).
func property(s *Scope, v any, name string) (any, error) {
	switch x := v.(type) {
	case map[string]any:
		val, ok := x[name]
		if !ok && name == "empty" {
			return len(x) == 0, nil
		}
		return val, nil
	case map[any]any:
		val, ok := mapGet(x, name)
		if !ok && name == "empty" {
			return len(x) == 0, nil
		}
		return val, nil
	case string:
		if name == "empty" {
			return x == "", nil
		}
	case []any:
		if name == "empty" {
			return len(x) == 0, nil
		}
	case Date:
		if f := getter(x.Kind.String(), name); f != nil {
			return f.call(s, []any{x})
		}
	}
	if methods[name] != nil {
		return nil, failf("%s has no property %s; a method needs parentheses: %s()", show(v), name, name)
	}
	return nil, failf("%s has no property %s", show(v), name)
}

// items returns what a projection or selection walks over: the items of a list, the entries of a map as maps of key and value.
// getter returns the method that a property of a date stands for: year is getYear(), afterNow is isAfterNow().
func getter(kind, name string) *Function {
	if name == "" {
		return nil
	}
	for _, prefix := range []string{"get", "is"} {
		if f := registry["."+kind+"."+prefix+upperFirst(name)]; f != nil && f.signature(0) != nil {
			return f
		}
	}
	return nil
}

func items(s *Scope, a []any) (any, error) {
	switch x := a[0].(type) {
	case []any:
		return x, nil
	case map[string]any, map[any]any:
		return entryList(s, x)
	}
	return nil, failf("only a list or a map has items to walk over, %s has none", show(a[0]))
}

func entryList(s *Scope, m any) (any, error) {
	n := mapLen(m)
	out, err := s.newList(n)
	if err != nil {
		return nil, err
	}
	if err := s.grow(n * (listBase + 2*entryBytes)); err != nil {
		return nil, err
	}
	for _, e := range sortedEntries(m) {
		out = append(out, map[string]any{"key": e.key, "value": e.value})
	}
	return out, nil
}

// selected finishes a selection over from: of a list the chosen items, of a map the map of the chosen entries.
func selected(s *Scope, from any, chosen []any) (any, error) {
	if !isMap(from) {
		return chosen, s.grow(listBase + itemBytes*len(chosen))
	}
	b, err := s.newMap(nil, len(chosen))
	if err != nil {
		return nil, err
	}
	for _, c := range chosen {
		e := c.(map[string]any)
		if err := b.put(e["key"], e["value"]); err != nil {
			return nil, err
		}
	}
	return b.value(), nil
}

// mapOf makes a map of keys and values that take turns.
func mapOf(s *Scope, a []any) (any, error) {
	if len(a)%2 != 0 {
		return nil, failf("a map needs a value for every key, %d arguments are odd", len(a))
	}
	b, err := s.newMap(nil, len(a)/2)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(a); i += 2 {
		if err := b.put(a[i], a[i+1]); err != nil {
			return nil, err
		}
	}
	return b.value(), nil
}
