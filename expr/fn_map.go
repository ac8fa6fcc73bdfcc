package expr

import "sort"

var mapFunctions = mapsOf("map")

// mapsOf makes the functions of map.*, which counter.* shares.
func mapsOf(space string) []spec {
	return []spec{
		{sig: space + ".put(map: map?, key: any, value: any) map", doc: "The map with the value under the key.", ex: space + `.put(map("a", 1), "b", 2)`, flag: pure, call: mapPut},
		{sig: space + ".removeByKey(map: map?, key: any) map", doc: "The map without the key.", ex: space + `.removeByKey(map("a", 1), "a")`, flag: pure, call: mapRemoveKey},
		{sig: space + ".removeByValue(map: map?, value: any) map", doc: "The map without the keys that have this value.", ex: space + `.removeByValue(map("a", 1), 1)`, flag: pure, call: mapRemoveValue},
		{sig: space + ".update(map: map?, other: map?) map", doc: "The map with all entries of the other.", ex: space + `.update(map("a", 1), map("b", 2))`, flag: pure, call: mapUpdate},
	}
}

func mapPut(s *Scope, a []any) (any, error) {
	m, err := mapArg(a[0])
	if err != nil {
		return nil, err
	}
	b, err := s.newMap(m, 1)
	if err != nil {
		return nil, err
	}
	if err := b.put(a[1], a[2]); err != nil {
		return nil, err
	}
	return b.value(), nil
}

func mapRemoveKey(s *Scope, a []any) (any, error) {
	m, err := mapArg(a[0])
	if err != nil {
		return nil, err
	}
	b, err := s.newMap(m, 0)
	if err != nil {
		return nil, err
	}
	b.remove(a[1])
	return b.value(), nil
}

func mapRemoveValue(s *Scope, a []any) (any, error) {
	m, err := mapArg(a[0])
	if err != nil {
		return nil, err
	}
	b, err := s.newMap(m, 0)
	if err != nil {
		return nil, err
	}
	for _, e := range sortedEntries(m) {
		eq, err := equalDeep(s, e.value, a[1], 0)
		if err != nil {
			return nil, err
		}
		if eq {
			b.remove(e.key)
		}
	}
	return b.value(), nil
}

func mapUpdate(s *Scope, a []any) (any, error) {
	m, err := mapArg(a[0])
	if err != nil {
		return nil, err
	}
	other, err := mapArg(a[1])
	if err != nil {
		return nil, err
	}
	b, err := s.newMap(m, mapLen(other))
	if err != nil {
		return nil, err
	}
	for _, e := range sortedEntries(other) {
		if err := b.put(e.key, e.value); err != nil {
			return nil, err
		}
	}
	return b.value(), nil
}

var counterFunctions = append(mapsOf("counter"),
	spec{sig: "counter.incr(counter: map?, item: any) map | counter.incr(counter: map?, item: any, n: int) map", doc: "The counter with the item counted n (1) times more.", ex: `counter.incr(map("Sam", 2), "Sam")`, flag: pure, call: counterAdd(1)},
	spec{sig: "counter.decr(counter: map?, item: any) map | counter.decr(counter: map?, item: any, n: int) map", doc: "The counter with the item counted n (1) times less.", ex: `counter.decr(map("Sam", 2), "Sam")`, flag: pure, call: counterAdd(-1)},
	spec{sig: "counter.get(counter: map?, item: any) int", doc: "The count of the item, 0 when it has none.", ex: `counter.get(map("Sam", 2), "Sam")`, flag: pure, call: counterGet},
	spec{sig: "counter.mostCommon(counter: map?, n: int) list", doc: "The n items with the highest counts, highest first, each as a map of key and value; equal counts by the text of their items.", ex: `counter.mostCommon(counter("a", "b", "a"), 1)[0].key`, flag: pure, call: mostCommon},
)

func counterAdd(sign int64) callFunc {
	return func(s *Scope, a []any) (any, error) {
		m, err := mapArg(a[0])
		if err != nil {
			return nil, err
		}
		n := int64(1)
		if len(a) == 3 {
			if n, err = intArg(a[2]); err != nil {
				return nil, err
			}
		}
		step, err := intArith('*', n, sign)
		if err != nil {
			return nil, err
		}
		var old int64
		if v, ok := mapGet(m, a[1]); ok {
			if old, err = intArg(v); err != nil {
				return nil, err
			}
		}
		sum, err := intArith('+', old, step.(int64))
		if err != nil {
			return nil, err
		}
		return mapPut(s, []any{m, a[1], sum})
	}
}

func counterGet(_ *Scope, a []any) (any, error) {
	m, err := mapArg(a[0])
	if err != nil {
		return nil, err
	}
	v, ok := mapGet(m, a[1])
	if !ok || v == nil {
		return int64(0), nil
	}
	n, err := intArg(v)
	return n, err
}

func mostCommon(s *Scope, a []any) (any, error) {
	m, err := mapArg(a[0])
	if err != nil {
		return nil, err
	}
	n, err := intArg(a[1])
	if err != nil {
		return nil, err
	}
	if n <= 0 {
		return nil, failf("the number of items must be positive, not %d", n)
	}
	all, err := entryList(s, m)
	if err != nil {
		return nil, err
	}
	l := all.([]any)
	count := func(i int) any { return l[i].(map[string]any)["value"] }
	for i := range l {
		if numberKind(count(i)) == notNumber {
			return nil, failf("the count of %s is no number but %s", show(l[i].(map[string]any)["key"]), show(count(i)))
		}
	}
	sort.SliceStable(l, func(i, j int) bool {
		c, _ := compareNumbers(count(i), count(j))
		return c > 0
	})
	return l[:min(n, int64(len(l)))], nil
}
