package engine

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/mem"
)

// reopen is restart with other options.
func (r *rig) reopen(change func(*Options)) {
	r.t.Helper()
	r.must(r.store.Close())
	var err error
	r.store, err = store.Open("state", store.Options{FS: r.fs, Slots: 8})
	r.must(err)
	r.engineOn(change)
}

func (r *rig) engineOn(change func(*Options)) {
	r.t.Helper()
	o := Options{Store: r.store, Clock: r.clock, Metadata: r.cache.Load, Consumers: r.feeds, Producer: r, Stdout: &r.out,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Fatal: func(err error) { r.t.Fatalf("the engine gave up: %v", err) }}
	change(&o)
	var err error
	r.e, err = New(o)
	r.must(err)
}

// posted is event with the raw text that a bus would have given.
func posted(kind, key string, attrs ...any) *messagebus.Record {
	rec := event(kind, key, attrs...)
	rec.Raw = messagebus.EncodeEvent(rec.Incoming.Event)
	return rec
}

func (r *rig) letters() []store.DeadLetter {
	r.t.Helper()
	all, err := r.e.DeadLetters(1000)
	r.must(err)
	if n, _ := r.e.DeadLetterUsage(); n != int64(len(all)) {
		r.t.Fatalf("the engine counts %d dead letters, there are %d", n, len(all))
	}
	return all
}

// settle has letters replayed or deleted by one turn.
func (r *rig) settle(replay bool, ids ...store.DeadID) []DeadResult {
	r.t.Helper()
	var got []DeadResult
	r.must(r.e.SubmitDeadLetters(ids, replay, func(results []DeadResult, err error) { r.must(err); got = results }))
	r.e.Turn()
	if len(got) != len(ids) {
		r.t.Fatalf("one turn gave %d results for %d letters", len(got), len(ids))
	}
	return got
}

// recount checks that the books say what a new reading of them says.
func (r *rig) recount() {
	r.t.Helper()
	letters, bytes := r.e.DeadLetterUsage()
	keys := r.e.KeysKnown()
	r.restart()
	if l, b := r.e.DeadLetterUsage(); l != letters || b != bytes {
		r.t.Fatalf("after a restart there are %d letters of %d bytes, before it there were %d of %d", l, b, letters, bytes)
	}
	if k := r.e.KeysKnown(); k != keys {
		r.t.Fatalf("after a restart %d keys are known, before it %d", k, keys)
	}
}

// grown makes a thread "u" and a dead letter of an event that was too large for it.
func grown(t *testing.T) (*rig, uint32, store.DeadLetter) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(growFlow)
	r.put(posted("go", "", "user", "u"))
	r.put(posted("more", "big", "user", "u", "add", strings.Repeat("x", 70_000)))
	all := r.letters()
	if len(all) != 1 || all[0].Kind != "event" || all[0].Action != "wait" || all[0].Source != "http/default" || all[0].Reason != "limit" {
		t.Fatalf("the letters are %+v, want one of an event at wait for a limit", all)
	}
	return r, n, all[0]
}

func TestReplayedEventReachesItsThreadThoughItsKeyIsKnown(t *testing.T) {
	r, n, letter := grown(t)
	other := r.flow("activity:\n  name: other\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"more\")\n  actions:\n    - name: wait\n      type: receive\n      args:\n        - after: days(1)\n          then: finish()\n")
	r.reopen(func(o *Options) { o.MaxVarsBytes = 1 << 20 })
	if a := r.put(posted("more", "big", "user", "u", "add", strings.Repeat("x", 70_000)))[0]; !a.Duplicate {
		t.Fatalf("the event posted again is answered %+v, want duplicate: its letter is kept once", a)
	}
	got := r.settle(true, letter.ID())[0]
	if !got.Replayed || !got.Deleted || len(got.Verdicts) != 1 || got.Verdicts[0].Kind != activity.VerdictTaken || got.Verdicts[0].Activity != n {
		t.Fatalf("the replay is %+v, want taken by activity %d alone", got, n)
	}
	text, _ := r.thread(n, "u").Vars.Get("text")
	if s, _ := text.(string); len(s) != 70_000 {
		t.Errorf("the thread has a text of %d bytes, want the 70,000 of the event", len(s))
	}
	r.is(other, "u", "absent ")
	if all := r.letters(); len(all) != 0 {
		t.Errorf("%d letters are left, want none", len(all))
	}
	if again := r.settle(true, letter.ID())[0]; again.Found {
		t.Errorf("a second replay is %+v, want no such letter", again)
	}
	r.recount()
}

