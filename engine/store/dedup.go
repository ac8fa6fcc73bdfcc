package store

// KeyDays is what a slot remembers of idempotency keys.
type KeyDays struct {
	First uint32 // the oldest day of which there is something, 0: none
	Keys  [2]int64
}

// AddKeyCount adds n to the number of keys that a day has in the slot. The row is the day's own prefix: DropKeys takes it along.
func (b *Batch) AddKeyCount(day uint32, n int64) {
	b.mustBegin()
	b.key = appendDayPrefix(b.key[:0], b.slot, day)
	b.value = appendSum(b.value[:0], n)
	b.fail(b.cur.Merge(b.key, b.value, nil))
}

// KeyDays reads how many keys a slot has of day (Keys[0]) and of the day before (Keys[1]): three keys at most.
func (s *Store) KeyDays(slot uint16, day uint32) (KeyDays, error) {
	head := appendHead(nil, slot, letterKey)
	c, err := s.rangeCursor(head, appendEnd(nil, head))
	if err != nil {
		return KeyDays{}, err
	}
	var k KeyDays
	if c.First() {
		c.visited++
		r := keyReader{rest: c.Key()[len(head):]}
		if k.First = r.u32(); r.bad {
			return k, c.finish(corrupt(c.Key(), errKey))
		}
	}
	for i := uint32(0); i < 2 && i <= day && k.First != 0 && err == nil; i++ {
		prefix := appendDayPrefix(nil, slot, day-i)
		if !c.SeekGE(prefix) || len(c.Key()) != len(prefix) || string(c.Key()) != string(prefix) {
			continue
		}
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		if k.Keys[i], err = decodeSum([]byte(value)); err != nil {
			err = corrupt(c.Key(), err)
		}
	}
	return k, c.finish(err)
}
