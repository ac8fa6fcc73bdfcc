package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestBatchOperationKillsWhatItsFilterChooses(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	for i := range 40 {
		n.must(202, "POST", "/v1/events", fmt.Sprintf(`{"type":"hello","attr":{"user":"u%d","big":%d}}`, i, i%4))
	}
	g := n.must(202, "POST", "/v1/batch-operations", `{"operation":"kill","activity":"first","filter":{"where":"var(\"big\") == 1"}}`)
	if g.json["state"] != "planned" || g.json["id"] != "1" || g.header.Get("Location") != "/v1/batch-operations/1" {
		t.Errorf("expected a planned operation and its address, got %s %v", g.text, g.header)
	}
	for range 10_000 {
		if g = n.must(200, "GET", "/v1/batch-operations/1", ""); g.json["state"] == "done" || g.json["state"] == "failed" {
			break
		}
	}
	for key, want := range map[string]any{"state": "done", "seen": json.Number("40"), "hit": json.Number("10"), "refused": json.Number("0")} {
		if g.json[key] != want {
			t.Errorf("%s: expected %v, got %s", key, want, g.text)
		}
	}
	count := func(query string) int {
		return len(n.must(200, "GET", "/v1/activities/first/threads"+query, "").json["items"].([]any))
	}
	if live, killed := count(""), count("?status=killed"); live != 30 || killed != 10 {
		t.Errorf("expected 30 live threads and 10 killed runs, got %d and %d", live, killed)
	}
	if text := n.must(200, "GET", "/v1/activities/first/alarms?where=var(%22user%22)+%3D%3D+%22u2%22", "").text; !strings.Contains(text, `{"due":"2023-11-16T22:13:20.000Z","kind":"action","domain_id":"u2","action":"waiting","status":"waiting",`) {
		t.Errorf("expected the alarm of u2, got %s", text)
	}
	if text := n.must(200, "GET", "/v1/batch-operations", "").text; !strings.Contains(text, `"filter":{"where":"var(\"big\") == 1"}`) {
		t.Errorf("expected the operation with its filter in the list, got %s", text)
	}
}
