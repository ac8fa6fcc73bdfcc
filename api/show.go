package api

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// stamp is a time as it is shown: RFC 3339 with milliseconds, UTC; null when it is 0.
type stamp int64

// MarshalJSON writes the time.
func (t stamp) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return time.UnixMilli(int64(t)).UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}

// number is a number as it is shown: a text where JSON readers that keep floats would lose digits.
type number uint64

// MarshalJSON writes the number.
func (n number) MarshalJSON() ([]byte, error) {
	if n > maxExact {
		return strconv.AppendQuote(nil, strconv.FormatUint(uint64(n), 10)), nil
	}
	return strconv.AppendUint(nil, uint64(n), 10), nil
}

const maxExact = 1<<53 - 1 // the greatest integer that every JSON reader keeps

// shown returns a value of package expr as JSON.
func shown(v any) json.RawMessage { return messagebus.EncodeValue(nil, exact(v)) }

// exact replaces the integers that JSON readers would round by texts. What needs no change is not copied.
func exact(v any) any {
	switch x := v.(type) {
	case int64:
		if x > maxExact || x < -maxExact {
			return strconv.FormatInt(x, 10)
		}
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = exact(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, item := range x {
			out[k] = exact(item)
		}
		return out
	case map[any]any:
		out := make(map[any]any, len(x))
		for k, item := range x {
			out[k] = exact(item)
		}
		return out
	}
	return v
}

// vars returns variables as a JSON object in the order in which they were first set.
func vars(all expr.Vars) json.RawMessage {
	out := []byte{'{'}
	for i, v := range all {
		if i > 0 {
			out = append(out, ',')
		}
		out = messagebus.EncodeValue(out, v.Name)
		out = append(out, ':')
		out = messagebus.EncodeValue(out, exact(v.Value))
	}
	return append(out, '}')
}
