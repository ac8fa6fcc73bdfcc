package expr

import (
	"strings"
	"time"
)

// datePart is one part of a date pattern: a run of one letter, or literal text.
type datePart struct {
	letter byte // 0: text
	count  int
	text   string
}

// dateLetters are the letters of a pattern that are carried, with what they stand for. They are Joda's, but for long zone names.
var dateLetters = map[byte]string{
	'G': "era", 'C': "centuryOfEra", 'Y': "yearOfEra", 'x': "weekyear", 'w': "weekOfWeekyear", 'e': "dayOfWeek", 'E': "dayOfWeek", 'y': "year",
	'D': "dayOfYear", 'M': "monthOfYear", 'd': "dayOfMonth", 'a': "halfdayOfDay", 'K': "hourOfHalfday", 'h': "clockhourOfHalfday", 'H': "hourOfDay",
	'k': "clockhourOfDay", 'm': "minuteOfHour", 's': "secondOfMinute", 'S': "fractionOfSecond", 'z': "zone", 'Z': "offset",
}

// maxPatternBytes bounds a date pattern, and how often one of its letters may be repeated.
const maxPatternBytes = 200

// datePattern reads a pattern such as yyyy-MM-dd HH:mm:ss. Text stands in quotes '..'; a doubled quote is one quote.
func datePattern(pattern string) ([]datePart, error) {
	if pattern == "" {
		return nil, failf("a date pattern cannot be empty")
	}
	if len(pattern) > maxPatternBytes {
		return nil, failf("a date pattern has at most %d bytes", maxPatternBytes)
	}
	var parts []datePart
	for i := 0; i < len(pattern); {
		if c := pattern[i]; isASCIILetter(c) {
			n := i
			for n < len(pattern) && pattern[n] == c {
				n++
			}
			if dateLetters[c] == "" || c == 'z' && n-i > 3 {
				return nil, failf("%s is no part of a date pattern; text stands in single quotes", quoteShort(pattern[i:n]))
			}
			parts = append(parts, datePart{letter: c, count: n - i})
			i = n
			continue
		}
		text, n := patternText(pattern[i:])
		if text != "" {
			parts = append(parts, datePart{text: text})
		}
		i += n
	}
	return parts, nil
}

func isASCIILetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// patternText reads literal text up to the next letter outside of quotes; n is how many bytes it took. A quote that is not closed
// reaches to the end, as in the original.
func patternText(p string) (text string, n int) {
	var b strings.Builder
	quoted := false
	for n < len(p) {
		switch c := p[n]; {
		case c == '\'' && n+1 < len(p) && p[n+1] == '\'':
			b.WriteByte('\'')
			n++
		case c == '\'':
			quoted = !quoted
		case !quoted && isASCIILetter(c):
			return b.String(), n
		default:
			b.WriteByte(c)
		}
		n++
	}
	return b.String(), n
}

// numeric tells whether the part is read as digits, so that a number before it cannot take more than its own.
func (p datePart) numeric() bool {
	return p.letter != 0 && (strings.IndexByte("CxyYdhHmsSeDwkK", p.letter) >= 0 || p.letter == 'M' && p.count <= 2)
}

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// known tells whether a kind of Date has what the letter shows.
func (p datePart) known(kind DateKind) bool {
	switch {
	case p.letter == 0 || kind == DateTime:
		return true
	case strings.IndexByte("aKhHkmsS", p.letter) >= 0:
		return kind == LocalTime
	}
	return kind == LocalDate
}

// formatDate prints a Date by a pattern. What the Date does not know prints as U+FFFD, once for each digit, as in the original.
func formatDate(d Date, parts []datePart) string {
	var dst []byte
	wall := d.civil()
	for _, p := range parts {
		switch {
		case p.letter == 0:
			dst = append(dst, p.text...)
		case p.letter == 'z' || p.letter == 'Z':
			if d.Kind == DateTime {
				dst = appendZone(dst, d.at, p)
			}
		case !p.known(d.Kind):
			n := p.count
			if p.letter == 'E' || p.letter == 'a' || p.letter == 'G' || p.letter == 'M' && n > 2 {
				n = 1
			}
			dst = append(dst, strings.Repeat("\ufffd", n)...)
		default:
			dst = appendField(dst, wall, p)
		}
	}
	return string(dst)
}

func appendZone(dst []byte, at time.Time, p datePart) []byte {
	switch {
	case p.letter == 'z':
		return append(dst, at.Format("MST")...)
	case p.count == 1:
		return append(dst, at.Format("-0700")...)
	case p.count == 2:
		return append(dst, at.Format("-07:00")...)
	}
	return append(dst, at.Location().String()...)
}

func appendField(dst []byte, t time.Time, p datePart) []byte {
	switch p.letter {
	case 'y', 'Y', 'x':
		n := fieldByName[dateLetters[p.letter]].get(t)
		if p.count == 2 {
			return appendPadded(dst, absInt(n)%100, 2)
		}
		return appendYear(dst, n, p.count)
	case 'M':
		if p.count > 2 {
			return appendName(dst, monthNames[t.Month()-1], p.count)
		}
	case 'E':
		return appendName(dst, dayNames[isoWeekday(t)-1], p.count)
	case 'G':
		return append(dst, [...]string{"BC", "AD"}[boolInt(t.Year() > 0)]...)
	case 'a':
		return append(dst, [...]string{"AM", "PM"}[t.Hour()/12]...)
	case 'K':
		return appendPadded(dst, t.Hour()%12, p.count)
	case 'h':
		return appendPadded(dst, (t.Hour()+11)%12+1, p.count)
	case 'k':
		return appendPadded(dst, (t.Hour()+23)%24+1, p.count)
	case 'S':
		text := string(appendPadded(nil, millisOf(t), 3))
		return append(dst, (text + strings.Repeat("0", max(0, p.count-3)))[:p.count]...)
	}
	return appendPadded(dst, fieldByName[dateLetters[p.letter]].get(t), p.count)
}

func appendName(dst []byte, name string, count int) []byte {
	if count < 4 {
		name = name[:3]
	}
	return append(dst, name...)
}

// dateFormat is a constant pattern, read at post time.
type dateFormat struct{ parts []datePart }

// patternParts takes a constant pattern or the text of one.
func patternParts(s *Scope, v any) ([]datePart, error) {
	switch x := v.(type) {
	case *dateFormat:
		return x.parts, nil
	case string:
		if err := s.tick(1 + len(x)>>3); err != nil {
			return nil, err
		}
		return datePattern(x)
	}
	return nil, failf("a date pattern is needed, not %s", show(v))
}

// defaultFormats are the patterns of dateTime(text) and localDate(text).
var defaultFormats = map[DateKind]*dateFormat{DateTime: mustFormat("yyyy-MM-dd HH:mm:ss"), LocalDate: mustFormat("yyyy-MM-dd")}

func mustFormat(pattern string) *dateFormat {
	parts, err := datePattern(pattern)
	if err != nil {
		panic(err)
	}
	return &dateFormat{parts}
}
