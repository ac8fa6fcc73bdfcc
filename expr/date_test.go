package expr

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func dateScope(t *testing.T, zone string) *Scope {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := vectorScope("action")
	s.NowMs, s.Zone = 1_700_000_000_000, z // 2023-11-14T22:13:20Z
	return s
}

func TestDates(t *testing.T) {
	cases := []struct{ zone, src, want string }{
		{"UTC", `dateTime().toString()`, "2023-11-14T22:13:20.000Z"},
		{"UTC", `dateTime(0) + ""`, "1970-01-01T00:00:00.000Z"},
		{"UTC", `dateTime(-1).toString()`, "1969-12-31T23:59:59.999Z"},
		{"Asia/Shanghai", `dateTime().toString("yyyy-MM-dd HH:mm:ss ZZ z ZZZ")`, "2023-11-15 06:13:20 +08:00 CST Asia/Shanghai"},
		{"Asia/Shanghai", `localDate().toString() + " " + localTime().toString() + " " + day() + " " + hour()`, "2023-11-15 06:13:20.000 15 6"},
		{"Asia/Shanghai", `dateTime("2020-01-31 10:00:00").getMillis()`, "1580436000000"},
		{"Asia/Shanghai", `dateTime("2020-01-31 10:00:00 +0000", "yyyy-MM-dd HH:mm:ss Z").toString("HH:mm")`, "18:00"},
		{"Asia/Shanghai", `localDate("2020-01-31").toDateTimeAtStartOfDay().toString()`, "2020-01-31T00:00:00.000+08:00"},
		{"America/New_York", `dateTime("2020-03-07 02:30:00").plusDays(1).toString()`, "2020-03-08T03:30:00.000-04:00"},
		{"America/New_York", `dateTime("2020-03-07 02:30:00").plusHours(24).toString()`, "2020-03-08T03:30:00.000-04:00"},
		{"America/New_York", `dateTime("2020-03-08 01:30:00").plusHours(1).toString()`, "2020-03-08T03:30:00.000-04:00"},
		{"America/New_York", `dateTime("2020-11-01 01:30:00").toString()`, "2020-11-01T01:30:00.000-04:00"},
		{"America/New_York", `dateTime("2020-11-01 01:30:00").plusHours(1).withMinuteOfHour(5).toString()`, "2020-11-01T01:05:00.000-05:00"},
		{"America/New_York", `dateTime("2020-03-08 02:30:00")`, "error: put forward"},
		{"America/New_York", `dateTime("2020-03-08 01:30:00").withHourOfDay(2)`, "error: put forward"},
		{"UTC", `dateTime("2020-02-29 12:00:00").plusYears(1).toString("yyyy-MM-dd")`, "2021-02-28"},
		{"UTC", `dateTime("2020-02-29 12:00:00").withYear(2021).toString("yyyy-MM-dd")`, "2021-02-28"},
		{"UTC", `dateTime("2020-12-31 00:00:00").withMonthOfYear(2).toString("yyyy-MM-dd")`, "2020-02-29"},
		{"UTC", `localDate("2020-12-31").getWeekOfWeekyear() + "/" + localDate("2020-12-31").getWeekyear()`, "53/2020"},
		{"UTC", `localDate("2020-12-31").withWeekyear(2021).toString()`, "2021-12-30"},
		{"UTC", `localDate("2021-01-03").toString("xxxx-ww-e EEEE D")`, "2020-53-7 Sunday 3"},
		{"UTC", `localDate("2020-01-01").withWeekOfWeekyear(53)`, "2020-12-30"},
		{"UTC", `localDate("2021-06-01").withWeekOfWeekyear(53)`, "error: between 1 and 52"},
		{"UTC", `localDate("2020-01-01").toString("yyyy HH a")`, "2020 \ufffd\ufffd \ufffd"},
		{"UTC", `localTime("12:05:09").toString("hh:m:s a K k S SSSS")`, "12:5:9 PM 0 12 0 0000"},
		{"UTC", `localTime("00:05").toString("h k H")`, "12 24 0"},
		{"UTC", `dateTime("12/31/99 11 pm", "MM/dd/yy h a").toString("yyyy-MM-dd HH")`, "1999-12-31 23"},
		{"UTC", `localDate("42", "yy").toString() + localDate("43", "yy").toString()`, "2042-01-011943-01-01"},
		{"UTC", `localDate("05-06", "MM-dd").toString()`, "2000-05-06"},
		{"UTC", `dateTime("10:30", "HH:mm").toString()`, "1970-01-01T10:30:00.000Z"},
		{"UTC", `localDate("20200131", "yyyyMMdd").toString()`, "2020-01-31"},
		{"UTC", `localDate("3 mar 2020", "d MMM yyyy").toString()`, "2020-03-03"},
		{"UTC", `localDate("MARCH 3, 2020", "MMMM d, yyyy").toString()`, "2020-03-03"},
		{"UTC", `localDate("2020年1月5日", "yyyy年M月d日").toString("M月d日")`, "1月5日"},
		{"UTC", `dateTime("2020-01-01T10:00", "yyyy-MM-dd'T'HH:mm").toString("HH 'o''clock'")`, "10 o'clock"},
		{"UTC", `localDate("2020-01-31").isBefore(localTime("10:00"))`, "error: localDate is needed"},
		{"UTC", `dateTime("2020-01-31 10:00:00").isBefore(1)`, "false"},
		{"UTC", `dateTime().isAfterNow() OR dateTime().isBeforeNow()`, "false"},
		{"UTC", `dateTime().plusMillis(1).isAfterNow()`, "true"},
		{"UTC", `localTime("23:30").plusHours(1).toString()`, "00:30:00.000"},
		{"UTC", `localTime("00:30").minusMinutes(45).toString()`, "23:45:00.000"},
		{"UTC", `localTime("09.5").toString()`, "09:30:00.000"},
		{"UTC", `localTime("09:30,5").toString()`, "09:30:30.000"},
		{"UTC", `localTime("T09:30").toString()`, "09:30:00.000"},
		{"UTC", `localTime("24:00")`, "error: between 0 and 23"},
		{"UTC", `list.sort({localDate("2020-02-01"), localDate("2020-01-01")})`, "[2020-01-01, 2020-02-01]"},
		{"UTC", `list.distinct({localDate("2020-01-01"), localDate("2020-01-01")}).size()`, "1"},
		{"UTC", `counter(localDate("2020-01-01"))`, "{2020-01-01=1}"},
		{"UTC", `{localDate("2020-01-01")}.contains(localDate("2020-01-01"))`, "true"},
		{"UTC", `localDate("2020-01-01") < localDate("2020-01-02")`, "true"},
		{"UTC", `localDate("2020-01-01") == localTime("10:00")`, "false"},
		{"UTC", `localDate("2020-01-01") < dateTime()`, "error: compare"},
		{"UTC", `dateTime().plusYears(999999999)`, "error: out of range"},
		{"UTC", `dateTime().plusDays(9223372036854775807)`, "error: out of range"},
		{"UTC", `dateTime().minusHours(-9223372036854775808)`, "error: out of range"},
		{"UTC", `dateTime().plusMillis(9223372036854775807)`, "error: out of range"},
		{"UTC", `dateTime().afterNow`, "false"},
		{"UTC", `isLocalTimeInScope("01:00", {"22:00", "02:00"})`, "true"},
		{"UTC", `isLocalTimeInScope("12:00", {"22:00", "02:00"})`, "false"},
		{"UTC", `str("%s", localDate("2020-01-01"))`, "2020-01-01"},
		{"UTC", `localDate("2020-01-01") + days(1)`, "error: not possible"},
	}
	for _, c := range cases {
		p, probs := Compile(c.src, ContextAction)
		got := ""
		if p == nil {
			got = "error: " + probs[0].Message
		} else if v, err := p.Eval(dateScope(t, c.zone)); err != nil {
			got = "error: " + err.Error()
		} else {
			got = Text(v)
		}
		if want, isError := strings.CutPrefix(c.want, "error: "); isError && strings.HasPrefix(got, "error: ") && strings.Contains(got, want) {
			continue
		}
		if got != c.want {
			t.Errorf("[%s] %s: expected %s, got %s", c.zone, c.src, c.want, got)
		}
	}
}

