package metadatatest

import (
	"context"
	"reflect"
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/metadata"
)

// changed checks outcome and error of a change, and that the revision rose by one where something was written.
func (s *suite) changed(before metadata.Records, got, want metadata.Outcome, err error, what string) {
	s.Helper()
	s.check(err, what)
	s.expect(got, want, what+" (4 updated, 5 missing, 6 deleted)")
	rise := uint64(0)
	if want == metadata.Updated || want == metadata.Deleted {
		rise = 1
	}
	if r := s.load().Revision; r != before.Revision+rise {
		s.Fatalf("%s: expected the revision to rise by %d from %d, got %d", what, rise, before.Revision, r)
	}
}

func testUpdates(s *suite) {
	ctx := context.Background()
	first := s.strategy(metadata.Strategy{Name: "b", When: "w", DomainID: "d", CreatedMs: 3}, metadata.Created)
	s.strategy(metadata.Strategy{Name: "a"}, metadata.Created)
	held := s.load()
	next := metadata.Strategy{Name: "b", When: "w2", DomainID: "d", CreatedMs: 99, UpdatedMs: 4}
	for _, c := range []struct {
		what   string
		in     metadata.Strategy
		expect uint64
		want   metadata.Outcome
	}{
		{"an unknown name", metadata.Strategy{Name: "c"}, metadata.AnyRevision, metadata.Missing},
		{"another revision", next, first.Revision + 1, metadata.Conflict},
		{"the same content", metadata.Strategy{Name: "b", When: "w", DomainID: "d"}, first.Revision, metadata.Unchanged},
		{"other content", next, first.Revision, metadata.Updated},
		{"the revision of before", first, first.Revision, metadata.Conflict},
		{"any revision", metadata.Strategy{Name: "b", When: "w3"}, metadata.AnyRevision, metadata.Updated},
	} {
		before := s.load()
		out, outcome, err := s.store.UpdateStrategy(ctx, c.in, c.expect)
		s.changed(before, outcome, c.want, err, "UpdateStrategy with "+c.what)
		if c.want == metadata.Updated && (out.When != c.in.When || out.CreatedMs != 3 || out.UpdatedMs != c.in.UpdatedMs || out.Revision != before.Revision+1) {
			s.Fatalf("UpdateStrategy with %s: expected the new content, created at 3, revision %d, got %+v", c.what, before.Revision+1, out)
		}
		if c.want == metadata.Conflict && out.When != before.Strategies[1].When {
			s.Fatalf("UpdateStrategy with %s: expected what is there, got %+v", c.what, out)
		}
	}
	if held.Strategies[1] != first {
		s.Fatalf("records loaded before: expected them to stay, got %+v", held.Strategies[1])
	}
	service := s.service(metadata.Service{Name: "m", URL: "u", CreatedMs: 5}, metadata.Created)
	before := s.load()
	out, outcome, err := s.store.UpdateService(ctx, metadata.Service{Name: "m", URL: "u2", Destination: 77}, service.Revision)
	s.changed(before, outcome, metadata.Updated, err, "UpdateService")
	if out.Destination != service.Destination || out.URL != "u2" || out.CreatedMs != 5 {
		s.Fatalf("UpdateService: expected the URL to change and destination %d to stay, got %+v", service.Destination, out)
	}
	before = s.load()
	_, outcome, err = s.store.UpdateService(ctx, metadata.Service{Name: "m", URL: "u"}, service.Revision)
	s.changed(before, outcome, metadata.Conflict, err, "UpdateService with the revision of before")
	s.again()
	s.same(s.load(), before, "updates after a restart")
}

