package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

// textArg converts an argument to text (D27): numbers, Booleans and lists by their text, null as "null".
func textArg(s *Scope, v any) (string, error) {
	if x, ok := v.(string); ok {
		return x, nil
	}
	t := s.newText()
	t.value(v, 0)
	return t.done(s)
}

// intArg converts an argument to a whole number: fractions are cut, a text of digits is read (D27).
func intArg(v any) (int64, error) {
	switch x := v.(type) {
	case int64:
		return x, nil
	case string:
		n, ok := convertWhole(x)
		if !ok {
			return 0, failf("a number is needed, not %s", show(v))
		}
		return n, nil
	}
	if numberKind(v) == notNumber {
		return 0, failf("a number is needed, not %s", show(v))
	}
	return truncInt(v)
}

// convertWhole reads a text that is given for a whole number: white space is dropped wherever it stands, a sign and hexadecimal digits
// behind 0x or # are read, as the original's conversion does.
func convertWhole(s string) (int64, bool) {
	s = withoutSpace(s)
	if digits := strings.TrimPrefix(s, "-"); strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") || strings.HasPrefix(digits, "#") {
		n, err := strconv.ParseInt(s[:len(s)-len(digits)]+strings.TrimLeft(digits, "0xX#"), 16, 64)
		return n, err == nil || strings.Trim(digits, "0xX#") == "" && len(digits) > 2
	}
	if len(s) > 1 && s[0] == '+' && s[1] != '-' {
		s = s[1:]
	}
	return parseWhole(s)
}

func withoutSpace(s string) string {
	if strings.IndexFunc(s, unicode.IsSpace) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// realArg converts an argument to a float; a text of a number is read (D27).
func realArg(v any) (float64, error) {
	if text, ok := v.(string); ok {
		text = withoutSpace(text)
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && !math.IsInf(f, 0) || len(text) > MaxDecimalDigits || strings.Trim(text, "0123456789.eE+-") != "" {
			return 0, failf("a number is needed, not %s", show(v))
		}
		return f, nil
	}
	if numberKind(v) == notNumber {
		return 0, failf("a number is needed, not %s", show(v))
	}
	return toFloat(v), nil
}

// stringParam converts an argument for a text: as textArg, but the items of a list are joined by commas, as the original's conversion does.
func stringParam(s *Scope, v any) (string, error) {
	switch x := v.(type) {
	case string:
		return x, nil
	case []any:
		t := s.newText()
		t.joined(x, 0)
		return t.done(s)
	}
	if isMap(v) {
		return "", failf("a text is needed, not %s", show(v))
	}
	return textArg(s, v)
}

// parseWhole reads an optional minus and digits, those of other scripts too, as the original does.
func parseWhole(s string) (int64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" {
		return 0, false
	}
	ascii := make([]byte, 0, len(digits)+1)
	if digits != s {
		ascii = append(ascii, '-')
	}
	for _, r := range digits {
		d, ok := digitValue(r)
		if !ok {
			return 0, false
		}
		ascii = append(ascii, '0'+d)
	}
	n, err := strconv.ParseInt(string(ascii), 10, 64)
	return n, err == nil
}

// digitValue returns the value of a decimal digit of any script; Unicode keeps them in runs of ten.
func digitValue(r rune) (byte, bool) {
	if r >= '0' && r <= '9' {
		return byte(r - '0'), true
	}
	for _, rg := range unicode.Nd.R16 {
		if r >= rune(rg.Lo) && r <= rune(rg.Hi) {
			return byte((r - rune(rg.Lo)) % 10), true
		}
	}
	for _, rg := range unicode.Nd.R32 {
		if r >= rune(rg.Lo) && r <= rune(rg.Hi) {
			return byte((r - rune(rg.Lo)) % 10), true
		}
	}
	return 0, false
}

func numArg(v any) (any, error) {
	if numberKind(v) == notNumber {
		return nil, failf("a number is needed, not %s", show(v))
	}
	return v, nil
}

func boolArg(v any) (bool, error) {
	b, ok := v.(bool)
	if !ok {
		return false, failf("true or false is needed, not %s", show(v))
	}
	return b, nil
}

// listArg takes a list; null is the empty list.
func listArg(v any) ([]any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case []any:
		return x, nil
	}
	return nil, failf("a list is needed, not %s", show(v))
}

// mapArg takes a map; null is the empty map.
func mapArg(v any) (any, error) {
	if v == nil {
		return map[string]any(nil), nil
	}
	if !isMap(v) {
		return nil, failf("a map is needed, not %s", show(v))
	}
	return v, nil
}

// patternArg takes a compiled constant pattern or the text of one.
func patternArg(s *Scope, v any) (*pattern, error) {
	switch x := v.(type) {
	case *pattern:
		return x, nil
	case nil:
		return nil, failf("a regular expression is needed, not null")
	case string:
		return s.compiledPattern(x)
	}
	if numberKind(v) == notNumber {
		return nil, failf("a regular expression is needed, not %s", show(v))
	}
	return s.compiledPattern(Text(v))
}

// spread returns the values of a variadic call: a single list stands for its items (D1).
func spread(a []any) []any {
	if len(a) == 1 {
		if l, ok := a[0].([]any); ok {
			return l
		}
	}
	return a
}

// ToMillis reads a duration: a number, or a text of digits, of milliseconds. Fractions are cut; a negative one is an error.
func ToMillis(v any) (int64, error) {
	n, err := intArg(v)
	if err != nil {
		return 0, failf("a duration in milliseconds is needed, not %s", show(v))
	}
	if n < 0 {
		return 0, failf("a duration cannot be negative: %d", n)
	}
	return n, nil
}

// typeFits tells whether a constant argument can be given to a parameter of this type, and if not why.
func typeFits(typ string, v any) error {
	base := strings.TrimSuffix(typ, "?")
	if v == nil {
		if base != typ || base == "any" || base == "text" || base == "format" {
			return nil
		}
		return failf("%s is needed, not null", typeNames[base])
	}
	var err error
	switch base {
	case "string":
		if !isText(v) {
			err = failf("a text is needed, not %s", show(v))
		}
	case "int":
		_, err = intArg(v)
	case "number":
		_, err = numArg(v)
	case "real":
		_, err = realArg(v)
	case "bool":
		_, err = boolArg(v)
	case "list":
		_, err = listArg(v)
	case "map":
		_, err = mapArg(v)
	case "control":
		_, err = controlArg(v)
	}
	return err
}

var typeNames = map[string]words{
	"any": say("a value"), "text": say("a text"), "string": say("a text"), "int": say("a number"), "number": say("a number"), "real": say("a number"), "bool": say("true or false"),
	"list": say("a list"), "map": say("a map"), "regex": say("a regular expression"), "control": say("a control such as call(..)"),
	"datePattern": say("a date pattern"), "format": say("a format"), "dateTime": say("a dateTime"), "localDate": say("a localDate"), "localTime": say("a localTime"), "date": say("a date"),
}

// canBe tells whether an expression of static type have may give a value for a parameter of type want.
func canBe(have, want string) bool {
	have, want = strings.TrimSuffix(have, "?"), strings.TrimSuffix(want, "?")
	if have == "any" || want == "any" || want == "text" || want == "format" || have == want {
		return true
	}
	number := have == "int" || have == "number" || have == "float" || have == "decimal"
	texts := have == "text" || have == "string"
	switch want {
	case "int":
		return number || texts
	case "number":
		return number
	case "real":
		return number || texts
	case "string", "control":
		return texts || have == "control"
	case "datePattern":
		return texts
	case "regex":
		return texts || number
	}
	return false
}
