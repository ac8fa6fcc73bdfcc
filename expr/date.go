package expr

import (
	"strings"
	"time"
)

// DateKind says what a Date knows: a moment, a day, or a time of day.
type DateKind uint8

// The kinds of Date, each as the class of Joda it stands for.
const (
	DateTime  DateKind = iota // a moment, shown in a zone
	LocalDate                 // a day without time and zone
	LocalTime                 // a time of day without day and zone, in milliseconds
)

// String returns the name of the kind's methods in the registry: dateTime, localDate or localTime.
func (k DateKind) String() string { return [...]string{"dateTime", "localDate", "localTime"}[k] }

// Date is a date-time, a date or a time of day, as dateTime(), localDate() and localTime() make them. It is an immutable value of
// millisecond precision in the proleptic Gregorian calendar. Variables never hold one: what is kept is its text (Stored).
type Date struct {
	Kind DateKind
	at   time.Time // DateTime: the moment in its zone; LocalDate: its midnight UTC; LocalTime: on 1970-01-01 UTC
}

// maxYear bounds the years of a Date on both sides of zero.
const maxYear = 290_000_000

// String returns the text of the original: 2020-01-31T10:00:00.000+08:00 (Z for UTC), 2020-01-31 or 10:00:00.000.
func (d Date) String() string {
	switch d.Kind {
	case LocalDate:
		return string(appendYear(nil, d.at.Year(), 4)) + d.at.Format("-01-02")
	case LocalTime:
		return d.at.Format("15:04:05.000")
	}
	return string(appendYear(nil, d.at.Year(), 4)) + d.at.Format("-01-02T15:04:05.000Z07:00")
}

// UnixMilli returns the moment of a DateTime in Unix milliseconds; of the others that of their stand-in in UTC.
func (d Date) UnixMilli() int64 { return d.at.UnixMilli() }

// zone returns the time zone of this evaluation.
func (s *Scope) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}

func (s *Scope) now() time.Time { return time.UnixMilli(s.NowMs).In(s.zone()) }

// moment makes a DateTime of Unix milliseconds.
func (s *Scope) moment(ms int64) (Date, error) {
	return Date{DateTime, time.UnixMilli(ms).In(s.zone())}.bounded()
}

func (d Date) bounded() (Date, error) {
	if y := d.at.Year(); y > maxYear || y < -maxYear {
		return Date{}, failf("the year %d is out of range", y)
	}
	return d, nil
}

// civil is the wall clock of a Date, as if it were UTC.
func (d Date) civil() time.Time {
	_, offset := d.at.Zone()
	return d.at.UTC().Add(time.Duration(offset) * time.Second)
}

// fromCivil gives the Date another wall clock. In an overlap of a DateTime the offset it has is kept where it is possible, else the
// earlier moment is meant; ok is false when the wall clock falls into a gap, and the moment then is as far behind it.
func (d Date) fromCivil(wall time.Time, keep bool) (out Date, ok bool) {
	if d.Kind != DateTime {
		return Date{d.Kind, wall}, true
	}
	zone := d.at.Location()
	try := func(offset int) (time.Time, bool) {
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		_, there := at.Zone()
		return at, there == offset
	}
	if _, offset := d.at.Zone(); keep {
		if at, fits := try(offset); fits {
			return Date{DateTime, at}, true
		}
	}
	_, before := wall.AddDate(0, 0, -1).In(zone).Zone()
	_, after := wall.AddDate(0, 0, 1).In(zone).Zone()
	first, fits := try(before)
	if fits {
		return Date{DateTime, first}, true
	}
	if at, fits := try(after); fits {
		return Date{DateTime, at}, true
	}
	return Date{DateTime, first}, false
}

