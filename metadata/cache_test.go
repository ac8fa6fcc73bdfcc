package metadata_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/metadata"
)

func TestEmpty(t *testing.T) {
	s := newCache(t, newStore(t)).Load()
	if s == nil || s.Revision != 0 || s.Router == nil || len(s.Activities) != 0 {
		t.Fatalf("the snapshot of an empty store: expected revision 0 and a router, got %+v", s)
	}
	if _, ok := s.Activity("1"); ok {
		t.Fatal("Activity(1) of an empty store: expected none")
	}
	if _, err := metadata.NewCache(ctx, newStore(t), metadata.Options{}); err == nil {
		t.Fatal("NewCache without a clock: expected an error, got none")
	}
}

// TestThePutShowsAtOnce: when a put has answered, the next Load shows it.
func TestThePutShowsAtOnce(t *testing.T) {
	c := coupon(t, newStore(t))
	s := c.Load()
	if s.Revision != 4 || s.Strategies["by_user"] == nil || s.Services["mail"].Destination == 0 {
		t.Fatalf("after four puts: expected revision 4 with by_user and mail, got %+v", s)
	}
	if v := s.Definitions["coupon"][0]; v.Compiled == nil || v.Version != "1" || !v.Enabled || v.CreatedMs != 1700 {
		t.Fatalf("definition coupon: expected version 1, compiled, enabled, created at 1700, got %+v", v)
	}
	a, r := putActivity(c, metadata.Activity{Definition: "coupon", Config: map[string]any{"limit": int64(9)}})
	r.is(t, "activity coupon", metadata.Created)
	if len(s.Activities) != 0 {
		t.Fatal("the snapshot before the put: expected it to stay as it was")
	}
	s = c.Load()
	got, ok := s.Activity("coupon")
	if !ok || got.Number != a.Number || got.State != activity.ActivityRunning || got.CreatedMs != 1700 || got.Latest == nil {
		t.Fatalf("Activity(coupon): expected number %d, running, with a latest version, got %+v", a.Number, got)
	}
	if want := map[string]any{"limit": int64(9), "title": "hello"}; !reflect.DeepEqual(got.Latest.Config, want) {
		t.Fatalf("its config: expected the definition's overlaid by its own, %v, got %v", want, got.Latest.Config)
	}
	if byNumber, ok := s.Activity("1"); !ok || byNumber != got {
		t.Fatalf("Activity(1): expected activity coupon, got %+v", byNumber)
	}
	for _, ref := range []string{"", "2", "01x", "99999999999", "Coupon"} {
		if _, ok := s.Activity(ref); ok {
			t.Fatalf("Activity(%q): expected none", ref)
		}
	}
	_, r = putActivity(c, metadata.Activity{Name: "paused", Definition: "coupon", State: activity.ActivityPaused})
	r.is(t, "a paused activity", metadata.Created)
	if got := c.Load().ByName["paused"]; got.State != activity.ActivityPaused {
		t.Fatalf("a paused activity: expected state paused, got %s", got.State)
	}
}

func TestOutcomes(t *testing.T) {
	c := coupon(t, newStore(t))
	_, r := putActivity(c, metadata.Activity{Definition: "coupon"})
	r.is(t, "activity", metadata.Created)
	before := c.Load()
	putStrategy(c, "by_user").is(t, "the same strategy", metadata.Unchanged)
	putService(c, "mail", "http://mail:8080/actions").is(t, "the same service", metadata.Unchanged)
	v, r := putDefinition(c, text("coupon", "note"), "")
	r.is(t, "the same text", metadata.Unchanged)
	if v != before.Definitions["coupon"][0] {
		t.Fatalf("the same text: expected the version of the snapshot, got %+v", v)
	}
	_, r = putActivity(c, metadata.Activity{Definition: "coupon"})
	r.is(t, "the same activity", metadata.Unchanged)

	there, o, _, err := c.PutStrategy(ctx, metadata.Strategy{Name: "by_user", When: "true", DomainID: `"x"`})
	if err != nil || o != metadata.Conflict || there.When != `containsAttr("user_id")` {
		t.Fatalf("another strategy of this name: expected a conflict with what is there, got %+v, outcome %d, %v", there, o, err)
	}
	putService(c, "mail", "http://other").is(t, "another service of this name", metadata.Conflict)
	v, r = putDefinition(c, text("coupon", "mail"), "1")
	r.is(t, "another text of this version", metadata.Conflict)
	if v == nil || !strings.Contains(string(v.Text), "type: note") {
		t.Fatalf("another text of this version: expected the version that is there, got %+v", v)
	}
	_, r = putActivity(c, metadata.Activity{Definition: "mailing", Name: "coupon"})
	r.is(t, "another activity of this name", metadata.Conflict)
	if after := c.Load(); after != before {
		t.Fatalf("after nothing but repeats and conflicts: expected the same snapshot, got revision %d after %d", after.Revision, before.Revision)
	}
}

