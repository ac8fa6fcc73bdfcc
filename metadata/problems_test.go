package metadata_test

import (
	"math"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/metadata"
)

func TestServiceNamesAndURLs(t *testing.T) {
	c := newCache(t, newStore(t))
	good := "http://mail:8080/actions?x=1"
	for name, part := range map[string]string{
		"":                        "cannot be an action type",
		"1a":                      "cannot be an action type",
		"a.":                      "cannot be an action type",
		"a.1":                     "cannot be an action type",
		"a-b":                     "cannot be an action type",
		"邮件":                      "cannot be an action type",
		"a\n":                     "cannot be an action type",
		strings.Repeat("a", 201):  "cannot be an action type",
		strings.Repeat("a", 5000): "…",
		"note":                    "built-in",
		"dapr":                    "reserved",
	} {
		putService(c, name, good).refused(t, "service "+name, "WB1251", "/name", part)
	}
	for url, part := range map[string]string{
		"":                                    "empty",
		"mail:8080":                           "does not begin with http",
		"/actions":                            "does not begin with http",
		"ftp://mail":                          "does not begin with http",
		"http://":                             "names no host",
		"http://:80":                          "names no host",
		"http://ann:secret@mail":              "…@mail",
		"http://ann@mail":                     "user name",
		"http://mail/#top":                    "fragment",
		"http://mail/a b":                     "space",
		"http://mail\n":                       "control",
		"http://mail:port":                    "not readable",
		"http://\xff":                         "control",
		"http://" + strings.Repeat("m", 3000): "3007 bytes",
	} {
		r := putService(c, "mail", url)
		r.refused(t, "URL "+url, "WB1252", "/url", part)
		for _, p := range r.problems {
			if strings.Contains(p.Message+p.Hint, "secret") {
				t.Fatalf("URL with a password: expected a message without it, got %q", p.Message)
			}
		}
	}
	r := putService(c, "1", "x")
	if len(r.problems) != 2 {
		t.Fatalf("a bad name and a bad URL: expected both problems at once, got %s", r)
	}
	if got := c.Load().Revision; got != 0 {
		t.Fatalf("after refusals only: expected revision 0, got %d", got)
	}
	for name, url := range map[string]string{"mail": good, "huawei.sms": "https://[::1]:1/", "_x": "HTTP://MAIL"} {
		putService(c, name, url).is(t, "service "+name, metadata.Created)
	}
}

func TestNames(t *testing.T) {
	c := coupon(t, newStore(t))
	for name, part := range map[string]string{
		"12":                    "digits only",
		"a/b":                   "slash",
		"a\tb":                  "control",
		"a\x7f":                 "control",
		"\xff":                  "UTF-8",
		" a":                    "space",
		"..":                    "path",
		"dapr":                  "reserved",
		strings.Repeat("界", 67): "201 bytes",
	} {
		_, r := putActivity(c, metadata.Activity{Name: name, Definition: "coupon"})
		r.refused(t, "activity "+name, "WB1251", "/name", part)
	}
	putStrategy(c, "").refused(t, "a strategy without a name", "WB1251", "/name", "no name")
	putStrategy(c, "a/b").refused(t, "a strategy with a slash", "WB1251", "/name", "slash")
	for _, name := range []string{"春节活动", "a b", "12a", "coupon-2", "ü.v", strings.Repeat("界", 66)} {
		_, r := putActivity(c, metadata.Activity{Name: name, Definition: "coupon"})
		r.is(t, "activity "+name, metadata.Created)
		if len(r.problems) != 0 {
			t.Fatalf("activity %q: expected no problem, got %s", name, r)
		}
		putStrategy(c, name).is(t, "strategy "+name, metadata.Created)
	}
	_, r := putActivity(c, metadata.Activity{Name: "x", Definition: "coupon", DisplayName: strings.Repeat("d", 801)})
	r.refused(t, "a display name of 801 bytes", "WB1251", "/display_name", "801 bytes")
	_, r = putActivity(c, metadata.Activity{Name: "x", Definition: "coupon", State: 9})
	r.refused(t, "state 9", "WB1256", "/state", "9")
}

func TestAnActivityNeedsADefinition(t *testing.T) {
	c := coupon(t, newStore(t))
	_, r := putActivity(c, metadata.Activity{Definition: "copuon"})
	r.refused(t, "a slip in the definition's name", "WB1254", "/definition", `did you mean "coupon"?`)
	_, r = putActivity(c, metadata.Activity{Name: "x", Definition: "entirely_else"})
	r.refused(t, "an unknown definition", "WB1254", "/definition", "post the definition first")
	_, r = putActivity(c, metadata.Activity{})
	r.refused(t, "nothing", "WB1254", "/definition", `""`)
}

