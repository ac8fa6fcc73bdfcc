// Package mem owns buses inside one process: a log that can be read again from any position, as Kafka can, and a producer that hands
// bodies to a function. They serve tests, the simulator and embedding programs.
//
// Room: edge.
package mem

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/cespare/xxhash/v2"

	"github.com/weftbox/weftbox/messagebus"
)

// Log is an append-only list of bodies with positions from 1. It is safe for concurrent use and grows until Trim.
type Log struct {
	mu        sync.Mutex
	first     uint64 // position of entries[0]
	entries   []entry
	consumers map[*Consumer]struct{}
}

type entry struct {
	body   []byte
	timeMs int64
}

// NewLog returns an empty log; its first position is 1.
func NewLog() *Log { return &Log{first: 1, consumers: map[*Consumer]struct{}{}} }

// Append adds a body (one message object; it is copied) stamped with Unix ms and returns its position.
func (l *Log) Append(body []byte, timeMs int64) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry{bytes.Clone(body), timeMs})
	for c := range l.consumers {
		c.signal()
	}
	return l.next() - 1
}

// next is the position that the next body will have.
func (l *Log) next() uint64 { return l.first + uint64(len(l.entries)) }

// Trim forgets everything below a position, as retention does. A consumer that stands below it gets an error from then on.
func (l *Log) Trim(below uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if below <= l.first {
		return
	}
	n := min(below, l.next()) - l.first
	l.entries = append([]entry(nil), l.entries[n:]...)
	l.first += n
}

// Consumer returns a new reader of the log that begins at position 1. Its Source is "mem/" and the name.
func (l *Log) Consumer(name string) *Consumer {
	c := &Consumer{log: l, name: "mem/" + name, next: 1, ready: make(chan struct{}, 1)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.consumers[c] = struct{}{}
	if len(l.entries) > 0 {
		c.signal()
	}
	return c
}

// Consumer reads a Log. Its records have positions and no Answer, and no Key: a record of a log is known by its position.
type Consumer struct {
	log   *Log
	name  string
	ready chan struct{}

	// Under the log's lock.
	next      uint64
	committed uint64
	closed    bool
}

// Name returns "mem/" and the consumer's name.
func (c *Consumer) Name() string { return c.name }

func (c *Consumer) signal() {
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

// Ready receives a value when bodies were appended, or when Poll left some.
func (c *Consumer) Ready() <-chan struct{} { return c.ready }

// Seek sets the next position to be read; whether the log still has it, Poll says.
func (c *Consumer) Seek(next uint64) error {
	if next == 0 {
		return errors.New(c.name + ": positions begin at 1, position 0 cannot be read")
	}
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.next = next
	c.signal()
	return nil
}

// Lag returns the time stamp of the next record to be read. One that the log no longer has is unread, too: of its time nothing is known, so that
// it is taken for older than everything (0).
func (c *Consumer) Lag() (oldestMs int64, ok bool) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.closed || c.next >= l.next() {
		return 0, false
	}
	if c.next < l.first {
		return 0, true
	}
	return l.entries[c.next-l.first].timeMs, true
}

// Poll returns the next records: at most max, and about maxBytes, but one if there is any. A position that the log no longer has, or
// never had, is an error: a reader never skips records without a word. A closed consumer has no records.
func (c *Consumer) Poll(max, maxBytes int) ([]messagebus.Record, error) {
	entries, at, err := c.take(max, maxBytes)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	records := make([]messagebus.Record, len(entries))
	for i, e := range entries {
		records[i] = c.record(at+uint64(i), e)
	}
	return records, nil
}

func (c *Consumer) take(max, maxBytes int) (entries []entry, at uint64, err error) {
	l := c.log
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case c.closed:
		return nil, 0, nil
	case c.next < l.first:
		return nil, 0, fmt.Errorf("%s: position %d is gone, the log now begins at %d: the messages between were not read; go on with Seek(%d) if they may be left out",
			c.name, c.next, l.first, l.first)
	case c.next > l.next():
		return nil, 0, fmt.Errorf("%s: position %d is beyond the end of the log, whose next position is %d: this is not the log that was read before", c.name, c.next, l.next())
	}
	rest := l.entries[c.next-l.first:]
	n, size := 0, 0
	for n < len(rest) && n < max {
		size += len(rest[n].body)
		if n > 0 && size > maxBytes {
			break
		}
		n++
	}
	at = c.next
	c.next += uint64(n)
	if n < len(rest) {
		c.signal()
	}
	return rest[:n:n], at, nil
}

// record decodes one body; what cannot be decoded is a record with Err.
func (c *Consumer) record(position uint64, e entry) messagebus.Record {
	r := messagebus.Record{Source: c.name, Position: position, TimeMs: e.timeMs, Raw: e.body, BodyHash: xxhash.Sum64(e.body)}
	items, _, single, err := messagebus.DecodeJSON(e.body, e.timeMs, messagebus.Limits{})
	switch {
	case err != nil:
		r.Err = fmt.Errorf("%s, position %d: %w", c.name, position, err)
	case !single:
		r.Err = fmt.Errorf("%s, position %d: the record is an array: a record is one message object", c.name, position)
	default:
		r.Incoming = items[0]
	}
	return r
}

// Commit remembers that everything below next is applied.
func (c *Consumer) Commit(next uint64) error {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.committed = next
	return nil
}

// Committed returns what Commit was told last, 0 before.
func (c *Consumer) Committed() uint64 {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	return c.committed
}

// Close ends the reading; the log stays.
func (c *Consumer) Close() error {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.closed = true
	delete(c.log.consumers, c)
	return nil
}
