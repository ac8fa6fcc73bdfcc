package crash

import (
	"context"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	_ "github.com/weftbox/weftbox/actions" // fills the registry of action types
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/metadata"
	"github.com/weftbox/weftbox/metadata/pebble"
)

// Numbers of the activities, in the order in which they are put.
const (
	users uint32 = 1
	items uint32 = 2
	hubs  uint32 = 3
)

// Times of the flows and of ended runs.
const (
	idleMs      = 40 * 60_000
	timeoutMs   = 90_000
	alarmMs     = 60_000
	retentionMs = 20 * 60_000
)

const (
	factor  = 31
	modulus = 1_000_003
)

// Bounds that the flows run into.
const (
	maxActions   = 4    // of one message in the flow of the users: with more the thread yields
	maxVarsBytes = 4096 // of the variables of a thread
)

// userFlow adds up amounts and asks the oracle with its sum when an event says so, tells it to a hub, or runs through so many actions that it yields. It ends by a "close" or when nothing comes for long,
// and the next order begins another run.
var userFlow = fmt.Sprintf(`activity:
  name: users
  domain_id_strategy: user
  config: {$schedule.max_continue_periods: %[5]d}
  trigger:
    type: event
    args: {condition: eventTypeIs("order")}
    context_vars:
      n: eventAttr("n")
      count: 1
      sum: eventAttr("amount")
      hash: eventAttr("n") %% %[2]d
      trace: str("b")
      echoes: 0
  actions:
    - name: loop
      type: receive
      args:
        - when: eventAttr("poison", "") == "limit"
          context_vars:
            blob: eventAttr("blob")
          then: call("loop")
        - when: eventAttr("poison", "") == "panic"
          then: call("boom")
        - when: eventTypeIs("close")
          then: finish()
        - when: eventAttr("work", 0) > 0
          context_vars:
            n: eventAttr("n")
            count: var("count") + 1
            sum: var("sum") + eventAttr("amount")
            hash: (var("hash") * %[1]d + eventAttr("n")) %% %[2]d
            left: eventAttr("work")
          then: call("work")
        - when: eventAttr("ask", false)
          context_vars: &next
            n: eventAttr("n")
            count: var("count") + 1
            sum: var("sum") + eventAttr("amount")
            hash: (var("hash") * %[1]d + eventAttr("n")) %% %[2]d
          then: call("oracle")
        - when: eventTypeIs("echo")
          context_vars:
            echoes: var("echoes") + eventAttr("amount")
          then: call("loop")
        - when: eventAttr("tell", "") != ""
          context_vars:
            n: eventAttr("n")
            count: var("count") + 1
            sum: var("sum") + eventAttr("amount")
            hash: (var("hash") * %[1]d + eventAttr("n")) %% %[2]d
            to: eventAttr("tell")
          then: call("tell")
        - when: eventTypeIs("order")
          context_vars: *next
          then: call("loop")
        - after: %[4]d
          context_vars:
            trace: str("%%si", var("trace"))
          then: finish()
    - name: tell
      type: send
      args:
        messages:
          - type: str("tell")
            attributes: {hub: var("to"), from: domainId, n: var("n"), amount: var("sum")}
      ctrl: call("loop")
    - name: oracle
      args:
        request: {n: var("n"), sum: var("sum"), count: var("count")}
        timeout: %[3]d
      ctrl:
        - when: resultOk()
          context_vars:
            trace: str("%%so", var("trace"))
            echoes: var("echoes") + resultVar("echo")
          then: call("loop")
        - default: call("loop")
          context_vars:
            trace: str("%%st", var("trace"))
    - name: work
      type: compute
      args:
        - left: var("left") - 1
      ctrl:
        - when: var("left") > 0
          then: call("work")
        - default: call("loop")
    - name: boom
      type: boom
      ctrl: call("loop")
`, factor, modulus, timeoutMs, idleMs, maxActions)

