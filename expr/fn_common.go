package expr

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

var commonFunctions = []spec{
	{sig: "all: text", doc: `The text "all", for arguments that take a list of names or all.`, ex: `all`, flag: pure, call: func(*Scope, []any) (any, error) { return "all", nil }},
	{sig: "all(conditions...: any) bool", doc: "Whether every condition is true; null counts as false. A single list stands for its items.", ex: `all(1 < 2, 2 < 3)`, flag: pure, call: allOf},
	{sig: "any(conditions...: any) bool", doc: "Whether at least one condition is true; null counts as false. A single list stands for its items.", ex: `any(1 > 2, 2 < 3)`, flag: pure, call: anyOf},
	{sig: "str(format: format, arguments...: any) text", doc: "The format with its % verbs filled in, as Java's String.format. One argument alone is never formatted, only made text; null gives an empty text.", ex: `str("Hello %s, %.2f", "Sam", 1.5)`, flag: pure, call: str},
	{sig: "toStr(value: any) text", doc: "The text of a value, as it is printed everywhere.", ex: `toStr({1, 2})`, flag: pure, call: func(s *Scope, a []any) (any, error) { return textArg(s, a[0]) }},
	{sig: "toInt(value: any) int", doc: "A whole number: of a number by cutting its fraction, of a text of digits.", ex: `toInt("42")`, flag: pure, call: toInt},
	{sig: "toLong(value: any) int", doc: "The same as toInt; integers have 64 bits.", ex: `toLong("42")`, flag: pure, call: toInt},
	{sig: "toDouble(value: any) number", doc: "A float, of a number or of a text such as 3.5.", ex: `toDouble("3.5")`, flag: pure, call: func(_ *Scope, a []any) (any, error) { return doubleOf(a[0]) }},
	{sig: "toBoolean(value: any) bool", doc: "A Boolean, or the text true or false in any case.", ex: `toBoolean("true")`, flag: pure, call: func(_ *Scope, a []any) (any, error) { return boolOf(a[0]) }},
	{sig: "toDecimal(value: any) number | toDecimal(value: any, scale: int, rounding: text) number", doc: "An exact decimal of a number or a text; with a number of fraction digits and a rounding UP, DOWN, CEILING, FLOOR, HALF_UP, HALF_DOWN, HALF_EVEN or UNNECESSARY.", ex: `toDecimal("2.345", 2, "HALF_UP")`, flag: pure, call: toDecimal},
	{sig: "isEmpty(value: any) bool", doc: "Whether the value is null, an empty text, an empty list or an empty map.", ex: `isEmpty(list())`, flag: pure, call: func(_ *Scope, a []any) (any, error) { return isEmpty(a[0]), nil }},
	{sig: "isNotEmpty(value: any) bool", doc: "The opposite of isEmpty.", ex: `isNotEmpty("x")`, flag: pure, call: func(_ *Scope, a []any) (any, error) { return !isEmpty(a[0]), nil }},
	{sig: "split(text: any, separators: any) list", doc: "The pieces between any of the separator characters; empty pieces are left out. null separators: white space.", ex: `split("a,b,,c", ",")`, flag: pure, call: splitChars},
	{sig: "timestamp() int | timestamp(duration: string) int", doc: `The turn's time in Unix milliseconds; with "<n> days|hours|minutes|seconds" that duration in milliseconds.`, ex: `timestamp() + timestamp("2 hours")`, call: timestamp},
	{sig: "seconds(n: int) int", doc: "n seconds in milliseconds.", ex: `seconds(30)`, flag: pure, call: millis(1000)},
	{sig: "minutes(n: int) int", doc: "n minutes in milliseconds.", ex: `minutes(5)`, flag: pure, call: millis(60_000)},
	{sig: "hours(n: int) int", doc: "n hours in milliseconds.", ex: `hours(2)`, flag: pure, call: millis(3_600_000)},
	{sig: "days(n: int) int", doc: "n days of 24 hours in milliseconds.", ex: `days(2)`, flag: pure, call: millis(86_400_000)},
	{sig: "range(end: int) list | range(begin: int, end: int) list", doc: "The whole numbers from begin (0) up to, not including, end.", ex: `range(1, 4)`, flag: pure, call: rangeOf},
	{sig: "list(items...: any) list", doc: "A list of the arguments; a single list is taken as it is.", ex: `list(1, "a")`, flag: pure, call: listOf},
	{sig: "map(pairs...: any) map", doc: "A map of keys and values that take turns; a single list stands for its items.", ex: `map("a", 1, "b", 2)`, flag: pure, call: func(s *Scope, a []any) (any, error) { return mapOf(s, spread(a)) }},
	{sig: "counter(items...: any) map", doc: "How often each item occurs; a single list stands for its items.", ex: `counter("Sam", "Jack", "Sam")`, flag: pure, call: func(s *Scope, a []any) (any, error) { return countItems(s, spread(a)) }},
}

