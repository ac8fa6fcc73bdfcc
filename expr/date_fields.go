package expr

import (
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// dateField is a part of a date that can be read and replaced: year, hourOfDay and so on, as Joda names them.
type dateField struct {
	name     string
	doc, zh  string // what getX answers
	date     bool   // a DateTime and a LocalDate have it
	time     bool   // a DateTime and a LocalTime have it
	get      func(t time.Time) int
	low      int
	high     func(t time.Time) int // of the values that set takes
	set      func(t time.Time, n int) time.Time
	readOnly bool
}

func upTo(n int) func(time.Time) int { return func(time.Time) int { return n } }

func millisOfDay(t time.Time) int {
	return ((t.Hour()*60+t.Minute())*60+t.Second())*1000 + t.Nanosecond()/1_000_000
}

// clock gives a wall clock another time of day.
func clock(t time.Time, hour, minute, second, ms int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), hour, minute, second, ms*1_000_000, time.UTC)
}

func millisOf(t time.Time) int { return t.Nanosecond() / 1_000_000 }

func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func isoYear(t time.Time) int { y, _ := t.ISOWeek(); return y }

func isoWeek(t time.Time) int { _, w := t.ISOWeek(); return w }

// weeksIn is how many weeks an ISO year has; the 28th of December lies in the last.
func weeksIn(year int) int {
	return isoWeek(time.Date(year, 12, 28, 0, 0, 0, 0, time.UTC))
}

// setYear keeps month and day; the 29th of February becomes the 28th where there is none.
func setYear(t time.Time, year int) time.Time { return withMonth(t, year, int(t.Month())) }

func setWeekyear(t time.Time, year int) time.Time {
	week := min(isoWeek(t), weeksIn(year))
	first := time.Date(year, 1, 4, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC) // always in week 1
	return first.AddDate(0, 0, (week-1)*7+isoWeekday(t)-isoWeekday(first))
}

