package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// strict gives the node an activity that cannot read events without "big", and n such events of users u0, u1, …; the returned function posts
// a version that can.
func (n *testNode) strict(events int) (mend func()) {
	n.t.Helper()
	n.story()
	n.must(201, "POST", "/v1/definitions?version=1", strings.NewReplacer("name: wait\n", "name: strict\n", `eventAttr("big", 0)`, `eventAttr("big")`).Replace(waitFlow))
	n.must(201, "POST", "/v1/activities", `{"name":"strict","definition":"strict"}`)
	for i := range events {
		n.must(202, "POST", "/v1/events", fmt.Sprintf(`{"type":"hello","id":"e%d","attr":{"user":"u%d"}}`, i, i))
		n.must(200, "POST", "/v1/clock/advance", `{"by":"1s"}`)
	}
	return func() {
		n.must(201, "POST", "/v1/definitions?version=2", strings.Replace(waitFlow, "name: wait\n", "name: strict\n", 1))
	}
}

// deadIDs lists the ids of the dead letters of a query, newest first, page by page.
func (n *testNode) deadIDs(query string) (ids []string) {
	n.t.Helper()
	cursor := ""
	for {
		g := n.must(200, "GET", "/v1/dead-letters?limit=3"+query+"&cursor="+cursor, "")
		for _, item := range g.json["items"].([]any) {
			ids = append(ids, item.(map[string]any)["id"].(string))
		}
		next, more := g.json["next_cursor"].(string)
		if !more {
			return ids
		}
		cursor = next
	}
}

func TestDeadLettersAreFilteredAndPaged(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.strict(8)
	for query, want := range map[string]int{"": 8, "&reason=trigger": 8, "&reason=panic": 0, "&activity=strict": 8, "&activity=first": 0, "&domain=u3": 1, "&from=2023-11-14T22:13:25Z": 3, "&from=1700000005000&domain=u3": 0} {
		if got := n.deadIDs(query); len(got) != want {
			t.Errorf("%s: expected %d dead letters, got %d", query, want, len(got))
		}
	}
	id := n.deadIDs("&domain=u3")[0]
	g := n.must(200, "GET", "/v1/dead-letters/"+id, "")
	for key, want := range map[string]string{"id": id, "reason": "trigger", "kind": "event", "activity_name": "strict", "domain_id": "u3", "source": "http/default", "time": "2023-11-14T22:13:23.000Z"} {
		if g.json[key] != want {
			t.Errorf("expected %s %q, got %v", key, want, g.json[key])
		}
	}
	if m, _ := g.json["message"].(map[string]any); m["id"] != "e3" {
		t.Errorf("expected the message itself, got %v", g.json["message"])
	}
}

func TestDeadLetterIsReplayedByItsID(t *testing.T) {
	n := startNode(t, nodeOptions{})
	mend := n.strict(1)
	id := n.deadIDs("")[0]
	g := n.must(200, "POST", "/v1/dead-letters/"+id+"/replay", "")
	v := g.json["verdicts"].([]any)[0].(map[string]any)
	if g.json["replayed"] != false || g.json["deleted"] != true || v["verdict"] != "dead_letter" || v["error"] == "" {
		t.Errorf("expected a replay that failed as before, got %s", g.text)
	}
	again := n.deadIDs("")
	if len(again) != 1 || again[0] == id {
		t.Fatalf("expected one new letter in the place of %s, got %v", id, again)
	}
	checkProblem(t, "the old letter", n.do("POST", "/v1/dead-letters/"+id+"/replay", ""), 404, "dead_letter_not_found")
	mend()
	g = n.must(200, "POST", "/v1/dead-letters/"+again[0]+"/replay", "")
	v = g.json["verdicts"].([]any)[0].(map[string]any)
	if g.json["replayed"] != true || v["verdict"] != "spawned" || v["domain_id"] != "u0" || len(g.json["verdicts"].([]any)) != 1 {
		t.Errorf("expected the thread's birth, got %s", g.text)
	}
	n.must(200, "GET", "/v1/activities/strict/threads/u0", "")
	if left := n.deadIDs(""); len(left) != 0 {
		t.Errorf("expected no letter to be left, got %v", left)
	}
	text := n.must(200, "GET", "/metrics", "").text
	for _, line := range []string{"weftbox_dead_letters 0\n", "weftbox_dead_letters_bytes 0\n", "weftbox_dead_letters_dropped_total 0\n", "weftbox_dead_letters_total 2\n", "weftbox_idempotency_keys 1\n", "weftbox_idempotency_keys_dropped_total 0\n"} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("expected the metrics to hold %q", line)
		}
	}
}

