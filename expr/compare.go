package expr

import (
	"math"
	"strings"
)

// Equal is the equality of the language (==): numbers by value whatever their type, lists and maps item by item in the same
// way, a Control and a text by the Control's text. Values of different types are unequal; null equals null only. Values nested
// deeper than MaxValueDepth are unequal.
func Equal(a, b any) bool {
	eq, _ := equalDeep(nil, a, b, 0)
	return eq
}

// equalDeep charges the walk to s when there is one.
func equalDeep(s *Scope, a, b any, depth int) (bool, error) {
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case string:
		switch y := b.(type) {
		case string:
			if s != nil && len(x) == len(y) {
				if err := s.scan(len(x)); err != nil {
					return false, err
				}
			}
			return x == y, nil
		case Control:
			return y.String() == x, nil
		}
		return false, nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y, nil
	case Control:
		switch y := b.(type) {
		case string:
			return x.String() == y, nil
		case Control:
			return x.String() == y.String(), nil
		}
		return false, nil
	case Date:
		y, ok := b.(Date)
		c, same := compareDates(x, y)
		return ok && same && c == 0, nil
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return equalLists(s, x, y, depth)
	case map[string]any, map[any]any:
		if !isMap(b) || mapLen(a) != mapLen(b) {
			return false, nil
		}
		return equalMaps(s, a, b, depth)
	}
	if numberKind(a) == notNumber || numberKind(b) == notNumber {
		return false, nil
	}
	c, ok := compareNumbers(a, b)
	return ok && c == 0, nil
}

func descend(s *Scope, n, depth int) error {
	if depth >= MaxValueDepth {
		return errDeep
	}
	if s == nil {
		return nil
	}
	return s.tick(n)
}

func equalLists(s *Scope, x, y []any, depth int) (bool, error) {
	if err := descend(s, len(x), depth); err != nil {
		return false, err
	}
	for i := range x {
		if eq, err := equalDeep(s, x[i], y[i], depth+1); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

func equalMaps(s *Scope, a, b any, depth int) (bool, error) {
	if err := descend(s, mapLen(a), depth); err != nil {
		return false, err
	}
	for _, e := range sortedEntries(a) {
		other, ok := mapGet(b, e.key)
		if !ok {
			return false, nil
		}
		if eq, err := equalDeep(s, e.value, other, depth+1); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

// compareNumbers compares by value; ok is false when one of them is NaN.
func compareNumbers(a, b any) (c int, ok bool) {
	ka, kb := numberKind(a), numberKind(b)
	switch {
	case ka == isInt && kb == isInt:
		return compare(a.(int64), b.(int64)), true
	case ka == isDecimal || kb == isDecimal:
		return compareDecimals(a, b)
	case ka == isInt:
		c, ok = compareIntFloat(a.(int64), toFloat(b))
		return c, ok
	case kb == isInt:
		c, ok = compareIntFloat(b.(int64), toFloat(a))
		return -c, ok
	}
	x, y := toFloat(a), toFloat(b)
	return compare(x, y), !math.IsNaN(x) && !math.IsNaN(y)
}

func compare[T int | int64 | float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareIntFloat(i int64, f float64) (int, bool) {
	switch {
	case math.IsNaN(f):
		return 0, false
	case f >= 1<<63:
		return -1, true
	case f < -(1 << 63):
		return 1, true
	}
	whole := math.Trunc(f)
	if c := compare(i, int64(whole)); c != 0 {
		return c, true
	}
	return compare(whole, f), true
}

func compareDecimals(a, b any) (int, bool) {
	for i, v := range []any{a, b} {
		if k := numberKind(v); k == isFloat32 || k == isFloat64 {
			f := toFloat(v)
			if math.IsNaN(f) {
				return 0, false
			}
			if math.IsInf(f, 0) {
				c := compare(f, 0)
				if i == 1 {
					c = -c
				}
				return c, true
			}
		}
	}
	x, err1 := toDec(a)
	y, err2 := toDec(b)
	if err1 != nil || err2 != nil {
		return 0, false
	}
	return x.Cmp(y), true
}

// order compares two values as < does: null is below everything (D17), numbers by value, texts by their characters, false below
// true. ok is false for NaN; values of different or unordered types are an error.
func order(s *Scope, a, b any) (c int, ok bool, err error) {
	if a == nil || b == nil {
		return compare(present(a), present(b)), true, nil
	}
	if numberKind(a) != notNumber && numberKind(b) != notNumber {
		c, ok = compareNumbers(a, b)
		return c, ok, nil
	}
	if c, is := a.(Control); is {
		a = c.String()
	}
	if c, is := b.(Control); is {
		b = c.String()
	}
	switch x := a.(type) {
	case string:
		if y, is := b.(string); is {
			return strings.Compare(x, y), true, s.scan(min(len(x), len(y)))
		}
	case bool:
		if y, is := b.(bool); is {
			return compare(boolInt(x), boolInt(y)), true, nil
		}
	case Date:
		if y, is := b.(Date); is && x.Kind == y.Kind {
			c, _ := compareDates(x, y)
			return c, true, nil
		}
	}
	return 0, false, failf("cannot compare %s with %s", show(a), show(b))
}

// orderStrict is order for sorting: null is an error (D9).
func orderStrict(s *Scope, a, b any) (int, error) {
	if a == nil || b == nil {
		return 0, failf("cannot order null")
	}
	c, _, err := order(s, a, b)
	return c, err
}

func present(v any) int { return boolInt(v != nil) }

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
