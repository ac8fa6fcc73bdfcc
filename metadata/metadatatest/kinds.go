package metadatatest

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/metadata"
)

func testEmpty(s *suite) {
	r := s.load()
	if r.Revision != 0 || len(r.Strategies)+len(r.Services)+len(r.Definitions)+len(r.Activities) != 0 {
		s.Fatalf("a new store: expected no records at revision 0, got %+v", r)
	}
}

func testStrategies(s *suite) {
	in := metadata.Strategy{Name: "by_user", When: `containsAttr("user_id")`, DomainID: `eventAttr("user_id")`, CreatedMs: 42}
	out := s.strategy(in, metadata.Created)
	if in.Revision = s.load().Revision; out != in {
		s.Fatalf("PutStrategy: expected what was put with the new revision, %+v, got %+v", in, out)
	}
	later := in
	later.CreatedMs = 99
	if out := s.strategy(later, metadata.Unchanged); out != in {
		s.Fatalf("the same content again: expected what is there, %+v, got %+v", in, out)
	}
	other := in
	other.When = "true"
	if out := s.strategy(other, metadata.Conflict); out != in {
		s.Fatalf("other content: expected what is there, %+v, got %+v", in, out)
	}
	other = in
	other.DomainID = "1"
	s.strategy(other, metadata.Conflict)
	s.strategy(metadata.Strategy{Name: "z"}, metadata.Created)
	s.strategy(metadata.Strategy{Name: "a"}, metadata.Created)
	for range 2 {
		r := s.load()
		if len(r.Strategies) != 3 || r.Strategies[0].Name != "a" || r.Strategies[1] != in || r.Strategies[2].Name != "z" {
			s.Fatalf("Load: expected the strategies a, by_user, z in this order, got %+v", r.Strategies)
		}
		s.again()
	}
}

func testServices(s *suite) {
	mail := s.service(metadata.Service{Name: "mail", URL: "http://mail:80/x?a=1&b=<2>", CreatedMs: 5}, metadata.Created)
	if mail.Destination == 0 {
		s.Fatalf("PutService: expected a destination number above 0, got %+v", mail)
	}
	if again := s.service(metadata.Service{Name: "mail", URL: mail.URL, CreatedMs: 6}, metadata.Unchanged); again != mail {
		s.Fatalf("the same content again: expected %+v, got %+v", mail, again)
	}
	if there := s.service(metadata.Service{Name: "mail", URL: "http://other"}, metadata.Conflict); there != mail {
		s.Fatalf("other content: expected what is there, %+v, got %+v", mail, there)
	}
	coupon := s.service(metadata.Service{Name: "coupon", URL: mail.URL}, metadata.Created)
	s.again()
	audit := s.service(metadata.Service{Name: "audit", URL: mail.URL}, metadata.Created)
	if coupon.Destination <= mail.Destination || audit.Destination <= coupon.Destination {
		s.Fatalf("destinations: expected each greater than the one before, also after a restart, got %d, %d, %d", mail.Destination, coupon.Destination, audit.Destination)
	}
	r := s.load()
	if len(r.Services) != 3 || r.Services[0] != audit || r.Services[1] != coupon || r.Services[2] != mail {
		s.Fatalf("Load: expected audit, coupon, mail as they were put, got %+v", r.Services)
	}
}

func testDefinitions(s *suite) {
	first := s.definition("coupon", "2.0", "text", metadata.Created)
	if first.Order == 0 || !first.Enabled || first.Version != "2.0" || first.CreatedMs != 7 || string(first.Text) != "text" {
		s.Fatalf("PutDefinition: expected what was put with an order above 0, got %+v", first)
	}
	second := s.definition("coupon", "1.0", "text", metadata.Created)
	third := s.definition("other", "1.0", "text", metadata.Created)
	if second.Order <= first.Order || third.Order <= second.Order {
		s.Fatalf("orders: expected each greater than the one before, over all definitions, got %d, %d, %d", first.Order, second.Order, third.Order)
	}
	if again := s.definition("coupon", "2.0", "text", metadata.Unchanged); again.Order != first.Order {
		s.Fatalf("the same content again: expected order %d, got %d", first.Order, again.Order)
	}
	if there := s.definition("coupon", "2.0", "text ", metadata.Conflict); string(there.Text) != "text" {
		s.Fatalf("other content: expected the text that is there, got %q", there.Text)
	}
	for range 2 {
		r := s.load()
		if len(r.Definitions) != 3 || r.Definitions[0].Version != "2.0" || r.Definitions[1].Version != "1.0" || r.Definitions[2].Name != "other" {
			s.Fatalf("Load: expected coupon@2.0, coupon@1.0, other@1.0 in this order, got %+v", r.Definitions)
		}
		s.again()
	}
}

