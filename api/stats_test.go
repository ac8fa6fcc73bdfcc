package api_test

import (
	"strings"
	"testing"
)

func TestStatsSayWhatBecameOfEveryMessage(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.hello("u1")
	n.hello("u2")
	n.must(202, "POST", "/v1/events", `[{"type":"bye","attr":{"user":"u2"}},{"type":"nothing","attr":{"user":"u1"}}]`)
	n.must(202, "POST", "/v1/activities/first/threads/u1/pause", "")
	text := n.must(200, "GET", "/v1/activities/first/stats", "").text
	for _, part := range []string{
		`{"version":"1","message":"event","verdict":"spawned","count":2}`,
		`{"version":"1","action":"waiting","message":"event","verdict":"taken","clause":0,"count":1}`,
		`{"version":"1","action":"waiting","message":"event","verdict":"dropped","count":1}`,
		`{"version":"1","action":"waiting","message":"command","verdict":"taken","count":1}`,
		`{"version":"1","action":"waiting","status":"finished","count":1}`,
	} {
		if !strings.Contains(text, part) {
			t.Errorf("expected %s in %s", part, text)
		}
	}
	metrics := n.must(200, "GET", "/metrics", "").text
	for _, line := range []string{
		`weftbox_verdicts_total{activity="first",message="event",verdict="spawned"} 2`,
		`weftbox_clause_taken_total{action="waiting",activity="first",clause="0"} 1`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("expected the series %s in the metrics", line)
		}
	}
}
