package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const storyFlow = `
activity:
  name: told
  domain_id_strategy: by_user
  config: {$verdicts: true}
  trigger: {type: event, args: {condition: eventTypeIs("hello")}, context_vars: {n: 1}}
  actions:
    - name: waiting
      type: receive
      args:
        - when: eventTypeIs("ask")
          then: call("mail")
        - when: eventTypeIs("bye")
          then: finish()
        - when: eventTypeIs("break")
          then: failBecause("broken")
        - after: days(2)
          then: call("waiting")
    - name: mail
      args: {request: {x: 1}}
      ctrl: call("waiting")
`

// told returns the sentences of a thread's story without their times.
func (n *testNode) told(user, query string) string {
	n.t.Helper()
	var story struct {
		Sentences []struct{ Text string }
	}
	text := n.must(200, "GET", "/v1/activities/told/threads/"+user+"/explain"+query, "").text
	if err := json.Unmarshal([]byte(text), &story); err != nil {
		n.t.Fatal(err)
	}
	var out []string
	for _, s := range story.Sentences {
		out = append(out, s.Text)
	}
	return strings.Join(out, "\n")
}

func TestExplainTellsAThreadsStory(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	n.must(201, "POST", "/v1/definitions?version=1", storyFlow)
	n.must(201, "POST", "/v1/activities", `{"name":"told","definition":"told"}`)
	for _, kind := range []string{"hello", "other", "ask"} {
		n.must(202, "POST", "/v1/events", `{"type":"`+kind+`","id":"e-`+kind+`","attr":{"user":"u1"}}`)
	}
	n.must(202, "POST", "/v1/activities/told/threads/u1/pause", "")
	want := []string{
		`Run 2 of thread "u1" was born: activity told, definition told, version 1.`,
		`Event hello (id e-hello) gave birth to it; it then stood at waiting.`,
		`Event other (id e-other) was dropped: action waiting had no use for it.`,
		`Event ask (id e-ask) was taken by clause 0 of action waiting; it then stood at mail.`,
		`The command pause was carried out.`,
		`It is paused at action mail: its messages are kept.`,
		`It waits for the answer to the request of action mail.`,
	}
	if got := n.told("u1", ""); got != strings.Join(want, "\n") {
		t.Errorf("expected the story\n%s\ngot\n%s", strings.Join(want, "\n"), got)
	}
	if got := n.told("u1", "?lang=zh"); !strings.Contains(got, `第 2 次运行的线程 "u1" 诞生`) || !strings.Contains(got, "事件 ask（id e-ask）被第 0 个分支（动作 waiting）接收；之后停在 mail。") || strings.Contains(got, "%!") {
		t.Errorf("expected the story in Chinese, got\n%s", got)
	}
	n.must(202, "POST", "/v1/activities/told/threads/u1/kill", "")
	if got := n.told("u1", ""); !strings.HasSuffix(got, "It was killed at action mail.") || !strings.Contains(got, "The command kill was carried out; with that it was killed.") {
		t.Errorf("expected the story of the ended run to end with its end, got\n%s", got)
	}
	for range 40 {
		n.must(202, "POST", "/v1/events", `[{"type":"hello","attr":{"user":"u1"}},{"type":"other","attr":{"user":"u1"}}]`)
	}
	got := n.told("u1", "")
	for _, part := range []string{"Only its last 32 messages are kept.", "Run 2 of this thread was killed at action mail.", "It waits at action waiting.", "Then its alarm comes, unless it has gone on."} {
		if !strings.Contains(got, part) {
			t.Errorf("expected %q in\n%s", part, got)
		}
	}
	if g := n.must(200, "GET", "/v1/activities/told/threads/u1/verdicts?run=2", ""); !strings.Contains(g.text, `"message":"event","name":"ask","event_id":"e-ask","verdict":"taken","clause":0,"from":"waiting","to":"mail","status":"waiting"`) {
		t.Errorf("expected the line of the event that asked, got %s", g.text)
	}
	n.must(202, "POST", "/v1/events", `{"type":"break","attr":{"user":"u1"}}`)
	if got := n.told("u1", ""); !strings.Contains(got, "It failed at action waiting: broken.") {
		t.Errorf("expected the reason of the failure in\n%s", got)
	}
	n.hello("u9")
	n.must(400, "GET", "/v1/activities/told/threads/u1/explain?lang=fr", "")
	n.must(404, "GET", "/v1/activities/told/threads/nosuch/explain", "")
	if text := n.told("u9", ""); !strings.Contains(text, "gave birth") {
		t.Errorf("expected the birth of u9, got %s", text)
	}
	if got := n.must(200, "GET", "/v1/activities/first/threads/u9/explain", "").text; !strings.Contains(got, "$verdicts") {
		t.Errorf("expected a hint at $verdicts where nothing was kept, got %s", got)
	}
}

func TestDeadLettersArePartOfTheStory(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.strict(1)
	ids := n.deadIDs("")
	text := n.must(200, "GET", "/v1/dead-letters/"+ids[0], "").json
	got := n.must(200, "GET", fmt.Sprintf("/v1/activities/%v/threads/%v/explain", text["activity_name"], text["domain_id"]), "").text
	if !strings.Contains(got, "weftbox dead-letters get "+ids[0]) || !strings.Contains(got, `"thread":null`) {
		t.Errorf("expected the dead letter %s in a story without a thread, got %s", ids[0], got)
	}
}