func absInt(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// yearOfEra is the year without its sign.
func yearOfEra(t time.Time) int { return absInt(t.Year()) }

// centuryOf is the century without its rest: 20 for 2019.
func centuryOf(t time.Time) int { return yearOfEra(t) / 100 }

var dateFields = []*dateField{
	{name: "year", doc: "The year.", zh: "年份。", date: true, get: time.Time.Year, low: -maxYear, high: upTo(maxYear), set: setYear},
	{name: "monthOfYear", doc: "The month, 1 to 12.", zh: "月份，1 到 12。", date: true, get: func(t time.Time) int { return int(t.Month()) }, low: 1, high: upTo(12),
		set: func(t time.Time, n int) time.Time { return withMonth(t, t.Year(), n) }},
	{name: "dayOfMonth", doc: "The day of the month, from 1.", zh: "月中的日，从 1 开始。", date: true, get: time.Time.Day, low: 1,
		high: func(t time.Time) int { return daysIn(t.Year(), int(t.Month())) },
		set:  func(t time.Time, n int) time.Time { return t.AddDate(0, 0, n-t.Day()) }},
	{name: "dayOfYear", doc: "The day of the year, from 1.", zh: "年中的日，从 1 开始。", date: true, get: time.Time.YearDay, low: 1,
		high: func(t time.Time) int { return 365 + boolInt(isLeap(t.Year())) },
		set:  func(t time.Time, n int) time.Time { return t.AddDate(0, 0, n-t.YearDay()) }},
	{name: "dayOfWeek", doc: "The day of the week, 1 (Monday) to 7.", zh: "星期几，1（星期一）到 7。", date: true, get: isoWeekday, low: 1, high: upTo(7),
		set: func(t time.Time, n int) time.Time { return t.AddDate(0, 0, n-isoWeekday(t)) }},
	{name: "weekOfWeekyear", doc: "The week of the ISO year, from 1.", zh: "ISO 年中的周，从 1 开始。", date: true, get: isoWeek, low: 1,
		high: func(t time.Time) int { return weeksIn(isoYear(t)) },
		set:  func(t time.Time, n int) time.Time { return t.AddDate(0, 0, 7*(n-isoWeek(t))) }},
	{name: "weekyear", doc: "The ISO year that the week belongs to.", zh: "该周所属的 ISO 年。", date: true, get: isoYear, low: -maxYear, high: upTo(maxYear), set: setWeekyear},
	{name: "yearOfCentury", doc: "The year within the century, 0 to 99.", zh: "世纪中的年，0 到 99。", date: true, get: func(t time.Time) int { return absInt(t.Year()) % 100 }, readOnly: true},
	{name: "yearOfEra", doc: "The year of the era.", zh: "纪元中的年。", date: true, get: yearOfEra, readOnly: true},
	{name: "centuryOfEra", doc: "The century: 20 for 2019.", zh: "世纪：2019 年为 20。", date: true, get: centuryOf, readOnly: true},
	{name: "era", doc: "1, or 0 before the year 1.", zh: "公元为 1，公元前为 0。", date: true, get: func(t time.Time) int { return boolInt(t.Year() > 0) }, readOnly: true},
	{name: "hourOfDay", doc: "The hour, 0 to 23.", zh: "小时，0 到 23。", time: true, get: time.Time.Hour, high: upTo(23),
		set: func(t time.Time, n int) time.Time { return clock(t, n, t.Minute(), t.Second(), millisOf(t)) }},
	{name: "minuteOfHour", doc: "The minute, 0 to 59.", zh: "分钟，0 到 59。", time: true, get: time.Time.Minute, high: upTo(59),
		set: func(t time.Time, n int) time.Time { return clock(t, t.Hour(), n, t.Second(), millisOf(t)) }},
	{name: "secondOfMinute", doc: "The second, 0 to 59.", zh: "秒，0 到 59。", time: true, get: time.Time.Second, high: upTo(59),
		set: func(t time.Time, n int) time.Time { return clock(t, t.Hour(), t.Minute(), n, millisOf(t)) }},
	{name: "millisOfSecond", doc: "The millisecond, 0 to 999.", zh: "毫秒，0 到 999。", time: true, get: millisOf, high: upTo(999),
		set: func(t time.Time, n int) time.Time { return clock(t, t.Hour(), t.Minute(), t.Second(), n) }},
	{name: "millisOfDay", doc: "The milliseconds since midnight.", zh: "自午夜起的毫秒数。", time: true, get: millisOfDay, high: upTo(86_399_999),
		set: func(t time.Time, n int) time.Time {
			return clock(t, 0, 0, 0, 0).Add(time.Duration(n) * time.Millisecond)
		}},
	{name: "secondOfDay", doc: "The seconds since midnight.", zh: "自午夜起的秒数。", time: true, get: func(t time.Time) int { return millisOfDay(t) / 1000 }, readOnly: true},
	{name: "minuteOfDay", doc: "The minutes since midnight.", zh: "自午夜起的分钟数。", time: true, get: func(t time.Time) int { return millisOfDay(t) / 60_000 }, readOnly: true},
}

var fieldByName = map[string]*dateField{}

func init() {
	for _, f := range dateFields {
		fieldByName[f.name] = f
	}
}

// replace sets the field of a wall clock.
func (f *dateField) replace(t time.Time, n int64) (time.Time, error) {
	if high := f.high(t); n < int64(f.low) || n > int64(high) {
		return t, failf("%s must lie between %d and %d, not %d", f.name, f.low, high, n)
	}
	return f.set(t, int(n)), nil
}

// with sets a field of a Date.
func (f *dateField) with(d Date, n int64) (Date, error) {
	wall, err := f.replace(d.civil(), n)
	if err != nil {
		return Date{}, err
	}
	out, ok := d.fromCivil(wall, true)
	if !ok {
		return Date{}, failf("the clock is put forward there: %s does not exist in %s", wall.Format("2006-01-02 15:04:05"), d.at.Location().String())
	}
	return out, nil
}