func allOf(s *Scope, a []any) (any, error) { return quantify(s, spread(a), true) }
func anyOf(s *Scope, a []any) (any, error) { return quantify(s, spread(a), false) }

// quantify answers whether all items are true (every) or one of them is.
func quantify(s *Scope, items []any, every bool) (any, error) {
	if err := s.tick(len(items)); err != nil {
		return nil, err
	}
	out := every
	for _, v := range items {
		b, ok := v.(bool)
		if !ok && v != nil {
			return nil, failf("conditions must be true or false, not %s", show(v))
		}
		if b != every {
			out = b
		}
	}
	return out, nil
}

func str(s *Scope, a []any) (any, error) {
	if len(a) == 1 {
		if a[0] == nil {
			return "", nil
		}
		return textArg(s, a[0])
	}
	if a[0] == nil {
		return nil, failf("the format is null")
	}
	format, err := textArg(s, a[0])
	if err != nil {
		return nil, err
	}
	return formatText(s, format, spread(a[1:]))
}

// toInt reads digits without white space around them; everything else as intArg.
func toInt(_ *Scope, a []any) (any, error) { return wholeOf(a[0]) }

func wholeOf(v any) (any, error) {
	if text, ok := v.(string); ok {
		n, ok := parseWhole(text)
		if !ok {
			return nil, failf("%s is not a whole number of 64 bits", show(v))
		}
		return n, nil
	}
	if numberKind(v) == notNumber {
		return nil, failf("%s cannot become a number", show(v))
	}
	n, err := truncInt(v)
	return n, err
}

var plainNumber = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

func doubleOf(v any) (any, error) {
	if text, ok := v.(string); ok {
		if len(text) > MaxDecimalDigits || !plainNumber.MatchString(text) {
			return nil, failf("%s cannot become a float", show(v))
		}
		f, _ := strconv.ParseFloat(text, 64)
		return f, nil
	}
	if numberKind(v) == notNumber {
		return nil, failf("%s cannot become a float", show(v))
	}
	return toFloat(v), nil
}

func boolOf(v any) (any, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case string:
		switch {
		case strings.EqualFold(x, "true"):
			return true, nil
		case strings.EqualFold(x, "false"):
			return false, nil
		}
	}
	return nil, failf("%s is neither true nor false", show(v))
}

func decimalOf(v any) (*Decimal, error) {
	text, ok := v.(string)
	if !ok {
		if numberKind(v) == notNumber {
			return nil, failf("%s cannot become a decimal", show(v))
		}
		return toDec(v)
	}
	if len(text) <= MaxDecimalDigits && text != "" && strings.Trim(text, "0123456789.eE+-") == "" {
		if d, _, err := apd.NewFromString(text); err == nil && checkDec(d) == nil {
			return d, nil
		}
	}
	return nil, failf("%s cannot become a decimal", show(v))
}

var roundings = map[string]apd.Rounder{
	"UP": apd.RoundUp, "DOWN": apd.RoundDown, "CEILING": apd.RoundCeiling, "FLOOR": apd.RoundFloor,
	"HALF_UP": apd.RoundHalfUp, "HALF_DOWN": apd.RoundHalfDown, "HALF_EVEN": apd.RoundHalfEven, "UNNECESSARY": "",
}

func toDecimal(s *Scope, a []any) (any, error) {
	d, err := decimalOf(a[0])
	if err != nil {
		return nil, err
	}
	if err := s.grow(32 + int(d.NumDigits())); err != nil || len(a) == 1 {
		return box(d, err)
	}
	scale, err := intArg(a[1])
	if err != nil {
		return nil, err
	}
	mode, ok := roundings[Text(a[2])]
	if !ok {
		return nil, failf("%s is no rounding; write UP, DOWN, CEILING, FLOOR, HALF_UP, HALF_DOWN, HALF_EVEN or UNNECESSARY", show(a[2]))
	}
	return box(rescale(d, scale, mode))
}

