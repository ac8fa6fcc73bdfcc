package store

import (
	"cmp"
	"container/heap"
)

// DeadID names a dead letter: its key.
type DeadID struct {
	Slot   uint16 // NodeSlot when the letter concerned none
	TimeMs int64
	Seq    uint64
}

// ID returns the letter's name.
func (d *DeadLetter) ID() DeadID { return DeadID{d.Slot, d.TimeMs, d.Seq} }

// DeadTotals is what the dead letters of a slot are together.
type DeadTotals struct {
	Letters  int64
	Bytes    int64 // of their keys and values
	OldestMs int64 // time of the oldest; valid when there is one
}

// The totals of a slot's dead letters lie behind the letters: a time never begins with FF.
const (
	deadTotal   = 0xFF
	deadBytes   = 'b'
	deadLetters = 'n'
)

func appendDeadEnd(dst []byte, slot uint16) []byte {
	return append(appendHead(dst, slot, letterDead), deadTotal)
}

// PutDeadLetter writes a dead letter and adds it to the slot's totals; it returns what the row takes. d.Slot is ignored.
// A letter must be put once only, or the totals are wrong.
func (b *Batch) PutDeadLetter(d *DeadLetter) (bytes int64) {
	b.key = appendDeadKey(b.key[:0], b.slot, d.TimeMs, d.Seq)
	b.value = appendDeadLetter(b.value[:0], d)
	bytes = int64(len(b.key) + len(b.value))
	b.set()
	b.addDead(bytes, 1)
	return bytes
}

// DeleteDeadLetter deletes a letter of the batch's slot that is there and takes bytes, and subtracts it from the slot's totals.
func (b *Batch) DeleteDeadLetter(id DeadID, bytes int64) {
	b.key = appendDeadKey(b.key[:0], b.slot, id.TimeMs, id.Seq)
	b.remove()
	b.addDead(-bytes, -1)
}

func (b *Batch) addDead(bytes, letters int64) {
	b.addTotal(deadBytes, bytes)
	b.addTotal(deadLetters, letters)
}

func (b *Batch) addTotal(kind byte, n int64) {
	b.key = append(appendDeadEnd(b.key[:0], b.slot), kind)
	b.value = appendSum(b.value[:0], n)
	b.fail(b.cur.Merge(b.key, b.value, nil))
}

// DeadTotals reads the totals of a slot: three keys at most, whatever the number of letters.
func (s *Store) DeadTotals(slot uint16) (DeadTotals, error) {
	lower, end := appendHead(nil, slot, letterDead), appendDeadEnd(nil, slot)
	c, err := s.rangeCursor(lower, appendEnd(nil, lower))
	if err != nil {
		return DeadTotals{}, err
	}
	var t DeadTotals
	ok := c.First()
	if ok && len(c.Key()) != len(end)+1 {
		c.visited++
		r := keyReader{rest: c.Key()[len(lower):]}
		if t.OldestMs = r.ms(); r.bad {
			return t, c.finish(corrupt(c.Key(), errKey))
		}
		ok = c.SeekGE(end)
	}
	for ; ok && err == nil; ok = c.Next() {
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		var n int64
		if n, err = decodeSum([]byte(value)); err != nil {
			err = corrupt(c.Key(), err)
			break
		}
		switch c.Key()[len(c.Key())-1] {
		case deadBytes:
			t.Bytes = n
		case deadLetters:
			t.Letters = n
		}
	}
	return t, c.finish(err)
}

// DeadLetter reads one letter and what its row takes; ok is false when there is none of this name.
func (s *Store) DeadLetter(id DeadID) (d DeadLetter, bytes int64, ok bool, err error) {
	key := func(dst []byte) []byte { return appendDeadKey(dst, id.Slot, id.TimeMs, id.Seq) }
	value, ok, err := s.lookup(key)
	if !ok || err != nil {
		return DeadLetter{}, 0, false, err
	}
	k := key(nil)
	d = DeadLetter{Slot: id.Slot, TimeMs: id.TimeMs, Seq: id.Seq}
	if err := decodeDeadLetter(value, &d); err != nil {
		return DeadLetter{}, 0, false, corrupt(k, err)
	}
	return d, int64(len(k) + len(value)), true, nil
}

// DeadRow is the name of a letter and what its row takes.
type DeadRow struct {
	ID    DeadID
	Bytes int64
}

// OldestDead appends to out the oldest letters of a slot, ascending, up to limit. Their values are not read.
func (s *Store) OldestDead(slot uint16, limit int, out []DeadRow) ([]DeadRow, error) {
	lower := appendHead(nil, slot, letterDead)
	c, err := s.rangeCursor(lower, appendDeadEnd(nil, slot))
	if err != nil {
		return out, err
	}
	for ok := limit > 0 && c.First(); ok; ok = c.Next() {
		c.visited++
		id, e := deadIDOf(c.Key(), slot)
		if e != nil {
			err = e
			break
		}
		value := c.LazyValue()
		out = append(out, DeadRow{id, int64(len(c.Key()) + value.Len())})
		if limit--; limit == 0 {
			break
		}
	}
	return out, c.finish(err)
}

func deadIDOf(key []byte, slot uint16) (DeadID, error) {
	r := keyReader{rest: key[3:]}
	id := DeadID{slot, r.ms(), r.u64()}
	if !r.done() {
		return id, corrupt(key, errKey)
	}
	return id, nil
}

