package expr

import "testing"

// FuzzCompileAndRun: whatever the text, compiling and running stay within the budget, problems and errors lie inside of the text,
// and two runs from the same seed agree.
func FuzzCompileAndRun(f *testing.F) {
	for _, c := range twoConditions {
		f.Add(c.src, uint8(ContextAction))
	}
	for _, fn := range Functions() {
		f.Add(fn.Example, uint8(fn.Contexts[0]))
	}
	for _, src := range []string{`a${1}b${"}"}`, `{1,{a:2}}.![#this?.a ?: 1]`, `when(true).then(1).get()`, `NOT (1 == 2)`, `-9223372036854775808`, `“（且`, `"x" * 3 + 1.5f`,
		`eventAttr("m").?[value > 1].$[key != "a"]`, `1e400 - 1e400 == null`, `str("%5$-3s", 1)`, `"aXb" matches "(?i)[a-z]+"`} {
		f.Add(src, uint8(ContextAction))
	}
	f.Fuzz(func(t *testing.T, src string, c uint8) {
		ctx := Context(c % 4)
		p, probs := Compile(src, ctx)
		checkProblems(t, src, p, probs)
		if p == nil {
			return
		}
		s, _ := vectorScope("action")
		s.Result = &Result{Data: obj{"x": int64(1)}}
		checkRun(t, p, s)
		s.Reseed(s.Seed)
		v1, err1 := p.Eval(s)
		s.Reseed(s.Seed)
		v2, err2 := p.Eval(s)
		if (err1 == nil) != (err2 == nil) || err1 == nil && Text(v1) != Text(v2) {
			t.Errorf("%q: expected two runs to agree, got %s, %v and %s, %v", src, Text(v1), err1, Text(v2), err2)
		}
	})
}

// FuzzDates: whatever the pattern, the text and the moment, reading and printing end in a Date or an error, and a field that is set to
// the value it has leaves the date as it is.
func FuzzDates(f *testing.F) {
	for _, p := range []string{"yyyy-MM-dd HH:mm:ss", "d MMM yy, h:mm a", "xxxx-'W'ww-e", "D/yyyy", "GYYYY CC", "EEEE k K S SSSSSS", "yyyyMMddHHmmssSSSZ", "'' 'o''clock' ZZ ZZZ z", "MMMM"} {
		f.Add(p, "2020-02-29 10:00:00", int64(1_582_970_400_000))
	}
	f.Fuzz(func(t *testing.T, pattern, text string, ms int64) {
		s := &Scope{NowMs: 1_700_000_000_000}
		s.begin()
		d, err := s.moment(ms)
		if err != nil {
			return
		}
		for _, field := range dateFields {
			if field.readOnly {
				continue
			}
			if same, err := field.with(d, int64(field.get(d.civil()))); err != nil || !same.at.Equal(d.at) {
				t.Errorf("%s: expected %s to stay when it is set to its own value, got %s, %v", d, field.name, same, err)
			}
		}
		parts, err := datePattern(pattern)
		if err != nil {
			return
		}
		if printed := formatDate(d, parts); len(printed) > len(pattern)*40 {
			t.Errorf("%q: expected a short text, got %d bytes", pattern, len(printed))
		}
		for _, kind := range []DateKind{DateTime, LocalDate, LocalTime} {
			if got, err := s.parseDate(kind, text, parts); err == nil && (got.Kind != kind || got.String() == "") {
				t.Errorf("%q by %q: expected a %s, got %+v", text, pattern, kind, got)
			}
		}
	})
}
