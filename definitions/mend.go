package definitions

import (
	"strings"
)

// MendedPlace is one value that YAML cannot read as it stands, because it holds " ? " before " : " outside quotes, and that is
// read as if it stood in single quotes. Line and columns are those of the unchanged text, columns in runes from 1,
// EndColumn exclusive.
type MendedPlace struct {
	Line      int
	Column    int
	EndColumn int
	Value     string
}

// mendBytes bounds the text that is scanned again and again to find one such value after the other.
const mendBytes = 1 << 20

// Mend puts quotes around the values that Check reads as quoted (WB2001), at most MaxMended of them. It returns the text with
// the quotes, and the places in the text as it was; without any, the text itself. Other faults of the text stay.
func Mend(text []byte) (fixed []byte, places []MendedPlace) {
	if len(text) > MaxTextBytes {
		return text, nil
	}
	body := strings.TrimPrefix(string(text), bom)
	if offset, _, _, _ := checkText(body); offset >= 0 {
		return text, nil
	}
	src := newSource(body)
	r := read(src)
	if len(r.mended) == 0 {
		return text, nil
	}
	head := string(text[:len(text)-len(body)])
	return []byte(head + src.quoted(r.mended)), r.mended
}

const bom = "\ufeff"

// reading is what came of parsing a text, mended where that helped.
type reading struct {
	docs    documents
	mended  []MendedPlace
	problem *Problem // the syntax error that mending could not help
}

// read parses the text of src. Where the parser stops at a value that may be mended, it mends that value and goes on.
func read(src *source) reading {
	docs, err := decode(src.text)
	if err == nil {
		return reading{docs: docs}
	}
	at, found := locate(src.text)
	first, ok := src.mendable(at)
	if !found || !ok {
		p := syntaxProblem(src, src.text, at, found, err)
		return reading{problem: &p}
	}
	if r, ok := readAhead(src, first); ok {
		return r
	}
	return readStepwise(src, first)
}

// readAhead mends every value at once that looks as if the parser would stop there, and then keeps only those that the parser
// really took for quoted values of a block map: the others stood inside block texts. That takes two or three parses where
// the stepwise way takes one for each value; it gives up when anything else is wrong with the text.
func readAhead(src *source, first MendedPlace) (reading, bool) {
	places := []MendedPlace{first}
	for n := first.Line + 1; n <= len(src.lines); n++ {
		if place, ok := src.candidate(n); ok {
			places = append(places, place)
		}
		if len(places) > 4*MaxMended {
			return reading{}, false
		}
	}
	docs, err := decode(src.quoted(places))
	if err != nil || docs.first == nil {
		return reading{}, false
	}
	kept := taken(places, docs.first)
	if len(kept) > MaxMended {
		return reading{}, false
	}
	if len(kept) < len(places) {
		if docs, err = decode(src.quoted(kept)); err != nil {
			return reading{}, false
		}
	}
	return reading{docs: docs, mended: kept}, true
}

// readStepwise mends one value after the other, each in the line where the parser stops, so that the place of another fault is exact.
func readStepwise(src *source, first MendedPlace) reading {
	places := []MendedPlace{first}
	scanned := 0
	for {
		text := src.quoted(places)
		docs, err := decode(text)
		if err == nil {
			return reading{docs: docs, mended: places}
		}
		n := stoppedAtMapping(err)
		next, ok := src.candidate(n)
		if !ok || next.Line <= places[len(places)-1].Line {
			return stopped(src, places, text, err)
		}
		scanned += len(text) / len(src.lines) * n
		if len(places) == MaxMended || scanned > mendBytes {
			p := Problem{Code: "WB1016", Severity: SeverityError, Line: next.Line, Column: next.Column, EndColumn: next.EndColumn}.says(
				say(`more than %d values with " ? " and " : " stand without quotes`, len(places)), quoteHint)
			return reading{mended: places, problem: &p}
		}
		places = append(places, next)
	}
}

// stopped makes the problem of a text that mending the places could not help. A last place behind the stop was not what
// stopped the parser, so it is not mended.
func stopped(src *source, places []MendedPlace, text string, err error) reading {
	at, found := locate(text)
	if last := places[len(places)-1]; found && at.line == last.Line && at.column < last.Column {
		places = places[:len(places)-1]
	}
	p := syntaxProblem(src, text, at, found, err)
	return reading{mended: places, problem: &p}
}

// quoted returns the text with single quotes around the places, which come in the order of the text. No line moves, and on
// their lines no column before the value.
func (s *source) quoted(places []MendedPlace) string {
	var b strings.Builder
	b.Grow(len(s.text) + 8*len(places))
	done := 0
	offset, n := 0, 1
	for _, p := range places {
		for ; n < p.Line; n++ {
			offset += len(s.lines[n-1].text)
			offset += s.breakAt(offset)
		}
		start := offset + s.byteOf(n, p.Column)
		b.WriteString(s.text[done:start])
		b.WriteByte('\'')
		b.WriteString(strings.ReplaceAll(p.Value, "'", "''"))
		b.WriteByte('\'')
		done = start + len(p.Value)
	}
	b.WriteString(s.text[done:])
	return b.String()
}

