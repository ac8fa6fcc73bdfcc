package actions_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// TestSlipsInArgsAreFoundAtPostTime checks that the args of the action types are checked when a definition is posted.
func TestSlipsInArgsAreFoundAtPostTime(t *testing.T) {
	builtin, service := activity.Specs()
	env := definitions.Env{Specs: builtin, Service: service, Services: map[string]bool{"shop": true}, Strategies: map[string]bool{"user": true}}
	for _, c := range []struct{ action, code string }{
		{"type: foreach\n      args: {items: list(), next: call(\"last\"), continue: call(\"last\"), finish: finish()}", "WB1130"},
		{"type: foreach\n      args: {items: list(), next: call(\"lost\"), finish: finish()}", "WB1203"},
		{"type: foreach\n      args: {items: list(), finish: finish()}", "WB1102"},
		{"type: foreach\n      args: {items: list(), next: 3, finish: finish()}", "WB1119"},
		{"type: concurrent\n      args: {actions: [{name: wait}], ctrl: [{after: 1000, then: finish()}]}", "WB1131"},
		{"type: concurrent\n      args: {actions: [{name: lost}], ctrl: [{after: 1000, then: finish()}]}", "WB1203"},
		{"type: concurrent\n      args: {actions: [{name: ask}], ctrl: [{then: finish()}]}", "WB1108"},
		{"type: concurrent\n      args: {actions: [{name: ask}], default_result_handle: [{default: {a: 1}}, {default: {b: 1}}], ctrl: [{after: 1000, then: finish()}]}", "WB1111"},
		{"type: concurrent\n      args: {actions: [{nam: ask}], ctrl: [{after: 1000, then: finish()}]}", "WB1101"},
		{"type: delete_var\n      args: {a: 1}\n      ctrl: finish()", "WB1103"},
		{"type: update_var\n      args: [a]\n      ctrl: finish()", "WB1103"},
		{"type: random_choice\n      args: {items: list(1)}\n      ctrl: finish()", "WB1102"},
		{"type: send\n      args: {service: shop}\n      ctrl: finish()", "WB1102"},
		{"type: send\n      args: {service: shup, messages: []}\n      ctrl: finish()", "WB1204"},
		{"type: clock\n      ctrl: finish()", "WB1102"},
	} {
		text := "activity:\n  name: slips\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"start\")\n  actions:\n    - name: first\n      " + c.action +
			"\n    - name: wait\n      type: receive\n      args: [{after: 1000, then: finish()}]\n    - name: ask\n      type: shop\n      args: {request: 1, timeout: 1000}\n      ctrl: finish()\n" +
			"    - name: last\n      type: compute\n      args: [{x: 1}]\n      ctrl: call(\"first\")\n"
		d, problems := definitions.Check([]byte(text), env)
		var errors []string
		for _, p := range problems {
			if p.Severity == definitions.SeverityError {
				errors = append(errors, p.Code)
			}
		}
		if d != nil || !slices.Contains(errors, c.code) {
			t.Errorf("expected %s for\n%s\ngot %v", c.code, strings.TrimSpace(c.action), problems)
		}
	}
}
