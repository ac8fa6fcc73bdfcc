package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weftbox/weftbox/activity"
)

// All keys. Every key begins with its slot, 2 bytes, and a letter; numbers are big endian; <domain> is UTF-8 ended by 0x00.
//
//	<slot> m                                            SlotMeta, in NodeSlot NodeMeta
//	<slot> s <producer>                                 high-water of a producer
//	<slot> t <domain> <activity>                        the live thread
//	<slot> h <domain> <activity> <run>                  ended runs
//	<slot> a <activity> <domain>                        membership
//	<slot> n <activity> <version> 00 <action> 00 <status>  counters, merged
//	<slot> v <activity> <version> 00 <action> 00 <sort> <clause> <verdict>  counters of verdicts, merged; verdict is the word
//	<slot> j <domain> <activity> <run> <seq>            lines of a run: what became of its last messages
//	<slot> b <domain> <activity> <n>                    mail that waits
//	<slot> d <day> <hash16>                             idempotency keys
//	<slot> d <day>                                      how many keys the day has in the slot, merged; goes with the day's range
//	<slot> c <due> <domain> <activity> <run> <visit> <kind> <n>  alarms
//	<slot> o <sort> <number> <seq>                      outbox
//	<slot> r <seq>                                      open requests
//	<slot> x <time> <seq>                               dead letters
//	<slot> x FF b, <slot> x FF n                        their bytes and their number, merged; no time begins with FF
//	<slot> k <job>                                      how far a batch job is in the slot
//	NodeSlot k <job>                                    the batch job
//	NodeSlot p <source>                                 read position
//	NodeSlot w <activity>                               how far the threads of an activity were gone through since its state changed
//
// Widths: activity 4, run seq visit due time job n(b) 8, day 4, kind sort status 1, clause n(c) 2. Reserved letters: f e i l.
const (
	letterMeta      = 'm'
	letterHighWater = 's'
	letterThread    = 't'
	letterEnded     = 'h'
	letterMember    = 'a'
	letterCounter   = 'n'
	letterMail      = 'b'
	letterKey       = 'd'
	letterAlarm     = 'c'
	letterOutbox    = 'o'
	letterRequest   = 'r'
	letterDead      = 'x'
	letterPosition  = 'p'
	letterSweep     = 'w'
	letterJournal   = 'j'
	letterVerdict   = 'v'
	letterJob       = 'k'
)

// The sorts of outbox destinations; others are reserved.
const (
	sortService = 1 // the number of a service
	sortSlot    = 2 // the number of a slot
)

// comparer orders keys by their bytes. Its Split ends a prefix after <domain>, so that bloom filters answer "no row of this domain"
// without a disk read (docs/decisions/0001-comparer.md). Name and Split are fixed with the first store.
var comparer = &pebble.Comparer{
	Compare:              bytes.Compare,
	Equal:                bytes.Equal,
	ComparePointSuffixes: bytes.Compare,
	CompareRangeSuffixes: bytes.Compare,
	AbbreviatedKey:       pebble.DefaultComparer.AbbreviatedKey,
	FormatKey:            pebble.DefaultComparer.FormatKey,
	Separator:            pebble.DefaultComparer.Separator,
	Successor:            pebble.DefaultComparer.Successor,
	ImmediateSuccessor:   immediateSuccessor,
	Split:                split,
	Name:                 "weftbox.domain.1",
}

func split(k []byte) int {
	if len(k) > 3 {
		switch k[2] {
		case letterThread, letterEnded, letterMail, letterJournal:
			if i := bytes.IndexByte(k[3:], 0); i >= 0 {
				return 3 + i + 1
			}
		}
	}
	return len(k)
}

// immediateSuccessor: nothing lies between a prefix ended by 0x00 and the same ended by 0x01, since no prefix goes on after 0x00.
func immediateSuccessor(dst, prefix []byte) []byte {
	dst = append(dst, prefix...)
	if len(prefix) > 3 && prefix[len(prefix)-1] == 0 && split(append(prefix[:len(prefix):len(prefix)], 0)) == len(prefix) {
		dst[len(dst)-1] = 1
		return dst
	}
	return append(dst, 0)
}

func appendHead(dst []byte, slot uint16, letter byte) []byte {
	return append(dst, byte(slot>>8), byte(slot), letter)
}

// appendText appends a text and its end. Byte 0x00 does not occur in what slots.ValidDomain and definitions let through;
// should it, it is written as C0 80, which is no UTF-8, so that no text can reach into another's keys.
func appendText(dst []byte, s string) []byte {
	if strings.IndexByte(s, 0) < 0 {
		return append(append(dst, s...), 0)
	}
	return append(append(dst, strings.ReplaceAll(s, "\x00", "\xC0\x80")...), 0)
}

func appendU32(dst []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(dst, v) }
func appendU64(dst []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(dst, v) }

// appendMs appends a time. Times before 1970 are kept as 1970: the order of the keys must be the order of the times.
func appendMs(dst []byte, ms int64) []byte { return appendU64(dst, uint64(max(ms, 0))) }

