package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// keepFlow keeps what an action does not want for a later one.
const keepFlow = `
activity:
  name: keep
  domain_id_strategy: user
  config: {$mailbox: keep}
  trigger: {type: event, args: {condition: eventTypeIs("go")}, context_vars: {text: '""', notes: '""'}}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("more")
          context_vars: {text: var("text") + eventAttr("add")}
          then: call("wait")
        - when: eventTypeIs("swap")
          then: call("other")
    - name: other
      type: receive
      args:
        - when: eventTypeIs("back")
          then: call("wait")
        - when: eventTypeIs("first")
          then: call("gather")
    - name: gather
      type: receive
      args:
        - when: eventTypeIs("note")
          context_vars: {notes: var("notes") + eventAttr("n")}
          then: call("gather")
`

func newKeep(t *testing.T) (*rig, uint32) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(keepFlow)
	r.put(posted("go", "", "user", "u"))
	return r, n
}

// A dead letter whose message is kept for a later action has come to its thread: it goes, or a second replay would bring the message twice.
func TestReplayedLetterThatIsKeptIsGone(t *testing.T) {
	r, n := newKeep(t)
	r.put(posted("more", "", "user", "u", "add", strings.Repeat("x", 70_000)))
	all := r.letters()
	if len(all) != 1 {
		t.Fatalf("there are %d letters, want the event that was too large", len(all))
	}
	r.reopen(func(o *Options) { o.MaxVarsBytes = 1 << 20 })
	r.put(posted("swap", "", "user", "u"))
	got := r.settle(true, all[0].ID())[0]
	if len(got.Verdicts) != 1 || got.Verdicts[0].Kind != activity.VerdictKept {
		t.Fatalf("the replay gives %+v, want the event kept", got.Verdicts)
	}
	if !got.Replayed || !got.Deleted || len(r.letters()) != 0 {
		t.Errorf("the replay is %+v and leaves %d letters, want it replayed and the letter gone", got, len(r.letters()))
	}
	r.settle(true, all[0].ID())
	r.put(posted("back", "", "user", "u"))
	text, _ := r.thread(n, "u").Vars.Get("text")
	if s, _ := text.(string); len(s) != 70_000 {
		t.Errorf("the thread has a text of %d bytes, want the 70,000 of the event once", len(s))
	}
}

// What is kept in the turn at hand comes after all that was kept before, also where more is kept than is read at once and some of it is gone.
func TestKeptMailKeepsItsOrderBeyondAChunk(t *testing.T) {
	r, n := newKeep(t)
	r.put(posted("swap", "", "user", "u"), posted("back", "", "user", "u"))
	kept := []*messagebus.Record{posted("first", "", "user", "u")}
	for i := range mailChunk + 7 {
		kept = append(kept, posted("odd", "", "user", "u", "n", fmt.Sprint(i)))
	}
	r.put(append(kept, posted("note", "", "user", "u", "n", "1"))...)
	if th := r.thread(n, "u"); int(th.Kept) != mailChunk+9 {
		t.Fatalf("%d messages are kept, want %d", th.Kept, mailChunk+9)
	}
	r.put(posted("note", "", "user", "u", "n", "2"), posted("swap", "", "user", "u"))
	if notes, _ := r.thread(n, "u").Vars.Get("notes"); notes != "12" {
		t.Errorf("the notes came in the order %v, want 12", notes)
	}
}

// hoardFlow keeps up to 100 notes for an hour, those of a higher rank first.
const hoardFlow = `
activity:
  name: hoard
  domain_id_strategy: user
  config: {$mailbox: {keep: 100, ttl: 1h, priority: 'eventAttr("rank")'}}
  trigger: {type: event, args: {condition: eventTypeIs("go")}}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("none")
          then: finish()
`

// What was kept for too long makes room wherever its priority has put it, and a full mailbox of which nothing has is not read.
func TestAFullMailboxMakesRoomBehindThePriorities(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(hoardFlow)
	r.put(posted("go", "", "user", "u"))
	note := func(rank int64, count int) (kept int) {
		var records []*messagebus.Record
		for range count {
			records = append(records, posted("note", "", "user", "u", "rank", rank))
		}
		for _, a := range r.put(records...) {
			if a.Verdicts[0].Kind == activity.VerdictKept {
				kept++
			}
		}
		return kept
	}
	note(1, 10)
	r.clock.Advance(30 * 60_000)
	if got := note(9, 100); got != 90 {
		t.Fatalf("%d more notes are kept, want the 90 for which there is room", got)
	}
	r.restart()
	r.clock.Advance(29 * 60_000)
	before := r.store.Usage().KeysRead
	if got := note(9, 3); got != 0 {
		t.Errorf("%d notes are kept in a full mailbox, want none", got)
	}
	if read := r.store.Usage().KeysRead - before; read > 10 {
		t.Errorf("a full mailbox in which nothing has been kept for too long has %d keys read, want it not read", read)
	}
	r.clock.Advance(60_000)
	if got := note(9, 20); got != 10 {
		t.Errorf("%d notes are kept once the first 10 have been for an hour, want 10", got)
	}
	r.clock.Advance(30 * 60_000)
	if got := note(9, 200); got != 90 {
		t.Errorf("%d notes are kept once 90 more have been for an hour, want 90", got)
	}
	if th := r.thread(n, "u"); th.Kept != 100 || th.Parked != 100 {
		t.Errorf("the thread keeps %d of %d messages, want 100 of 100", th.Kept, th.Parked)
	}
}
