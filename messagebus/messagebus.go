// Package messagebus owns what crosses the border: records that come in, with their positions and answers, bodies that go out,
// and the JSON form of messages. Drivers lie in sub-packages and pass the suite of bustest.
//
// Room: seam.
package messagebus

import (
	"context"

	"github.com/weftbox/weftbox/activity"
)

// Reply is a service's answer as it came over a bus, not yet matched to its open request.
type Reply struct {
	RequestID string // "<store id>-<slot>-<seq>"; may be empty, then Activity, Domain and Action must lead to one open request
	Activity  uint32
	Domain    string
	Action    string
	Result    activity.Result
	TimeMs    int64
}

// Command is an operator's word to a thread as it came over a bus.
type Command struct {
	ID      activity.ID
	Command activity.Command
}

// Incoming is one decoded message: exactly one field is set.
type Incoming struct {
	Event   *activity.Event
	Reply   *Reply
	Command *Command
	Bad     *Undecoded // only among the answers of Producer.Publish
}

// Undecoded is an element of a receiver's answer that is no message: the others beside it count all the same.
type Undecoded struct {
	Raw []byte
	Err error
}

// Record is one message that came in.
type Record struct {
	Source   string   // who produced it: "http/default", "mem/orders"; names the high-water and position rows
	Position uint64   // place in a re-readable source, from 1; 0: the source has none (HTTP)
	TimeMs   int64    // when the bus took it, Unix ms; 0: unknown
	Incoming Incoming // zero when Err is set
	Raw      []byte   // the message as it came, for a dead letter; it is the bus's again once Answer is called
	Err      error    // why it could not be decoded; such a record becomes a dead letter, never an exception
	Key      string   // idempotency key, "" for none: the event's id, else the request's header key and "#index"
	BodyHash uint64   // hash of Raw: the same key with another body is a conflict

	// Answer is called once, after the commit of the turn that took the record, or with Answer.Err when it will not be taken.
	// It never blocks. Nil for re-readable sources.
	Answer func(Answer)
}

// Answer is what became of a record.
type Answer struct {
	Duplicate bool      // known already: not applied again
	Conflict  bool      // its key is known with another body: not applied
	Verdicts  []Verdict // one for each thread or strategy it concerned; a late reply has one with kind late
	Err       error     // the engine could not take it (it is stopping): repeat it
}

// Verdict is what became of a record at one strategy and thread.
type Verdict struct {
	Strategy     string
	Activity     uint32 // 0: no activity was concerned
	ActivityName string
	DomainID     string
	activity.Verdict
}

// Consumer is the reading side of a bus. Poll and Seek are called by one goroutine, Commit by one that may be another.
type Consumer interface {
	// Name names the source: it is the Source of its records.
	Name() string
	// Seek sets the next position to be read (from 1). A source without positions ignores it.
	Seek(next uint64) error
	// Poll returns what is there now, at most max records and about maxBytes; it never waits. The list is valid until the next Poll.
	Poll(max, maxBytes int) ([]Record, error)
	// Ready receives a value when Poll may have something to return; it is never closed while the consumer is open.
	Ready() <-chan struct{}
	// Commit is told, after the commit, that everything below next is applied. Informative.
	Commit(next uint64) error
	// Close stops taking records; records not yet polled are answered with an error.
	Close() error
}

// Lagging is a Consumer that knows how far behind it is: one whose records wait elsewhere until they are read. Alarms are not released ahead
// of what it still holds.
type Lagging interface {
	// Lag returns the time stamp of the oldest record that was not polled yet; ok is false when there is none.
	Lag() (oldestMs int64, ok bool)
}

// Destination is where a producer sends to.
type Destination struct {
	Name   string // the service's name
	Number uint32
	URL    string
}

// Producer is the writing side. Publish sends bodies (each one message, already encoded) as one batch and returns what the receiver
// answered at once. An error means: not delivered, as far as we know; the same bodies are published again later. Safe for concurrent use.
type Producer interface {
	Publish(ctx context.Context, d Destination, bodies [][]byte) ([]Incoming, error)
}
