package sim

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// Behavior is how a service answers its requests: the nth request of a thread gets the nth answer, later ones the last.
// Without any answer the service is silent.
type Behavior []Reply

// Reply is one answer of a service.
type Reply struct {
	Silent  bool // it never comes
	AfterMs int64
	Result  expr.Result
}

// Call is one request as a service got it, repeats not counted.
type Call struct {
	AtMs         int64
	Service      string
	RequestID    string
	Activity     uint32
	Domain       string
	Action       string
	Args         any // a value of package expr
	IgnoreResult bool

	body []byte
	nth  int // among the requests of its thread to this service, from 0
}

// Pending is an answer on its way.
type Pending struct {
	DueMs int64
	Call  *Call
	Reply Reply
}

// services are all services of a world: they note what they are asked and answer as told. They outlive crashes of the node.
type services struct {
	behaviors map[string]Behavior
	calls     []*Call
	byID      map[string]*Call
	fresh     []*Call // not yet looked at by schedule
	pending   []Pending
}

func newServices() *services {
	return &services{behaviors: map[string]Behavior{}, byID: map[string]*Call{}}
}

// Publish takes requests; the answers come later, by the clock.
func (s *services) Publish(_ context.Context, d messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	for _, body := range bodies {
		c, err := readCall(body)
		if err != nil {
			return nil, err
		}
		if c.Service != d.Name {
			return nil, fmt.Errorf("a request to %s came to %s", c.Service, d.Name)
		}
		if first := s.byID[c.RequestID]; first != nil {
			if !bytes.Equal(first.body, body) {
				return nil, fmt.Errorf("request %s was repeated with another body:\n%s\n%s", c.RequestID, first.body, body)
			}
			continue
		}
		for _, other := range s.calls {
			if other.Activity == c.Activity && other.Domain == c.Domain && other.Service == c.Service {
				c.nth++
			}
		}
		s.byID[c.RequestID] = c
		s.calls = append(s.calls, c)
		s.fresh = append(s.fresh, c)
	}
	return nil, nil
}

func readCall(body []byte) (*Call, error) {
	v, err := messagebus.DecodeValue(body)
	if err != nil {
		return nil, fmt.Errorf("a request that is not JSON: %w", err)
	}
	m, _ := v.(map[string]any)
	attr, _ := m["attr"].(map[string]any)
	c := &Call{body: bytes.Clone(body), Args: attr["args"]}
	if m["type"] != "req" {
		return readEvent(c, m)
	}
	var ok [6]bool
	var number int64
	c.Service, ok[0] = m["receiver"].(string)
	c.RequestID, ok[1] = attr["request_id"].(string)
	number, ok[2] = attr["activity"].(int64)
	c.Domain, ok[3] = attr["domain"].(string)
	c.Action, ok[4] = attr["action"].(string)
	c.IgnoreResult, ok[5] = attr["ignore_result"].(bool)
	if c.AtMs, _ = m["time"].(int64); ok != [6]bool{true, true, true, true, true, true} || m["type"] != "req" {
		return nil, fmt.Errorf("a request without its fields: %s", body)
	}
	c.Activity = uint32(number)
	return c, nil
}

// readEvent reads an event that an action send sent: whose it is can not be seen in it, and nobody waits for an answer.
func readEvent(c *Call, m map[string]any) (*Call, error) {
	var ok [3]bool
	c.Service, ok[0] = m["receiver"].(string)
	c.RequestID, ok[1] = m["id"].(string)
	c.AtMs, ok[2] = m["time"].(int64)
	if ok != [3]bool{true, true, true} {
		return nil, fmt.Errorf("an event without its fields: %s", c.body)
	}
	c.Args, c.IgnoreResult = m, true
	return c, nil
}

// schedule sets when the requests that came in at nowMs are answered.
func (s *services) schedule(nowMs int64) {
	for _, c := range s.fresh {
		answers := s.behaviors[c.Service]
		if len(answers) == 0 || c.IgnoreResult {
			continue
		}
		if a := answers[min(c.nth, len(answers)-1)]; !a.Silent {
			s.pending = append(s.pending, Pending{DueMs: nowMs + a.AfterMs, Call: c, Reply: a})
		}
	}
	s.fresh = nil
	slices.SortStableFunc(s.pending, func(a, b Pending) int {
		switch {
		case a.DueMs < b.DueMs:
			return -1
		case a.DueMs > b.DueMs:
			return 1
		}
		return 0
	})
}

func (s *services) next() *Pending {
	if len(s.pending) == 0 {
		return nil
	}
	return &s.pending[0]
}

// Serve says how a service answers from now on.
func (w *World) Serve(service string, b Behavior) { w.services.behaviors[service] = b }

// Calls returns all requests so far, in the order in which they reached their services.
func (w *World) Calls() []*Call { return w.services.calls }

// TakePrinted returns what was printed since the last call.
func (w *World) TakePrinted() string {
	defer w.out.Reset()
	return w.out.String()
}
