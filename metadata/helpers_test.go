package metadata_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/metadata"
	"github.com/weftbox/weftbox/metadata/pebble"
)

// nothing is the behavior of the action types of these tests: no thread ever runs here.
type nothing struct{}

func (nothing) Start(*activity.Scope) activity.Outcome { return activity.Wait() }

func (nothing) Receive(*activity.Scope, activity.Message) activity.Outcome { return activity.Ignore() }

var specs = map[string]*definitions.Spec{
	"note": {Type: "note", Doc: "Notes.", Shape: definitions.ShapeAny},
	"lost": {Type: "lost", Doc: "Has no behavior in this program.", Shape: definitions.ShapeAny},
}

var serviceSpec = &definitions.Spec{Type: "service", Doc: "Asks a service.", Shape: definitions.ShapeAny, Service: true, Waits: true}

func init() {
	activity.Register(specs["note"], nothing{})
	activity.Register(serviceSpec, nothing{})
}

var ctx = context.Background()

// store wraps a Store so that a test can stand for other nodes, broken disks and callers who go away.
type store struct {
	metadata.Store
	edit    func(*metadata.Records) // what other nodes did
	loadErr error
	onPut   func() error // after the put has been stored
}

func (s *store) Load(ctx context.Context) (metadata.Records, error) {
	if err := errors.Join(s.loadErr, ctx.Err()); err != nil {
		return metadata.Records{}, err
	}
	r, err := s.Store.Load(ctx)
	if s.edit != nil {
		s.edit(&r)
	}
	return r, err
}

func (s *store) PutStrategy(ctx context.Context, in metadata.Strategy) (metadata.Strategy, metadata.Outcome, error) {
	out, outcome, err := s.Store.PutStrategy(ctx, in)
	if err == nil && s.onPut != nil {
		err = s.onPut()
	}
	return out, outcome, err
}

func newStore(t testing.TB) *store {
	t.Helper()
	p, err := pebble.Open("meta", pebble.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return &store{Store: p}
}

func newCache(t testing.TB, s metadata.Store) *metadata.Cache {
	t.Helper()
	c, err := metadata.NewCache(ctx, s, metadata.Options{Specs: specs, Service: serviceSpec, NowMs: func() int64 { return 1700 }})
	if err != nil {
		t.Fatalf("NewCache: expected no error, got: %v", err)
	}
	return c
}

// text is a definition with one action.
func text(name, actionType string) []byte {
	return []byte(fmt.Sprintf(`activity:
  name: %s
  domain_id_strategy: by_user
  config:
    limit: 3
    title: hello
  trigger: containsAttr("user_id")
  actions:
    - name: first
      type: %s
      args: str("hi")
      ctrl: finish()
`, name, actionType))
}

// result is what a put answers, whatever it puts.
type result struct {
	outcome  metadata.Outcome
	problems []definitions.Problem
	err      error
}

func (r result) String() string {
	return fmt.Sprintf("outcome %d, problems %+v, error %v", r.outcome, r.problems, r.err)
}

func (r result) is(t testing.TB, what string, want metadata.Outcome) {
	t.Helper()
	if r.err != nil || r.outcome != want {
		t.Fatalf("%s: expected outcome %d, got %s", what, want, r)
	}
}

// refused expects an error problem with this code, path and part of its text, outcome 0 and no error.
func (r result) refused(t testing.TB, what, code, path, part string) {
	t.Helper()
	if r.err != nil || r.outcome != 0 {
		t.Fatalf("%s: expected it to be refused with problem %s, got %s", what, code, r)
	}
	for _, p := range r.problems {
		if p.Code == code && p.Path == path && p.Severity == definitions.SeverityError && strings.Contains(p.Message+" "+p.Hint, part) {
			return
		}
	}
	t.Fatalf("%s: expected problem %s at %s that says %q, got %s", what, code, path, part, r)
}

func putStrategy(c *metadata.Cache, name string) result {
	_, o, p, err := c.PutStrategy(ctx, metadata.Strategy{Name: name, When: `containsAttr("user_id")`, DomainID: `eventAttr("user_id")`})
	return result{o, p, err}
}

func putService(c *metadata.Cache, name, url string) result {
	_, o, p, err := c.PutService(ctx, metadata.Service{Name: name, URL: url})
	return result{o, p, err}
}

func putDefinition(c *metadata.Cache, text []byte, version string) (*metadata.Version, result) {
	v, o, p, err := c.PutDefinition(ctx, text, version)
	return v, result{o, p, err}
}

func putActivity(c *metadata.Cache, a metadata.Activity) (metadata.Activity, result) {
	out, o, p, err := c.PutActivity(ctx, a)
	return out, result{o, p, err}
}

// coupon returns a cache with strategy by_user, service mail, definitions coupon (of type note) and mailing (of type mail).
func coupon(t testing.TB, s metadata.Store) *metadata.Cache {
	t.Helper()
	c := newCache(t, s)
	putStrategy(c, "by_user").is(t, "strategy by_user", metadata.Created)
	putService(c, "mail", "http://mail:8080/actions").is(t, "service mail", metadata.Created)
	_, r := putDefinition(c, text("coupon", "note"), "")
	r.is(t, "definition coupon", metadata.Created)
	_, r = putDefinition(c, text("mailing", "mail"), "")
	r.is(t, "definition mailing", metadata.Created)
	return c
}
