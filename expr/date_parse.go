package expr

import (
	"slices"
	"strings"
	"time"
)

// dateReader reads a text by a pattern. What it reads are values of fields; compute makes a wall clock of them.
type dateReader struct {
	text   string
	pos    int
	values []readField
	offset int // seconds east of UTC, when hasOffset
	hasOff bool
	thisYr int // the year it is, for years of two digits
}

// readField is a field that was read, and its place in the order in which fields are set: the larger ones first.
type readField struct {
	name  string
	rank  int
	value int
}

// fieldRanks order the fields as the original sets them.
var fieldRanks = map[string]int{
	"era": 0, "centuryOfEra": 1, "year": 2, "yearOfEra": 2, "weekyear": 3, "monthOfYear": 4, "dayOfYear": 5, "weekOfWeekyear": 6, "dayOfMonth": 7, "dayOfWeek": 8,
	"halfdayOfDay": 9, "hourOfDay": 10, "clockhourOfDay": 10, "hourOfHalfday": 11, "clockhourOfHalfday": 11, "minuteOfHour": 12, "secondOfMinute": 13, "fractionOfSecond": 14,
}

func (r *dateReader) malformed() error {
	switch {
	case r.text == "":
		return failf("an empty text is no date")
	case r.pos >= len(r.text):
		return failf("%s is too short for the pattern", quoteShort(r.text))
	}
	return failf("%s does not fit the pattern at %s", quoteShort(r.text), quoteShort(r.text[r.pos:]))
}

func (r *dateReader) put(name string, value int) {
	r.values = append(r.values, readField{name, fieldRanks[name], value})
}

// parseDate reads a whole text by a pattern into a Date of the kind.
func (s *Scope) parseDate(kind DateKind, text string, parts []datePart) (Date, error) {
	if len(text) > 4*maxPatternBytes {
		return Date{}, failf("a date has at most %d bytes", 4*maxPatternBytes)
	}
	r := &dateReader{text: text, thisYr: s.now().Year()}
	for i, p := range parts {
		if err := r.part(p, i+1 < len(parts) && parts[i+1].numeric()); err != nil {
			return Date{}, err
		}
	}
	if r.pos < len(r.text) {
		return Date{}, r.malformed()
	}
	wall, err := r.compute()
	if err != nil {
		return Date{}, err
	}
	return s.dateOf(kind, wall, r)
}

// dateOf makes a Date of the kind of a wall clock that was read.
func (s *Scope) dateOf(kind DateKind, wall time.Time, r *dateReader) (Date, error) {
	switch kind {
	case LocalDate:
		return Date{LocalDate, clock(wall, 0, 0, 0, 0)}.bounded()
	case LocalTime:
		return Date{LocalTime, time.UnixMilli(int64(millisOfDay(wall))).UTC()}, nil
	}
	if r.hasOff {
		return Date{DateTime, wall.Add(-time.Duration(r.offset) * time.Second).In(s.zone())}.bounded()
	}
	out, ok := Date{DateTime, wall.In(s.zone())}.fromCivil(wall, false)
	if !ok {
		return Date{}, failf("the clock is put forward there: %s does not exist in %s", wall.Format("2006-01-02 15:04:05"), s.zone().String())
	}
	return out.bounded()
}

// part reads one part; next tells whether a number follows directly.
func (r *dateReader) part(p datePart, next bool) error {
	switch p.letter {
	case 0:
		rest := r.text[r.pos:]
		if len(rest) < len(p.text) || !strings.EqualFold(rest[:len(p.text)], p.text) {
			return r.malformed()
		}
		r.pos += len(p.text)
		return nil
	case 'y', 'Y', 'x':
		return r.year(p, next)
	case 'E':
		return r.name("dayOfWeek", dayNames[:], 1)
	case 'a':
		return r.name("halfdayOfDay", []string{"AM", "PM"}, 0)
	case 'G':
		return r.name("era", []string{"BC", "AD"}, 0)
	case 'M':
		if p.count > 2 {
			return r.name("monthOfYear", monthNames[:], 1)
		}
	case 'S':
		return r.fraction(p.count, time.Second)
	case 'Z':
		return r.zoneOffset(p.count)
	case 'z':
		return failf("the name of a zone cannot be read; use Z for its offset")
	}
	most := 2
	switch p.letter {
	case 'D':
		most = 3
	case 'e':
		most = 1
	case 'C':
		most = p.count
	}
	n, _, err := r.number(most, false)
	if err == nil {
		r.put(dateLetters[p.letter], n)
	}
	return err
}