func TestReplayThatFailsAgainLeavesOneNewLetter(t *testing.T) {
	r, _, letter := grown(t)
	r.advance(1000)
	got := r.settle(true, letter.ID(), letter.ID())
	if got[0].Replayed || !got[0].Deleted || got[0].Verdicts[0].Kind != activity.VerdictDead || got[1].Found {
		t.Fatalf("the replays are %+v, want a dead letter again and nothing for the same id given twice", got)
	}
	all := r.letters()
	if len(all) != 1 || all[0].ID() == letter.ID() || all[0].Replays != 1 || all[0].Kind != "event" || string(all[0].Message) != string(letter.Message) || all[0].Source != letter.Source {
		t.Errorf("the letters are %+v, want one new one of the same message, replayed once", all)
	}
	r.recount()
}

func TestEventThatNobodyWantsAnyMoreStaysALetter(t *testing.T) {
	r, n, letter := grown(t)
	r.put(&messagebus.Record{Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: "kill"}}}})
	got := r.settle(true, letter.ID())[0]
	if got.Replayed || got.Deleted || got.Verdicts[0].Kind != activity.VerdictNoTrigger || len(r.letters()) != 1 {
		t.Errorf("a replay without a thread is %+v with %d letters, want no_trigger and the letter kept", got, len(r.letters()))
	}
}

func TestDeletedLettersAreGone(t *testing.T) {
	r, _, letter := grown(t)
	unknown := letter.ID()
	unknown.Seq += 99
	far := letter.ID()
	far.Slot = 999
	got := r.settle(false, letter.ID(), unknown, far)
	if !got[0].Deleted || got[1].Found || got[2].Found {
		t.Errorf("the deletion is %+v, want the first deleted and the others unknown", got)
	}
	if all := r.letters(); len(all) != 0 {
		t.Errorf("%d letters are left, want none", len(all))
	}
	if err := r.e.SubmitDeadLetters(make([]store.DeadID, MaxDeadLettersAtOnce+1), false, nil); err == nil {
		t.Error("a deletion of 1001 at once was taken, want an error")
	}
	r.recount()
}

func TestAlarmsLetterResumesItsStalledThread(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(bombFlow)
	r.put(posted("go", "", "user", "u"))
	r.advance(61_000)
	all := r.letters()
	if len(all) != 1 || all[0].Kind != "alarm" || all[0].Action != "wait" || !strings.Contains(string(all[0].Message), `"kind":"action"`) {
		t.Fatalf("the letters are %+v (%s), want an alarm's that says what it was for", all, all[0].Message)
	}
	r.put(posted("defuse", "", "user", "u"))
	if got := r.settle(true, all[0].ID())[0]; !got.Replayed || !got.Deleted {
		t.Fatalf("the replay is %+v, want the thread to go on", got)
	}
	r.is(n, "u", "waiting wait safe=true")
	r.advance(60_000)
	r.is(n, "u", "finished bang safe=true")
	if left := r.letters(); len(left) != 0 {
		t.Errorf("%d letters are left, want none", len(left))
	}
}

func TestAlarmsLetterOfAThreadThatWentOnIsRefused(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	n := r.flow(bombFlow)
	r.put(posted("go", "", "user", "u"))
	r.advance(61_000)
	r.put(posted("defuse", "", "user", "u"))
	command := func(name string) {
		r.put(&messagebus.Record{Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: activity.ID{Activity: n, Domain: "u"}, Command: activity.Command{Name: name}}}})
	}
	command("resume")
	command("pause")
	got := r.settle(true, r.letters()[0].ID())[0]
	if got.Refused == "" || got.Deleted || r.thread(n, "u").Status != activity.Paused {
		t.Errorf("the replay is %+v and the thread %v, want it refused and the thread still paused", got, r.thread(n, "u").Status)
	}
}

func TestAnswersLetterIsReplayedWhileItsRequestIsOpen(t *testing.T) {
	for _, late := range []bool{false, true} {
		r, n := asking(t)
		r.put(posted("go", "", "user", "u1"))
		r.quiet()
		r.put(reply(r.requestIDs()[0], strings.Repeat("y", 70_000)))
		all := r.letters()
		if len(all) != 1 || all[0].Kind != "reply" {
			t.Fatalf("the letters are %+v, want an answer's", all)
		}
		if late {
			r.advance(60_000) // asked again
			if got := r.settle(true, all[0].ID())[0]; got.Refused == "" || got.Deleted {
				t.Errorf("the replay of an answer to a request that timed out is %+v, want it refused", got)
			}
			continue
		}
		r.reopen(func(o *Options) { o.MaxVarsBytes = 1 << 20 })
		if got := r.settle(true, all[0].ID())[0]; !got.Replayed || !got.Deleted {
			t.Errorf("the replay is %+v, want it taken", got)
		}
		if th := r.thread(n, "u1"); th.Action != "done" {
			t.Errorf("the thread stands at %s, want done", th.Action)
		}
	}
}

