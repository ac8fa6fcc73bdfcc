package expr

import "testing"

// TestBareEvent checks that the object event is a value of its own, of which a variable keeps what event.type and event.allAttributes read.
func TestBareEvent(t *testing.T) {
	scope := &Scope{Event: &Event{Type: "done", Attrs: map[string]any{"user": "u1"}}}
	for src, want := range map[string]string{
		`event`:                            `{allAttributes={user=u1}, type=done}`,
		`#root.event`:                      `{allAttributes={user=u1}, type=done}`,
		`event["type"]`:                    `done`,
		`map("e", event)["e"].type`:        `done`,
		`{event}[0].allAttributes["user"]`: `u1`,
		`event.type`:                       `done`,
		`event?.get("user")`:               `u1`,
		`event.allAttributes["user"]`:      `u1`,
	} {
		p, problems := Compile(src, ContextAction)
		if p == nil {
			t.Errorf("%s: expected a program, got %+v", src, problems)
			continue
		}
		v, err := p.Eval(scope)
		if got := Text(v); err != nil || got != want {
			t.Errorf("%s = %s (error %v), want %s", src, got, err, want)
		}
	}
	if _, problems := Compile("event", ContextCtrl); len(problems) != 1 || problems[0].Code != codeContext {
		t.Errorf("event in a ctrl, which has no event: the problems are %+v, want one of the code %s", problems, codeContext)
	}
}