func testUpdateDefinition(s *suite) {
	ctx := context.Background()
	one := s.definition("d", "1", "one", metadata.Created)
	s.definition("d", "2", "two", metadata.Created)
	text := []byte("ONE")
	before := s.load()
	out, outcome, err := s.store.UpdateDefinition(ctx, metadata.Definition{Name: "d", Version: "1", Text: text, Enabled: true, UpdatedMs: 8}, one.Revision)
	s.changed(before, outcome, metadata.Updated, err, "UpdateDefinition")
	text[0] = 'x'
	if out.Order != one.Order || out.CreatedMs != 7 || out.UpdatedMs != 8 || string(out.Text) != "ONE" {
		s.Fatalf("UpdateDefinition: expected the text to change, order %d and creation to stay, got %+v", one.Order, out)
	}
	before = s.load()
	_, outcome, err = s.store.UpdateDefinition(ctx, metadata.Definition{Name: "d", Version: "1", Text: []byte("ONE")}, metadata.AnyRevision)
	s.changed(before, outcome, metadata.Updated, err, "UpdateDefinition that disables")
	for name, version := range map[string]string{"d": "3", "e": "1"} {
		before = s.load()
		_, outcome, err = s.store.UpdateDefinition(ctx, metadata.Definition{Name: name, Version: version}, metadata.AnyRevision)
		s.changed(before, outcome, metadata.Missing, err, "UpdateDefinition of what is not there")
	}
	for range 2 {
		r := s.load()
		if len(r.Definitions) != 2 || string(r.Definitions[0].Text) != "ONE" || r.Definitions[0].Enabled || !r.Definitions[1].Enabled {
			s.Fatalf("Load: expected version 1 with its new text, disabled, before version 2, got %+v", r.Definitions)
		}
		s.again()
	}
}

func testUpdateActivity(s *suite) {
	ctx := context.Background()
	one := s.activity(metadata.Activity{Name: "a", Definition: "d", Config: map[string]any{"x": int64(1)}, CreatedMs: 3}, metadata.Created)
	in := one
	config := map[string]any{"x": decimal("1.0")}
	in.Config, in.Definition, in.Name, in.CreatedMs = config, "other", "b", 99
	before := s.load()
	out, outcome, err := s.store.UpdateActivity(ctx, in, one.Revision)
	s.changed(before, outcome, metadata.Updated, err, "UpdateActivity of a config")
	config["x"] = nil
	if out.Name != "a" || out.Definition != "d" || out.CreatedMs != 3 || out.StateAt != 0 || reflect.DeepEqual(out.Config, one.Config) || out.Config["x"] == nil {
		s.Fatalf("UpdateActivity: expected another config, name, definition and creation as they were, got %+v", out)
	}
	paused := out
	paused.State = activity.ActivityPaused
	before = s.load()
	out, outcome, err = s.store.UpdateActivity(ctx, paused, out.Revision)
	s.changed(before, outcome, metadata.Updated, err, "UpdateActivity of a state")
	if out.StateAt != out.Revision || out.Revision != before.Revision+1 {
		s.Fatalf("a change of state: expected it to be stamped with revision %d, got %+v", before.Revision+1, out)
	}
	stamp := out.StateAt
	out.Config = nil
	out, outcome, err = s.store.UpdateActivity(ctx, out, metadata.AnyRevision)
	if err != nil || outcome != metadata.Updated || out.StateAt != stamp {
		s.Fatalf("a change of the config: expected the stamp of the state, %d, to stay, got %+v, %v", stamp, out, err)
	}
	before = s.load()
	_, outcome, err = s.store.UpdateActivity(ctx, out, metadata.AnyRevision)
	s.changed(before, outcome, metadata.Unchanged, err, "UpdateActivity with the same content")
	_, outcome, err = s.store.UpdateActivity(ctx, one, one.Revision)
	s.changed(before, outcome, metadata.Conflict, err, "UpdateActivity with the revision of before")
	_, outcome, err = s.store.UpdateActivity(ctx, metadata.Activity{Number: 99}, metadata.AnyRevision)
	s.changed(before, outcome, metadata.Missing, err, "UpdateActivity of an unknown number")
	s.again()
	s.same(s.load(), before, "updates after a restart")
}

