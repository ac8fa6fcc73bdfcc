package metadatatest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/metadata"
)

// Open gives a test an empty store, and a function that ends its use (Close, where the store is still open) and opens the same
// data again. The test closes what it was given last.
type Open func(t *testing.T) (store metadata.Store, reopen func() metadata.Store)

// Run runs the suite against a driver.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*suite)
	}{
		{"empty", testEmpty},
		{"strategies", testStrategies},
		{"services", testServices},
		{"definitions", testDefinitions},
		{"version numbers", testVersionNumbers},
		{"activities", testActivities},
		{"updates", testUpdates},
		{"updates of definitions", testUpdateDefinition},
		{"updates of activities", testUpdateActivity},
		{"deletes", testDeletes},
		{"what is drawn is never another's", testNothingIsDrawnTwice},
		{"a killed activity's name", testKilledName},
		{"names", testNames},
		{"config types", testConfigTypes},
		{"big values", testBigValues},
		{"isolation", testIsolation},
		{"revision", testRevision},
		{"concurrency", testConcurrency},
		{"durability", testDurability},
		{"cancelled", testCancelled},
		{"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, reopen := open(t)
			s := &suite{T: t, store: store, reopen: reopen}
			t.Cleanup(func() { s.check(s.store.Close(), "Close") })
			c.test(s)
		})
	}
}

type suite struct {
	*testing.T
	store  metadata.Store
	reopen func() metadata.Store
}

func (s *suite) again() { s.store = s.reopen() }

func (s *suite) check(err error, what string) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: expected no error, got: %v", what, err)
	}
}

func (s *suite) load() metadata.Records {
	s.Helper()
	r, err := s.store.Load(context.Background())
	s.check(err, "Load")
	return r
}

func (s *suite) expect(got, want metadata.Outcome, what string) {
	s.Helper()
	if got != want {
		s.Fatalf("%s: expected outcome %d (1 created, 2 unchanged, 3 conflict), got %d", what, want, got)
	}
}

func (s *suite) strategy(in metadata.Strategy, want metadata.Outcome) metadata.Strategy {
	s.Helper()
	out, outcome, err := s.store.PutStrategy(context.Background(), in)
	s.check(err, "PutStrategy "+in.Name)
	s.expect(outcome, want, "PutStrategy "+in.Name)
	return out
}

func (s *suite) service(in metadata.Service, want metadata.Outcome) metadata.Service {
	s.Helper()
	out, outcome, err := s.store.PutService(context.Background(), in)
	s.check(err, "PutService "+in.Name)
	s.expect(outcome, want, "PutService "+in.Name)
	return out
}

func (s *suite) definition(name, version, text string, want metadata.Outcome) metadata.Definition {
	s.Helper()
	out, outcome, err := s.store.PutDefinition(context.Background(), metadata.Definition{Name: name, Version: version, Text: []byte(text), Enabled: true, CreatedMs: 7})
	s.check(err, "PutDefinition "+name+"@"+version)
	s.expect(outcome, want, "PutDefinition "+name+"@"+version)
	return out
}

func (s *suite) activity(in metadata.Activity, want metadata.Outcome) metadata.Activity {
	s.Helper()
	if in.State == 0 {
		in.State = activity.ActivityRunning
	}
	out, outcome, err := s.store.PutActivity(context.Background(), in)
	s.check(err, "PutActivity "+in.Name)
	s.expect(outcome, want, "PutActivity "+in.Name)
	return out
}

// same compares records by their written form, which keeps every type of a config.
func (s *suite) same(got, want metadata.Records, what string) {
	s.Helper()
	if g, w := written(s.T, got), written(s.T, want); g != w {
		s.Fatalf("%s: expected the records\n%s\ngot\n%s", what, w, g)
	}
}

func written(t *testing.T, r metadata.Records) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "revision %d\n", r.Revision)
	for _, x := range r.Strategies {
		fmt.Fprintf(&b, "strategy %+v\n", x)
	}
	for _, x := range r.Services {
		fmt.Fprintf(&b, "service %+v\n", x)
	}
	for _, x := range r.Definitions {
		fmt.Fprintf(&b, "definition %q %q %t %d %d %d %d %q\n", x.Name, x.Version, x.Enabled, x.Order, x.CreatedMs, x.UpdatedMs, x.Revision, digest(x.Text))
	}
	for _, x := range r.Activities {
		config, err := metadata.EncodeConfig(x.Config)
		if err != nil {
			t.Fatalf("the config of activity %q: expected values of package expr, got: %v", x.Name, err)
		}
		fmt.Fprintf(&b, "activity %d %q %q %q %s %d %d %d %d %q\n", x.Number, x.Name, x.DisplayName, x.Definition, x.State, x.CreatedMs, x.UpdatedMs, x.Revision, x.StateAt, digest(config))
	}
	return b.String()
}

// digest shortens what would make a message unreadable.
func digest(b []byte) string {
	if len(b) <= 400 {
		return string(b)
	}
	sum := uint64(14695981039346656037)
	for _, c := range b {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return fmt.Sprintf("%s… (%d bytes, fnv %x)", bytes.ToValidUTF8(b[:40], nil), len(b), sum)
}
