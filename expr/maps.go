package expr

import "math"

func isMap(v any) bool {
	switch v.(type) {
	case map[string]any, map[any]any:
		return true
	}
	return false
}

func mapLen(v any) int {
	switch m := v.(type) {
	case map[string]any:
		return len(m)
	case map[any]any:
		return len(m)
	}
	return 0
}

// mapKey turns a value into a key: text, bool, int64, float64 or null. A decimal is a key by its float. null is a key of its own. Lists and maps are none.
func mapKey(v any) (any, error) {
	switch k := v.(type) {
	case nil, string, bool, int64:
		return k, nil
	case float64:
		if math.IsNaN(k) {
			return nil, failf("NaN cannot be a key")
		}
		return k, nil
	case float32:
		return float64(k), nil
	case *Decimal:
		return toFloat(k), nil
	case Control:
		return k.String(), nil
	case Date:
		return k.String(), nil
	}
	return nil, failf("%s cannot be a key of a map", show(v))
}

// mapGet looks key up. Numbers are found by value: 1 finds the key 1.0.
func mapGet(m, key any) (any, bool) {
	switch x := m.(type) {
	case map[string]any:
		k, ok := key.(string)
		if !ok {
			switch c := key.(type) {
			case Control:
				k = c.String()
			case Date:
				k = c.String()
			default:
				return nil, false
			}
			v, found := x[k]
			return v, found
		}
		v, ok := x[k]
		return v, ok
	case map[any]any:
		k, err := mapKey(key)
		if err != nil {
			return nil, false
		}
		if v, ok := x[k]; ok {
			return v, true
		}
		switch n := k.(type) {
		case int64:
			v, ok := x[float64(n)]
			return v, ok && int64(float64(n)) == n
		case float64:
			if i, err := truncFloat(n); err == nil && float64(i) == n {
				v, ok := x[i]
				return v, ok
			}
		}
	}
	return nil, false
}

// mapBuilder makes one map: a map[string]any as long as every key is text.
type mapBuilder struct {
	texts map[string]any
	all   map[any]any
}

// newMap starts a map from the entries of from (nil: empty) with room for more; both are charged.
func (s *Scope) newMap(from any, more int) (*mapBuilder, error) {
	n := mapLen(from)
	if n+more > MaxItems {
		return nil, errItems
	}
	if err := s.tick(n + more); err != nil {
		return nil, err
	}
	if err := s.grow(listBase + entryBytes*(n+more)); err != nil {
		return nil, err
	}
	b := &mapBuilder{}
	switch m := from.(type) {
	case map[any]any:
		b.all = make(map[any]any, n+more)
		for k, v := range m {
			b.all[k] = v
		}
	case map[string]any:
		b.texts = make(map[string]any, n+more)
		for k, v := range m {
			b.texts[k] = v
		}
	default:
		b.texts = make(map[string]any, more)
	}
	return b, nil
}

func (b *mapBuilder) put(key, value any) error {
	k, err := mapKey(key)
	if err != nil {
		return err
	}
	if b.all == nil {
		if text, ok := k.(string); ok {
			b.texts[text] = value
			return nil
		}
		b.all = make(map[any]any, len(b.texts)+1)
		for t, v := range b.texts {
			b.all[t] = v
		}
	}
	if old, ok := twinKey(b.all, k); ok {
		k = old
	}
	b.all[k] = value
	return nil
}

// twinKey returns the key under which mapGet would find a number.
func twinKey(m map[any]any, k any) (any, bool) {
	if _, ok := m[k]; ok {
		return k, true
	}
	switch n := k.(type) {
	case int64:
		_, ok := m[float64(n)]
		return float64(n), ok && int64(float64(n)) == n
	case float64:
		if i, err := truncFloat(n); err == nil && float64(i) == n {
			_, ok := m[i]
			return i, ok
		}
	}
	return nil, false
}

func (b *mapBuilder) get(key any) (any, bool) {
	if b.all != nil {
		return mapGet(b.all, key)
	}
	return mapGet(b.texts, key)
}

func (b *mapBuilder) remove(key any) {
	if b.all == nil {
		if k, ok := key.(string); ok {
			delete(b.texts, k)
		}
		return
	}
	if k, err := mapKey(key); err == nil {
		if twin, ok := twinKey(b.all, k); ok {
			delete(b.all, twin)
		}
	}
}

// value returns the finished map; a map whose keys are all text again is a map[string]any.
func (b *mapBuilder) value() any {
	if b.all == nil {
		return b.texts
	}
	for k := range b.all {
		if _, ok := k.(string); !ok {
			return b.all
		}
	}
	texts := make(map[string]any, len(b.all))
	for k, v := range b.all {
		texts[k.(string)] = v
	}
	return texts
}