// rescale gives a decimal scale digits behind the point; an empty mode refuses to lose any.
func rescale(d *Decimal, scale int64, mode apd.Rounder) (*Decimal, error) {
	if err := checkDec(d); err != nil {
		return nil, err
	}
	if scale > MaxDecimalDigits || scale < -MaxDecimalDigits {
		return nil, failf("a decimal can have at most %d digits behind the point", MaxDecimalDigits)
	}
	exact := mode == ""
	if exact {
		mode = apd.RoundDown
	}
	ctx := apd.Context{Precision: 4 * MaxDecimalDigits, MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent, Rounding: mode}
	out := new(Decimal)
	cond, err := ctx.Quantize(out, d, int32(-scale))
	if err != nil || exact && cond.Inexact() {
		return nil, failf("%s has more than %d digits behind the point", d.String(), scale)
	}
	return out, nil
}

func isEmpty(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case string:
		return x == ""
	case []any:
		return len(x) == 0
	case map[string]any, map[any]any:
		return mapLen(x) == 0
	}
	return false
}

// javaSpaces are the characters that Java takes for white space.
const javaSpaces = " \t\n\r\f\v\u001c\u001d\u001e\u001f\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000"

func splitChars(s *Scope, a []any) (any, error) {
	if a[0] == nil {
		return []any{}, nil
	}
	text, err := stringParam(s, a[0])
	if err != nil {
		return nil, err
	}
	separators := javaSpaces
	if a[1] != nil {
		if separators, err = stringParam(s, a[1]); err != nil {
			return nil, err
		}
	}
	if err := s.tick(len(text)>>8 + (len(text)>>10)*len(separators)); err != nil {
		return nil, err
	}
	var out []any
	from := -1
	flush := func(to int) error {
		if from < 0 {
			return nil
		}
		out = append(out, text[from:to])
		from = -1
		if len(out) > MaxItems {
			return errItems
		}
		if err := s.tick(1); err != nil {
			return err
		}
		return s.grow(2 * itemBytes)
	}
	for i, r := range text {
		if strings.ContainsRune(separators, r) {
			if err := flush(i); err != nil {
				return nil, err
			}
		} else if from < 0 {
			from = i
		}
	}
	err = flush(len(text))
	if out == nil {
		out = []any{}
	}
	return out, err
}

