package expr

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// moreStringMethods are those of Java's String that are rarer.
var moreStringMethods = []spec{
	{sig: "string.isBlank() bool", doc: "Whether the text has white space only.", zh: "文本是否只含空白。", ex: `" ".isBlank()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) {
		return strings.Trim(t, javaSpaces) == "", s.scan(len(t))
	})},
	{sig: "string.strip() text", doc: "The text without white space around it.", zh: "去掉两端空白的文本。", ex: `" a ".strip()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) {
		return strings.Trim(t, javaSpaces), s.scan(len(t))
	})},
	{sig: "string.stripLeading() text", doc: "The text without white space at its beginning.", zh: "去掉开头空白的文本。", ex: `" a ".stripLeading()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) {
		return strings.TrimLeft(t, javaSpaces), s.scan(len(t))
	})},
	{sig: "string.stripTrailing() text", doc: "The text without white space at its end.", zh: "去掉结尾空白的文本。", ex: `" a ".stripTrailing()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) {
		return strings.TrimRight(t, javaSpaces), s.scan(len(t))
	})},
	{sig: "string.subSequence(begin: int, end: int) text", doc: "The same as substring.", zh: "与 substring 相同。", ex: `"abc".subSequence(0, 2)`, flag: isMethod, call: textMethod(substring)},
	{sig: "string.codePointAt(index: int) int", doc: "The number of the character at the index.", zh: "下标处字符的码位。", ex: `"abc".codePointAt(0)`, flag: isMethod, call: textMethod(func(s *Scope, t string, a []any) (any, error) {
		i, err := intArg(a[0])
		if err != nil {
			return nil, err
		}
		c, err := runeAt(t, i)
		if err != nil {
			return nil, err
		}
		r, _ := utf8.DecodeRuneInString(c.(string))
		return int64(r), s.scan(len(t))
	})},
	{sig: "string.contentEquals(other: string) bool", doc: "Whether the other text is the same.", zh: "另一个文本是否相同。", ex: `"abc".contentEquals("abc")`, flag: isMethod, call: equalsMethod},
	{sig: "string.intern() text", doc: "The text itself.", zh: "文本本身。", ex: `"abc".intern()`, flag: isMethod, call: textMethod(func(_ *Scope, t string, _ []any) (any, error) { return t, nil })},
	{sig: "string.toCharArray() list", doc: "The characters, each as a text.", zh: "各个字符组成的列表。", ex: `"abc".toCharArray()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) {
		out, err := s.newList(utf8.RuneCountInString(t))
		for i := 0; err == nil && i < len(t); i += runeSize(t[i:]) {
			out = append(out, t[i:i+runeSize(t[i:])])
		}
		return out, err
	})},
	{sig: "string.hashCode() int", doc: "The hash of the text, as Java computes it.", zh: "文本的散列值，与 Java 一致。", ex: `"abc".hashCode()`, flag: isMethod, call: textMethod(func(s *Scope, t string, _ []any) (any, error) {
		var h int32
		for _, u := range utf16.Encode([]rune(t)) {
			h = 31*h + int32(u)
		}
		return int64(h), s.tick(len(t) >> 4)
	})},
}

// needle is the text that is looked for: a number is a character, as in Java.
func needle(s *Scope, v any) (string, error) {
	if n, ok := v.(int64); ok && n >= 0 && n <= utf8.MaxRune {
		return string(rune(n)), nil
	}
	return partArg(s, v)
}

func indexOfText(s *Scope, t string, a []any) (any, error) {
	part, err := needle(s, a[0])
	if err != nil {
		return nil, err
	}
	if err := s.scan(2 * len(t)); err != nil {
		return nil, err
	}
	from := 0
	if len(a) == 2 {
		n, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		at, ok := runeOffset(t, max(n, 0))
		if !ok {
			at = len(t)
		}
		from = at
	}
	i := strings.Index(t[from:], part)
	if i < 0 {
		return int64(-1), nil
	}
	return int64(utf8.RuneCountInString(t[:from+i])), nil
}

func lastIndexOfText(s *Scope, t string, a []any) (any, error) {
	part, err := needle(s, a[0])
	if err != nil {
		return nil, err
	}
	if err := s.scan(2 * len(t)); err != nil {
		return nil, err
	}
	end := len(t)
	if len(a) == 2 {
		n, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		if n < 0 {
			return int64(-1), nil
		}
		if at, ok := runeOffset(t, n); ok {
			end = min(at+len(part), len(t))
		}
	}
	i := strings.LastIndex(t[:end], part)
	if i < 0 {
		return int64(-1), nil
	}
	return int64(utf8.RuneCountInString(t[:i])), nil
}

func startsWith(s *Scope, t string, a []any) (any, error) {
	part, err := partArg(s, a[0])
	if err != nil {
		return nil, err
	}
	if len(a) == 2 {
		n, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		at, ok := runeOffset(t, n)
		if !ok {
			return false, nil
		}
		t = t[at:]
	}
	return strings.HasPrefix(t, part), s.scan(min(len(t), len(part)))
}

// comparer is Java's compareTo: the difference of the first UTF-16 units that differ, else that of the lengths in characters.
func comparer(fold bool) func(s *Scope, t string, a []any) (any, error) {
	return func(s *Scope, t string, a []any) (any, error) {
		other, err := stringArg(a[0])
		if err != nil {
			return nil, err
		}
		if err := s.scan(4 * (len(t) + len(other))); err != nil {
			return nil, err
		}
		x, y := t, other
		for x != "" && y != "" {
			r, n := utf8.DecodeRuneInString(x)
			q, m := utf8.DecodeRuneInString(y)
			x, y = x[n:], y[m:]
			if fold {
				r, q = unicode.ToLower(unicode.ToUpper(r)), unicode.ToLower(unicode.ToUpper(q))
			}
			if r == q {
				continue
			}
			u, v := utf16.AppendRune(nil, r), utf16.AppendRune(nil, q)
			if u[0] != v[0] || len(u) == 1 {
				return int64(u[0]) - int64(v[0]), nil
			}
			return int64(u[1]) - int64(v[1]), nil
		}
		return int64(utf8.RuneCountInString(t) - utf8.RuneCountInString(other)), nil
	}
}

// upperMany are the characters whose upper case has more than one.
var upperMany = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ǰ", "J̌", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL", "ﬅ", "ST", "ﬆ", "ST", "և", "ԵՒ")

func upperText(t string) string { return upperMany.Replace(strings.ToUpper(t)) }

// lowerText writes a capital sigma at the end of a word as the final one, and keeps the dot of İ, as Java does.
func lowerText(t string) string {
	if !strings.ContainsAny(t, "Σİ") {
		return strings.ToLower(t)
	}
	runes := []rune(t)
	var b strings.Builder
	for i, r := range runes {
		switch {
		case r == 'İ':
			b.WriteString("i̇")
		case r == 'Σ' && i > 0 && unicode.IsLetter(runes[i-1]) && (i+1 == len(runes) || !unicode.IsLetter(runes[i+1])):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// splitMethod is Java's String.split: an empty match at the start gives no piece, and empty pieces at the end are dropped unless a
// limit is given.
func splitMethod(s *Scope, a []any) (any, error) {
	p, err := patternArg(s, a[1])
	if err != nil {
		return nil, err
	}
	limit := int64(0)
	if len(a) == 3 {
		if limit, err = intArg(a[2]); err != nil {
			return nil, err
		}
	}
	text := Text(a[0])
	if err := p.charge(s, 2*len(text)); err != nil {
		return nil, err
	}
	found, err := findAll(s, p, text, -1)
	if err != nil {
		return nil, err
	}
	out, err := s.newList(len(found) + 1)
	if err != nil {
		return nil, err
	}
	last := 0
	for _, m := range found {
		if limit > 0 && int64(len(out)) == limit-1 {
			break
		}
		if m[1] == 0 || m[0] == m[1] && m[0] == len(text) {
			continue
		}
		out = append(out, text[last:m[0]])
		last = m[1]
	}
	if len(out) == 0 && last == 0 {
		return append(out, text), nil
	}
	out = append(out, text[last:])
	for limit == 0 && len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out, nil
}
