package engine

import (
	"cmp"
	"fmt"
)

// inboxShare returns how many messages a turn takes of what callers and the relay brought before it asks the sources: all there is room for, unless a
// source may hold more than it was asked for. Then half is for the sources, and what they do not need is given back after them.
func (t *turn) inboxShare() int {
	e := t.e
	for i := range e.sources {
		if e.sources[i].more {
			e.odd = 1 - e.odd // turns with room for one serve them alternately
			return (cmp.Or(t.most, e.o.MaxMessages) + e.odd) / 2
		}
	}
	return e.o.MaxMessages
}

// poll reads the sources, each in its turn the first. One that holds much gets an even share of what is left of the turn's room, and what the
// others do not need: none waits for another one's flood to end.
func (t *turn) poll() error {
	e := t.e
	n := len(e.sources)
	left, bytes := cmp.Or(t.most, e.o.MaxMessages)-len(t.records), e.o.MaxBytes
	first := e.firstSource
	if left > 0 {
		e.firstSource = (first + 1) % max(n, 1)
	}
	for round := range 2 {
		for i := range n {
			s := &e.sources[(first+i)%n]
			if left <= 0 || bytes <= 0 {
				s.more = s.more || round == 0
				continue
			}
			share, shareBytes := left, bytes
			if round == 0 { // of those that have not been asked yet
				share, shareBytes = (left+n-i-1)/(n-i), (bytes+n-i-1)/(n-i)
			}
			if round > 0 && !s.more {
				continue
			}
			count, size, err := t.pollSource(s, share, shareBytes)
			if err != nil {
				return err
			}
			s.more = count > 0 && (count >= share || size*2 >= shareBytes)
			left, bytes = left-count, bytes-size
		}
	}
	return nil
}

// pollSource takes up to so many records from a source.
func (t *turn) pollSource(s *source, most, maxBytes int) (count, size int, err error) {
	records, err := s.consumer.Poll(most, maxBytes)
	if err != nil {
		return 0, 0, fmt.Errorf("bus %s can not be read: %w", s.consumer.Name(), err)
	}
	at := -1 // of the source among the turn's positions
	for i := range t.positions {
		if t.positions[i].consumer == s.consumer {
			at = i
		}
	}
	for i := range records {
		size += len(records[i].Raw)
		if p := records[i].Position; p > 0 {
			if at < 0 {
				at = len(t.positions)
				t.positions = append(t.positions, position{consumer: s.consumer})
			}
			if p < t.positions[at].taken {
				continue // this turn has it
			}
			s.next = max(s.next, p+1)
			t.positions[at].taken, t.positions[at].next = p+1, s.next
		}
		t.take(&records[i])
	}
	return len(records), size, nil
}