func testDeletes(s *suite) {
	ctx := context.Background()
	strategy := s.strategy(metadata.Strategy{Name: "x", When: "w"}, metadata.Created)
	s.strategy(metadata.Strategy{Name: "y"}, metadata.Created)
	service := s.service(metadata.Service{Name: "x", URL: "u"}, metadata.Created)
	version := s.definition("x", "1", "text", metadata.Created)
	s.definition("x", "2", "text", metadata.Created)
	held := s.load()
	shown := written(s.T, held)
	for what, del := range map[string]struct {
		revision uint64
		call     func(name string, expect uint64) (metadata.Outcome, error)
	}{
		"DeleteStrategy": {strategy.Revision, func(name string, r uint64) (metadata.Outcome, error) { return s.store.DeleteStrategy(ctx, name, r) }},
		"DeleteService":  {service.Revision, func(name string, r uint64) (metadata.Outcome, error) { return s.store.DeleteService(ctx, name, r) }},
		"DeleteDefinition": {version.Revision, func(name string, r uint64) (metadata.Outcome, error) {
			return s.store.DeleteDefinition(ctx, name, "1", r)
		}},
	} {
		for _, c := range []struct {
			name   string
			expect uint64
			want   metadata.Outcome
		}{{"z", metadata.AnyRevision, metadata.Missing}, {"x", del.revision + 100, metadata.Conflict}, {"x", del.revision, metadata.Deleted}, {"x", metadata.AnyRevision, metadata.Missing}} {
			before := s.load()
			outcome, err := del.call(c.name, c.expect)
			s.changed(before, outcome, c.want, err, what+" "+c.name)
		}
	}
	if got := written(s.T, held); got != shown {
		s.Fatalf("records loaded before: expected them to stay\n%s\ngot\n%s", shown, got)
	}
	for range 2 {
		r := s.load()
		if len(r.Strategies) != 1 || r.Strategies[0].Name != "y" || len(r.Services) != 0 || len(r.Definitions) != 1 || r.Definitions[0].Version != "2" {
			s.Fatalf("Load after deletes: expected strategy y and version 2 only, got %+v", r)
		}
		s.again()
	}
	s.strategy(metadata.Strategy{Name: "x", When: "another"}, metadata.Created)
	again := s.definition("x", "1", "another", metadata.Created)
	if r := s.load(); again.Order <= version.Order || !slices.IsSortedFunc(r.Definitions, func(a, b metadata.Definition) int { return int(a.Order) - int(b.Order) }) {
		s.Fatalf("a version put again: expected it to be the latest, got %+v", r.Definitions)
	}
}

func testNothingIsDrawnTwice(s *suite) {
	ctx := context.Background()
	mail := s.service(metadata.Service{Name: "mail", URL: "u"}, metadata.Created)
	s.definition("d", "", "one", metadata.Created)
	s.definition("d", "", "two", metadata.Created)
	for _, version := range []string{"2", "1"} {
		if outcome, err := s.store.DeleteDefinition(ctx, "d", version, metadata.AnyRevision); err != nil || outcome != metadata.Deleted {
			s.Fatalf("DeleteDefinition: expected it to be deleted, got %d, %v", outcome, err)
		}
	}
	if outcome, err := s.store.DeleteService(ctx, "mail", metadata.AnyRevision); err != nil || outcome != metadata.Deleted {
		s.Fatalf("DeleteService: expected it to be deleted, got %d, %v", outcome, err)
	}
	s.again()
	if other := s.service(metadata.Service{Name: "other", URL: "u"}, metadata.Created); other.Destination == mail.Destination {
		s.Fatalf("a service after one was deleted: expected a destination of its own, got %d again", mail.Destination)
	}
	if back := s.service(metadata.Service{Name: "mail", URL: "u2"}, metadata.Created); back.Destination != mail.Destination {
		s.Fatalf("a service put again: expected its destination %d, so that its outbox goes to it, got %d", mail.Destination, back.Destination)
	}
	if got := s.definition("d", "", "three", metadata.Created); got.Version != "3" {
		s.Fatalf("the number after 1 and 2, both deleted: expected 3, threads may be pinned to 2, got %s", got.Version)
	}
}

func testKilledName(s *suite) {
	ctx := context.Background()
	first := s.activity(metadata.Activity{Name: "a", Definition: "d"}, metadata.Created)
	first.State = activity.ActivityKilled
	if _, outcome, err := s.store.UpdateActivity(ctx, first, metadata.AnyRevision); err != nil || outcome != metadata.Updated {
		s.Fatalf("UpdateActivity: expected it to be killed, got %d, %v", outcome, err)
	}
	s.again()
	second := s.activity(metadata.Activity{Name: "a", Definition: "d"}, metadata.Created)
	if second.Number <= first.Number {
		s.Fatalf("another activity of a killed one's name: expected a number above %d, got %d", first.Number, second.Number)
	}
	s.again()
	s.activity(metadata.Activity{Name: "a", Definition: "d"}, metadata.Unchanged)
	if r := s.load(); len(r.Activities) != 2 {
		s.Fatalf("Load: expected both activities, got %+v", r.Activities)
	}
}