func TestDryRun(t *testing.T) {
	c := coupon(t, newStore(t))
	before := c.Load()
	if d, problems := c.CheckDefinition(text("fresh", "mail")); d == nil || d.Name != "fresh" {
		t.Fatalf("a good text: expected its definition, got problems %+v", problems)
	}
	if d, problems := c.CheckDefinition(text("fresh", "male")); d != nil || len(problems) == 0 {
		t.Fatalf("an unknown action type: expected problems and no definition, got %+v", d)
	}
	if c.Load() != before {
		t.Fatal("after dry runs: expected the same snapshot")
	}
}

func TestVersions(t *testing.T) {
	c := coupon(t, newStore(t))
	_, r := putActivity(c, metadata.Activity{Definition: "coupon"})
	r.is(t, "activity", metadata.Created)
	for _, version := range []string{"-", "1.", ".1", "1..2", "版", "a b", "1/2", strings.Repeat("1", 65)} {
		_, r := putDefinition(c, text("coupon", "mail"), version)
		r.refused(t, "version "+version, "WB1253", "/version", "not usable")
	}
	for _, c2 := range []struct{ version, want string }{{"2024.a", "2024.a"}, {"", "2"}} {
		v, r := putDefinition(c, append(text("coupon", "mail"), "# "+c2.want+"\n"...), c2.version)
		r.is(t, "version "+c2.version, metadata.Created)
		if v.Version != c2.want || v.Compiled == nil {
			t.Fatalf("version %q: expected it stored as %q and compiled, got %+v", c2.version, c2.want, v)
		}
	}
	a := c.Load().ByName["coupon"]
	if len(a.Versions) != 3 || a.Latest.Version != "2" {
		t.Fatalf("the activity: expected three versions, the latest 2, got %v, %s", len(a.Versions), a.Latest.Version)
	}
}

func TestErrorsWriteNothing(t *testing.T) {
	c := coupon(t, newStore(t))
	before := c.Load()
	_, o, problems, err := c.PutStrategy(ctx, metadata.Strategy{Name: "x", When: "containsAttr(", DomainID: "nosuch("})
	if err != nil || o != 0 || len(problems) < 2 || problems[0].Path != "/when" || problems[len(problems)-1].Path != "/domain_id" {
		t.Fatalf("a strategy with two bad expressions: expected problems at /when and /domain_id, got %+v, outcome %d, %v", problems, o, err)
	}
	_, r := putDefinition(c, []byte("activity: ["), "")
	if r.outcome != 0 || len(r.problems) == 0 || r.err != nil {
		t.Fatalf("a text that is no YAML: expected problems, got %s", r)
	}
	_, r = putDefinition(c, []byte(strings.Replace(string(text("x", "note")), "by_user", "by_usr", 1)), "")
	if r.outcome != 0 || len(r.problems) == 0 || r.problems[0].Line != 3 {
		t.Fatalf("an unknown strategy: expected a problem in line 3, got %s", r)
	}
	_, r = putDefinition(c, text("x", "lost"), "")
	r.is(t, "an action type without a behavior", metadata.Created)
	v := c.Load().Definitions["x"][0]
	if v.Compiled != nil || len(v.Problems) != 1 || v.Problems[0].Code != "WB1257" {
		t.Fatalf("an action type without a behavior: expected version 1 with problem WB1257, got %+v", v)
	}
	_, r = putActivity(c, metadata.Activity{Definition: "x"})
	r.refused(t, "an activity of it", "WB1254", "/definition", "does not carry")
	if got := c.Load().Revision; got != before.Revision+1 {
		t.Fatalf("revision: expected %d, one put above the start, got %d", before.Revision+1, got)
	}
}