// DeadFilter chooses dead letters; a zero field chooses all.
type DeadFilter struct {
	Reason   string
	Activity uint32
	Domain   string // in Slots must stand its slot, else all slots are read
	Slots    []uint16
	FromMs   int64   // not older than this
	Until    *DeadID // with OldestFirst: none after this one, so that what is written meanwhile is not met

	OldestFirst bool // default newest first
}

func (f *DeadFilter) takes(d *DeadLetter) bool {
	return (f.Reason == "" || d.Reason == f.Reason) && (f.Activity == 0 || d.Activity == f.Activity) && (f.Domain == "" || d.Domain == f.Domain)
}

// DeadLetters lists dead letters of all slots, newest first, at most limit. It costs one seek per slot and two per letter.
func (s *Store) DeadLetters(limit int) ([]DeadLetter, error) {
	out, _, _, err := s.FindDead(DeadFilter{}, nil, limit, limit)
	return out, err
}

// FindDead lists the letters that a filter takes, in the filter's order, beginning after the letter named by after (nil: from the start; it
// need not be there any more). It stops when it has limit letters or has looked at scan of them; last is the last one it looked at, more
// says whether there may be others after it. It costs one seek per slot and two per letter looked at.
func (s *Store) FindDead(f DeadFilter, after *DeadID, limit, scan int) (out []DeadLetter, last DeadID, more bool, err error) {
	if limit <= 0 || scan <= 0 {
		return nil, last, false, nil
	}
	c, err := s.rangeCursor(nil, nil)
	if err != nil {
		return nil, last, false, err
	}
	m := deadMerge{cursor: c, f: &f, oldestFirst: f.OldestFirst}
	if f.Slots == nil {
		err = s.eachSlot(func(slot uint16) error { return m.open(slot, after) })
	} else {
		for i := 0; i < len(f.Slots) && err == nil; i++ {
			err = m.open(f.Slots[i], after)
		}
	}
	for err == nil && m.more() && len(out) < limit && scan > 0 {
		scan--
		last = m.heads[0]
		var d DeadLetter
		if d, err = m.pop(); err == nil && f.takes(&d) {
			out = append(out, d)
		}
	}
	return out, last, m.more(), c.finish(err)
}

// deadMerge walks over the letters of many slots in the order of their times.
type deadMerge struct {
	cursor      *cursor
	f           *DeadFilter
	oldestFirst bool
	heads       []DeadID // a heap: the next letter of each slot
}

// Len, Less, Swap, Push and Pop are those of container/heap.
func (m *deadMerge) Len() int           { return len(m.heads) }
func (m *deadMerge) Swap(i, j int)      { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (m *deadMerge) Less(i, j int) bool { return m.before(m.heads[i], m.heads[j]) }
func (m *deadMerge) Push(x any)         { m.heads = append(m.heads, x.(DeadID)) }
func (m *deadMerge) Pop() any {
	last := m.heads[len(m.heads)-1]
	m.heads = m.heads[:len(m.heads)-1]
	return last
}

func (m *deadMerge) before(a, b DeadID) bool {
	n := cmp.Or(cmp.Compare(a.TimeMs, b.TimeMs), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Slot, b.Slot))
	if m.oldestFirst {
		return n < 0
	}
	return n > 0
}

func (m *deadMerge) more() bool {
	return len(m.heads) > 0 && (m.f.Until == nil || !m.oldestFirst || !m.before(*m.f.Until, m.heads[0]))
}

func (m *deadMerge) bound(slot uint16) {
	lower := appendMs(appendHead(nil, slot, letterDead), m.f.FromMs)
	m.cursor.SetBounds(lower, appendDeadEnd(nil, slot))
}

// open goes to the first letter of a slot in the filter's order, after the one named.
func (m *deadMerge) open(slot uint16, after *DeadID) error {
	m.bound(slot)
	var ok bool
	switch {
	case after == nil && m.oldestFirst:
		ok = m.cursor.First()
	case after == nil:
		ok = m.cursor.Last()
	default:
		key := appendDeadKey(nil, slot, after.TimeMs, after.Seq)
		gone := !m.before(*after, DeadID{slot, after.TimeMs, after.Seq}) // a letter of that very key is behind us
		if gone == m.oldestFirst {
			key = append(key, 0)
		}
		if m.oldestFirst {
			ok = m.cursor.SeekGE(key)
		} else {
			ok = m.cursor.SeekLT(key)
		}
	}
	return m.push(ok, slot)
}

func (m *deadMerge) push(ok bool, slot uint16) error {
	if !ok {
		return m.cursor.Error()
	}
	m.cursor.visited++
	id, err := deadIDOf(m.cursor.Key(), slot)
	if err == nil {
		heap.Push(m, id)
	}
	return err
}

// pop takes the next letter, reads its row, and puts the next one of its slot in its place.
func (m *deadMerge) pop() (DeadLetter, error) {
	c, id := m.cursor, heap.Pop(m).(DeadID)
	m.bound(id.Slot)
	d := DeadLetter{Slot: id.Slot, TimeMs: id.TimeMs, Seq: id.Seq}
	if !c.SeekGE(appendDeadKey(nil, id.Slot, id.TimeMs, id.Seq)) {
		return d, c.Error()
	}
	value, err := c.see()
	if err != nil {
		return d, err
	}
	if err := decodeDeadLetter(value, &d); err != nil {
		return d, corrupt(c.Key(), err)
	}
	ok := false
	if m.oldestFirst {
		ok = c.Next()
	} else {
		ok = c.Prev()
	}
	return d, m.push(ok, id.Slot)
}
