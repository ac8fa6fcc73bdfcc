package expr

import "sort"

var listFunctions = []spec{
	{sig: "list.add(list: list?, element: any) list | list.add(list: list?, index: int, element: any) list", doc: "The list with the element at its end, or in front of the item at the index.", ex: `list.add({1, 2}, 3)`, flag: pure, call: listAdd},
	{sig: "list.addDistinct(list: list?, element: any) list", doc: "The list with the element at its end unless it is there already.", ex: `list.addDistinct({1, 2}, 2)`, flag: pure, call: listAddDistinct},
	{sig: "list.addOrder(list: list?, element: any) list", doc: "A sorted list with the element in its place.", ex: `list.addOrder({1, 3}, 2)`, flag: pure, call: listAddOrder},
	{sig: "list.removeByIndex(list: list?, index: int) list", doc: "The list without the item at the index.", ex: `list.removeByIndex({1, 2}, 0)`, flag: pure, call: listRemoveIndex},
	{sig: "list.removeByElement(list: list?, element: any) list", doc: "The list without any item equal to the element.", ex: `list.removeByElement({1, 2, 1}, 1)`, flag: pure, call: listRemoveElement},
	{sig: "list.distinct(list: list?) list", doc: "The list without repetitions, in the order of first occurrence.", ex: `list.distinct({1, 2, 1})`, flag: pure, call: listDistinct},
	{sig: "list.set(list: list?, index: int, element: any) list", doc: "The list with the element instead of the item at the index.", ex: `list.set({1, 2}, 0, 9)`, flag: pure, call: listSet},
	{sig: "list.shuffle(list: list?) list", doc: "The list in random order.", ex: `list.shuffle({1, 2, 3})`, call: listShuffle},
	{sig: "list.randomChoice(list: list) any?", doc: "A random item; an empty list is an error.", ex: `list.randomChoice({"a", "b"})`, call: listChoice},
	{sig: "list.sort(list: list?) list", doc: "The list in ascending order: numbers by value, or texts.", ex: `list.sort({3, 1, 2})`, flag: pure, call: listSort},
	{sig: "list.reverse(list: list?) list", doc: "The list from its end to its beginning.", ex: `list.reverse({1, 2})`, flag: pure, call: listReverse},
	{sig: "list.toIntList(list: list?) list", doc: "Every item as toInt makes it.", ex: `list.toIntList({"1", "2"})`, flag: pure, call: listConvert(func(_ *Scope, v any) (any, error) { return wholeOf(v) })},
	{sig: "list.toDoubleList(list: list?) list", doc: "Every item as toDouble makes it.", ex: `list.toDoubleList({"1.5"})`, flag: pure, call: listConvert(func(_ *Scope, v any) (any, error) { return doubleOf(v) })},
	{sig: "list.toBooleanList(list: list?) list", doc: "Every item as toBoolean makes it.", ex: `list.toBooleanList({"true"})`, flag: pure, call: listConvert(func(_ *Scope, v any) (any, error) { return boolOf(v) })},
	{sig: "list.toStringList(list: list?) list", doc: "Every item as toStr makes it.", ex: `list.toStringList({1, 2.0})`, flag: pure, call: listConvert(func(s *Scope, v any) (any, error) { return textArg(s, v) })},
	{sig: "list.get(list: list?, index: int) any? | list.get(list: list?, index: int, default: any) any?", doc: "The item at the index; where there is none the default, or an error.", ex: `list.get({1, 2}, 5, 0)`, flag: pure, call: listGet},
	{sig: "list.count(list: list?, element: any) int", doc: "How many items equal the element.", ex: `list.count({1, 2, 1}, 1)`, flag: pure, call: listCount},
	{sig: "list.groupCount(list: list?) map", doc: "How often each item occurs.", ex: `list.groupCount({"a", "b", "a"})`, flag: pure, call: func(s *Scope, a []any) (any, error) {
		l, err := listArg(a[0])
		if err != nil {
			return nil, err
		}
		return countItems(s, l)
	}},
	{sig: "list.min(list: list) any?", doc: "The smallest item; an empty list is an error.", ex: `list.min({3, 1})`, flag: pure, call: listExtreme(-1)},
	{sig: "list.max(list: list) any?", doc: "The largest item; an empty list is an error.", ex: `list.max({3, 1})`, flag: pure, call: listExtreme(1)},
	{sig: "list.avg(list: list) number", doc: "The average of the items as floats; an empty list is an error.", ex: `list.avg({1, 2})`, flag: pure, call: listAvg},
	{sig: "list.sumInt(list: list?) int", doc: "The sum of the items as whole numbers, their fractions cut.", ex: `list.sumInt({1, 2})`, flag: pure, call: listSumInt},
	{sig: "list.sumDouble(list: list?) number", doc: "The sum of the items as floats.", ex: `list.sumDouble({0.5, 1})`, flag: pure, call: func(s *Scope, a []any) (any, error) { return sumFloats(s, a[0]) }},
	{sig: "list.sumDecimal(list: list?) number", doc: "The exact sum of the items as decimals.", ex: `list.sumDecimal({"0.1", "0.2"})`, flag: pure, call: listSumDecimal},
	{sig: "list.join(list: list?, delimiter: text) text", doc: "The texts of the items with the delimiter between them.", ex: `list.join({1, 2}, ", ")`, flag: pure, call: listJoin},
}