func TestAStoreThatFails(t *testing.T) {
	s := newStore(t)
	c := coupon(t, s)
	before := c.Load()
	s.onPut = func() error { return errors.New("disk on fire") }
	if r := putStrategy(c, "x"); r.err == nil || !strings.Contains(r.err.Error(), "disk on fire") || r.outcome != 0 || c.Load() != before {
		t.Fatalf("a put that fails: expected its error, outcome 0 and the snapshot before, got %s", r)
	}
	s.onPut, s.loadErr = nil, errors.New("gone")
	if r := putStrategy(c, "y"); r.err == nil || !strings.Contains(r.err.Error(), "is stored, but") || c.Load() != before {
		t.Fatalf("a put that cannot be read back: expected an error that says it is stored, got %s", r)
	}
	if err := c.Refresh(ctx); err == nil || c.Load() != before {
		t.Fatalf("a refresh that fails: expected an error and the snapshot before, got %v", err)
	}
	s.loadErr = nil
	putStrategy(c, "y").is(t, "the repeat", metadata.Unchanged)
	if c.Load().Strategies["y"] == nil {
		t.Fatal("the repeat: expected the next snapshot to show it")
	}
}

// TestACallerWhoGoesAway: a put that is stored is shown, whether its caller is still there or not.
func TestACallerWhoGoesAway(t *testing.T) {
	s := newStore(t)
	c := newCache(t, s)
	gone, cancel := context.WithCancel(ctx)
	s.onPut = func() error { cancel(); return nil }
	_, o, _, err := c.PutStrategy(gone, metadata.Strategy{Name: "x", When: "true", DomainID: `"d"`})
	if err != nil || o != metadata.Created || c.Load().Strategies["x"] == nil {
		t.Fatalf("a caller who went during the put: expected it to be created and shown, got outcome %d, %v", o, err)
	}
}

func TestOtherNodes(t *testing.T) {
	s := newStore(t)
	c := coupon(t, s)
	other := newCache(t, s)
	putStrategy(other, "by_order").is(t, "a strategy of another node", metadata.Created)
	if c.Load().Strategies["by_order"] != nil {
		t.Fatal("before Refresh: expected the strategy of another node not to show")
	}
	if err := c.Refresh(ctx); err != nil || c.Load().Strategies["by_order"] == nil {
		t.Fatalf("after Refresh: expected the strategy of another node to show, got %v", err)
	}
	before := c.Load()
	if err := c.Refresh(ctx); err != nil || c.Load() != before {
		t.Fatalf("Refresh without a change: expected the same snapshot, got %v", err)
	}
}

// TestAServiceGone: a definition that no longer compiles keeps its problems and harms no other.
func TestAServiceGone(t *testing.T) {
	s := newStore(t)
	c := coupon(t, s)
	for _, name := range []string{"coupon", "mailing"} {
		_, r := putActivity(c, metadata.Activity{Definition: name})
		r.is(t, name, metadata.Created)
	}
	healthy := c.Load().ByName["coupon"]
	s.edit = func(r *metadata.Records) { r.Services, r.Revision = nil, r.Revision+100 }
	if err := c.Refresh(ctx); err != nil {
		t.Fatal(err)
	}
	now := c.Load()
	v := now.Definitions["mailing"][0]
	if v.Compiled != nil || len(v.Problems) == 0 || v.Problems[0].Line == 0 || string(v.Text) != string(text("mailing", "mail")) {
		t.Fatalf("definition mailing without its service: expected its text and a problem with a line, got %+v", v)
	}
	if a := now.ByName["mailing"]; a == nil || a.Latest != nil || len(a.Versions) != 0 {
		t.Fatalf("its activity: expected it to be there without versions, got %+v", a)
	}
	if a := now.ByName["coupon"]; a.Latest == nil || a.Latest.Definition.Name != healthy.Definition {
		t.Fatalf("activity coupon: expected it to go on, got %+v", a)
	}
	_, r := putActivity(c, metadata.Activity{Name: "second", Definition: "mailing"})
	r.refused(t, "another activity of it", "WB1254", "/definition", "version 1 says at ")
	s.edit = func(r *metadata.Records) { r.Revision += 200 }
	if err := c.Refresh(ctx); err != nil || c.Load().ByName["mailing"].Latest == nil {
		t.Fatalf("with the service back: expected activity mailing to run again, got %v", err)
	}
}

func TestARestartShowsTheSame(t *testing.T) {
	s := newStore(t)
	c := coupon(t, s)
	for _, a := range []metadata.Activity{{Definition: "coupon"}, {Name: "春节", Definition: "mailing", DisplayName: "春节 <1>", Config: map[string]any{"limit": 1.5, "title": nil}}} {
		_, r := putActivity(c, a)
		r.is(t, a.Name, metadata.Created)
	}
	again, was := newCache(t, s).Load(), c.Load()
	if !reflect.DeepEqual(again.Records, was.Records) {
		t.Fatalf("records after a restart: expected %+v, got %+v", was.Records, again.Records)
	}
	a := again.ByName["春节"]
	if a == nil || a.DisplayName != "春节 <1>" || a.Latest.Config["limit"] != 1.5 || a.Latest.Config["title"] != nil {
		t.Fatalf("activity 春节 after a restart: expected its config and name, got %+v", a)
	}
}

