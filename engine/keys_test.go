package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/slots"
)

func TestKeysAreCountedAndDroppedByDayInEverySlot(t *testing.T) {
	r, _ := counter(t)
	post := func(n int) {
		for i := range 20 {
			r.put(posted("hit", fmt.Sprint(n, "-", i), "user", fmt.Sprint("u", i)))
		}
	}
	known := func(want int64, when string) {
		t.Helper()
		if got := r.e.KeysKnown(); got != want {
			t.Fatalf("%d keys are known %s, want %d", got, when, want)
		}
		r.recount()
	}
	post(0)
	known(20, "on the first day")
	r.advance(dayMs)
	post(0)
	known(20, "after repeats on the second day")
	post(1)
	known(40, "on the second day")
	r.advance(dayMs)
	post(1)
	known(20, "on the third day")
	post(2)
	known(40, "on the third day")
	r.advance(5 * dayMs)
	r.restart()
	if got := r.e.KeysKnown(); got != 0 {
		t.Errorf("%d keys are known after five days of rest, want 0", got)
	}
	post(2)
	known(20, "after the rest")
	for slot := range uint16(8) {
		days, err := r.store.KeyDays(slot, uint32(r.e.NowMs()/dayMs))
		r.must(err)
		if days.First != 0 && days.First != uint32(r.e.NowMs()/dayMs) {
			t.Errorf("slot %d still has keys of day %d, want the old days dropped", slot, days.First)
		}
	}
}

func TestKeysAboveTheBoundAreForgottenEarly(t *testing.T) {
	r, n := counter(t)
	bounded := func(o *Options) { o.MaxKeys = 10 }
	r.reopen(bounded)
	for i := range 8 {
		r.put(posted("hit", fmt.Sprint("old", i), "user", "u"))
	}
	r.advance(dayMs)
	for i := range 4 {
		r.put(posted("hit", fmt.Sprint("new", i), "user", "u"))
	}
	if a := r.put(posted("hit", "new0", "user", "u"))[0]; !a.Duplicate {
		t.Errorf("a key of today is answered %+v, want duplicate: the older day went first", a)
	}
	if known, dropped := r.e.KeysKnown(), r.e.Stats().KeysDropped.Load(); known != 4 || dropped != 8 {
		t.Errorf("%d keys are known and %d were dropped, want 4 and 8", known, dropped)
	}
	if a := r.put(posted("hit", "old1", "user", "u"))[0]; a.Duplicate {
		t.Errorf("a key that was dropped is answered %+v, want a new event", a)
	}
	r.is(n, "u", "waiting wait n=13")
	for i := range 20 { // one day alone is too much
		r.put(posted("hit", fmt.Sprint("more", i), "user", "u"))
	}
	if known := r.e.KeysKnown(); known > 11 {
		t.Errorf("%d keys are known, want the bound of 10 and those of one turn", known)
	}
	r.reopen(bounded)
	r.advance(dayMs)
	for i := range 3 {
		r.put(posted("hit", fmt.Sprint("last", i), "user", "u"))
	}
	r.recount()
}

// A death between two slots of one turn: the repeated event is applied where its key is unknown, dropped where it is known, and answered as
// duplicate only when every slot knew it.
func TestRepeatAfterADeathBetweenSlots(t *testing.T) {
	for synced := range 4 {
		r := newRig(t)
		r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
		r.strategy("goods", `containsAttr("goods")`, `eventAttr("goods")`)
		byUser := r.flow(counterFlow)
		byGoods := r.flow(strings.NewReplacer("name: counter", "name: goods", "strategy: user", "strategy: goods").Replace(counterFlow))
		first, second := apart()
		disk := vfs.NewCrashableMem()
		var dead *vfs.MemFS
		armed, syncs := false, 0
		r.must(r.store.Close())
		open := func(fs vfs.FS) {
			var err error
			r.store, err = store.Open("state", store.Options{FS: fs, Slots: 8, CommitSlots: true})
			r.must(err)
			r.engineOn(func(*Options) {})
		}
		open(errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
			if armed && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) && strings.HasSuffix(op.Path, ".log") {
				if syncs == synced {
					dead = disk.CrashClone(vfs.CrashCloneCfg{})
				}
				syncs++
			}
			return nil
		})))
		send := func() messagebus.Answer { return r.put(posted("hit", "k", "user", first, "goods", second))[0] }
		armed = true
		send()
		armed = false
		if syncs != 3 {
			t.Fatalf("the turn synced %d groups, want two slots and the node", syncs)
		}
		if dead == nil { // the death comes after all of it
			dead = disk.CrashClone(vfs.CrashCloneCfg{})
		}
		old := r.store
		open(dead)
		r.must(old.Close())
		again := send()
		kinds := map[string]activity.VerdictKind{}
		for _, v := range again.Verdicts {
			kinds[v.DomainID] = v.Kind
		}
		want := func(known bool) activity.VerdictKind {
			if known {
				return activity.VerdictDuplicate
			}
			return activity.VerdictSpawned
		}
		if kinds[first] != want(synced > 0) || kinds[second] != want(synced > 1) || again.Duplicate != (synced > 1) || again.Conflict {
			t.Errorf("after %d groups the repeat is answered %+v, want applied where it was unknown", synced, again)
		}
		r.is(byUser, first, "waiting wait n=1")
		r.is(byGoods, second, "waiting wait n=1")
		if known := r.e.KeysKnown(); known != 2 {
			t.Errorf("after %d groups %d keys are known, want one in each slot", synced, known)
		}
		if last := send(); !last.Duplicate {
			t.Errorf("after %d groups a third post is answered %+v, want duplicate", synced, last)
		}
		r.must(r.store.Close())
		r.fs = vfs.NewMem()
	}
}

// apart returns two domain ids of different slots, of 8, the first one's slot below the second one's.
func apart() (first, second string) {
	at := map[uint16]string{}
	for i := range 100 {
		d := fmt.Sprint("d", i)
		at[slots.Of(d, 8)] = d
	}
	return at[1], at[6]
}
