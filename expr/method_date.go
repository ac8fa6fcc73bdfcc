package expr

import (
	"strings"
	"time"
)

// dateMethods are the methods of dateTime, localDate and localTime, made of the tables of fields and units.
func dateMethods() []spec {
	var out []spec
	for _, kind := range []DateKind{DateTime, LocalDate, LocalTime} {
		out = append(out, fieldMethods(kind)...)
		out = append(out, unitMethods(kind)...)
		out = append(out, compareMethods(kind)...)
		out = append(out, spec{sig: kind.String() + ".toString() text | " + kind.String() + ".toString(pattern: datePattern) text", flag: isMethod,
			doc: "The text of the date in ISO form, or by a pattern.", zh: "日期的 ISO 文本，或按格式的文本。", ex: dateExample(kind) + `.toString("` + map[DateKind]string{DateTime: "yyyy/MM/dd HH:mm", LocalDate: "d MMM yyyy", LocalTime: "HH:mm"}[kind] + `")`, call: dateText})
	}
	return append(append(out, momentMethods...), partMethods...)
}

func dateExample(kind DateKind) string {
	return [...]string{`dateTime("2020-01-31 10:00:00")`, `localDate("2020-01-31")`, `localTime("10:00")`}[kind]
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (f *dateField) of(kind DateKind) bool {
	return kind == DateTime || kind == LocalDate && f.date || kind == LocalTime && f.time && f.name != "secondOfDay" && f.name != "minuteOfDay"
}

// exampleValues are values that withX takes in the examples.
var exampleValues = map[string]string{"year": "2021", "weekyear": "2021", "dayOfYear": "60", "millisOfDay": "1000"}

func fieldMethods(kind DateKind) []spec {
	var out []spec
	for _, f := range dateFields {
		if !f.of(kind) {
			continue
		}
		get, with := kind.String()+".get"+upperFirst(f.name), kind.String()+".with"+upperFirst(f.name)
		out = append(out, spec{sig: get + "() int", doc: f.doc, zh: f.zh, ex: dateExample(kind) + ".get" + upperFirst(f.name) + "()", flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
			return int64(f.get(a[0].(Date).civil())), nil
		}})
		if f.readOnly {
			continue
		}
		value := exampleValues[f.name]
		if value == "" {
			value = "5"
		}
		out = append(out, spec{sig: with + "(value: int) " + kind.String(), doc: "The date with another " + f.name + ".", zh: "把 " + f.name + " 换成给定值的日期。", ex: dateExample(kind) + ".with" + upperFirst(f.name) + "(" + value + ").toString()", flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
			n, err := intArg(a[1])
			if err != nil {
				return nil, err
			}
			return boxDate(f.with(a[0].(Date), n))
		}})
	}
	return out
}

// dateUnits are the units of plusX and minusX, the largest first; the first four are those of a day.
var dateUnits = []string{"Years", "Months", "Weeks", "Days", "Hours", "Minutes", "Seconds", "Millis"}

var unitsZh = map[string]string{"Years": "年", "Months": "月", "Weeks": "周", "Days": "天", "Hours": "小时", "Minutes": "分钟", "Seconds": "秒", "Millis": "毫秒"}

func unitMethods(kind DateKind) []spec {
	var out []spec
	for i, unit := range dateUnits {
		if kind == LocalDate && i > 3 || kind == LocalTime && i < 4 {
			continue
		}
		word := map[string]string{"Millis": "milliseconds"}[unit]
		if word == "" {
			word = strings.ToLower(unit)
		}
		for _, sign := range []struct {
			name, doc, zh string
			n             int64
		}{{"plus", "later", "加上", 1}, {"minus", "earlier", "减去", -1}} {
			name := kind.String() + "." + sign.name + unit
			out = append(out, spec{sig: name + "(n: int) " + kind.String(), doc: "The date so many " + word + " " + sign.doc + ".", zh: sign.zh + "若干" + unitsZh[unit] + "后的日期。", ex: dateExample(kind) + "." + sign.name + unit + "(1).toString()", flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
				n, err := intArg(a[1])
				if err != nil {
					return nil, err
				}
				n, ok := mulInt(n, sign.n)
				if !ok {
					return nil, failf("%d is out of range", n)
				}
				return boxDate(a[0].(Date).addUnits(unit, n))
			}})
		}
	}
	return out
}

