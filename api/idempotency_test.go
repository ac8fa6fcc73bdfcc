package api_test

import (
	"encoding/json"
	"testing"
)

// The forms of idempotency at the door: an event's own id, the header's key, one event and arrays of them.
func TestRepeatsAtTheDoor(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	const hello = `{"type":"hello","attr":{"user":"u1"}}`
	for _, c := range []struct {
		what       string
		key        string // of the header
		body       string
		status     int
		accepted   string
		duplicates string
		errors     []string // code of each result's error
	}{
		{"a new id", "", `{"type":"hello","id":"a","attr":{"user":"u1"}}`, 202, "1", "0", []string{""}},
		{"the same again", "", `{"type":"hello","id":"a","attr":{"user":"u1"}}`, 202, "0", "1", []string{""}},
		{"the same id, another body", "", `{"type":"hello","id":"a","attr":{"user":"u1","big":1}}`, 422, "", "", nil},
		{"an array with a conflict", "", `[{"type":"hello","id":"a","attr":{"user":"u1","big":1}},{"type":"hello","id":"b","attr":{"user":"u2"}},{"type":"hello","id":"a","attr":{"user":"u1"}}]`, 202, "1", "1", []string{"idempotency_conflict", "", ""}},
		{"a conflict twice in an array", "", `[{"type":"hello","id":"a","attr":{"user":"u1","big":1}},{"type":"hello","id":"a","attr":{"user":"u1","big":1}}]`, 202, "0", "0", []string{"idempotency_conflict", "idempotency_conflict"}},
		{"one id twice in an array", "", `[{"type":"hello","id":"c","attr":{"user":"u1"}},{"type":"hello","id":"c","attr":{"user":"u1"}}]`, 202, "1", "1", []string{"", ""}},
		{"one id twice in an array, other bodies", "", `[{"type":"hello","id":"d","attr":{"user":"u1"}},{"type":"hello","id":"d","attr":{"user":"u2"}}]`, 202, "1", "0", []string{"", "idempotency_conflict"}},
		{"a new key", "k", hello, 202, "1", "0", []string{""}},
		{"the same key again", "k", hello, 202, "0", "1", []string{""}},
		{"the same key, another body", "k", `{"type":"hello","attr":{"user":"u1","big":2}}`, 422, "", "", nil},
		{"the same body without a key", "", hello, 202, "1", "0", []string{""}},
		{"a key of an array", "many", `[` + hello + `,{"type":"hello","attr":{"user":"u2"}}]`, 202, "2", "0", []string{"", ""}},
		{"the array again", "many", `[` + hello + `,{"type":"hello","attr":{"user":"u2"}}]`, 202, "0", "2", []string{"", ""}},
		{"the array changed at one place", "many", `[` + hello + `,{"type":"hello","attr":{"user":"u2","big":3}}]`, 202, "0", "1", []string{"", "idempotency_conflict"}},
		{"the array with one event more", "many", `[` + hello + `,{"type":"hello","attr":{"user":"u2"}},` + hello + `]`, 202, "1", "2", []string{"", "", ""}},
		{"an id beside a new key", "own", `{"type":"hello","id":"e","attr":{"user":"u1"}}`, 202, "1", "0", []string{""}},
		{"the same id under another key: the id wins", "other", `{"type":"hello","id":"e","attr":{"user":"u1"}}`, 202, "0", "1", []string{""}},
		{"another id under the same key: the id wins", "own", `{"type":"hello","id":"f","attr":{"user":"u1","big":4}}`, 202, "1", "0", []string{""}},
		{"the key of the header was not used", "own", hello, 202, "1", "0", []string{""}},
	} {
		var headers []string
		if c.key != "" {
			headers = []string{"Idempotency-Key", c.key}
		}
		g := n.do("POST", "/v1/events", c.body, headers...)
		if c.status != 202 {
			checkProblem(t, c.what, g, c.status, "idempotency_conflict")
			continue
		}
		if g.status != 202 || g.json["accepted"] != json.Number(c.accepted) || g.json["duplicates"] != json.Number(c.duplicates) {
			t.Errorf("%s: expected 202 with %s accepted and %s duplicates, got %d %s", c.what, c.accepted, c.duplicates, g.status, g.text)
			continue
		}
		results := g.json["results"].([]any)
		if len(results) != len(c.errors) {
			t.Errorf("%s: expected %d results, got %s", c.what, len(c.errors), g.text)
			continue
		}
		for i, want := range c.errors {
			problem, _ := results[i].(map[string]any)["error"].(map[string]any)
			if code, _ := problem["code"].(string); code != want {
				t.Errorf("%s: expected result %d with the error %q, got %s", c.what, i, want, g.text)
			}
		}
	}
	checkProblem(t, "a key that is no text", n.do("POST", "/v1/events", hello, "Idempotency-Key", "a\tb"), 400, "invalid_idempotency_key")
	n.must(200, "POST", "/v1/clock/advance", `{"by":"72h"}`)
	if g := n.do("POST", "/v1/events", `{"type":"hello","id":"a","attr":{"user":"u1"}}`); g.json["accepted"] != json.Number("1") {
		t.Errorf("after three days: expected the id to be forgotten, got %s", g.text)
	}
}
