package expr

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// textBuf gathers text up to a limit; what goes beyond it sets over and is dropped.
type textBuf struct {
	b    []byte
	max  int
	over bool
}

func (t *textBuf) str(s string) {
	if len(t.b)+len(s) > t.max {
		t.over = true
		return
	}
	t.b = append(t.b, s...)
}

// done charges the text to the Scope and returns it.
func (t *textBuf) done(s *Scope) (string, error) {
	if t.over {
		s.bytes = 0
		return "", errBytes
	}
	if err := s.grow(len(t.b)); err != nil {
		return "", err
	}
	return string(t.b), nil
}

func (s *Scope) newText() *textBuf { return &textBuf{max: int(min(s.bytes, math.MaxInt32))} }

// Text returns the value as toStr, templates and domain ids print it: 1.0, 1.0E7, [1, 2], {k=7}, null. Maps print in the order
// of their keys' texts. What is nested deeper than MaxValueDepth prints as "...".
func Text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case int64:
		return strconv.FormatInt(x, 10)
	}
	t := textBuf{max: math.MaxInt}
	t.value(v, 0)
	return string(t.b)
}

func (t *textBuf) value(v any, depth int) {
	if t.over {
		return
	}
	switch x := v.(type) {
	case nil:
		t.str("null")
	case string:
		t.str(x)
	case bool:
		t.str(strconv.FormatBool(x))
	case int64:
		t.str(strconv.FormatInt(x, 10))
	case float64:
		t.str(javaFloat(x, 64))
	case float32:
		t.str(javaFloat(float64(x), 32))
	case *Decimal:
		t.str(x.String())
	case Control:
		t.str(x.String())
	case Date:
		t.str(x.String())
	case []any:
		if depth >= MaxValueDepth {
			t.str("...")
			return
		}
		t.str("[")
		for i, e := range x {
			if i > 0 {
				t.str(", ")
			}
			if t.over {
				return
			}
			t.value(e, depth+1)
		}
		t.str("]")
	case map[string]any, map[any]any:
		if depth >= MaxValueDepth {
			t.str("...")
			return
		}
		t.str("{")
		for i, e := range sortedEntries(v) {
			if i > 0 {
				t.str(", ")
			}
			if t.over {
				return
			}
			t.value(e.key, depth+1)
			t.str("=")
			t.value(e.value, depth+1)
		}
		t.str("}")
	default:
		t.str(fmt.Sprint(x))
	}
}

// entry is one key of a map with its value.
type entry struct{ key, value any }

// sortedEntries returns the entries of a map by the text of their keys, so that all that walks a map does so in one order.
func sortedEntries(m any) []entry {
	var out []entry
	switch x := m.(type) {
	case map[string]any:
		out = make([]entry, 0, len(x))
		for k, v := range x {
			out = append(out, entry{k, v})
		}
		sort.Slice(out, func(i, j int) bool { return out[i].key.(string) < out[j].key.(string) })
	case map[any]any:
		out = make([]entry, 0, len(x))
		for k, v := range x {
			out = append(out, entry{k, v})
		}
		sort.Slice(out, func(i, j int) bool {
			a, b := Text(out[i].key), Text(out[j].key)
			return a < b || a == b && TypeName(out[i].key) < TypeName(out[j].key)
		})
	}
	return out
}

// joined prints a value as + and templates do: the items of a list with commas between them, all else as value does.
func (t *textBuf) joined(v any, depth int) {
	list, ok := v.([]any)
	if !ok {
		t.value(v, depth)
		return
	}
	if depth >= MaxValueDepth {
		t.str("...")
		return
	}
	for i, e := range list {
		if i > 0 {
			t.str(",")
		}
		if t.over {
			return
		}
		t.joined(e, depth+1)
	}
}

// javaFloat prints a float as Java's Double.toString and Float.toString do.
func javaFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'e', -1, bits)
	mant, exp, _ := strings.Cut(s, "e")
	if !strings.Contains(mant, ".") { // Java shows two digits at least: those nearest to the value, as in 4.9E-324
		mant, exp, _ = strings.Cut(strconv.FormatFloat(f, 'e', 1, bits), "e")
	}
	n, _ := strconv.Atoi(exp)
	return mant + "E" + strconv.Itoa(n)
}

// TypeName returns the language's name of a value's type: int, float, decimal, string, bool, null, list, map, date, control.
func TypeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case string:
		return "string"
	case int64:
		return "int"
	case float64, float32:
		return "float"
	case *Decimal:
		return "decimal"
	case []any:
		return "list"
	case map[string]any, map[any]any:
		return "map"
	case Control:
		return "control"
	case Date:
		return "date"
	}
	return fmt.Sprintf("%T", v)
}

// show names a value in an error message, shortened: the text "abc", the int 5, null.
func show(v any) words {
	switch x := v.(type) {
	case nil:
		return say("null")
	case string:
		return say("the text %s", quoteShort(x))
	case []any:
		return say("a list of %s", plural(len(x), "item"))
	case map[string]any, map[any]any:
		return say("a map of %s", plural(mapLen(v), "key"))
	}
	t := textBuf{max: 80}
	t.value(v, 0)
	if t.over {
		return say("a %s", say(TypeName(v)))
	}
	return say("the %s %s", say(TypeName(v)), string(t.b))
}

// quoteShort quotes at most 60 runes of a text, on one line.
func quoteShort(s string) string {
	n := 0
	for i := range s {
		if n == 60 {
			return strconv.Quote(s[:i]) + "..."
		}
		n++
	}
	return strconv.Quote(s)
}