func TestDateProblemsAtPostTime(t *testing.T) {
	for src, code := range map[string]string{
		`localDate("2020-02-30")`:                             codeFails,
		`dateTime("2020-01-01", "yyyy-MM-dd HH")`:             codeFails,
		`dateTime().toString("bad format q")`:                 codePattern,
		`localDate(eventAttr("d"), "yyyy-MM-dd r")`:           codePattern,
		`eventAttr("d").toString("yyyy-MM-dd t")`:             codePattern,
		`dateTime().plusFortnights(1)`:                        codeMethod,
		`localTime().plusDays(1)`:                             codeMethod,
		`localDate().hourOfDay`:                               codeProperty,
		`localDate().withYear()`:                              codeCount,
		`localDate().plusDays({1})`:                           codeType,
		`str("%y", 1)`:                                        codeFormat,
		`str("%d and %d", eventAttr("i"), eventAttr("i"), 3)`: "",
		`str("%d and %d and %d", eventAttr("i"), var("x"))`:   codeFormat,
		`str("%d and %d", eventAttr("l"))`:                    "",
		`str("%s %s", eventType())`:                           codeFormat,
		`dateTime().isBefore(localDate("2020-01-01")) AND 1`:  codeType,
	} {
		p, probs := Compile(src, ContextAction)
		switch {
		case code == "" && p == nil:
			t.Errorf("%s: expected no problem, got %+v", src, probs)
		case code != "" && (len(probs) != 1 || probs[0].Code != code):
			t.Errorf("%s: expected the one problem %s, got %+v", src, code, probs)
		}
	}
}

// TestStoredKeepsNoDate: what a variable keeps reads the same whether or not it was written to disk meanwhile.
func TestStoredKeepsNoDate(t *testing.T) {
	day := Date{LocalDate, time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)}
	got := Stored([]any{obj{"d": day}, map[any]any{int64(1): day}, int64(5)})
	if want := "[{d=2020-01-02}, {1=2020-01-02}, 5]"; Text(got) != want || holdsDate(got, 0) {
		t.Errorf("expected %s of texts, got %s", want, Text(got))
	}
	same := []any{obj{"a": int64(1)}}
	if out := Stored(same).([]any); &out[0] != &same[0] {
		t.Error("expected a value without dates to be kept as it is, got a copy")
	}
}