// copyList makes a copy of a list argument with room for more items.
func copyList(s *Scope, v any, more int) ([]any, error) {
	l, err := listArg(v)
	if err != nil {
		return nil, err
	}
	out, err := s.newList(len(l) + more)
	return append(out, l...), err
}

func position(v any, size int, most int) (int, error) {
	i, err := intArg(v)
	if err != nil {
		return 0, err
	}
	if i < 0 || i > int64(most) {
		return 0, failf("the list has %s, there is no index %d", plural(size, "item"), i)
	}
	return int(i), nil
}

func listAdd(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 1)
	if err != nil || len(a) == 2 {
		return append(l, a[1]), err
	}
	i, err := position(a[1], len(l), len(l))
	if err != nil {
		return nil, err
	}
	return insert(l, i, a[2]), nil
}

func insert(l []any, i int, v any) []any {
	l = append(l, nil)
	copy(l[i+1:], l[i:])
	l[i] = v
	return l
}

func listAddDistinct(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 1)
	if err != nil {
		return nil, err
	}
	i, err := indexOf(s, l, a[1])
	if err != nil || i >= 0 {
		return l, err
	}
	return append(l, a[1]), nil
}

// indexOf returns the place of the first item equal to v, -1 when there is none.
func indexOf(s *Scope, l []any, v any) (int, error) {
	if err := s.tick(len(l)); err != nil {
		return 0, err
	}
	for i, e := range l {
		if eq, err := equalDeep(s, e, v, 0); eq || err != nil {
			return i, err
		}
	}
	return -1, nil
}

func listAddOrder(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 1)
	if err != nil {
		return nil, err
	}
	if a[1] == nil {
		return nil, failf("null has no place in a sorted list")
	}
	for i, e := range l {
		c, err := orderStrict(s, e, a[1])
		if err != nil {
			return nil, err
		}
		if c >= 0 {
			return insert(l, i, a[1]), nil
		}
	}
	return append(l, a[1]), nil
}

func listRemoveIndex(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 0)
	if err != nil {
		return nil, err
	}
	i, err := position(a[1], len(l), len(l)-1)
	if err != nil {
		return nil, err
	}
	return append(l[:i], l[i+1:]...), nil
}

func listRemoveElement(s *Scope, a []any) (any, error) {
	l, err := listArg(a[0])
	if err != nil {
		return nil, err
	}
	out, err := s.newList(len(l))
	if err != nil {
		return nil, err
	}
	for _, e := range l {
		eq, err := equalDeep(s, e, a[1], 0)
		if err != nil {
			return nil, err
		}
		if !eq {
			out = append(out, e)
		}
	}
	return out, nil
}

