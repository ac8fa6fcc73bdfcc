package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/weftbox/weftbox/activity"
)

// LiveThreads appends to out the live threads of a domain, ascending by activity: one seek.
func (s *Store) LiveThreads(slot uint16, domain string, out []activity.Thread) ([]activity.Thread, error) {
	c, err := s.prefixCursor()
	if err != nil {
		return out, err
	}
	c.key = appendDomainPrefix(c.key[:0], slot, letterThread, domain)
	for ok := c.SeekPrefixGE(c.key); ok && err == nil; ok = c.Next() {
		rest := c.Key()[len(c.key):]
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		if len(rest) != 4 {
			err = corrupt(c.Key(), errKey)
			break
		}
		out = append(out, activity.Thread{ID: activity.ID{Activity: binary.BigEndian.Uint32(rest), Domain: domain}})
		if e := decodeThread(value, &out[len(out)-1]); e != nil {
			out = out[:len(out)-1]
			err = corrupt(c.Key(), e)
		}
	}
	return out, errors.Join(err, c.release())
}

var errKey = errors.New("the key has another length than keys of this letter")

// Thread reads one live thread; an unknown one has Status Absent.
func (s *Store) Thread(slot uint16, id activity.ID) (activity.Thread, error) {
	return s.thread(id, func(dst []byte) []byte { return appendIDPrefix(dst, slot, letterThread, id) })
}

func (s *Store) thread(id activity.ID, key func([]byte) []byte) (activity.Thread, error) {
	value, ok, err := s.lookup(key)
	if !ok || err != nil {
		return activity.Thread{}, err
	}
	t := activity.Thread{ID: id}
	if err := decodeThread(value, &t); err != nil {
		return activity.Thread{}, corrupt(key(nil), err)
	}
	return t, nil
}

// Ended reads an ended run: the one of that number, or with run 0 the last one. An unknown one has Status Absent.
func (s *Store) Ended(slot uint16, id activity.ID, run uint64) (activity.Thread, error) {
	if run != 0 {
		return s.thread(id, func(dst []byte) []byte { return appendU64(appendIDPrefix(dst, slot, letterEnded, id), run) })
	}
	lower := appendIDPrefix(nil, slot, letterEnded, id)
	c, err := s.rangeCursor(lower, appendEnd(nil, lower))
	if err != nil {
		return activity.Thread{}, err
	}
	t := activity.Thread{}
	if c.Last() {
		var value string
		if value, err = c.see(); err == nil {
			t.ID = id
			if e := decodeThread(value, &t); e != nil {
				t, err = activity.Thread{}, corrupt(c.Key(), e)
			}
		}
	}
	return t, c.finish(err)
}

// SlotMeta reads row m of a slot; a slot never written has the zero value.
func (s *Store) SlotMeta(slot uint16) (SlotMeta, error) {
	key := func(dst []byte) []byte { return appendHead(dst, slot, letterMeta) }
	value, ok, err := s.lookup(key)
	if err != nil {
		return SlotMeta{}, err
	}
	var m SlotMeta
	var unknown []byte
	if ok {
		if m, unknown, err = decodeSlotMeta(value); err != nil {
			return SlotMeta{}, corrupt(key(nil), err)
		}
	}
	s.slotMetas.keep(slot, unknown)
	return m, nil
}

// OpenRequest reads an open request; ok is false when there is none.
func (s *Store) OpenRequest(slot uint16, seq uint64) (r Request, ok bool, err error) {
	key := func(dst []byte) []byte { return appendRequestKey(dst, slot, seq) }
	value, ok, err := s.lookup(key)
	if !ok || err != nil {
		return Request{}, false, err
	}
	if r, err = decodeRequest(value); err != nil {
		return Request{}, false, corrupt(key(nil), err)
	}
	return r, true, nil
}

// KnownKey reads the body hash remembered for an idempotency key in day or the day before.
func (s *Store) KnownKey(slot uint16, k Key) (body uint64, ok bool, err error) {
	for day := k.Day; ; day-- {
		key := func(dst []byte) []byte { return append(appendDayPrefix(dst, slot, day), k.Hash[:]...) }
		value, ok, err := s.lookup(key)
		if err != nil {
			return 0, false, err
		}
		if ok {
			if body, err = decodeKeyBody(value); err != nil {
				return 0, false, corrupt(key(nil), err)
			}
			return body, true, nil
		}
		if day == 0 || day != k.Day {
			return 0, false, nil
		}
	}
}