// number reads at most so many digits, with a sign where one is allowed; digits is how many there were.
func (r *dateReader) number(most int, signed bool) (n, digits int, err error) {
	i, neg := r.pos, false
	if signed && i+1 < len(r.text) && (r.text[i] == '-' || r.text[i] == '+') && isDigit(r.text[i+1]) {
		neg = r.text[i] == '-'
		i++
	}
	for i < len(r.text) && digits < most && isDigit(r.text[i]) {
		n = n*10 + int(r.text[i]-'0')
		digits++
		i++
	}
	if digits == 0 {
		return 0, 0, r.malformed()
	}
	r.pos = i
	if neg {
		n = -n
	}
	return n, digits, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// year reads a year. Two letters mean two digits, in the hundred years around 20 years ago; other counts of digits are the year itself
// where no number follows.
func (r *dateReader) year(p datePart, next bool) error {
	field := dateLetters[p.letter]
	begin, most := r.pos, 9
	if next {
		most = p.count
	}
	signed := p.letter != 'Y' && (p.count != 2 || !next)
	n, digits, err := r.number(most, signed)
	if err != nil {
		return err
	}
	if p.count == 2 && digits == 2 && r.pos-begin == 2 {
		low := r.thisYr - 80 // the pivot lies 30 years back, the hundred years around it begin 50 before
		n += low - low%100
		if n < low {
			n += 100
		}
	} else if p.count == 2 && next {
		r.pos = begin
		return r.malformed()
	}
	r.put(field, n)
	return nil
}

// name reads one of the names, long or of three letters, in any case; the longest that fits counts.
func (r *dateReader) name(field string, names []string, base int) error {
	rest := r.text[r.pos:]
	best, at := 0, 0
	for i, name := range names {
		for _, form := range []string{name, name[:min(3, len(name))]} {
			if len(form) > best && len(rest) >= len(form) && strings.EqualFold(rest[:len(form)], form) {
				best, at = len(form), i
			}
		}
	}
	if best == 0 {
		return r.malformed()
	}
	r.pos += best
	r.put(field, at+base)
	return nil
}

// fraction reads at most so many digits behind the point of a unit.
func (r *dateReader) fraction(most int, unit time.Duration) error {
	begin, value, step := r.pos, time.Duration(0), unit
	for r.pos < len(r.text) && r.pos-begin < most && isDigit(r.text[r.pos]) {
		step /= 10
		value += time.Duration(r.text[r.pos]-'0') * step
		r.pos++
	}
	if r.pos == begin {
		return r.malformed()
	}
	r.put("fractionOfSecond", int(value/time.Millisecond))
	return nil
}

// zoneOffset reads Z, +0800 or +08:00; with three letters UTC too.
func (r *dateReader) zoneOffset(count int) error {
	rest := r.text[r.pos:]
	r.hasOff, r.offset = true, 0
	if count > 2 && strings.HasPrefix(rest, "UTC") {
		r.pos += 3
		return nil
	}
	if count == 1 && len(rest) > 0 && (rest[0] == 'Z' || rest[0] == 'z') {
		r.pos++
		return nil
	}
	if len(rest) < 3 || rest[0] != '+' && rest[0] != '-' {
		return r.malformed()
	}
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if len(rest) < len(layout) {
			continue
		}
		if at, err := time.Parse(layout, rest[:len(layout)]); err == nil {
			_, r.offset = at.Zone()
			r.pos += len(layout)
			return nil
		}
	}
	return r.malformed()
}