// breakAt returns the length of the line break at a byte offset.
func (s *source) breakAt(offset int) int {
	if strings.HasPrefix(s.text[offset:], "\r\n") {
		return 2
	}
	return 1
}

// mendable returns the value to mend where the parser stopped at the ":" of its " : ".
func (s *source) mendable(at stop) (MendedPlace, bool) {
	if at.message != stopMapping {
		return MendedPlace{}, false
	}
	place, ok := s.candidate(at.line)
	if !ok || at.column < place.Column || at.column >= place.EndColumn {
		return MendedPlace{}, false
	}
	// The colon that stopped the parser must be the one of the conditional, not one inside a text before it.
	line := s.line(at.line)
	from, colon := s.byteOf(at.line, place.Column), s.byteOf(at.line, at.column)
	return place, strings.Contains(line[from:colon], " ? ") && strings.HasPrefix(line[colon-1:], " : ")
}

// candidate returns the plain value of a line that holds " ? " before its first colon, which is " : ", when the value ends with its line.
func (s *source) candidate(n int) (MendedPlace, bool) {
	text := s.line(n)
	parts, ok := partsOf(text)
	if !ok || parts.value >= len(text) || strings.IndexByte("\"'[]{}|>&*!%@`#,", text[parts.value]) >= 0 {
		return MendedPlace{}, false
	}
	value := text[parts.value:]
	if i := strings.Index(value, " #"); i >= 0 {
		value = value[:i]
	}
	if i := strings.Index(value, "\t#"); i >= 0 {
		value = value[:i]
	}
	value = strings.TrimRight(value, " \t")
	question, colon := strings.Index(value, " ? "), colonIn(value)
	if question < 0 || colon < question || colon < 1 || value[colon-1] != ' ' || s.goesOn(n, parts.key) {
		return MendedPlace{}, false
	}
	column := 1 + len([]rune(text[:parts.value]))
	return MendedPlace{Line: n, Column: column, EndColumn: column + len([]rune(value)), Value: value}, true
}

// colonIn returns the offset of the first ":" that YAML takes for an indicator, -1 if there is none.
func colonIn(text string) int {
	for i := 0; i < len(text); i++ {
		if text[i] == ':' && (i+1 == len(text) || text[i+1] == ' ' || text[i+1] == '\t') {
			return i
		}
	}
	return -1
}

// goesOn reports whether the plain value of line n would go on in the lines below, which are indented deeper than its key.
func (s *source) goesOn(n, key int) bool {
	for n++; n <= len(s.lines); n++ {
		text := s.lines[n-1].text
		rest := strings.TrimLeft(text, " \t")
		if rest == "" {
			continue
		}
		return rest[0] != '#' && indentOf(text) > key
	}
	return false
}

// lineParts are byte offsets in one line "  - key: value".
type lineParts struct{ key, colon, value int }

// partsOf finds key and value in a line of a block map. It returns false for lines of another form.
func partsOf(text string) (lineParts, bool) {
	i := skipBlanks(text, 0)
	for i+1 < len(text) && (text[i] == '-' || text[i] == '?') && (text[i+1] == ' ' || text[i+1] == '\t') {
		i = skipBlanks(text, i+1)
	}
	if i >= len(text) {
		return lineParts{}, false
	}
	p := lineParts{key: i}
	switch text[i] {
	case '#', '[', '{', '|', '>', '&', '*', '!', '%', '@', '`':
		return lineParts{}, false
	case '"', '\'':
		end := closingQuote(text, i)
		if end < 0 {
			return lineParts{}, false
		}
		p.colon = skipBlanks(text, end+1)
		if colonIn(text[p.colon:]) != 0 {
			return lineParts{}, false
		}
	default:
		c := colonIn(text[i:])
		if c < 0 || strings.Contains(text[i:i+c], " #") {
			return lineParts{}, false
		}
		p.colon = i + c
	}
	p.value = skipBlanks(text, p.colon+1)
	return p, true
}

func skipBlanks(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	return i
}

// closingQuote returns where the quote that opens at i is closed in the same line, -1 if it is not.
func closingQuote(text string, i int) int {
	q := text[i]
	for j := i + 1; j < len(text); j++ {
		switch {
		case text[j] == '\\' && q == '"':
			j++
		case text[j] == q && q == '\'' && j+1 < len(text) && text[j+1] == q:
			j++
		case text[j] == q:
			return j
		}
	}
	return -1
}
