package actions_test

import (
	"testing"

	_ "github.com/weftbox/weftbox/actions"
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

const twoConditions = `
activity:
  name: bench
  domain_id_strategy: user
  trigger: eventTypeIs("user_behavior") AND eventAttr("behavior") == "查看商品详情"
  actions:
    - name: wait
      type: receive
      args:
        - when: eventAttr("behavior") == "购买商品"
          then: finish()
        - when: eventAttr("behavior") == "查看商品详情"
          context_vars:
            visit_count: var("visit_count", 0) + 1
          then: call("wait")
`

func bound(t testing.TB, text string) *activity.Activity {
	builtin, service := activity.Specs()
	d, problems := definitions.Check([]byte(text), definitions.Env{Specs: builtin, Service: service, Strategies: map[string]bool{"user": true}})
	if d == nil {
		t.Fatalf("the definition has problems: %v", problems)
	}
	a := &activity.Activity{Number: 1, Name: "bench", Definition: "bench", State: activity.ActivityRunning}
	if err := a.Bind([]activity.Version{{Version: "1", Enabled: true, Definition: d}}); err != nil {
		t.Fatal(err)
	}
	return a
}

// BenchmarkStep is one event for a waiting thread: two conditions are asked, the second takes it, one variable is written.
func BenchmarkStep(b *testing.B) {
	a := bound(b, twoConditions)
	var view activity.Message = activity.Carried{Event: &activity.Event{Type: "user_behavior", Attrs: map[string]any{"behavior": "查看商品详情", "user_id": int64(10010), "goods_id": int64(2002)}}, Strategies: []string{"user"}}
	var s activity.Scope
	th := activity.Thread{ID: activity.ID{Activity: 1, Domain: "10010_2002"}}
	if v, err := activity.Step(&s, a, &th, view, 1, 1000); err != nil || v.Kind != activity.VerdictSpawned {
		b.Fatalf("the first event is %s (%v), want spawned", v.Kind, err)
	}
	n := uint64(1)
	b.ReportAllocs()
	for b.Loop() {
		n++
		v, err := activity.Step(&s, a, &th, view, n, 1000)
		if err != nil || v.Kind != activity.VerdictTaken || v.Clause != 1 {
			b.Fatalf("event %d is %s by clause %d (%v), want taken by clause 1", n, v.Kind, v.Clause, err)
		}
	}
}