// TestManyCallers puts and loads at the same time; with the race detector this is a test of the swap.
func TestManyCallers(t *testing.T) {
	c := coupon(t, newStore(t))
	const callers, puts = 4, 10
	var wg sync.WaitGroup
	for n := range callers {
		wg.Go(func() {
			for i := range puts {
				name := string(rune('a'+n)) + string(rune('a'+i))
				if _, r := putActivity(c, metadata.Activity{Name: name, Definition: "coupon"}); r.outcome != metadata.Created {
					t.Errorf("activity %s: expected it to be created, got %s", name, r)
				}
				if c.Load().ByName[name] == nil {
					t.Errorf("activity %s: expected the snapshot after its put to show it", name)
				}
				c.CheckDefinition(text(name, "mail"))
			}
		})
	}
	wg.Wait()
	if got := len(c.Load().Activities); got != callers*puts {
		t.Fatalf("activities: expected %d, got %d", callers*puts, got)
	}
}

func TestCompileOnlyWhatIsNew(t *testing.T) {
	const many = 500
	s := newStore(t)
	c := coupon(t, s)
	for i := range many {
		_, r := putActivity(c, metadata.Activity{Name: "a" + strings.Repeat("x", i%150) + string(rune('a'+i/150)), Definition: "coupon", Config: map[string]any{"limit": int64(i)}})
		r.is(t, "activity", metadata.Created)
	}
	_, r := putActivity(c, metadata.Activity{Definition: "mailing"})
	r.is(t, "mailing", metadata.Created)

	compiled := c.CountCompilations()
	expect := func(what string, compilations, bound int, put func()) {
		t.Helper()
		before := c.Load()
		*compiled = 0
		put()
		fresh := 0
		for number, a := range c.Load().Activities {
			if before.Activities[number] != a {
				fresh++
			}
		}
		if *compiled != compilations || fresh != bound {
			t.Fatalf("%s: expected %d compilations and %d activities bound, got %d and %d", what, compilations, bound, *compiled, fresh)
		}
	}
	expect("an activity", 0, 1, func() { putActivity(c, metadata.Activity{Name: "one_more", Definition: "coupon"}) })
	expect("a service", 0, 0, func() { putService(c, "sms", "https://sms/") })
	expect("a strategy", 0, 0, func() { putStrategy(c, "by_order") })
	expect("a definition", 1, 0, func() { putDefinition(c, text("third", "sms"), "") })
	expect("a version", 1, 1, func() { putDefinition(c, text("mailing", "sms"), "") })
	expect("a version of many activities", 1, many+1, func() { putDefinition(c, text("coupon", "sms"), "") })
	expect("a restart of nothing", 0, 0, func() {
		if err := c.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	})
	// A name gone means that everything is checked anew; a name added compiles only what had failed.
	s.edit = func(r *metadata.Records) { r.Services, r.Revision = r.Services[:1], r.Revision+100 } // mail stays, sms goes
	expect("a service gone", 5, many+2, func() { _ = c.Refresh(ctx) })
	s.edit = func(r *metadata.Records) { r.Revision += 200 }
	expect("the service back", 3, many+2, func() { _ = c.Refresh(ctx) })
}

func BenchmarkPutActivity(b *testing.B) {
	for _, many := range []int{100, 10_000} {
		b.Run(map[int]string{100: "100", 10_000: "10000"}[many], func(b *testing.B) {
			s := newStore(b)
			c := coupon(b, s)
			for i := range many {
				if _, _, err := s.PutActivity(ctx, metadata.Activity{Name: numbered(i), Definition: "coupon", State: 1, Config: map[string]any{"limit": int64(i)}}); err != nil {
					b.Fatal(err)
				}
			}
			if err := c.Refresh(ctx); err != nil {
				b.Fatal(err)
			}
			i := many
			for b.Loop() {
				i++
				if _, r := putActivity(c, metadata.Activity{Name: numbered(i), Definition: "coupon", Config: map[string]any{"limit": int64(i)}}); r.outcome != metadata.Created {
					b.Fatal(r)
				}
			}
		})
	}
}

func numbered(i int) string {
	return "n" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576%26)) + string(rune('a'+i/456976))
}
