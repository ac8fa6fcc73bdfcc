package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// Service is what a sink does with a batch of bodies: it returns the messages to answer with at once, as JSON, or an error when it
// does not take the batch.
type Service func(bodies [][]byte) (replies [][]byte, err error)

// Sink is a producer with a receiver at its other end.
type Sink struct {
	Producer    messagebus.Producer
	Destination messagebus.Destination
}

// SinkFactory opens a producer whose destination is served by s (called by many goroutines), and cleans up with t.Cleanup.
type SinkFactory func(t *testing.T, s Service) *Sink

// RunProducer runs the suite of producers.
func RunProducer(t *testing.T, open SinkFactory) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, SinkFactory)
	}{
		{"bodies", testBodies}, {"replies", testReplies}, {"not delivered", testNotDelivered}, {"bad reply", testBadReply}, {"cancelled", testCancelled}, {"concurrent", testConcurrentPublish},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open) })
	}
}

func request(i int) []byte {
	return messagebus.EncodeRequest(&messagebus.Request{RequestID: fmt.Sprintf("s-1-%d", i), Sender: "weftbox", Service: "mail", Activity: 1, Domain: "小明", Action: "send",
		Args: map[string]any{"n": int64(i)}, TimeMs: 1_700_000_000_000})
}

func reply(i int) *messagebus.Reply {
	return &messagebus.Reply{RequestID: fmt.Sprintf("s-1-%d", i), TimeMs: 1_700_000_000_001, Result: activity.Result{Message: "done", Data: map[string]any{"n": int64(i)}}}
}

func testBodies(t *testing.T, open SinkFactory) {
	var batches [][][]byte
	var mu sync.Mutex
	s := open(t, func(bodies [][]byte) ([][]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		batches = append(batches, bodies)
		return nil, nil
	})
	want := [][][]byte{{request(0)}, {request(1), request(2), []byte(` { "type" : "x" } `)}}
	for _, b := range want {
		if replies, err := s.Producer.Publish(t.Context(), s.Destination, b); err != nil || len(replies) != 0 {
			t.Fatalf("Publish: expected no replies and no error, got %d, %v", len(replies), err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(batches) != len(want) {
		t.Fatalf("expected %d batches, got %d", len(want), len(batches))
	}
	for i := range want {
		if got, wanted := fmt.Sprintf("%q", batches[i]), fmt.Sprintf("%q", want[i]); got != wanted {
			t.Errorf("batch %d: expected byte for byte %s, got %s", i, wanted, got)
		}
	}
}

func testReplies(t *testing.T, open SinkFactory) {
	s := open(t, func([][]byte) ([][]byte, error) {
		return [][]byte{messagebus.EncodeReply(reply(1)), []byte(`{"type":"opened","id":"e1"}`), messagebus.EncodeReply(reply(0))}, nil
	})
	got, err := s.Producer.Publish(t.Context(), s.Destination, [][]byte{request(0), request(1)})
	if err != nil || len(got) != 3 {
		t.Fatalf("expected 3 messages, got %d, %v", len(got), err)
	}
	if got[0].Reply == nil || string(messagebus.EncodeReply(got[0].Reply)) != string(messagebus.EncodeReply(reply(1))) || got[2].Reply == nil || got[2].Reply.RequestID != "s-1-0" {
		t.Errorf("expected the answers s-1-1 and s-1-0, got %+v, %+v", got[0].Reply, got[2].Reply)
	}
	if got[1].Event == nil || got[1].Event.ID != "e1" {
		t.Errorf("expected the event e1 between them, got %+v", got[1])
	}
}

func testNotDelivered(t *testing.T, open SinkFactory) {
	var broken atomic.Bool
	broken.Store(true)
	s := open(t, func([][]byte) ([][]byte, error) {
		if broken.Load() {
			return [][]byte{messagebus.EncodeReply(reply(0))}, errors.New("down")
		}
		return nil, nil
	})
	if replies, err := s.Producer.Publish(t.Context(), s.Destination, [][]byte{request(0)}); err == nil || len(replies) != 0 {
		t.Fatalf("a service that does not take the batch: expected an error and no replies, got %d, %v", len(replies), err)
	}
	broken.Store(false)
	if _, err := s.Producer.Publish(t.Context(), s.Destination, [][]byte{request(0)}); err != nil {
		t.Fatalf("the same bodies again: expected them to be delivered, got %v", err)
	}
}

func testBadReply(t *testing.T, open SinkFactory) {
	s := open(t, func([][]byte) ([][]byte, error) {
		return [][]byte{messagebus.EncodeReply(reply(0)), []byte(`{"type":"res","attr":{"request_id":"s-1-1","status":"perhaps"}}`)}, nil
	})
	replies, err := s.Producer.Publish(t.Context(), s.Destination, [][]byte{request(0), request(1)})
	if err != nil || len(replies) != 2 || replies[0].Reply == nil || replies[1].Bad == nil || replies[1].Bad.Err == nil {
		t.Fatalf("a good answer beside one that cannot be read: expected both, the second as undecoded, got %+v, %v", replies, err)
	}
}

func testCancelled(t *testing.T, open SinkFactory) {
	s := open(t, func([][]byte) ([][]byte, error) { return nil, nil })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Producer.Publish(ctx, s.Destination, [][]byte{request(0)}); err == nil {
		t.Fatal("a cancelled context: expected an error")
	}
}

func testConcurrentPublish(t *testing.T, open SinkFactory) {
	const publishers, each = 8, 20
	var mu sync.Mutex
	seen := map[string]int{}
	s := open(t, func(bodies [][]byte) ([][]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, b := range bodies {
			seen[string(b)]++
		}
		return nil, nil
	})
	var group sync.WaitGroup
	for p := range publishers {
		group.Go(func() {
			for i := range each {
				if _, err := s.Producer.Publish(t.Context(), s.Destination, [][]byte{request(p*each + i)}); err != nil {
					t.Errorf("publisher %d: %v", p, err)
				}
			}
		})
	}
	group.Wait()
	for i := range publishers * each {
		if n := seen[string(request(i))]; n != 1 {
			t.Errorf("request %d: expected it once, came %d times", i, n)
		}
	}
}