func compareMethods(kind DateKind) []spec {
	k, ex := kind.String(), dateExample(kind)
	test := func(name, doc, zh string, holds func(c int) bool) spec {
		return spec{sig: k + "." + name + "(other: any) bool", doc: doc, zh: zh, ex: ex + "." + name + "(" + ex + ")", flag: isMethod, call: func(s *Scope, a []any) (any, error) {
			c, err := s.compareTo(a[0].(Date), a[1])
			return err == nil && holds(c), err
		}}
	}
	return []spec{
		test("isBefore", "Whether the date is earlier than the other.", "日期是否早于另一日期。", func(c int) bool { return c < 0 }),
		test("isAfter", "Whether the date is later than the other.", "日期是否晚于另一日期。", func(c int) bool { return c > 0 }),
		test("isEqual", "Whether both dates are the same.", "两个日期是否相同。", func(c int) bool { return c == 0 }),
		{sig: k + ".compareTo(other: any) int", doc: "-1, 0 or 1: the order of both dates.", zh: "-1、0 或 1：两个日期的先后。", ex: ex + ".compareTo(" + ex + ")", flag: isMethod, call: func(s *Scope, a []any) (any, error) {
			c, err := s.compareTo(a[0].(Date), a[1])
			return int64(c), err
		}},
		{sig: k + ".equals(other: any) bool", doc: "Whether the other value is the same date.", zh: "另一个值是否为同一日期。", ex: ex + ".equals(" + ex + ")", flag: isMethod, call: equalsMethod},
	}
}

// compareTo orders a Date and another value: a Date of its kind, for a DateTime also Unix milliseconds or null, which is now.
func (s *Scope) compareTo(d Date, other any) (int, error) {
	if d.Kind == DateTime {
		switch x := other.(type) {
		case nil:
			return d.at.Compare(s.now()), nil
		case int64:
			return compare(d.at.UnixMilli(), x), nil
		}
	}
	o, ok := other.(Date)
	if !ok || o.Kind != d.Kind {
		return 0, failf("a %s is needed, not %s", d.Kind.String(), show(other))
	}
	c, _ := compareDates(d, o)
	return c, nil
}

func dateText(s *Scope, a []any) (any, error) {
	d := a[0].(Date)
	if len(a) == 1 || a[1] == nil {
		return d.String(), s.grow(32)
	}
	parts, err := patternParts(s, a[1])
	if err != nil {
		return nil, err
	}
	if err := s.tick(len(parts)); err != nil {
		return nil, err
	}
	text := formatDate(d, parts)
	return text, s.grow(len(text))
}

// momentMethods are what only a DateTime has.
var momentMethods = []spec{
	{sig: "dateTime.getMillis() int", doc: "The moment in Unix milliseconds.", zh: "以毫秒计的 Unix 时间。", ex: `dateTime("2020-01-01 00:00:00").getMillis()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return a[0].(Date).at.UnixMilli(), nil }},
	{sig: "dateTime.withMillis(ms: int) dateTime", doc: "The moment of Unix milliseconds, in the same zone.", zh: "同一时区里给定 Unix 毫秒的时刻。", ex: `dateTime().withMillis(0).toString()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		ms, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		return boxDate(Date{DateTime, time.UnixMilli(ms).In(a[0].(Date).at.Location())}.bounded())
	}},
	{sig: "dateTime.plus(ms: int) dateTime", doc: "The date so many milliseconds later.", zh: "加上若干毫秒后的日期。", ex: `dateTime("2020-01-31 10:00:00").plus(days(1)).toString()`, flag: isMethod, call: plusMillis(1)},
	{sig: "dateTime.minus(ms: int) dateTime", doc: "The date so many milliseconds earlier.", zh: "减去若干毫秒后的日期。", ex: `dateTime("2020-01-31 10:00:00").minus(hours(2)).toString()`, flag: isMethod, call: plusMillis(-1)},
	{sig: "dateTime.isBeforeNow() bool", doc: "Whether the moment is earlier than the turn's time.", zh: "时刻是否早于当前时间。", ex: `dateTime("2020-01-01 00:00:00").isBeforeNow()`, flag: isMethod, call: againstNow(func(c int) bool { return c < 0 })},
	{sig: "dateTime.isAfterNow() bool", doc: "Whether the moment is later than the turn's time.", zh: "时刻是否晚于当前时间。", ex: `dateTime().plusDays(1).isAfterNow()`, flag: isMethod, call: againstNow(func(c int) bool { return c > 0 })},
	{sig: "dateTime.isEqualNow() bool", doc: "Whether the moment is the turn's time.", zh: "时刻是否就是当前时间。", ex: `dateTime().isEqualNow()`, flag: isMethod, call: againstNow(func(c int) bool { return c == 0 })},
}

func plusMillis(sign int64) callFunc {
	return func(_ *Scope, a []any) (any, error) {
		n, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		n, ok := mulInt(n, sign)
		if !ok {
			return nil, failf("%d is out of range", n)
		}
		return boxDate(a[0].(Date).addSteps(n, time.Millisecond))
	}
}

func againstNow(holds func(c int) bool) callFunc {
	return func(s *Scope, a []any) (any, error) {
		c, err := s.compareTo(a[0].(Date), nil)
		return holds(c), err
	}
}