var durationUnits = map[string]int64{"day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000}

func timestamp(s *Scope, a []any) (any, error) {
	if len(a) == 0 {
		return s.NowMs, nil
	}
	text, ok := a[0].(string)
	if !ok {
		return nil, failf(`a duration such as "2 hours" is needed, not %s`, show(a[0]))
	}
	words := strings.Fields(text[:min(len(text), 200)])
	for len(words) > 2 && words[0] == "in" {
		words = words[1:]
	}
	if len(words) == 2 {
		n, err := strconv.ParseInt(words[0], 10, 64)
		unit, known := durationUnits[strings.TrimSuffix(words[1], "s")]
		if err == nil && n >= 0 && known && words[0][0] != '+' {
			return intArith('*', n, unit)
		}
	}
	return nil, failf(`%s is no duration; write a number and days, hours, minutes or seconds, such as "2 hours"`, show(a[0]))
}

func millis(unit int64) callFunc {
	return func(_ *Scope, a []any) (any, error) {
		n, err := intArg(a[0])
		if err != nil {
			return nil, err
		}
		return intArith('*', n, unit)
	}
}

func rangeOf(s *Scope, a []any) (any, error) {
	begin := int64(0)
	end, err := intArg(a[len(a)-1])
	if err == nil && len(a) == 2 {
		begin, err = intArg(a[0])
	}
	if err != nil {
		return nil, err
	}
	if begin >= end {
		return []any{}, nil
	}
	if begin < math.MinInt64/2 || end > math.MaxInt64/2 || end-begin > MaxItems {
		return nil, errItems
	}
	out, err := s.newList(int(end - begin))
	if err != nil {
		return nil, err
	}
	for i := begin; i < end; i++ {
		out = append(out, i)
	}
	return out, nil
}

func listOf(s *Scope, a []any) (any, error) {
	items := spread(a)
	out, err := s.newList(len(items))
	return append(out, items...), err
}

var randomFunctions = []spec{
	{sig: "random() number", doc: "A random float from 0 up to, not including, 1.", ex: `random() < 0.5`, call: func(s *Scope, _ []any) (any, error) { return s.drawFloat(), nil }},
	{sig: "randInt(bound: int) int | randInt(origin: int, bound: int) int", doc: "A random whole number from origin (0) up to, not including, bound.", ex: `randInt(1, 7)`, call: randInt},
	{sig: "randomBoolean(rate: real) bool", doc: "true with the given probability, from 0 to 1.", ex: `randomBoolean(0.1)`, call: func(s *Scope, a []any) (any, error) {
		rate, err := realArg(a[0])
		return err == nil && s.drawFloat() < rate, err
	}},
}

func randInt(s *Scope, a []any) (any, error) {
	origin := int64(0)
	bound, err := intArg(a[len(a)-1])
	if err == nil && len(a) == 2 {
		origin, err = intArg(a[0])
	}
	switch {
	case err != nil:
		return nil, err
	case bound <= origin && len(a) == 1:
		return nil, failf("the bound must be positive, not %d", bound)
	case bound <= origin:
		return nil, failf("the bound %d must be greater than the origin %d", bound, origin)
	}
	return origin + int64(s.drawBelow(uint64(bound)-uint64(origin))), nil
}

var controlFunctions = []spec{
	{sig: "call(action: any) control", doc: "Go on with the action of this name.", ex: `call("notify")`, flag: pure, call: func(s *Scope, a []any) (any, error) {
		name, err := stringParam(s, a[0])
		return Control{Kind: ControlCall, Target: name}, err
	}},
	{sig: "fail() control", doc: "End the thread as failed.", ex: `fail()`, flag: pure, call: func(*Scope, []any) (any, error) { return Control{Kind: ControlFail}, nil }},
	{sig: "failBecause(reason: any) control", doc: "End the thread as failed, with a reason.", ex: `failBecause("no such user")`, flag: pure, call: func(s *Scope, a []any) (any, error) {
		reason, err := stringParam(s, a[0])
		return Control{Kind: ControlFail, Reason: reason}, err
	}},
	{sig: "retry(times: int) control | retry(times: int, then: text) control | retry(times: int, then: text, delay: int) control", doc: "Run the current action again, at most so many times; after that go on with then, or fail; with a delay in milliseconds, pause before each, twice as long each time.", ex: `retry(3, call("give_up"))`, flag: pure, call: retry},
	{sig: "repair(problem: any) control", doc: "Wait for an operator, who is told the problem.", ex: `repair("no_stock")`, flag: pure, call: func(s *Scope, a []any) (any, error) {
		problem, err := stringParam(s, a[0])
		return Control{Kind: ControlRepair, Reason: problem}, err
	}},
	{sig: "finish() control", doc: "End the thread well.", ex: `finish()`, flag: pure, call: func(*Scope, []any) (any, error) { return Control{Kind: ControlFinish}, nil }},
}

// controlArg takes a Control, or the text of one.
func controlArg(v any) (Control, error) {
	switch c := v.(type) {
	case Control:
		return c, nil
	case string:
		parsed, err := ParseControl(c)
		if err != nil {
			return Control{}, err
		}
		return parsed, nil
	}
	return Control{}, failf("a control such as call(..) is needed, not %s", show(v))
}

func retry(s *Scope, a []any) (any, error) {
	n, err := intArg(a[0])
	if err != nil {
		return nil, err
	}
	c := Control{Kind: ControlRetry, Times: n}
	if len(a) == 1 {
		return c, nil
	}
	then, err := controlArg(a[1])
	if err != nil { // the original joins any text; what it means is found out where a control is needed
		text, err := stringParam(s, a[1])
		return c.String() + " " + text, err
	}
	if then.depth() >= maxRetryDepth {
		return nil, failf("RETRY is nested more than %d deep", maxRetryDepth)
	}
	c.Then = &then
	if len(a) == 3 {
		if c.DelayMs, err = ToMillis(a[2]); err != nil {
			return nil, err
		}
	}
	return c, nil
}
