package metadata_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/metadata"
)

func noThreads(uint32) (int64, error) { return 0, nil }

func inUse(t *testing.T, what string, outcome metadata.Outcome, err error, parts ...string) {
	t.Helper()
	var used *metadata.InUse
	if !errors.As(err, &used) || outcome != 0 {
		t.Fatalf("%s: expected it to be refused as in use, got outcome %d, %v", what, outcome, err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: expected the refusal to name %s, got %v", what, part, err)
		}
	}
}

// TestWhatIsInUseIsNotDeleted unless forced; then its versions cannot be loaded, harm no other, and are back with it.
func TestWhatIsInUseIsNotDeleted(t *testing.T) {
	c := coupon(t, newStore(t))
	a, r := putActivity(c, metadata.Activity{Definition: "mailing"})
	r.is(t, "activity", metadata.Created)
	outcome, err := c.DeleteStrategy(ctx, "by_user", metadata.AnyRevision, false)
	inUse(t, "a strategy that definitions name", outcome, err, `definition "coupon" version 1`, `definition "mailing" version 1`)
	outcome, err = c.DeleteService(ctx, "mail", metadata.AnyRevision, false)
	inUse(t, "a service that a definition asks", outcome, err, `definition "mailing" version 1`)
	before := c.Load()
	if outcome, err = c.DeleteService(ctx, "mail", metadata.AnyRevision, true); err != nil || outcome != metadata.Deleted {
		t.Fatalf("a service that is in use, by force: expected it to be deleted, got %d, %v", outcome, err)
	}
	s := c.Load()
	if s.Version("mailing", "1").Compiled != nil || len(s.Activities[a.Number].Versions) != 0 || s.Version("coupon", "1").Compiled == nil {
		t.Fatal("after the service is gone: expected mailing not to be loadable, and coupon not to mind")
	}
	if s.Version("coupon", "1") != before.Version("coupon", "1") && s.Version("coupon", "1").Compiled == nil {
		t.Fatal("a definition that does not ask the service: expected it to stay loadable")
	}
	putService(c, "mail", "http://mail:8080/actions").is(t, "the service again", metadata.Created)
	if s = c.Load(); s.Activities[a.Number].Latest == nil || s.Services["mail"].Destination != before.Services["mail"].Destination {
		t.Fatalf("the service put again: expected mailing to be loadable and the destination to be %d again, got %+v", before.Services["mail"].Destination, s.Services["mail"])
	}
	for name, call := range map[string]func() (metadata.Outcome, error){
		"strategy": func() (metadata.Outcome, error) {
			return c.DeleteStrategy(ctx, "none", metadata.AnyRevision, false)
		},
		"service": func() (metadata.Outcome, error) {
			return c.DeleteService(ctx, "none", metadata.AnyRevision, false)
		},
		"version": func() (metadata.Outcome, error) {
			return c.DeleteDefinition(ctx, "coupon", "9", metadata.AnyRevision, false, noThreads)
		},
	} {
		if outcome, err := call(); err != nil || outcome != metadata.Missing {
			t.Errorf("an unknown %s: expected it to be missing, got %d, %v", name, outcome, err)
		}
	}
}

func TestDeleteAVersion(t *testing.T) {
	c := coupon(t, newStore(t))
	a, r := putActivity(c, metadata.Activity{Definition: "coupon"})
	r.is(t, "activity", metadata.Created)
	outcome, err := c.DeleteDefinition(ctx, "coupon", "1", metadata.AnyRevision, false, noThreads)
	inUse(t, "the only version of an activity's definition", outcome, err, `activity "coupon"`, "no other version")
	_, r = putDefinition(c, append(text("coupon", "note"), "# two\n"...), "")
	r.is(t, "version 2", metadata.Created)
	outcome, err = c.DeleteDefinition(ctx, "coupon", "1", metadata.AnyRevision, false, func(n uint32) (int64, error) { return 3, nil })
	inUse(t, "a version with threads", outcome, err, "3 threads", `"coupon"`)
	if outcome, err = c.DeleteDefinition(ctx, "coupon", "1", metadata.AnyRevision, false, noThreads); err != nil || outcome != metadata.Deleted {
		t.Fatalf("a version without threads beside another: expected it to be deleted, got %d, %v", outcome, err)
	}
	if s := c.Load(); s.Version("coupon", "1") != nil || len(s.Activities[a.Number].Versions) != 1 {
		t.Fatal("after the delete: expected version 2 only")
	}
}

