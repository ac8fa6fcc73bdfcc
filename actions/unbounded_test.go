package actions

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// TestConcurrentWithoutAfter checks that a concurrent that may wait for ever is warned of, and one whose actions all end is not.
func TestConcurrentWithoutAfter(t *testing.T) {
	builtin, service := activity.Specs()
	env := definitions.Env{Specs: builtin, Service: service, Services: map[string]bool{"shop": true}, Strategies: map[string]bool{"user": true}}
	for _, c := range []struct{ starts, ctrl, timeout, want string }{
		{"ask", "{when: 'var(\"n\") > 0', then: finish()}", "", "10:13 WB2101"},
		{"nap}, {name: ask", "{default: finish()}", "", "10:13 WB2101"},
		{"ask", "{when: 'var(\"n\") > 0', then: finish()}, {after: 1000, then: finish()}", "", ""},
		{"ask", "{default: finish()}", ", timeout: 1000", ""},
		{"nap", "{default: finish()}", "", "14:13 WB2103"}, // ask is reached by itself
	} {
		text := "activity:\n  name: a\n  domain_id_strategy: user\n  trigger:\n    args: {condition: eventTypeIs(\"start\")}\n    type: event\n    context_vars: {n: 1}\n  actions:\n    - name: both\n      type: concurrent\n      args: {actions: [{name: " +
			c.starts + "}], ctrl: [" + c.ctrl + "]}\n    - name: nap\n      {type: sleep, args: {time: 5}, ctrl: finish()}\n    - name: ask\n      type: shop\n      args: {request: 1" + c.timeout + "}\n      ctrl: finish()\n"
		text = strings.Replace(text, "    - name: nap\n      {type: sleep, args: {time: 5}, ctrl: finish()}\n", "    - {name: nap, type: sleep, args: {time: 5}, ctrl: finish()}\n", 1)
		_, problems := definitions.Check([]byte(text), env)
		var got []string
		for _, p := range problems {
			if p.Code != "WB2102" {
				got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Code))
			}
		}
		if said := strings.Join(got, ", "); said != c.want {
			t.Errorf("concurrent of %s, ctrl %s, timeout %q: the problems are %q, want %q", c.starts, c.ctrl, c.timeout, said, c.want)
		}
	}
}
