package expr

import (
	"strings"
	"unicode/utf8"
)

// Positions and lengths of text count characters (Unicode code points), not UTF-16 units (D25).

var stringMethods = []spec{
	{sig: "string.length() int", doc: "The number of characters.", ex: `"abc".length()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) { return runeCount(s, t) })},
	{sig: "string.isEmpty() bool", doc: "Whether the text has no character.", ex: `"".isEmpty()`, flag: isMethod, call: textMethod(func(_ *Scope, t string, _ []any) (any, error) { return t == "", nil })},
	{sig: "string.toUpperCase() text", doc: "The text in upper case.", ex: `"abc".toUpperCase()`, flag: isMethod, call: textMethod(made(upperText))},
	{sig: "string.toLowerCase() text", doc: "The text in lower case.", ex: `"ABC".toLowerCase()`, flag: isMethod, call: textMethod(made(lowerText))},
	{sig: "string.trim() text", doc: "The text without white space around it.", ex: `" a ".trim()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) {
		return strings.TrimFunc(t, func(r rune) bool { return r <= ' ' }), s.scan(len(t))
	})},
	{sig: "string.toString() text", doc: "The text itself.", ex: `"abc".toString()`, flag: isMethod, call: textMethod(func(_ *Scope, t string, _ []any) (any, error) { return t, nil })},
	{sig: "string.substring(begin: int) text | string.substring(begin: int, end: int) text", doc: "The characters from begin up to, not including, end.", ex: `"abc".substring(1)`, flag: isMethod, call: textMethod(substring)},
	{sig: "string.charAt(index: int) text", doc: "The character at the index, as a text.", ex: `"abc".charAt(0)`, flag: isMethod, call: textMethod(func(s *Scope, t string, a []any) (any, error) {
		i, err := intArg(a[0])
		if err != nil {
			return nil, err
		}
		if err := s.scan(len(t)); err != nil {
			return nil, err
		}
		return runeAt(t, i)
	})},
	{sig: "string.indexOf(text: text) int | string.indexOf(text: text, from: int) int", doc: "Where the other text is found first, from an index on, -1 when it is not.", ex: `"abcb".indexOf("b", 2)`, flag: isMethod, call: textMethod(indexOfText)},
	{sig: "string.lastIndexOf(text: text) int | string.lastIndexOf(text: text, from: int) int", doc: "Where the other text is found last, at an index or before it, -1 when it is not.", ex: `"abcb".lastIndexOf("b")`, flag: isMethod, call: textMethod(lastIndexOfText)},
	{sig: "string.contains(text: string) bool", doc: "Whether the other text is found.", ex: `"abc".contains("b")`, flag: isMethod, call: textMethod(func(s *Scope, t string, a []any) (any, error) {
		part, err := stringArg(a[0])
		if err != nil {
			return nil, err
		}
		return strings.Contains(t, part), s.scan(len(t))
	})},
	{sig: "string.startsWith(text: text) bool | string.startsWith(text: text, from: int) bool", doc: "Whether the text begins with the other, at an index.", ex: `"abc".startsWith("a")`, flag: isMethod, call: textMethod(startsWith)},
	{sig: "string.endsWith(text: text) bool", doc: "Whether the text ends with the other.", ex: `"abc".endsWith("c")`, flag: isMethod, call: textMethod(tester(strings.HasSuffix))},
	{sig: "string.equals(other: any) bool", doc: "Whether the other value is the same text.", ex: `"abc".equals("abc")`, flag: isMethod, call: equalsMethod},
	{sig: "string.equalsIgnoreCase(other: any) bool", doc: "Whether the other text is the same but for case.", ex: `"ABC".equalsIgnoreCase("abc")`, flag: isMethod, call: textMethod(func(s *Scope, t string, a []any) (any, error) {
		other, ok := a[0].(string)
		return ok && strings.EqualFold(t, other), s.scan(len(t))
	})},
	{sig: "string.compareTo(other: string) int", doc: "Below 0, 0 or above 0: the order of both texts, by the first characters that differ, else by their lengths.", ex: `"a".compareTo("c")`, flag: isMethod, call: textMethod(comparer(false))},
	{sig: "string.compareToIgnoreCase(other: string) int", doc: "As compareTo, without regard to case.", ex: `"a".compareToIgnoreCase("B")`, flag: isMethod, call: textMethod(comparer(true))},
	{sig: "string.concat(other: text) text", doc: "Both texts in one.", ex: `"a".concat("b")`, flag: isMethod, call: func(s *Scope, a []any) (any, error) { return concat(s, "null", a[0], a[1]) }},
	{sig: "string.replace(old: text, new: text) text", doc: "The text with every occurrence of old replaced.", ex: `"abc".replace("a", "x")`, flag: isMethod, call: textMethod(replaceText)},
	{sig: "string.replaceAll(pattern: regex, replacement: text) text", doc: "The text with every match of the pattern replaced.", ex: `"abc".replaceAll("[ab]", "x")`, flag: isMethod, call: replaceMethod(-1)},
	{sig: "string.replaceFirst(pattern: regex, replacement: text) text", doc: "The text with the first match of the pattern replaced.", ex: `"abc".replaceFirst("[ab]", "x")`, flag: isMethod, call: replaceMethod(1)},
	{sig: "string.matches(pattern: regex) bool", doc: "Whether the pattern matches the whole text.", ex: `"abc".matches("a.*")`, flag: isMethod, call: matches},
	{sig: "string.split(pattern: regex) list | string.split(pattern: regex, limit: int) list", doc: "The pieces between the matches of the pattern; empty pieces at the end are left out. A limit above 0 is the most pieces; below 0 empty pieces are kept.", ex: `"a,b,c".split(",", 2)`, flag: isMethod, call: splitMethod},
	{sig: "string.repeat(times: int) text", doc: "The text so many times.", ex: `"ab".repeat(2)`, flag: isMethod, call: func(s *Scope, a []any) (any, error) {
		n, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		return multiply(s, Text(a[0]), n)
	}},
}

