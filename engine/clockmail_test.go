package engine

import (
	"context"
	"testing"
)

// tellLaterFlow sends a word to the thread "b" after an hour; "b" waits two hours for it.
const tellLaterFlow = `
activity:
  name: later
  domain_id_strategy: user
  trigger: {type: event, args: {condition: eventTypeIs("go")}, context_vars: {me: eventAttr("user")}}
  actions:
    - name: begin
      type: case
      args:
        - when: var("me") == "b"
          then: call("hear")
        - default: call("rest")
    - {name: rest, type: sleep, args: {time: hours(1)}, ctrl: call("tell")}
    - name: tell
      type: send
      args: {messages: [{type: '"word"', attributes: {user: '"b"'}}]}
      ctrl: finish()
    - name: hear
      type: receive
      args:
        - when: eventTypeIs("word")
          then: call("heard")
        - after: hours(2)
          then: failBecause("deaf")
    - {name: heard, type: sleep, args: {time: days(9)}}
`

// What a thread sends at some moment of an advance is heard at that moment, before the clock goes on.
func TestAdvanceCarriesMailBeforeItGoesOn(t *testing.T) {
	for _, runs := range []bool{false, true} {
		r := newRig(t)
		r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
		n := r.flow(tellLaterFlow)
		r.put(event("go", "", "user", "a"), event("go", "", "user", "b"))
		if !runs {
			r.advance(3 * 3600_000)
			r.is(n, "b", "waiting heard me=b")
			continue
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.e.Run(ctx)
		}()
		_, _, err := r.e.Advance(ctx, 3*3600_000)
		stop()
		<-done
		r.must(err)
		r.is(n, "b", "waiting heard me=b")
	}
}
