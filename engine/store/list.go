package store

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/weftbox/weftbox/activity"
)

// Members lists up to limit live domain ids of an activity in a slot, from after (exclusive; "" from the start), ascending.
func (s *Store) Members(slot uint16, number uint32, after string, limit int) ([]string, error) {
	prefix := appendMemberPrefix(nil, slot, number)
	lower := prefix
	if after != "" {
		lower = append(appendText(prefix[:len(prefix):len(prefix)], after), 0)
	}
	c, err := s.rangeCursor(lower, appendEnd(nil, prefix))
	if err != nil {
		return nil, err
	}
	var out []string
	for ok := limit > 0 && c.First(); ok && len(out) < limit; ok = c.Next() {
		c.visited++
		r := keyReader{rest: c.Key()[len(prefix):]}
		domain := r.text()
		if !r.done() {
			err = corrupt(c.Key(), errKey)
			break
		}
		out = append(out, domain)
	}
	return out, c.finish(err)
}

// OutboxHead returns the destinations that have rows in a slot, ascending: one seek per destination with a backlog, plus one.
func (s *Store) OutboxHead(slot uint16) ([]uint32, error) {
	head := appendHead(nil, slot, letterOutbox)
	c, err := s.rangeCursor(head, appendEnd(nil, head))
	if err != nil {
		return nil, err
	}
	var out []uint32
	for ok := c.First(); ok; {
		c.visited++
		r := keyReader{rest: c.Key()[len(head):]}
		sort, number := r.u8(), r.u32()
		switch {
		case r.bad || sort == sortService && number >= slotDestination || sort == sortSlot && number > math.MaxUint16:
			return out, errors.Join(corrupt(c.Key(), errKey), c.finish(nil))
		case sort == sortSlot:
			number = ToSlot(uint16(number))
		case sort != sortService: // of a newer program
			ok = c.SeekGE(append(head[:len(head):len(head)], sort+1))
			continue
		}
		out = append(out, number)
		next := appendEnd(nil, appendOutboxPrefix(nil, slot, number))
		ok = c.SeekGE(next)
	}
	return out, c.finish(err)
}

// OutboxRows appends rows of a destination in a slot with seq > after, in order, until limit rows or maxBytes of bodies.
// With a limit above 0 the first row comes however large it is, so that a reader always gets on.
func (s *Store) OutboxRows(slot uint16, destination uint32, after uint64, limit, maxBytes int, out []Outbox) ([]Outbox, error) {
	if limit <= 0 || after == math.MaxUint64 {
		return out, nil
	}
	prefix := appendOutboxPrefix(nil, slot, destination)
	c, err := s.rangeCursor(appendU64(prefix[:len(prefix):len(prefix)], after+1), appendEnd(nil, prefix))
	if err != nil {
		return out, err
	}
	size := 0
	for ok := c.First(); ok; ok = c.Next() {
		o := Outbox{Slot: slot, Destination: destination}
		r := keyReader{rest: c.Key()[len(prefix):]}
		o.Seq = r.u64()
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		if !r.done() {
			err = corrupt(c.Key(), errKey)
			break
		}
		if e := decodeOutbox(value, &o); e != nil {
			err = corrupt(c.Key(), e)
			break
		}
		if size += len(o.Body); size > maxBytes && size > len(o.Body) {
			break
		}
		out = append(out, o)
		if limit--; limit == 0 || size >= maxBytes {
			break
		}
	}
	return out, c.finish(err)
}

// eachSlot visits all slots, NodeSlot last.
func (s *Store) eachSlot(visit func(slot uint16) error) error {
	for slot := uint16(0); slot < s.slots; slot++ {
		if err := visit(slot); err != nil {
			return err
		}
	}
	return visit(NodeSlot)
}

// Counters sums the counters of an activity over all slots: (version, action, status) → n. Zero sums are left out.
// They are ascending by version, action, status.
func (s *Store) Counters(number uint32) ([]Counter, error) {
	c, err := s.rangeCursor(nil, nil)
	if err != nil {
		return nil, err
	}
	sums := map[Counter]int64{}
	err = s.eachSlot(func(slot uint16) error {
		prefix := appendU32(appendHead(nil, slot, letterCounter), number)
		c.SetBounds(prefix, appendEnd(nil, prefix))
		for ok := c.First(); ok; ok = c.Next() {
			value, err := c.see()
			if err != nil {
				return err
			}
			r := keyReader{rest: c.Key()[len(prefix):]}
			k := Counter{Version: r.text(), Action: r.text(), Status: activity.Status(r.u8())}
			n, err := decodeSum([]byte(value))
			if !r.done() || k.Status > activity.Killed {
				err = errKey
			}
			if err != nil {
				return corrupt(c.Key(), err)
			}
			sums[k] += n
		}
		return c.Error()
	})
	var out []Counter
	for k, n := range sums {
		if k.N = n; n != 0 {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b Counter) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Status, b.Status))
	})
	return out, c.finish(err)
}
