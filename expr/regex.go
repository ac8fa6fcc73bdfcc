package expr

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// compilePattern compiles a regular expression of the original's dialect with RE2: \uXXXX is translated, what RE2 does not know
// is refused by name (D24), and so is what would be read differently without a word.
func compilePattern(src string) (*pattern, error) {
	if len(src) > MaxRegexBytes {
		return nil, &evalError{say("a regular expression is longer than %d bytes", MaxRegexBytes), true}
	}
	re2, err := translatePattern(src)
	if err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(re2, syntax.Perl)
	if err != nil {
		return nil, failf("the regular expression %s is malformed: %s", quoteShort(src), syntaxText(err))
	}
	cost := patternCost(tree)
	if cost > MaxRegexCost {
		return nil, &evalError{say("a regular expression repeats too much"), true}
	}
	find, err := regexp.Compile(re2)
	if err != nil {
		return nil, failf("the regular expression %s is malformed: %s", quoteShort(src), syntaxText(err))
	}
	full, err := regexp.Compile(`\A(?:` + re2 + `)\z`)
	if err != nil {
		return nil, failf("the regular expression %s is malformed: %s", quoteShort(src), syntaxText(err))
	}
	return &pattern{find: find, full: full, cost: cost}, nil
}

func syntaxText(err error) string {
	var se *syntax.Error
	if errors.As(err, &se) {
		return strings.TrimSuffix(se.Code.String()+": "+se.Expr, ": ")
	}
	return err.Error()
}

// patternCost is about the number of instructions of the compiled pattern; it stops counting once it is too many.
func patternCost(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)/8
	for _, sub := range re.Sub {
		n += patternCost(sub)
		if n > MaxRegexCost {
			return n
		}
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Max, re.Min, 1)
	}
	return n
}

// refusedGroups are the openings of groups that RE2 has no counterpart for.
var refusedGroups = []struct{ open, name string }{
	{"(?=", "look-ahead (?=..)"}, {"(?!", "negative look-ahead (?!..)"}, {"(?<=", "look-behind (?<=..)"},
	{"(?<!", "negative look-behind (?<!..)"}, {"(?>", "an atomic group (?>..)"},
}

func translatePattern(src string) (string, error) {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(src); i++ {
		rest := src[i:]
		switch c := src[i]; {
		case c == '\\' && i+1 < len(src):
			n, out, err := translateEscape(rest, inClass)
			if err != nil {
				return "", err
			}
			b.WriteString(out)
			i += n - 1
			continue
		case inClass:
			if err := checkClass(rest); err != nil {
				return "", err
			}
			if strings.HasPrefix(rest, "[:") {
				if end := strings.Index(rest, ":]"); end > 0 {
					b.WriteString(rest[:end+2])
					i += end + 1
					continue
				}
			}
			inClass = c != ']'
		case c == '[':
			inClass = true
			b.WriteByte(c)
			if strings.HasPrefix(rest, "[^]") || strings.HasPrefix(rest, "[]") {
				return "", refused(say(`an unescaped ] at the start of a class, write \]`))
			}
			continue
		case c == '(':
			for _, g := range refusedGroups {
				if strings.HasPrefix(rest, g.open) {
					return "", refused(say(g.name))
				}
			}
		case c == '+' && possessive(src, i):
			return "", refused(say("a possessive quantifier (%s)", src[i-1:i+1]))
		}
		b.WriteByte(src[i])
	}
	return b.String(), nil
}

// possessive tells whether the + at i follows a quantifier.
func possessive(src string, i int) bool {
	if i == 0 || escaped(src, i-1) {
		return false
	}
	switch src[i-1] {
	case '+', '*', '?':
		return true
	case '}':
		open := strings.LastIndexByte(src[:i], '{')
		return open > 0 && strings.Trim(src[open+1:i-1], "0123456789,") == "" && (open < 2 || src[open-2] != '\\' || strings.IndexByte("pPx", src[open-1]) < 0)
	}
	return false
}

func escaped(src string, i int) bool {
	n := 0
	for j := i - 1; j >= 0 && src[j] == '\\'; j-- {
		n++
	}
	return n%2 == 1
}

func refused(what words) error {
	return failf("regular expressions here are RE2, which has no %s", what)
}

func checkClass(rest string) error {
	switch {
	case strings.HasPrefix(rest, "&&"):
		return refused(say(`class intersection (&&), for two ampersands write \&\&`))
	case rest[0] == '[' && !strings.HasPrefix(rest, "[:"):
		return refused(say(`class inside a class, for the bracket itself write \[`))
	}
	return nil
}

// translateEscape handles the escape at the start of rest; it returns how many bytes it read.
func translateEscape(rest string, inClass bool) (int, string, error) {
	c := rest[1]
	switch {
	case c == 'u' && len(rest) >= 6 && isHex(rest[2:6]):
		return 6, `\x{` + rest[2:6] + "}", nil
	case c >= '1' && c <= '9' && !inClass:
		return 0, "", refused(say(`back reference (\%s)`, string(c)))
	case c == 'k' && !inClass:
		return 0, "", refused(say(`named back reference (\k)`))
	case c == 'Z':
		return 2, `\z`, nil
	case c == 'h':
		if inClass {
			return 2, `\t `, nil
		}
		return 2, `[\t ]`, nil
	case c == 'Q':
		if end := strings.Index(rest[2:], `\E`); end >= 0 {
			return end + 4, regexp.QuoteMeta(rest[2 : 2+end]), nil
		}
		return len(rest), regexp.QuoteMeta(rest[2:]), nil
	case strings.IndexByte("GRX", c) >= 0:
		return 0, "", refused(say(`escape \%s`, string(c)))
	}
	return 2, rest[:2], nil
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if !(s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f' || s[i] >= 'A' && s[i] <= 'F') {
			return false
		}
	}
	return true
}

// javaReplacement turns Java's replacement text ($1, ${name}, \$) into the parts of a template: texts and group numbers.
func javaReplacement(p *regexp.Regexp, text string) ([]any, error) {
	var out []any
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			out = append(out, lit.String())
			lit.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
			if i == len(text) {
				return nil, failf("the replacement ends with a backslash")
			}
			lit.WriteByte(text[i])
		case '$':
			n, used := groupRef(p, text[i+1:])
			if used == 0 {
				return nil, failf(`$ in a replacement needs the number or {name} of a group; for the sign itself write \$`)
			}
			if n > p.NumSubexp() || n < 0 {
				return nil, failf("the regular expression has no group %s", text[i+1:i+1+used])
			}
			flush()
			out = append(out, n)
			i += used
		default:
			lit.WriteByte(text[i])
		}
	}
	flush()
	return out, nil
}

// groupRef reads the group behind a $; used is 0 when there is none. As in Java further digits belong to it while such a group exists.
func groupRef(p *regexp.Regexp, rest string) (n, used int) {
	if strings.HasPrefix(rest, "{") {
		if end := strings.IndexByte(rest, '}'); end > 1 {
			return p.SubexpIndex(rest[1:end]), end + 1
		}
		return 0, 0
	}
	for used < len(rest) && rest[used] >= '0' && rest[used] <= '9' {
		next := n*10 + int(rest[used]-'0')
		if used > 0 && next > p.NumSubexp() {
			break
		}
		n = next
		used++
	}
	return n, used
}