func appendDomainPrefix(dst []byte, slot uint16, letter byte, domain string) []byte {
	return appendText(appendHead(dst, slot, letter), domain)
}

func appendIDPrefix(dst []byte, slot uint16, letter byte, id activity.ID) []byte {
	return appendU32(appendDomainPrefix(dst, slot, letter, id.Domain), id.Activity)
}

func appendAlarmKey(dst []byte, slot uint16, id activity.ID, run uint64, r activity.AlarmRow) []byte {
	dst = appendMs(appendHead(dst, slot, letterAlarm), r.DueMs)
	dst = appendU32(appendText(dst, id.Domain), id.Activity)
	dst = appendU64(appendU64(dst, run), r.Visit)
	return append(dst, byte(r.Kind), byte(r.N>>8), byte(r.N))
}

func appendMemberPrefix(dst []byte, slot uint16, number uint32) []byte {
	return appendU32(appendHead(dst, slot, letterMember), number)
}

func appendCounterKey(dst []byte, slot uint16, number uint32, c Counter) []byte {
	dst = appendU32(appendHead(dst, slot, letterCounter), number)
	return append(appendText(appendText(dst, c.Version), c.Action), byte(c.Status))
}

func appendVerdictPrefix(dst []byte, slot uint16, number uint32) []byte {
	return appendU32(appendHead(dst, slot, letterVerdict), number)
}

func appendVerdictKey(dst []byte, slot uint16, number uint32, v VerdictCount) []byte {
	dst = appendText(appendText(appendVerdictPrefix(dst, slot, number), v.Version), v.Action)
	return append(append(dst, byte(v.Sort), byte(v.Clause>>8), byte(v.Clause)), v.Verdict...)
}

func appendLinePrefix(dst []byte, slot uint16, id activity.ID, run uint64) []byte {
	return appendU64(appendIDPrefix(dst, slot, letterJournal, id), run)
}

func appendJobKey(dst []byte, slot uint16, job uint64) []byte {
	return appendU64(appendHead(dst, slot, letterJob), job)
}

func appendOutboxPrefix(dst []byte, slot uint16, destination uint32) []byte {
	sort := byte(sortService)
	if to, ok := IsSlot(destination); ok {
		sort, destination = sortSlot, uint32(to)
	}
	return appendU32(append(appendHead(dst, slot, letterOutbox), sort), destination)
}

func appendRequestKey(dst []byte, slot uint16, seq uint64) []byte {
	return appendU64(appendHead(dst, slot, letterRequest), seq)
}

func appendDayPrefix(dst []byte, slot uint16, day uint32) []byte {
	return appendU32(appendHead(dst, slot, letterKey), day)
}

func appendDeadKey(dst []byte, slot uint16, timeMs int64, seq uint64) []byte {
	return appendU64(appendMs(appendHead(dst, slot, letterDead), timeMs), seq)
}

// appendEnd appends the first key after all keys that begin with prefix. No prefix is all 0xFF: a letter is among its bytes.
func appendEnd(dst, prefix []byte) []byte {
	n := len(prefix)
	for prefix[n-1] == 0xFF {
		n--
	}
	dst = append(dst, prefix[:n]...)
	dst[len(dst)-1]++
	return dst
}

// keyReader takes a key apart. A key too short leaves bad set and zero values.
type keyReader struct {
	rest []byte
	bad  bool
}

func (r *keyReader) take(n int) []byte {
	if len(r.rest) < n {
		r.bad, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *keyReader) u8() byte    { return r.take(1)[0] }
func (r *keyReader) u16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *keyReader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *keyReader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }
func (r *keyReader) ms() int64   { return int64(r.u64()) }

func (r *keyReader) text() string {
	i := bytes.IndexByte(r.rest, 0)
	if i < 0 {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:i])
	r.rest = r.rest[i+1:]
	if strings.Contains(s, "\xC0\x80") {
		s = strings.ReplaceAll(s, "\xC0\x80", "\x00")
	}
	return s
}

// done reports whether the key was read to its end, no more and no less.
func (r *keyReader) done() bool { return !r.bad && len(r.rest) == 0 }

// describeKey names a key for people: slot, letter, domain where it begins with one, and all bytes in hex.
func describeKey(k []byte) string {
	if len(k) < 3 {
		return fmt.Sprintf("key %x", k)
	}
	r := keyReader{rest: k}
	slot, letter := r.u16(), r.u8()
	text := fmt.Sprintf("slot %d, row %q", slot, letter)
	switch letter {
	case letterThread, letterEnded, letterMail, letterJournal:
		text += fmt.Sprintf(", domain %q, activity %d", r.text(), r.u32())
	case letterAlarm:
		text += fmt.Sprintf(", due %d, domain %q", r.ms(), r.text())
	case letterHighWater, letterPosition:
		text += fmt.Sprintf(", %q", r.rest)
	}
	return fmt.Sprintf("%s, key %x", text, k)
}
