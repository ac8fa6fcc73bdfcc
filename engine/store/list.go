package store

import (
	"cmp"
	"container/heap"
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
	head := append(appendHead(nil, slot, letterOutbox), sortService)
	c, err := s.rangeCursor(head, appendEnd(nil, head))
	if err != nil {
		return nil, err
	}
	var out []uint32
	for ok := c.First(); ok; {
		c.visited++
		r := keyReader{rest: c.Key()[len(head):]}
		number := r.u32()
		if r.bad {
			err = corrupt(c.Key(), errKey)
			break
		}
		out = append(out, number)
		if number == math.MaxUint32 {
			break
		}
		ok = c.SeekGE(appendOutboxPrefix(nil, slot, number+1))
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

// deadHead is the newest dead letter of a slot that was not yet listed.
type deadHead struct {
	timeMs int64
	seq    uint64
	slot   uint16
}

type deadHeads []deadHead

func (h deadHeads) Len() int      { return len(h) }
func (h deadHeads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h deadHeads) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[j].timeMs, h[i].timeMs), cmp.Compare(h[j].seq, h[i].seq), cmp.Compare(h[i].slot, h[j].slot)) < 0
}
func (h *deadHeads) Push(x any) { *h = append(*h, x.(deadHead)) }
func (h *deadHeads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// DeadLetters lists dead letters of all slots, newest first, at most limit. It costs one seek per slot and two per letter.
func (s *Store) DeadLetters(limit int) ([]DeadLetter, error) {
	if limit <= 0 {
		return nil, nil
	}
	c, err := s.rangeCursor(nil, nil)
	if err != nil {
		return nil, err
	}
	var heads deadHeads
	err = s.eachSlot(func(slot uint16) error {
		lower := appendHead(nil, slot, letterDead)
		c.SetBounds(lower, appendEnd(nil, lower))
		if !c.Last() {
			return c.Error()
		}
		return c.pushDead(&heads, slot)
	})
	var out []DeadLetter
	for err == nil && len(heads) > 0 && len(out) < limit {
		var d DeadLetter
		if d, err = c.popDead(&heads); err == nil {
			out = append(out, d)
		}
	}
	return out, c.finish(err)
}

func (c *cursor) pushDead(heads *deadHeads, slot uint16) error {
	c.visited++
	r := keyReader{rest: c.Key()[3:]}
	h := deadHead{r.ms(), r.u64(), slot}
	if !r.done() {
		return corrupt(c.Key(), errKey)
	}
	heap.Push(heads, h)
	return nil
}

// popDead takes the newest head, reads its row, and puts the next older one of its slot in its place.
func (c *cursor) popDead(heads *deadHeads) (DeadLetter, error) {
	h := heap.Pop(heads).(deadHead)
	lower := appendHead(nil, h.slot, letterDead)
	c.SetBounds(lower, appendEnd(nil, lower))
	d := DeadLetter{Slot: h.slot, TimeMs: h.timeMs, Seq: h.seq}
	if !c.SeekGE(appendDeadKey(nil, h.slot, h.timeMs, h.seq)) {
		return d, c.Error()
	}
	value, err := c.see()
	if err != nil {
		return d, err
	}
	if err := decodeDeadLetter(value, &d); err != nil {
		return d, corrupt(c.Key(), err)
	}
	if c.Prev() {
		return d, c.pushDead(heads, h.slot)
	}
	return d, c.Error()
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