func testVersionNumbers(s *suite) {
	put := func(version, text, want string, outcome metadata.Outcome) {
		s.Helper()
		if got := s.definition("coupon", version, text, outcome); got.Version != want {
			s.Fatalf("PutDefinition with version %q: expected version %q, got %q", version, want, got.Version)
		}
	}
	put("", "one", "1", metadata.Created)
	put("", "one", "1", metadata.Unchanged)
	put("", "two", "2", metadata.Created)
	put("", "one", "3", metadata.Created) // only the latest's text counts
	put("9", "nine", "9", metadata.Created)
	put("4", "four", "4", metadata.Created)
	put("2.5", "named", "2.5", metadata.Created)
	s.again()
	put("", "named", "2.5", metadata.Unchanged)
	put("", "ten", "10", metadata.Created)
	if got := s.definition("other", "", "ten", metadata.Created); got.Version != "1" {
		s.Fatalf("the first version of another definition: expected \"1\", got %q", got.Version)
	}
}

func testActivities(s *suite) {
	in := metadata.Activity{Name: "spring", DisplayName: "Spring sale", Definition: "coupon", State: activity.ActivityPaused, Config: map[string]any{"limit": int64(3)}, CreatedMs: 11}
	first := s.activity(in, metadata.Created)
	if first.Number == 0 || first.Name != in.Name || first.DisplayName != in.DisplayName || first.Definition != in.Definition || first.State != in.State || first.CreatedMs != in.CreatedMs {
		s.Fatalf("PutActivity: expected what was put with a number above 0, got %+v", first)
	}
	running := in
	running.State, running.CreatedMs = activity.ActivityRunning, 12
	if again := s.activity(running, metadata.Unchanged); again.Number != first.Number || again.State != in.State || again.CreatedMs != in.CreatedMs {
		s.Fatalf("the same content again: expected what is there, %+v (a state is no content), got %+v", first, again)
	}
	for what, change := range map[string]func(*metadata.Activity){
		"display name":       func(a *metadata.Activity) { a.DisplayName = "x" },
		"definition":         func(a *metadata.Activity) { a.Definition = "x" },
		"config value":       func(a *metadata.Activity) { a.Config = map[string]any{"limit": int64(4)} },
		"config type":        func(a *metadata.Activity) { a.Config = map[string]any{"limit": 3.0} },
		"config item added":  func(a *metadata.Activity) { a.Config = map[string]any{"limit": int64(3), "x": nil} },
		"config items taken": func(a *metadata.Activity) { a.Config = nil },
	} {
		other := in
		change(&other)
		if there := s.activity(other, metadata.Conflict); there.Number != first.Number || there.DisplayName != in.DisplayName {
			s.Fatalf("another %s: expected what is there, %+v, got %+v", what, first, there)
		}
	}
	second := s.activity(metadata.Activity{Name: "a", Definition: "coupon"}, metadata.Created)
	s.again()
	third := s.activity(metadata.Activity{Name: "b", Definition: "coupon"}, metadata.Created)
	if second.Number <= first.Number || third.Number <= second.Number {
		s.Fatalf("numbers: expected each greater than the one before, also after a restart, got %d, %d, %d", first.Number, second.Number, third.Number)
	}
	want := metadata.Records{Revision: 3, Activities: []metadata.Activity{first, second, third}}
	s.same(s.load(), want, "Load by number")
}