// compareDates orders two dates of one kind; ok is false for different kinds.
func compareDates(a, b Date) (c int, ok bool) {
	return a.at.Compare(b.at), a.Kind == b.Kind
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func isLeap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// addMonths moves a wall clock by months; a day that the month does not have becomes its last.
func addMonths(t time.Time, n int64) (time.Time, error) {
	total := int64(t.Year())*12 + int64(t.Month()) - 1 + n
	year, month := floorDiv64(total, 12), int(total-floorDiv64(total, 12)*12)+1
	if n > 12*2*maxYear || n < -12*2*maxYear || year > maxYear || year < -maxYear {
		return t, failf("the year %d is out of range", year)
	}
	return withMonth(t, int(year), month), nil
}

// withMonth gives a wall clock another year and month; the day is cut to the last of the month.
func withMonth(t time.Time, year, month int) time.Time {
	day := min(t.Day(), daysIn(year, month))
	return time.Date(year, time.Month(month), day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

func floorDiv64(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// addUnits moves a Date: months and years and days by the wall clock, hours and less by time that passes. A LocalTime wraps.
func (d Date) addUnits(unit string, n int64) (Date, error) {
	var step time.Duration
	wall := d.civil()
	switch unit {
	case "Years":
		if n > 2*maxYear || n < -2*maxYear {
			return Date{}, failf("the year %d is out of range", n)
		}
		n *= 12
		fallthrough
	case "Months":
		moved, err := addMonths(wall, n)
		if err != nil {
			return Date{}, err
		}
		out, _ := d.fromCivil(moved, false)
		return out, nil
	case "Weeks":
		if n > 1<<40 || n < -1<<40 {
			return Date{}, failf("%d weeks are out of range", n)
		}
		n *= 7
		fallthrough
	case "Days":
		if n > 366*maxYear || n < -366*maxYear {
			return Date{}, failf("%d days are out of range", n)
		}
		moved, err := Date{DateTime, addSeconds(wall, n*86_400, 0)}.bounded()
		if err != nil {
			return Date{}, err
		}
		out, _ := d.fromCivil(moved.at, false)
		return out, nil
	case "Hours":
		step = time.Hour
	case "Minutes":
		step = time.Minute
	case "Seconds":
		step = time.Second
	default:
		step = time.Millisecond
	}
	return d.addSteps(n, step)
}

// addSteps adds n times a step of at least a millisecond and at most an hour.
func (d Date) addSteps(n int64, step time.Duration) (Date, error) {
	ms, ok := mulInt(n, step.Milliseconds())
	if !ok {
		return Date{}, failf("%d steps of %s are out of range", n, step.String())
	}
	const day = 86_400_000
	if d.Kind == LocalTime {
		ms = (d.at.UnixMilli() + ms%day + day) % day
		return Date{LocalTime, time.UnixMilli(ms).UTC()}, nil
	}
	return Date{d.Kind, addSeconds(d.at, floorDiv64(ms, 1000), ms-1000*floorDiv64(ms, 1000))}.bounded()
}

// addSeconds moves a time by more than a Duration holds.
func addSeconds(t time.Time, seconds, ms int64) time.Time {
	total := int64(t.Nanosecond())/1_000_000 + ms
	return time.Unix(t.Unix()+seconds+total/1000, total%1000*1_000_000).In(t.Location())
}

// appendYear appends a year with at least so many digits; the sign of a year before 0 is not counted.
func appendYear(dst []byte, year, digits int) []byte {
	if year < 0 {
		dst = append(dst, '-')
		year = -year
	}
	return appendPadded(dst, year, digits)
}

// appendPadded appends a number that is not negative with at least so many digits.
func appendPadded(dst []byte, n, digits int) []byte {
	text := itoa(n)
	if k := digits - len(text); k > 0 {
		dst = append(dst, strings.Repeat("0", k)...)
	}
	return append(dst, text...)
}

// Stored returns v as a variable keeps it: a Date becomes its text, also inside of lists and maps. Everything else stays as it is;
// what holds no Date is not copied.
func Stored(v any) any {
	if !holdsDate(v, 0) {
		return v
	}
	switch x := v.(type) {
	case Date:
		return x.String()
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = Stored(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = Stored(e)
		}
		return out
	case map[any]any:
		out := make(map[any]any, len(x))
		for k, e := range x {
			out[k] = Stored(e)
		}
		return out
	}
	return v
}

func holdsDate(v any, depth int) bool {
	if depth > MaxValueDepth {
		return false
	}
	switch x := v.(type) {
	case Date:
		return true
	case []any:
		for _, e := range x {
			if holdsDate(e, depth+1) {
				return true
			}
		}
	case map[string]any:
		for _, e := range x {
			if holdsDate(e, depth+1) {
				return true
			}
		}
	case map[any]any:
		for _, e := range x {
			if holdsDate(e, depth+1) {
				return true
			}
		}
	}
	return false
}