func TestModifyAndDisableAVersion(t *testing.T) {
	c := coupon(t, newStore(t))
	a, r := putActivity(c, metadata.Activity{Definition: "coupon"})
	r.is(t, "activity", metadata.Created)
	there := c.Load().Version("coupon", "1")
	changed := append(text("coupon", "note"), "# changed\n"...)
	v, outcome, _, err := c.ModifyDefinition(ctx, "coupon", "1", changed, nil, there.Revision)
	if err != nil || outcome != metadata.Updated || !v.Enabled || v.Compiled == nil || v.CreatedMs != there.CreatedMs || v.Revision <= there.Revision {
		t.Fatalf("another text of version 1: expected it to be there, enabled as before, got %+v, %d, %v", v, outcome, err)
	}
	if got := c.Load().Activities[a.Number].Versions["1"].Definition; got != v.Compiled {
		t.Fatal("the activity: expected it to run the new text")
	}
	if _, outcome, _, err = c.ModifyDefinition(ctx, "coupon", "1", changed, nil, there.Revision); err != nil || outcome != metadata.Conflict {
		t.Fatalf("the revision of before: expected a conflict, got %d, %v", outcome, err)
	}
	off := false
	if v, outcome, _, err = c.ModifyDefinition(ctx, "coupon", "1", nil, &off, metadata.AnyRevision); err != nil || outcome != metadata.Updated || v.Enabled {
		t.Fatalf("disabled: expected it to be so, got %+v, %d, %v", v, outcome, err)
	}
	if got := c.Load().Activities[a.Number]; got.Latest != nil || got.Versions["1"] == nil || got.Versions["1"].Enabled {
		t.Fatalf("the activity: expected no latest version, and version 1 to be there for its threads, got %+v", got)
	}
	_, outcome, problems, err := c.ModifyDefinition(ctx, "coupon", "1", text("other", "note"), nil, metadata.AnyRevision)
	if err != nil || outcome != 0 || len(problems) == 0 || problems[len(problems)-1].Path != "/activity/name" {
		t.Fatalf("the text of another definition: expected it to be refused at /activity/name, got %d, %+v, %v", outcome, problems, err)
	}
	if _, outcome, problems, err = c.ModifyDefinition(ctx, "coupon", "1", text("coupon", "nosuch"), nil, metadata.AnyRevision); err != nil || outcome != 0 || len(problems) == 0 {
		t.Fatalf("a text with an error: expected problems, got %d, %v", outcome, err)
	}
	if _, outcome, _, err = c.ModifyDefinition(ctx, "coupon", "2", changed, nil, metadata.AnyRevision); err != nil || outcome != metadata.Missing {
		t.Fatalf("an unknown version: expected it to be missing, got %d, %v", outcome, err)
	}
}

func TestCommandsOfAnActivity(t *testing.T) {
	c := coupon(t, newStore(t))
	a, r := putActivity(c, metadata.Activity{Definition: "coupon"})
	r.is(t, "activity", metadata.Created)
	for _, step := range []struct {
		command string
		want    activity.State
	}{{"pause", activity.ActivityPaused}, {"pause", 0}, {"continue", activity.ActivityRunning}, {"resume", 0}, {"kill", activity.ActivityKilled}, {"kill", 0}, {"resume", 0}, {"pause", 0}} {
		before := c.Load()
		got, outcome, err := c.CommandActivity(ctx, a.Number, step.command, metadata.AnyRevision)
		var invalid *metadata.InvalidState
		if step.want == 0 {
			if !errors.As(err, &invalid) || c.Load() != before || !strings.Contains(err.Error(), step.command) {
				t.Fatalf("%s of an activity that is %s: expected it to be refused, got %d, %v", step.command, before.Activities[a.Number].State, outcome, err)
			}
			continue
		}
		if err != nil || outcome != metadata.Updated || got.State != step.want || c.Load().Activities[a.Number].State != step.want || got.StateAt != c.Load().Revision {
			t.Fatalf("%s: expected state %s, stamped with the revision, got %+v, %d, %v", step.command, step.want, got, outcome, err)
		}
	}
	if _, outcome, err := c.CommandActivity(ctx, 99, "pause", metadata.AnyRevision); err != nil || outcome != metadata.Missing {
		t.Fatalf("an unknown activity: expected it to be missing, got %d, %v", outcome, err)
	}
	again, r := putActivity(c, metadata.Activity{Definition: "coupon"})
	r.is(t, "another activity of the killed one's name", metadata.Created)
	if c.Load().ByName["coupon"].Number != again.Number || again.Number == a.Number {
		t.Fatalf("the name: expected it to be the new activity's, %d, got %d", again.Number, c.Load().ByName["coupon"].Number)
	}
}

