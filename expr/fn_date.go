package expr

// dateFunctions make dates, and read the turn's time. They look at the Scope (its time and its zone), so none is computed at post time.
var dateFunctions = []spec{
	{sig: "dateTime() dateTime | dateTime(at: any) dateTime | dateTime(text: string, pattern: datePattern) dateTime", doc: "The turn's time, the moment of Unix milliseconds, or of a text; without a pattern the text has the form yyyy-MM-dd HH:mm:ss. The zone is the node's setting tz.", ex: `dateTime("2020-01-31 10:00:00").plusDays(1).toString("yyyy-MM-dd")`, call: dateTimeOf, check: checkDateText(DateTime)},
	{sig: "localDate() localDate | localDate(text: string) localDate | localDate(text: string, pattern: datePattern) localDate", doc: "Today, or the day of a text; without a pattern the text has the form yyyy-MM-dd.", ex: `localDate("2020-02-29").plusYears(1).toString()`, call: localDateOf, check: checkDateText(LocalDate)},
	{sig: "localTime() localTime | localTime(text: string) localTime | localTime(text: string, pattern: datePattern) localTime", doc: "The time of day now, or of a text; without a pattern the text has the form HH:mm:ss.SSS, of which the end may be missing.", ex: `localTime("09:30").plusHours(20).toString("HH:mm")`, call: localTimeOf, check: checkDateText(LocalTime)},
	{sig: "year() int", doc: "The year of the turn's time.", ex: `year() >= 2020`, call: nowField("year")},
	{sig: "month() int", doc: "The month of the turn's time, 1 to 12.", ex: `month() between {1, 12}`, call: nowField("monthOfYear")},
	{sig: "day() int", doc: "The day of the month of the turn's time.", ex: `day() <= 31`, call: nowField("dayOfMonth")},
	{sig: "hour() int", doc: "The hour of the turn's time, 0 to 23.", ex: `hour() < 24`, call: nowField("hourOfDay")},
	{sig: "minute() int", doc: "The minute of the turn's time.", ex: `minute() < 60`, call: nowField("minuteOfHour")},
	{sig: "second() int", doc: "The second of the turn's time.", ex: `second() < 60`, call: nowField("secondOfMinute")},
	{sig: "isLocalTimeInScope(time: any, scope: list) bool", doc: "Whether a time of day lies between the two of the list, both excluded. A scope whose end is not behind its begin spans midnight.", ex: `isLocalTimeInScope("23:30", {"22:00", "02:00"})`, flag: pure, call: isLocalTimeInScope},
}

func nowField(name string) callFunc {
	return func(s *Scope, _ []any) (any, error) {
		return int64(fieldByName[name].get(Date{at: s.now()}.civil())), nil
	}
}

// boxDate keeps an error from becoming a value.
func boxDate(d Date, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

func dateTimeOf(s *Scope, a []any) (any, error) {
	if len(a) == 0 {
		return boxDate(s.moment(s.NowMs))
	}
	if numberKind(a[0]) != notNumber {
		if len(a) == 2 {
			return nil, failf("a text is needed, not %s", show(a[0]))
		}
		ms, err := truncInt(a[0])
		if err != nil {
			return nil, err
		}
		return boxDate(s.moment(ms))
	}
	return s.readDate(DateTime, a)
}

func localDateOf(s *Scope, a []any) (any, error) {
	if len(a) == 0 {
		return Date{LocalDate, clock(Date{at: s.now()}.civil(), 0, 0, 0, 0)}, nil
	}
	return s.readDate(LocalDate, a)
}

func localTimeOf(s *Scope, a []any) (any, error) {
	switch len(a) {
	case 0:
		return s.dateOf(LocalTime, Date{at: s.now()}.civil(), nil)
	case 1:
		text, err := stringArg(a[0])
		if err != nil {
			return nil, err
		}
		return boxDate(parseLocalTime(text))
	}
	return s.readDate(LocalTime, a)
}

// readDate reads (text) or (text, pattern).
func (s *Scope) readDate(kind DateKind, a []any) (any, error) {
	text, err := stringArg(a[0])
	if err != nil {
		return nil, err
	}
	pattern := any(defaultFormats[kind])
	if len(a) == 2 {
		pattern = a[1]
	}
	parts, err := patternParts(s, pattern)
	if err != nil {
		return nil, err
	}
	if err := s.tick(len(parts)); err != nil {
		return nil, err
	}
	return boxDate(s.parseDate(kind, text, parts))
}

// checkDateText looks at post time at a constant text: it must fit the pattern, whatever the zone.
func checkDateText(kind DateKind) func(a []any) error {
	return func(a []any) error {
		if len(a) == 0 || numberKind(a[0]) != notNumber {
			return nil
		}
		s := &Scope{}
		s.begin()
		var err error
		if kind == LocalTime && len(a) == 1 {
			_, err = localTimeOf(s, a)
		} else {
			_, err = s.readDate(kind, a)
		}
		return err
	}
}

func isLocalTimeInScope(s *Scope, a []any) (any, error) {
	bounds, err := listArg(a[1])
	if err != nil {
		return nil, err
	}
	if len(bounds) < 2 {
		return nil, failf("the scope needs two times, {begin, end}")
	}
	var at [3]Date
	for i, v := range []any{a[0], bounds[0], bounds[1]} {
		if d, ok := v.(Date); ok && d.Kind == LocalTime {
			at[i] = d
			continue
		}
		text, err := stringArg(v)
		if err != nil {
			return nil, err
		}
		if at[i], err = parseLocalTime(text); err != nil {
			return nil, err
		}
	}
	after, before := at[0].at.After(at[1].at), at[0].at.Before(at[2].at)
	if at[1].at.After(at[2].at) {
		return after || before, nil
	}
	return after && before, nil
}