// compute sets the fields that were read, larger ones first, on 1970-01-01; without a year before month and day it is 2000.
func (r *dateReader) compute() (time.Time, error) {
	slices.SortStableFunc(r.values, func(a, b readField) int { return a.rank - b.rank })
	t := time.Unix(0, 0).UTC()
	if len(r.values) > 0 && r.values[0].rank >= fieldRanks["monthOfYear"] && r.values[0].rank <= fieldRanks["dayOfWeek"] {
		t = setYear(t, 2000)
	}
	for pass := range 2 { // a field may move what a larger one has set; the second pass sets that again
		for _, f := range r.values {
			var err error
			if t, err = setRead(t, f, pass == 0); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

// setRead sets one field; first tells that smaller fields begin at their lowest.
func setRead(t time.Time, f readField, first bool) (time.Time, error) {
	n, name := f.value, f.name
	within := func(low, high int) error {
		if n < low || n > high {
			return failf("%s must lie between %d and %d, not %d", name, low, high, n)
		}
		return nil
	}
	hour := func(h int) time.Time { return clock(t, h, t.Minute(), t.Second(), millisOf(t)) }
	switch name {
	case "era":
		if n == 0 && t.Year() > 0 || n == 1 && t.Year() < 0 {
			return setYear(t, -t.Year()), nil
		}
		return t, nil
	case "centuryOfEra":
		return setYear(t, n*100+absInt(t.Year())%100), nil
	case "yearOfEra", "year":
		if first {
			t = setYear(t, n)
			return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC), nil
		}
		return setYear(t, n), nil
	case "weekyear":
		if first {
			t = setWeekyear(t, n)
			return t.AddDate(0, 0, 1-isoWeekday(t)-7*(isoWeek(t)-1)), nil
		}
		return setWeekyear(t, n), nil
	case "monthOfYear":
		if first && n >= 1 && n <= 12 {
			return time.Date(t.Year(), time.Month(n), 1, 0, 0, 0, 0, time.UTC), nil
		}
	case "halfdayOfDay":
		return hour(t.Hour()%12 + 12*n), nil
	case "hourOfHalfday":
		return hour(t.Hour()/12*12 + n%12), within(0, 11)
	case "clockhourOfHalfday":
		return hour(t.Hour()/12*12 + n%12), within(1, 12)
	case "clockhourOfDay":
		return hour(n % 24), within(1, 24)
	case "fractionOfSecond":
		return clock(t, t.Hour(), t.Minute(), t.Second(), 0).Add(time.Duration(n) * time.Millisecond), nil
	}
	return fieldByName[name].replace(t, int64(n))
}

// parseLocalTime reads the ISO form of a time of day: 9, 09:30, 09:30:15, 09:30:15.123; a fraction may follow each part.
func parseLocalTime(text string) (Date, error) {
	r := &dateReader{text: text[:min(len(text), maxPatternBytes)]}
	if strings.HasPrefix(r.text, "T") {
		r.pos++
	}
	t := time.Unix(0, 0).UTC()
	for i, name := range []string{"hourOfDay", "minuteOfHour", "secondOfMinute"} {
		if i > 0 {
			if r.pos >= len(r.text) || r.text[r.pos] != ':' {
				break
			}
			r.pos++
		}
		n, _, err := r.number(2, false)
		if err == nil {
			t, err = fieldByName[name].replace(t, int64(n))
		}
		if err != nil {
			return Date{}, err
		}
		if r.pos+1 < len(r.text) && (r.text[r.pos] == '.' || r.text[r.pos] == ',') && isDigit(r.text[r.pos+1]) {
			r.pos++
			if err := r.fraction(9, []time.Duration{time.Hour, time.Minute, time.Second}[i]); err != nil {
				return Date{}, err
			}
			t = t.Add(time.Duration(r.values[0].value) * time.Millisecond)
			break
		}
	}
	if r.pos < len(text) {
		return Date{}, r.malformed()
	}
	return Date{LocalTime, t}, nil
}