func TestEditConfig(t *testing.T) {
	c := coupon(t, newStore(t))
	a, r := putActivity(c, metadata.Activity{Definition: "coupon", Config: map[string]any{"limit": int64(9)}})
	r.is(t, "activity", metadata.Created)
	set := func(key string, v any) func(map[string]any) error {
		return func(config map[string]any) error { config[key] = v; return nil }
	}
	got, outcome, _, err := c.EditConfig(ctx, a.Number, a.Revision, set("$retention", "2d"))
	if err != nil || outcome != metadata.Updated || !reflect.DeepEqual(got.Config, map[string]any{"limit": int64(9), "$retention": "2d"}) {
		t.Fatalf("one item: expected it beside the other, got %v, %d, %v", got.Config, outcome, err)
	}
	bound := c.Load().Activities[a.Number].Latest
	if bound.Settings.RetentionMs != 172_800_000 || bound.Config["title"] != "hello" || bound.Config["limit"] != int64(9) {
		t.Fatalf("the activity: expected two days of retention and its config over the definition's, got %+v, %v", bound.Settings, bound.Config)
	}
	if _, shown := bound.Config["$retention"]; shown {
		t.Error("expected settings not to be among the items that expressions see")
	}
	if _, outcome, _, err = c.EditConfig(ctx, a.Number, a.Revision, set("limit", int64(1))); err != nil || outcome != metadata.Conflict {
		t.Fatalf("the revision of before: expected a conflict, got %d, %v", outcome, err)
	}
	before := c.Load()
	_, outcome, problems, err := c.EditConfig(ctx, a.Number, metadata.AnyRevision, set("$retention", "soon"))
	if err != nil || outcome != 0 || len(problems) != 1 || problems[0].Code != "WB1258" || c.Load() != before {
		t.Fatalf("a setting with a bad value: expected problem WB1258 and no change, got %d, %+v, %v", outcome, problems, err)
	}
	if _, outcome, _, err = c.EditConfig(ctx, a.Number, metadata.AnyRevision, func(config map[string]any) error { delete(config, "limit"); return nil }); err != nil || outcome != metadata.Updated {
		t.Fatalf("an item taken: expected it to be so, got %d, %v", outcome, err)
	}
	if got := c.Load().Activities[a.Number].Latest.Config["limit"]; got != int64(3) {
		t.Fatalf("an item taken: expected the definition's 3 to hold again, got %v", got)
	}
	if _, _, _, err = c.EditConfig(ctx, a.Number, metadata.AnyRevision, func(map[string]any) error { return errors.New("no such item") }); err == nil {
		t.Fatal("an edit that refuses: expected its error")
	}
	if _, _, err = c.CommandActivity(ctx, a.Number, "kill", metadata.AnyRevision); err != nil {
		t.Fatal(err)
	}
	var invalid *metadata.InvalidState
	if _, _, _, err = c.EditConfig(ctx, a.Number, metadata.AnyRevision, set("limit", nil)); !errors.As(err, &invalid) {
		t.Fatalf("the config of a killed activity: expected a refusal, got %v", err)
	}
}

func TestUpdateStrategyAndService(t *testing.T) {
	c := coupon(t, newStore(t))
	before := c.Load()
	s, outcome, _, err := c.UpdateStrategy(ctx, metadata.Strategy{Name: "by_user", When: "true", DomainID: `"x"`}, metadata.AnyRevision)
	if err != nil || outcome != metadata.Updated || s.UpdatedMs != 1700 || c.Load().Strategies["by_user"] == before.Strategies["by_user"] {
		t.Fatalf("another strategy of this name: expected it to be compiled and used, got %+v, %d, %v", s, outcome, err)
	}
	if c.Load().Version("coupon", "1") != before.Version("coupon", "1") {
		t.Error("a strategy's expressions: expected no definition to be compiled for them")
	}
	if _, outcome, problems, err := c.UpdateStrategy(ctx, metadata.Strategy{Name: "by_user", When: "(", DomainID: `"x"`}, metadata.AnyRevision); err != nil || outcome != 0 || len(problems) == 0 {
		t.Fatalf("a bad expression: expected problems, got %d, %v", outcome, err)
	}
	v, outcome, _, err := c.UpdateService(ctx, metadata.Service{Name: "mail", URL: "http://other"}, metadata.AnyRevision)
	if err != nil || outcome != metadata.Updated || v.Destination != before.Services["mail"].Destination || c.Load().Services["mail"].URL != "http://other" {
		t.Fatalf("another URL: expected it, with the destination of before, got %+v, %d, %v", v, outcome, err)
	}
}