// itemFlow adds up amounts and sets an alarm when an event says so: the next event cancels it, and may set it anew, else it rings the bell.
var itemFlow = fmt.Sprintf(`activity:
  name: items
  domain_id_strategy: item
  trigger:
    type: event
    args: {condition: eventTypeIs("order")}
    context_vars:
      n: eventAttr("n")
      count: 1
      sum: eventAttr("amount")
      hash: eventAttr("n") %% %[2]d
      trace: str("b")
  actions:
    - name: loop
      type: receive
      args:
        - when: eventAttr("poison", "") == "limit"
          context_vars:
            blob: eventAttr("blob")
          then: call("loop")
        - when: eventAttr("poison", "") == "panic"
          then: call("boom")
        - when: eventAttr("arm", false)
          context_vars: &next
            n: eventAttr("n")
            count: var("count") + 1
            sum: var("sum") + eventAttr("amount")
            hash: (var("hash") * %[1]d + eventAttr("n")) %% %[2]d
          then: call("armed")
        - when: eventTypeIs("order")
          context_vars: *next
          then: call("loop")
        - after: %[4]d
          context_vars:
            trace: str("%%si", var("trace"))
          then: finish()
    - name: armed
      type: receive
      args:
        - when: eventTypeIs("order")
          context_vars:
            trace: str("%%sc", var("trace"))
            n: eventAttr("n")
            count: var("count") + 1
            sum: var("sum") + eventAttr("amount")
            hash: (var("hash") * %[1]d + eventAttr("n")) %% %[2]d
          then: 'call(eventAttr("arm", false) ? "armed" : "loop")'
        - after: %[3]d
          context_vars:
            trace: str("%%sf", var("trace"))
          then: call("bell")
    - name: bell
      await: false
      args:
        request: {n: var("n"), sum: var("sum"), count: var("count")}
      ctrl: call("loop")
    - name: boom
      type: boom
      ctrl: call("loop")
`, factor, modulus, alarmMs, idleMs)

// hubFlow adds up what the users' threads tell it, and sends each its sum so far: an echo. It ends when nothing comes for long.
var hubFlow = fmt.Sprintf(`activity:
  name: hubs
  domain_id_strategy: hub
  trigger:
    type: event
    args: {condition: eventTypeIs("tell")}
    context_vars:
      n: eventAttr("n")
      count: 1
      sum: eventAttr("amount")
      hash: eventAttr("n") %% %[2]d
      trace: str("b")
      to: eventAttr("from")
  actions:
    - name: echo
      type: send
      args:
        messages:
          - type: str("echo")
            attributes: {user: var("to"), n: var("n"), amount: var("sum")}
      ctrl: call("loop")
    - name: loop
      type: receive
      args:
        - when: eventTypeIs("tell")
          context_vars:
            n: eventAttr("n")
            count: var("count") + 1
            sum: var("sum") + eventAttr("amount")
            hash: (var("hash") * %[1]d + eventAttr("n")) %% %[2]d
            to: eventAttr("from")
          then: call("echo")
        - after: %[3]d
          context_vars:
            trace: str("%%si", var("trace"))
          then: finish()
`, factor, modulus, idleMs)

func init() {
	activity.Register(&definitions.Spec{Type: "boom", Doc: "Panics, as a fault in an action would.", Example: "- name: bang\n  type: boom\n  ctrl: finish()\n"}, boom{})
}

// boom is an action with a fault.
type boom struct{}

func (boom) Start(*activity.Scope) activity.Outcome                     { panic("boom") }
func (boom) Receive(*activity.Scope, activity.Message) activity.Outcome { panic("boom") }

// Office is the metadata of all runs: it never dies. One goroutine uses it.
type Office struct {
	disk  *pebble.Store
	cache *metadata.Cache
}

// NewOffice compiles the flows.
func NewOffice() (*Office, error) {
	disk, err := pebble.Open("meta", pebble.Options{FS: vfs.NewMem()})
	if err != nil {
		return nil, err
	}
	o := &Office{disk: disk}
	builtin, service := activity.Specs()
	o.cache, err = metadata.NewCache(context.Background(), disk, metadata.Options{Specs: builtin, Service: service, NowMs: func() int64 { return startMs }})
	if err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	if err := o.fill(context.Background()); err != nil {
		return nil, errors.Join(err, disk.Close())
	}
	return o, nil
}

func (o *Office) fill(ctx context.Context) error {
	for _, name := range []string{"user", "item", "hub"} {
		if _, _, p, err := o.cache.PutStrategy(ctx, metadata.Strategy{Name: name, When: fmt.Sprintf("eventAttr(%q, null) != null", name), DomainID: fmt.Sprintf("eventAttr(%q)", name)}); err != nil || len(p) > 0 {
			return fmt.Errorf("strategy %s: %v %w", name, p, err)
		}
	}
	for _, name := range []string{"oracle", "bell"} {
		if _, _, p, err := o.cache.PutService(ctx, metadata.Service{Name: name, URL: "http://localhost/" + name}); err != nil || len(p) > 0 {
			return fmt.Errorf("service %s: %v %w", name, p, err)
		}
	}
	for i, flow := range []string{userFlow, itemFlow, hubFlow} {
		name := []string{"users", "items", "hubs"}[i]
		if _, _, p, err := o.cache.PutDefinition(ctx, []byte(flow), "1"); err != nil {
			return fmt.Errorf("definition %s: %v %w", name, p, err)
		}
		a, _, p, err := o.cache.PutActivity(ctx, metadata.Activity{Name: name, Definition: name})
		if err != nil || a.Number != []uint32{users, items, hubs}[i] {
			return fmt.Errorf("activity %s has number %d: %v %w", name, a.Number, p, err)
		}
	}
	return nil
}