func TestConfigProblems(t *testing.T) {
	c := coupon(t, newStore(t))
	deep := any(int64(1))
	for range metadata.MaxConfigDepth {
		deep = []any{deep}
	}
	circle := map[string]any{}
	circle["self"] = circle
	for what, cs := range map[string]struct {
		value any
		part  string
	}{
		"a Go int":       {7, "Go type int "},
		"a struct":       {struct{}{}, "struct {}"},
		"a deep list":    {deep, "nested more than 64 deep"},
		"a circle":       {circle, "nested more than 64 deep"},
		"a list of ints": {[]any{[]int{1}}, "[]int"},
		"a map by lists": {map[any]any{[1]int{1}: true}, "map key"},
	} {
		_, r := putActivity(c, metadata.Activity{Name: "x", Definition: "coupon", Config: map[string]any{"limit": cs.value}})
		r.refused(t, what, "WB1255", "/config", cs.part)
	}
	_, r := putActivity(c, metadata.Activity{Name: "x", Definition: "coupon", Config: map[string]any{"title": strings.Repeat("x", 1<<20)}})
	r.refused(t, "a config of over 1 MiB", "WB1255", "/config", "at most 1048576")
	for what, cs := range map[string]struct {
		item  string
		value any
		part  string
	}{
		"a switch that is text": {"$keep_sleep", "true", "true or false"},
		"a switch that is 1":    {"$schedule.pause_continue_old", int64(1), "true or false"},
		"a broken count":        {"$schedule.max_continue_periods", math.Pi, "whole number"},
		"no duration":           {"$retention", "two days", "not a duration"},
		"less than nothing":     {"$retention", int64(-1), "48h"},
		"no list":               {"$monitors", "mail", "list"},
		"a slip":                {"$keep_slep", true, `did you mean "$keep_sleep"?`},
		"one's own":             {"$mine", true, "do not begin with $"},
	} {
		_, r := putActivity(c, metadata.Activity{Name: "x", Definition: "coupon", Config: map[string]any{cs.item: cs.value}})
		r.refused(t, what, "WB1258", "/config/"+cs.item, cs.part)
	}
	if _, there := c.Load().ByName["x"]; there {
		t.Fatal("after refusals only: expected no activity x")
	}
}

// TestUnknownConfigItemsAreWarnedOf: they are accepted, with a hint where the name looks like a slip.
func TestUnknownConfigItemsAreWarnedOf(t *testing.T) {
	c := coupon(t, newStore(t))
	config := map[string]any{"limti": int64(1), "title": "x", "unheard_of": nil, "$retention": "2d"}
	a, r := putActivity(c, metadata.Activity{Definition: "coupon", Config: config})
	r.is(t, "unknown items", metadata.Created)
	want := []struct{ code, path, hint string }{
		{"WB2251", "/config/limti", `did you mean "limit"?`},
		{"WB2251", "/config/unheard_of", "add it to the definition"},
	}
	if len(r.problems) != len(want) {
		t.Fatalf("unknown items: expected %d warnings, got %s", len(want), r)
	}
	for i, p := range r.problems {
		if p.Severity != definitions.SeverityWarning || p.Code != want[i].code || p.Path != want[i].path || !strings.Contains(p.Hint, want[i].hint) {
			t.Fatalf("warning %d: expected %+v, got %+v", i, want[i], p)
		}
	}
	if len(a.Config) != len(config) {
		t.Fatalf("the config stored: expected all %d items, got %v", len(config), a.Config)
	}
	many := map[string]any{}
	for i := range 10_000 {
		many[numbered(i)] = nil
	}
	_, r = putActivity(c, metadata.Activity{Name: "many", Definition: "coupon", Config: many})
	r.is(t, "10,000 unknown items", metadata.Created)
	if n := len(r.problems); n != 21 || !strings.Contains(r.problems[20].Message, "9980 more") {
		t.Fatalf("10,000 unknown items: expected 20 warnings and one for the other 9980, got %d", n)
	}
}

// TestCodesAreExplained: every code has one entry, in order, and none is also a definition's.
func TestCodesAreExplained(t *testing.T) {
	last := ""
	for _, c := range metadata.Codes() {
		if c.Code <= last || c.Text == "" || c.Fix == "" || (c.Severity == definitions.SeverityWarning) != strings.HasPrefix(c.Code, "WB2") {
			t.Errorf("code %s after %s: expected ascending codes with text, fix and the severity of their first digit, got %+v", c.Code, last, c)
		}
		if _, taken := definitions.Explain(c.Code); taken {
			t.Errorf("code %s: expected it not to be a code of definitions too", c.Code)
		}
		last = c.Code
	}
}

func TestDecodeConfigRefusesWhatItCannotKeep(t *testing.T) {
	for text, part := range map[string]string{
		``:                                 "not readable",
		`[1]`:                              "not readable",
		`{"a":1} x`:                        "more follows",
		`{"a":1.5}`:                        "no 64-bit integer",
		`{"a":9223372036854775808}`:        "no 64-bit integer",
		`{"a":{"$moment":"x"}}`:            `"$moment" is no type`,
		`{"a":{"$float":1}}`:               `"$float" is no type`,
		`{"a":{"$float":"x"}}`:             "invalid syntax",
		`{"a":{"$decimal":"x"}}`:           "x",
		`{"a":{"$bytes":"*"}}`:             "base64",
		`{"a":{"$pairs":[1]}}`:             "no pair",
		`{"a":{"$pairs":[[[1],2]]}}`:       "cannot be a map key",
		`{"a":[{"b":{"$map":{"c":1.5}}}]}`: "no 64-bit integer",
	} {
		if config, err := metadata.DecodeConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("DecodeConfig(%s): expected an error that says %q, got %v, %v", text, part, config, err)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"$float":"1.5"},{"$decimal":"1.50"},{"$bytes":"/w=="},null,"x"],"b":{"$map":{"$x":1}},"c":{"$pairs":[[1,"a"],["1",true]]}}`))
	f.Add([]byte(`{"$float":"1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		config, err := metadata.DecodeConfig(text)
		if err != nil {
			return
		}
		first, err := metadata.EncodeConfig(config)
		if err != nil {
			if strings.Contains(err.Error(), "nested more than") {
				return
			}
			t.Fatalf("what was read: expected it to be writable, got %v for %v", err, config)
		}
		again, err := metadata.DecodeConfig(first)
		if err != nil {
			t.Fatalf("what was written: expected it to be readable, got %v for %s", err, first)
		}
		second, err := metadata.EncodeConfig(again)
		if err != nil || string(first) != string(second) {
			t.Fatalf("a config: expected the same bytes after reading, %s, got %s, %v", first, second, err)
		}
	})
}
