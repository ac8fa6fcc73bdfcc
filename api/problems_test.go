package api_test

import (
	"strings"
	"testing"
)

func TestProblemsAreToldInChineseToo(t *testing.T) {
	n := startNode(t, nodeOptions{})
	n.story()
	g := n.do("POST", "/v1/definitions?dry_run=true", strings.Replace(waitFlow, "finish()", `call("nowhere")`, 1))
	if want := `"message_zh":"call(\"nowhere\")：没有这个名字的动作"`; g.status != 422 || !strings.Contains(g.text, want) {
		t.Errorf("answered %d %s, want 422 with %s", g.status, g.text, want)
	}
}