// HighWater reads the last applied position of a producer in a slot, 0 if none.
func (s *Store) HighWater(slot uint16, producer string) (uint64, error) {
	v, _, err := s.number(func(dst []byte) []byte { return append(appendHead(dst, slot, letterHighWater), producer...) })
	return v, err
}

// Position reads the position from which a source is read on (everything below it is committed), ok false if none.
func (s *Store) Position(source string) (next uint64, ok bool, err error) {
	return s.number(func(dst []byte) []byte { return append(appendHead(dst, NodeSlot, letterPosition), source...) })
}

func (s *Store) number(key func([]byte) []byte) (v uint64, ok bool, err error) {
	value, ok, err := s.lookup(key)
	if !ok || err != nil {
		return 0, false, err
	}
	if v, err = decodeNumber(value); err != nil {
		return 0, false, corrupt(key(nil), err)
	}
	return v, true, nil
}

// MailOf reads up to limit parked messages of a thread, in order.
func (s *Store) MailOf(slot uint16, id activity.ID, limit int) ([]Mail, error) {
	return s.mailFrom(slot, id, 0, limit)
}

// MailAfter reads up to limit parked messages of a thread whose numbers are greater than after, in order.
func (s *Store) MailAfter(slot uint16, id activity.ID, after uint64, limit int) ([]Mail, error) {
	return s.mailFrom(slot, id, after+1, limit)
}

func (s *Store) mailFrom(slot uint16, id activity.ID, first uint64, limit int) ([]Mail, error) {
	c, err := s.prefixCursor()
	if err != nil {
		return nil, err
	}
	prefix := appendIDPrefix(nil, slot, letterMail, id)
	c.key = appendU64(append(c.key[:0], prefix...), first)
	var out []Mail
	for ok := limit > 0 && c.SeekPrefixGE(c.key); ok && len(out) < limit; ok = c.Next() {
		if !bytes.HasPrefix(c.Key(), prefix) {
			break
		}
		r := keyReader{rest: c.Key()[len(prefix):]}
		m := Mail{N: r.u64()}
		var value string
		if value, err = c.see(); err != nil {
			break
		}
		if !r.done() {
			err = corrupt(c.Key(), errKey)
			break
		}
		if err = decodeMail(value, &m); err != nil {
			err = corrupt(c.Key(), err)
			break
		}
		out = append(out, m)
	}
	return out, errors.Join(err, c.release())
}

// NextDue returns the due time of the first alarm row at or after the cursor, ok false if there is none.
func (s *Store) NextDue(slot uint16, cursorMs int64) (dueMs int64, ok bool, err error) {
	c, err := s.alarmCursor(slot, cursorMs)
	if err != nil {
		return 0, false, err
	}
	if c.First() {
		c.visited++
		r := keyReader{rest: c.Key()[3:]}
		dueMs, ok = r.ms(), !r.bad
		if !ok {
			err = corrupt(c.Key(), errKey)
		}
	}
	return dueMs, ok, c.finish(err)
}

// alarmCursor begins at the timer cursor: before it lie the remains of alarms that fired, which cost a hundredfold to walk over.
func (s *Store) alarmCursor(slot uint16, cursorMs int64) (*cursor, error) {
	lower := appendMs(appendHead(nil, slot, letterAlarm), cursorMs)
	return s.rangeCursor(lower, appendHead(nil, slot, letterAlarm+1))
}

// Due appends up to limit alarm rows with cursorMs <= due <= nowMs, in key order.
func (s *Store) Due(slot uint16, cursorMs, nowMs int64, limit int, out []DueAlarm) ([]DueAlarm, error) {
	c, err := s.alarmCursor(slot, cursorMs)
	if err != nil {
		return out, err
	}
	for ok := limit > 0 && c.First(); ok; ok = c.Next() {
		c.visited++
		r := keyReader{rest: c.Key()[3:]}
		due := r.ms()
		if !r.bad && due > nowMs {
			break
		}
		a := DueAlarm{Alarm: activity.Alarm{DueMs: due}}
		a.ID.Domain, a.ID.Activity = r.text(), r.u32()
		a.Alarm.Run, a.Alarm.Visit = r.u64(), r.u64()
		a.Alarm.Kind, a.Alarm.N = activity.AlarmKind(r.u8()), r.u16()
		if !r.done() {
			err = corrupt(c.Key(), fmt.Errorf("%w: an alarm", errKey))
			break
		}
		out = append(out, a)
		if limit--; limit == 0 {
			break
		}
	}
	return out, c.finish(err)
}