func listDistinct(s *Scope, a []any) (any, error) {
	l, err := listArg(a[0])
	if err != nil {
		return nil, err
	}
	out, err := s.newList(len(l))
	if err != nil {
		return nil, err
	}
	seen := make(map[any]bool, len(l))
	for _, e := range l {
		k, err := identity(s, e, 0)
		if err != nil {
			return nil, err
		}
		if !seen[k] {
			seen[k] = true
			out = append(out, e)
		}
	}
	return out, nil
}

func listSet(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 0)
	if err != nil {
		return nil, err
	}
	i, err := position(a[1], len(l), len(l)-1)
	if err != nil {
		return nil, err
	}
	l[i] = a[2]
	return l, nil
}

func listShuffle(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 0)
	for i := len(l) - 1; i > 0; i-- {
		j := int(s.drawBelow(uint64(i + 1)))
		l[i], l[j] = l[j], l[i]
	}
	return l, err
}

func listChoice(s *Scope, a []any) (any, error) {
	l, err := filled(a[0])
	if err != nil {
		return nil, err
	}
	return l[s.drawBelow(uint64(len(l)))], nil
}

// filled takes a list that has items.
func filled(v any) ([]any, error) {
	l, err := listArg(v)
	if err == nil && len(l) == 0 {
		return nil, failf("the list is empty")
	}
	return l, err
}

func listSort(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 0)
	if err != nil {
		return nil, err
	}
	var failed error
	sort.SliceStable(l, func(i, j int) bool {
		if failed != nil {
			return false
		}
		if failed = s.tick(1); failed != nil {
			return false
		}
		var c int
		c, failed = orderStrict(s, l[i], l[j])
		return c < 0
	})
	return l, failed
}

func listReverse(s *Scope, a []any) (any, error) {
	l, err := copyList(s, a[0], 0)
	for i, j := 0, len(l)-1; i < j; i, j = i+1, j-1 {
		l[i], l[j] = l[j], l[i]
	}
	return l, err
}

func listConvert(convert func(s *Scope, v any) (any, error)) callFunc {
	return func(s *Scope, a []any) (any, error) {
		l, err := listArg(a[0])
		if err != nil {
			return nil, err
		}
		return convertList(s, l, convert)
	}
}

func listGet(_ *Scope, a []any) (any, error) {
	l, err := listArg(a[0])
	if err != nil {
		return nil, err
	}
	i, err := intArg(a[1])
	switch {
	case err != nil:
		return nil, err
	case i >= 0 && i < int64(len(l)):
		return l[i], nil
	case len(a) == 3:
		return a[2], nil
	}
	return nil, failf("the list has %s, there is no index %d", plural(len(l), "item"), i)
}

func listCount(s *Scope, a []any) (any, error) {
	l, err := listArg(a[0])
	if err == nil {
		err = s.tick(len(l))
	}
	if err != nil {
		return nil, err
	}
	n := int64(0)
	for _, e := range l {
		eq, err := equalDeep(s, e, a[1], 0)
		if err != nil {
			return nil, err
		}
		if eq {
			n++
		}
	}
	return n, nil
}

func listExtreme(sign int) callFunc {
	return func(s *Scope, a []any) (any, error) {
		l, err := filled(a[0])
		if err == nil {
			err = s.tick(len(l))
		}
		if err != nil {
			return nil, err
		}
		best := l[0]
		for _, e := range l[1:] {
			c, err := orderStrict(s, e, best)
			if err != nil {
				return nil, err
			}
			if c*sign > 0 {
				best = e
			}
		}
		return best, nil
	}
}

// countItems makes a map of item and how often it occurs.
func countItems(s *Scope, l []any) (any, error) {
	b, err := s.newMap(nil, len(l))
	if err != nil {
		return nil, err
	}
	for _, e := range l {
		if e == nil {
			return nil, failf("null cannot be counted")
		}
		n := int64(1)
		if old, ok := b.get(e); ok {
			n += old.(int64)
		}
		if err := b.put(e, n); err != nil {
			return nil, err
		}
	}
	return b.value(), nil
}