// textMethod gives a method its receiver as a Go string.
func textMethod(f func(s *Scope, t string, a []any) (any, error)) callFunc {
	return func(s *Scope, a []any) (any, error) { return f(s, Text(a[0]), a[1:]) }
}

func made(f func(string) string) func(s *Scope, t string, _ []any) (any, error) {
	return func(s *Scope, t string, _ []any) (any, error) {
		if err := s.tick(len(t) >> 8); err != nil {
			return nil, err
		}
		if err := s.grow(len(t)); err != nil {
			return nil, err
		}
		return f(t), nil
	}
}

func stringArg(v any) (string, error) {
	if !isText(v) {
		return "", failf("a text is needed, not %s", show(v))
	}
	return Text(v), nil
}

// tester and finder take a second text; null is refused.
func tester(f func(t, part string) bool) func(s *Scope, t string, a []any) (any, error) {
	return func(s *Scope, t string, a []any) (any, error) {
		part, err := partArg(s, a[0])
		if err != nil {
			return nil, err
		}
		return f(t, part), s.scan(min(len(t), len(part)))
	}
}

func partArg(s *Scope, v any) (string, error) {
	if v == nil {
		return "", failf("a text is needed, not null")
	}
	return textArg(s, v)
}

func runeCount(s *Scope, t string) (any, error) {
	return int64(utf8.RuneCountInString(t)), s.scan(len(t))
}

func runeSize(t string) int {
	if t == "" {
		return 1
	}
	_, n := utf8.DecodeRuneInString(t)
	return n
}

// runeOffset returns the byte where character i begins; i may be the length. ok is false beyond it.
func runeOffset(t string, i int64) (int, bool) {
	if i < 0 || i > int64(len(t)) {
		return 0, false
	}
	for at := range t {
		if i == 0 {
			return at, true
		}
		i--
	}
	return len(t), i == 0
}

func runeAt(t string, i int64) (any, error) {
	at, ok := runeOffset(t, i)
	if !ok || at == len(t) {
		return nil, failf("the text has %s, there is no index %d", plural(utf8.RuneCountInString(t), "character"), i)
	}
	return t[at : at+runeSize(t[at:])], nil
}

func substring(s *Scope, t string, a []any) (any, error) {
	if err := s.scan(2 * len(t)); err != nil {
		return nil, err
	}
	begin, err := intArg(a[0])
	if err != nil {
		return nil, err
	}
	from, ok := runeOffset(t, begin)
	to := len(t)
	end := begin
	if ok && len(a) == 2 {
		if end, err = intArg(a[1]); err != nil {
			return nil, err
		}
		to, ok = runeOffset(t, end)
	}
	if !ok || from > to {
		return nil, failf("the text has %s, there is no part from %d to %d", plural(utf8.RuneCountInString(t), "character"), begin, end)
	}
	return t[from:to], nil
}

func replaceText(s *Scope, t string, a []any) (any, error) {
	old, err := partArg(s, a[0])
	if err != nil {
		return nil, err
	}
	with, err := partArg(s, a[1])
	if err != nil {
		return nil, err
	}
	if err := s.tick(len(t) >> 7); err != nil {
		return nil, err
	}
	n := strings.Count(t, old)
	if err := s.tick(n >> 4); err != nil {
		return nil, err
	}
	if size := int64(len(t)) + int64(n)*int64(len(with)-len(old)); size > s.bytes {
		s.bytes = 0
		return nil, errBytes
	} else if err := s.grow(int(size)); err != nil {
		return nil, err
	}
	return strings.ReplaceAll(t, old, with), nil
}

func replaceMethod(most int) callFunc {
	return func(s *Scope, a []any) (any, error) {
		p, err := patternArg(s, a[1])
		if err != nil {
			return nil, err
		}
		with, err := partArg(s, a[2])
		if err != nil {
			return nil, err
		}
		text := Text(a[0])
		if err := p.charge(s, len(text)); err != nil {
			return nil, err
		}
		return replacePattern(s, p, text, with, most)
	}
}

func equalsMethod(s *Scope, a []any) (any, error) { return equalDeep(s, a[0], a[1], 0) }