// partMethods take a date apart and put it together.
var partMethods = []spec{
	{sig: "dateTime.withTimeAtStartOfDay() dateTime", doc: "The first moment of the day.", zh: "当天的第一个时刻。", ex: `dateTime("2020-01-31 10:00:00").withTimeAtStartOfDay().toString()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		d := a[0].(Date)
		out, _ := d.fromCivil(clock(d.civil(), 0, 0, 0, 0), false)
		return out, nil
	}},
	{sig: "dateTime.withDate(year: int, month: int, day: int) dateTime | dateTime.withDate(date: localDate) dateTime", doc: "The same time on another day.", zh: "另一天的同一时间。", ex: `dateTime("2020-01-31 10:00:00").withDate(2021, 5, 6).toString()`, flag: isMethod, call: withDate},
	{sig: "dateTime.withTime(hour: int, minute: int, second: int, ms: int) dateTime | dateTime.withTime(time: localTime) dateTime", doc: "Another time on the same day.", zh: "同一天的另一时间。", ex: `dateTime("2020-01-31 10:00:00").withTime(9, 30, 0, 0).toString()`, flag: isMethod, call: withTime},
	{sig: "dateTime.toLocalDate() localDate", doc: "The day.", zh: "日期部分。", ex: `dateTime("2020-01-31 10:00:00").toLocalDate().toString()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		return Date{LocalDate, clock(a[0].(Date).civil(), 0, 0, 0, 0)}, nil
	}},
	{sig: "dateTime.toLocalTime() localTime", doc: "The time of day.", zh: "时间部分。", ex: `dateTime("2020-01-31 10:00:00").toLocalTime().toString()`, flag: isMethod, call: func(s *Scope, a []any) (any, error) {
		return s.dateOf(LocalTime, a[0].(Date).civil(), nil)
	}},
	{sig: "dateTime.toDateTime() dateTime", doc: "The date itself.", zh: "日期本身。", ex: `dateTime("2020-01-31 10:00:00").toDateTime().toString()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return a[0], nil }},
	{sig: "localDate.toDateTimeAtStartOfDay() dateTime", doc: "The first moment of the day.", zh: "当天的第一个时刻。", ex: `localDate("2020-01-31").toDateTimeAtStartOfDay().getMillis()`, flag: isMethod, call: func(s *Scope, a []any) (any, error) {
		out, _ := Date{DateTime, s.now()}.fromCivil(a[0].(Date).at, false)
		return out, nil
	}},
	{sig: "localDate.toDateTime(time: localTime) dateTime", doc: "The time of day on this day.", zh: "这一天的给定时间。", ex: `localDate("2020-01-31").toDateTime(localTime("09:30")).toString()`, flag: isMethod, call: func(s *Scope, a []any) (any, error) {
		t, ok := a[1].(Date)
		if !ok || t.Kind != LocalTime {
			return nil, failf("a localTime is needed, not %s", show(a[1]))
		}
		return s.onDay(a[0].(Date), t)
	}},
	{sig: "localTime.toDateTimeToday() dateTime", doc: "The time of day today.", zh: "今天的这一时间。", ex: `localTime("09:30").toDateTimeToday().getHourOfDay()`, flag: isMethod, call: func(s *Scope, a []any) (any, error) {
		return s.onDay(Date{LocalDate, clock(Date{at: s.now()}.civil(), 0, 0, 0, 0)}, a[0].(Date))
	}},
}

func (s *Scope) onDay(day, t Date) (any, error) {
	return boxDate(s.dateOf(DateTime, day.at.Add(time.Duration(millisOfDay(t.at))*time.Millisecond), &dateReader{}))
}

// moved gives a DateTime another wall clock; one that does not exist is an error.
func (d Date) moved(wall time.Time) (any, error) {
	out, ok := d.fromCivil(wall, true)
	if !ok {
		return nil, failf("the clock is put forward there: %s does not exist in %s", wall.Format("2006-01-02 15:04:05"), d.at.Location().String())
	}
	return boxDate(out.bounded())
}

func withDate(_ *Scope, a []any) (any, error) {
	d := a[0].(Date)
	wall := d.civil()
	if len(a) == 2 {
		day, ok := a[1].(Date)
		if !ok || day.Kind != LocalDate {
			return nil, failf("a localDate is needed, not %s", show(a[1]))
		}
		return d.moved(day.at.Add(time.Duration(millisOfDay(wall)) * time.Millisecond))
	}
	wall = wall.AddDate(0, 0, 1-wall.Day()) // every month has a first day
	wall, err := setFields(wall, a[1:], "year", "monthOfYear", "dayOfMonth")
	if err != nil {
		return nil, err
	}
	return d.moved(wall)
}

func withTime(_ *Scope, a []any) (any, error) {
	d := a[0].(Date)
	wall := d.civil()
	if len(a) == 2 {
		t, ok := a[1].(Date)
		if !ok || t.Kind != LocalTime {
			return nil, failf("a localTime is needed, not %s", show(a[1]))
		}
		return d.moved(clock(wall, 0, 0, 0, 0).Add(time.Duration(millisOfDay(t.at)) * time.Millisecond))
	}
	wall, err := setFields(wall, a[1:], "hourOfDay", "minuteOfHour", "secondOfMinute", "millisOfSecond")
	if err != nil {
		return nil, err
	}
	return d.moved(wall)
}

func setFields(wall time.Time, values []any, names ...string) (time.Time, error) {
	for i, name := range names {
		n, err := intArg(values[i])
		if err == nil {
			wall, err = fieldByName[name].replace(wall, n)
		}
		if err != nil {
			return wall, err
		}
	}
	return wall, nil
}