func TestUndecodedLetterIsReadAgain(t *testing.T) {
	log := mem.NewLog()
	r, n := counter(t, log.Consumer("mem/orders"))
	log.Append([]byte(`{"type":`), startMs)
	r.quiet()
	old := r.letters()[0]
	r.feeds = []messagebus.Consumer{log.Consumer("mem/orders")}
	r.restart() // numbers of such letters must not begin anew at the same millisecond
	log.Append([]byte(`{"type":`), startMs)
	r.quiet()
	all := r.letters()
	if len(all) != 2 || all[0].Position != 2 || old.Position != 1 {
		t.Fatalf("the letters are %+v, want those of positions 2 and 1", all)
	}
	got := r.settle(true, old.ID())[0]
	if got.Replayed || !got.Deleted {
		t.Errorf("the replay is %+v, want a dead letter again", got)
	}
	if again := r.letters(); len(again) != 2 || again[0].Replays != 1 || again[0].Position != 1 || again[0].Source != old.Source {
		t.Errorf("the letters are %+v, want the newest to be the one replayed", again)
	}
	// One that can be read by now, as after an update of the program.
	b := r.store.NewBatch()
	b.Begin(store.NodeSlot)
	fixed := store.DeadLetter{Slot: store.NodeSlot, TimeMs: r.e.NowMs(), Seq: 77, Reason: "decode", Source: "mem/orders", Message: hit("late", 1)}
	b.PutDeadLetter(&fixed)
	r.must(b.Commit())
	r.feeds = []messagebus.Consumer{log.Consumer("mem/orders")}
	r.restart()
	if got := r.settle(true, fixed.ID())[0]; !got.Replayed || !got.Deleted {
		t.Errorf("the replay is %+v, want it taken", got)
	}
	r.is(n, "late", "waiting wait n=1")
	r.recount()
}

func TestOldestLettersAreDroppedAboveTheBound(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.flow(growFlow)
	const bound = 600_000
	r.engineOn(func(o *Options) { o.MaxDeadLetterBytes = bound })
	for i := range 20 {
		user := fmt.Sprint("u", i)
		r.put(posted("go", "", "user", user))
		r.put(posted("more", "", "user", user, "add", strings.Repeat("x", 70_000)))
		r.clock.Set(r.clock.NowMs() + 1)
	}
	r.put(posted("none", ""))
	all, err := r.e.DeadLetters(100)
	r.must(err)
	letters, bytes := r.e.DeadLetterUsage()
	if bytes > bound || letters != int64(len(all)) || len(all) != 8 || r.e.Stats().DeadLettersDropped.Load() != 12 {
		t.Fatalf("%d letters of %d bytes are kept, %d were dropped, want 8 and 12", letters, bytes, r.e.Stats().DeadLettersDropped.Load())
	}
	for i, d := range all {
		if want := fmt.Sprint("u", 19-i); d.Domain != want {
			t.Errorf("letter %d is of %s, want %s: the newest stay", i, d.Domain, want)
		}
	}
	r.recount()
}

func TestOldLettersAreDropped(t *testing.T) {
	r, _, _ := grown(t)
	day := int64(dayMs)
	r.advance(29 * day)
	r.put(posted("more", "", "user", "u", "add", strings.Repeat("x", 70_000)))
	if n := len(r.letters()); n != 2 {
		t.Fatalf("%d letters after 29 days, want 2", n)
	}
	r.advance(2 * day)
	r.put(posted("go", "", "user", "v"))
	if all := r.letters(); len(all) != 1 || all[0].TimeMs != startMs+29*day || r.e.Stats().DeadLettersDropped.Load() != 1 {
		t.Errorf("after 31 days the letters are %+v, want the younger one", all)
	}
	r.recount()
}

func TestFailedAnswersAreCarriedAsJSON(t *testing.T) {
	r, _ := asking(t)
	kind, text := r.e.turn.describe(3, activity.ID{Activity: 2, Domain: "d"}, &activity.Reply{Seq: 9, Action: "ask", Result: &expr.Result{Data: map[string]any{"a": int64(1)}}, TimeMs: 5})
	body, err := messagebus.Decode(text, 0, messagebus.Limits{})
	r.must(err)
	if got := body.Items[0].Reply; kind != "reply" || got == nil || got.RequestID != r.e.turn.requestID(3, 9) || got.Activity != 2 {
		t.Errorf("an answer is kept as %s %s, want one that can be posted", kind, text)
	}
	kind, text = r.e.turn.describe(3, activity.ID{Activity: 2, Domain: "d"}, &activity.Command{Name: "pause", TimeMs: 5})
	body, err = messagebus.Decode(text, 0, messagebus.Limits{})
	r.must(err)
	if got := body.Items[0].Command; kind != "command" || got == nil || got.Command.Name != "pause" || got.ID.Domain != "d" {
		t.Errorf("a command is kept as %s %s, want one that can be posted", kind, text)
	}
}
