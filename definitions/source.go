package definitions

import (
	"strings"
	"unicode/utf8"
)

// source is the text of a definition cut into lines, the way YAML counts them: "\n", "\r\n" and "\r" end a line.
type source struct {
	text  string
	lines []line
}

// line is one line of a source without its break. Long lines with wide runes keep marks, so that finding a column stays cheap
// however many values share the line.
type line struct {
	text  string
	ascii bool
	marks []int32 // byte offset of rune 0, markEvery, 2*markEvery, …; nil until asked for
}

const markEvery = 64

func newSource(text string) *source {
	s := &source{text: text}
	start := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\n':
			s.add(text[start:i])
			start = i + 1
		case '\r':
			s.add(text[start:i])
			if i+1 < len(text) && text[i+1] == '\n' {
				i++
			}
			start = i + 1
		}
	}
	s.add(text[start:])
	return s
}

func (s *source) add(text string) {
	ascii := true
	for i := 0; i < len(text); i++ {
		if text[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	s.lines = append(s.lines, line{text: text, ascii: ascii})
}

// line returns the text of a line, counted from 1; "" beyond the end.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1].text
}

// byteOf returns the byte offset of a column (from 1) in its line, at most the length of the line.
func (s *source) byteOf(n, column int) int {
	if n < 1 || n > len(s.lines) || column < 1 {
		return 0
	}
	l := &s.lines[n-1]
	if l.ascii {
		return min(column-1, len(l.text))
	}
	if l.marks == nil {
		l.mark()
	}
	m := min((column-1)/markEvery, len(l.marks)-1)
	at := int(l.marks[m])
	for i := m * markEvery; i < column-1 && at < len(l.text); i++ {
		_, size := utf8.DecodeRuneInString(l.text[at:])
		at += size
	}
	return at
}

func (l *line) mark() {
	n := 0
	for at := range l.text {
		if n%markEvery == 0 {
			l.marks = append(l.marks, int32(at))
		}
		n++
	}
	if l.marks == nil {
		l.marks = []int32{0}
	}
}

// width returns the number of runes in a line.
func (s *source) width(n int) int {
	if n < 1 || n > len(s.lines) {
		return 0
	}
	l := &s.lines[n-1]
	if l.ascii {
		return len(l.text)
	}
	if l.marks == nil {
		l.mark()
	}
	last := len(l.marks) - 1
	return last*markEvery + utf8.RuneCountInString(l.text[l.marks[last]:])
}

// clamp moves a place into the text: a line that exists, a column of at most one past its end.
func (s *source) clamp(n, column int) (int, int) {
	if n < 1 {
		return 1, 1
	}
	if n > len(s.lines) {
		n = len(s.lines)
		return n, s.width(n) + 1
	}
	return n, max(1, min(column, s.width(n)+1))
}

// placeOf returns the line and column of a byte offset.
func (s *source) placeOf(offset int) (int, int) {
	before := newSource(s.text[:offset])
	n := len(before.lines)
	return n, before.width(n) + 1
}

// indentOf returns the number of spaces a line begins with.
func indentOf(text string) int { return len(text) - len(strings.TrimLeft(text, " ")) }

// checkText finds what no YAML may hold: bytes that are no UTF-8 and runes that are invisible or count as line breaks in YAML
// but not in editors, which would make every later line number a lie. It returns the byte offset of the first, or -1.
func checkText(text string) (offset int, code string, message, hint words) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			hint := say("save the file as UTF-8")
			if i < 2 && (strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff")) {
				hint = say("this looks like UTF-16: save the file as UTF-8")
			}
			return i, "WB1004", say("this byte (0x%s) is not UTF-8", hexDigits(rune(text[i]), 2)), hint
		}
		if forbidden(r) {
			return i, "WB1005", say("the character U+%s may not stand in a definition", hexDigits(r, 4)),
				say(`delete it; where it is meant, write "\u%s" in double quotes`, hexDigits(r, 4))
		}
		i += size
	}
	return -1, "", words{}, words{}
}

func forbidden(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return true
	case r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
		return true
	}
	return false
}

func hexDigits(r rune, digits int) string {
	const all = "0123456789ABCDEF"
	out := ""
	for r > 0 || len(out) < digits {
		out = string(all[r&15]) + out
		r >>= 4
	}
	return out
}

// quote shows a text of the author in a message: in quotes, on one line, cut after 60 runes.
func quote(text string) string {
	n := 0
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		if n == 60 {
			b.WriteString("…")
			break
		}
		if r == '\n' || r == '\r' || r == '\t' {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	b.WriteByte('"')
	return b.String()
}
