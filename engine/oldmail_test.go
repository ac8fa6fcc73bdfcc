package engine

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weftbox/weftbox/clock"
)

// outage has thread "a" write to "b" an hour after "b" began to wait for two hours, and takes the power away before the word is handed over. The
// node comes back when b's time is long over. a says as many words before it, to a thread that does not listen.
func outage(t *testing.T, words int, more func(*Options)) (*rig, uint32) {
	r := newRigWith(t, more)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	say := strings.Repeat(`{type: '"noise"', attributes: {user: '"b"'}}, `, words) + `{type: '"word"'`
	n := r.flow(strings.Replace(tellLaterFlow, `{type: '"word"'`, say, 1))
	r.put(event("go", "", "user", "a"), event("go", "", "user", "b"))
	r.clock.Advance(3600_000)
	r.e.Turn()
	r.is(n, "a", "finished tell me=a")
	r.clock.Advance(9 * 3600_000)
	r.restart()
	return r, n
}

func TestMailOfBeforeAnOutageComesBeforeTheAlarmsOfIt(t *testing.T) {
	for _, words := range []int{0, relayRows - 2, relayRows - 1, relayRows, 2*relayRows + 7} {
		r, n := outage(t, words, nil)
		if got, want := r.e.releasedMs(r.clock.NowMs())-startMs, int64(3600_000); got != want {
			t.Errorf("%d words: alarms are released to %d ms after the start, want to %d, when the first word was sent", words, got, want)
		}
		r.quiet()
		r.is(n, "b", "waiting heard me=b")
		if now := r.clock.NowMs(); r.e.releasedMs(now) != now {
			t.Errorf("%d words: alarms are held back although all that was sent is handed over", words)
		}
	}
}

func TestAnAdvanceCarriesTheMailThatItsAlarmsWaitFor(t *testing.T) {
	r, n := outage(t, 2*relayRows, nil)
	r.advance(0)
	r.is(n, "b", "waiting heard me=b")
}

func TestAlarmsWaitForOldMailWhileTheEngineRuns(t *testing.T) {
	r, n := outage(t, 2*relayRows, nil)
	r.e.o.Clock = &standing{r.clock}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.e.Run(ctx)
	}()
	until(t, "b to be given what was sent to it, or its alarm", func() bool { return r.thread(n, "b").Action != "hear" })
	stop()
	<-done
	r.is(n, "b", "waiting heard me=b")
}

// standing is a clock that does not count as one turned by hand.
type standing struct{ clock.Clock }

func TestWaitingForOldMailIsBounded(t *testing.T) {
	r, n := outage(t, 0, func(o *Options) { o.CatchUpMax = time.Nanosecond })
	r.e.Turn()
	r.is(n, "b", "failed hear me=b because deaf")
}

// What is sent after the start holds no alarm: it is younger than all that it could meet.
func TestNewMailHoldsNothing(t *testing.T) {
	r, n := outage(t, 0, nil)
	r.quiet()
	r.put(event("go", "", "user", "a"))
	r.clock.Advance(3600_000)
	r.e.Turn()
	r.is(n, "a", "finished tell me=a")
	if now := r.clock.NowMs(); r.e.releasedMs(now) != now {
		t.Error("alarms wait for what was sent after the start, want none held")
	}
}

// The start asks few rows for their time, however many pairs of slots have old mail.
func TestOldMailCostsTheStartFewReads(t *testing.T) {
	r := newRig(t)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	r.flow("activity:\n  name: all\n  domain_id_strategy: user\n  trigger: eventTypeIs(\"go\")\n  actions:\n    - name: tell\n      type: send\n      args: {messages: [" +
		words(40) + "]}\n      ctrl: finish()\n")
	for i := range 40 {
		r.put(event("go", "", "user", fmt.Sprint("u", i)))
	}
	r.restart()
	pairs := r.e.relay.old.pairs
	if pairs != 64 {
		t.Fatalf("%d pairs of slots have old mail, want all 64", pairs)
	}
	if got, want := r.store.Usage().KeysRead, int64(100+2*pairs); got > want {
		t.Errorf("the start reads %d keys, want at most %d: two a pair and some for each slot", got, want)
	}
	r.quiet()
	if left := r.e.relay.old.pairs; left != 0 {
		t.Errorf("%d pairs are still waited for at rest, want none", left)
	}
}

func words(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{type: '"word"', attributes: {user: '"u%d"'}}`, i))
	}
	return strings.Join(all, ", ")
}
