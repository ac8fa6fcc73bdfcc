package expr

import (
	"strconv"
	"strings"
	"time"
)

// identity returns a Go map key that is the same for values that are Equal, but for NaN.
func identity(s *Scope, v any, depth int) (any, error) {
	switch x := v.(type) {
	case nil, bool:
		return x, nil
	case string:
		return "s" + x, s.grow(len(x))
	case Control:
		return "s" + x.String(), nil
	case Date:
		return "d" + x.Kind.String() + x.at.UTC().Format(time.RFC3339Nano), nil
	case int64:
		return x, nil
	case float64, float32, *Decimal:
		return numberIdentity(x), nil
	}
	if depth >= MaxValueDepth {
		return nil, errDeep
	}
	var b strings.Builder
	part := func(e any) error {
		k, err := identity(s, e, depth+1)
		if err != nil {
			return err
		}
		text := Text(k)
		if err := s.grow(len(text) + 8); err != nil {
			return err
		}
		b.WriteString(TypeName(k)[:1] + strconv.Itoa(len(text)) + ":" + text)
		return s.tick(1)
	}
	if l, ok := v.([]any); ok {
		b.WriteByte('l')
		for _, e := range l {
			if err := part(e); err != nil {
				return nil, err
			}
		}
		return b.String(), nil
	}
	b.WriteByte('m')
	for _, e := range sortedEntries(v) {
		if err := part(e.key); err != nil {
			return nil, err
		}
		if err := part(e.value); err != nil {
			return nil, err
		}
	}
	return b.String(), nil
}

// numberIdentity is an int64 for whole numbers that fit, else the digits without trailing zeros.
func numberIdentity(v any) any {
	if n, err := truncInt(v); err == nil {
		if c, ok := compareNumbers(n, v); ok && c == 0 {
			return n
		}
	}
	f := toFloat(v)
	d, err := toDec(v)
	if x, ok := v.(float32); ok {
		d, err = toDec(float64(x)) // 0.1f equals the float it widens to
	}
	if err != nil {
		return "f" + javaFloat(f, 64)
	}
	reduced := new(Decimal)
	reduced.Reduce(d)
	return "n" + reduced.Text('E')
}