func TestManyDeadLettersAreReplayedOnceEach(t *testing.T) {
	n := startNode(t, nodeOptions{})
	mend := n.strict(7)
	all := func(method, path string) (done, failed, calls int) {
		cursor := ""
		for {
			g := n.must(200, method, path+"limit=2&cursor="+url.QueryEscape(cursor), "")
			for key, to := range map[string]*int{"replayed": &done, "deleted": &done, "failed": &failed} {
				if v, is := g.json[key].(json.Number); is {
					i, _ := v.Int64()
					*to += int(i)
				}
			}
			calls++
			next, more := g.json["next_cursor"].(string)
			if !more {
				return
			}
			if cursor = next; calls > 20 {
				t.Fatalf("%s %s: expected the pages to end", method, path)
			}
		}
	}
	// All fail: the new letters stand behind the old ones and are not met, though time stands still.
	if done, failed, calls := all("POST", "/v1/dead-letters/replay?"); done != 0 || failed != 7 || calls > 5 {
		t.Errorf("expected 7 failures, got %d replayed, %d failed in %d calls", done, failed, calls)
	}
	mend()
	if done, failed, _ := all("POST", "/v1/dead-letters/replay?domain=u2&"); done != 1 || failed != 0 {
		t.Errorf("expected one replayed by the filter, got %d, and %d failed", done, failed)
	}
	if done, _, _ := all("DELETE", "/v1/dead-letters?domain=u3&"); done != 1 {
		t.Errorf("expected one deleted by the filter, got %d", done)
	}
	if done, failed, _ := all("POST", "/v1/dead-letters/replay?activity=strict&"); done != 5 || failed != 0 {
		t.Errorf("expected 5 replayed, got %d, and %d failed", done, failed)
	}
	if left := n.deadIDs(""); len(left) != 0 {
		t.Errorf("expected no letter to be left, got %v", left)
	}
}

func TestDeadLetterIsDeletedByItsID(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.strict(1)
	id := n.deadIDs("")[0]
	if g := n.must(200, "DELETE", "/v1/dead-letters/"+id, ""); g.json["deleted"] != json.Number("1") {
		t.Errorf("expected one deleted, got %s", g.text)
	}
	checkProblem(t, "a deleted letter", n.do("GET", "/v1/dead-letters/"+id, ""), 404, "dead_letter_not_found")
	checkProblem(t, "a second deletion", n.do("DELETE", "/v1/dead-letters/"+id, ""), 404, "dead_letter_not_found")
}

func TestLetterThatNobodyCanTakeIsRefused(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.strict(0)
	// A thread's alarm becomes a letter, and an operator kills the thread.
	flow := strings.NewReplacer("name: wait\n", "name: bomb\n", `failBecause("nobody came")`, `failBecause(list.count(range(1000).![range(1000).![#this]], 1) > 0 ? "a" : "b")`, "after: days(2)", "after: minutes(1)").Replace(waitFlow)
	n.must(201, "POST", "/v1/definitions?version=1", flow)
	n.must(201, "POST", "/v1/activities", `{"name":"bomb","definition":"bomb"}`)
	n.must(202, "POST", "/v1/events", `{"type":"hello","attr":{"user":"u","big":1}}`)
	n.must(200, "POST", "/v1/clock/advance", `{"by":"2m"}`)
	ids := n.deadIDs("&activity=bomb")
	if len(ids) != 1 {
		t.Fatalf("expected the alarm's letter, got %v", ids)
	}
	g := n.must(200, "GET", "/v1/dead-letters/"+ids[0], "")
	if m, _ := g.json["message"].(map[string]any); g.json["kind"] != "alarm" || g.json["action"] != "waiting" || g.json["source"] != "engine" || m["kind"] != "action" {
		t.Errorf("expected an alarm at its action, got %s", g.text)
	}
	n.must(202, "POST", "/v1/activities/bomb/threads/u/kill", "")
	checkProblem(t, "an alarm for a killed thread", n.do("POST", "/v1/dead-letters/"+ids[0]+"/replay", ""), 409, "not_replayable")
	if g := n.must(200, "POST", "/v1/dead-letters/replay", ""); g.json["failed"] != json.Number("1") {
		t.Errorf("expected the refused letter to count as failed, got %s", g.text)
	}
	if left := n.deadIDs(""); len(left) != 1 {
		t.Errorf("expected the letter to be kept, got %v", left)
	}
}
