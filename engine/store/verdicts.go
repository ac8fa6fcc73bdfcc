package store

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/weftbox/weftbox/activity"
)

// MessageSort says what a message was; its number is on disk and never changes its meaning.
type MessageSort uint8

// The sorts of messages.
const (
	SortOther   MessageSort = 0
	SortEvent   MessageSort = 1
	SortReply   MessageSort = 2
	SortAlarm   MessageSort = 3
	SortCommand MessageSort = 4
)

var sortNames = [...]string{"other", "event", "reply", "alarm", "command"}

// String returns event, reply, alarm, command or other.
func (s MessageSort) String() string {
	if int(s) < len(sortNames) {
		return sortNames[s]
	}
	return sortNames[SortOther]
}

// VerdictCount counts the messages of a sort that came to threads of an activity standing at an action and of which the same became.
type VerdictCount struct {
	Version string // of the definition
	Action  string // where the thread stood when the message came; "" where there was none: the trigger was asked
	Sort    MessageSort
	Clause  int16 // the clause of the action that took it, -1 when none did
	Verdict activity.VerdictKind
	N       int64
}

// AddVerdict adds v.N to a verdict counter of activity number.
func (b *Batch) AddVerdict(number uint32, v VerdictCount) {
	b.mustBegin()
	b.key = appendVerdictKey(b.key[:0], b.slot, number, v)
	b.value = appendSum(b.value[:0], v.N)
	b.fail(b.into().Merge(b.key, b.value, nil))
}

// Verdicts sums the verdict counters of an activity over all slots, ascending by version, action, sort, clause, verdict.
func (s *Store) Verdicts(number uint32) ([]VerdictCount, error) {
	c, err := s.rangeCursor(nil, nil)
	if err != nil {
		return nil, err
	}
	sums := map[VerdictCount]int64{}
	err = s.eachSlot(func(slot uint16) error {
		prefix := appendVerdictPrefix(nil, slot, number)
		c.SetBounds(prefix, appendEnd(nil, prefix))
		for ok := c.First(); ok; ok = c.Next() {
			value, err := c.see()
			if err != nil {
				return err
			}
			r := keyReader{rest: c.Key()[len(prefix):]}
			k := VerdictCount{Version: r.text(), Action: r.text(), Sort: MessageSort(r.u8()), Clause: int16(r.u16())}
			k.Verdict = activity.VerdictKind(r.rest)
			n, err := decodeSum([]byte(value))
			if r.bad {
				err = errKey
			}
			if err != nil {
				return corrupt(c.Key(), err)
			}
			sums[k] += n
		}
		return c.Error()
	})
	var out []VerdictCount
	for k, n := range sums {
		k.N = n
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b VerdictCount) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Sort, b.Sort), cmp.Compare(a.Clause, b.Clause), cmp.Compare(a.Verdict, b.Verdict))
	})
	return out, c.finish(err)
}

// Line says what became of one message of a run.
type Line struct {
	Seq     uint64 // the delivery's number in its slot: the order
	TimeMs  int64
	Sort    MessageSort
	Name    string // the event's type, the action whose request was answered, the alarm's kind, or the command
	EventID string // the sender's id of the event; may be empty
	Verdict activity.VerdictKind
	Clause  int16  // that took it, -1 when none did
	From    string // where the thread stood before; "" at its birth
	To      string // where it stands after it
	Status  activity.Status
	Error   string // may be empty
}

// Tags of lines.
const (
	lineTime    = 1
	lineSort    = 2
	lineName    = 3
	lineEventID = 4
	lineVerdict = 5
	lineClause  = 6 // one more than the clause, so that none is left out
	lineFrom    = 7
	lineTo      = 8
	lineStatus  = 9
	lineError   = 10
)

func appendLine(dst []byte, l *Line) []byte {
	dst = appendIntField(append(dst, rowFormat), lineTime, l.TimeMs)
	dst = appendUintField(dst, lineSort, uint64(l.Sort))
	dst = appendTextField(dst, lineName, l.Name)
	dst = appendTextField(dst, lineEventID, l.EventID)
	dst = appendTextField(dst, lineVerdict, string(l.Verdict))
	dst = appendUintField(dst, lineClause, uint64(l.Clause+1))
	dst = appendTextField(dst, lineFrom, l.From)
	dst = appendTextField(dst, lineTo, l.To)
	dst = appendUintField(dst, lineStatus, uint64(l.Status))
	return appendTextField(dst, lineError, l.Error)
}

func decodeLine(value string, l *Line) error {
	l.Clause = -1
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case lineTime:
			l.TimeMs = r.int()
		case lineSort:
			l.Sort = MessageSort(r.small(0xFF))
		case lineName:
			l.Name = r.body
		case lineEventID:
			l.EventID = r.body
		case lineVerdict:
			l.Verdict = activity.VerdictKind(r.body)
		case lineClause:
			l.Clause = int16(r.small(0x7FFF)) - 1
		case lineFrom:
			l.From = r.body
		case lineTo:
			l.To = r.body
		case lineStatus:
			l.Status = activity.Status(r.small(uint64(activity.Killed)))
		case lineError:
			l.Error = r.body
		}
	}
	return r.err
}

// PutLine writes a line of a run.
func (b *Batch) PutLine(id activity.ID, run uint64, l *Line) {
	b.key = appendU64(appendLinePrefix(b.key[:0], b.slot, id, run), l.Seq)
	b.value = appendLine(b.value[:0], l)
	b.set()
}

// DeleteLine deletes a line of a run.
func (b *Batch) DeleteLine(id activity.ID, run, seq uint64) {
	b.key = appendU64(appendLinePrefix(b.key[:0], b.slot, id, run), seq)
	b.remove()
}

// Lines reads the lines of a run, oldest first: one seek, without a disk read where the domain has none.
func (s *Store) Lines(slot uint16, id activity.ID, run uint64) ([]Line, error) {
	var out []Line
	err := s.eachLine(slot, id, run, func(c *cursor, seq uint64) error {
		value, err := c.see()
		if err != nil {
			return err
		}
		out = append(out, Line{Seq: seq})
		if err := decodeLine(value, &out[len(out)-1]); err != nil {
			return corrupt(c.Key(), err)
		}
		return nil
	})
	return out, err
}

// LineNumbers reads only the numbers of a run's lines, oldest first.
func (s *Store) LineNumbers(slot uint16, id activity.ID, run uint64) (seqs []uint64, err error) {
	err = s.eachLine(slot, id, run, func(c *cursor, seq uint64) error {
		c.visited++
		seqs = append(seqs, seq)
		return nil
	})
	return seqs, err
}

func (s *Store) eachLine(slot uint16, id activity.ID, run uint64, visit func(c *cursor, seq uint64) error) error {
	c, err := s.prefixCursor()
	if err != nil {
		return err
	}
	prefix := appendLinePrefix(nil, slot, id, run)
	c.key = append(c.key[:0], prefix...)
	for ok := c.SeekPrefixGE(c.key); ok && err == nil; ok = c.Next() {
		k := c.Key()
		if len(k) != len(prefix)+8 || string(k[:len(prefix)]) != string(prefix) {
			break
		}
		err = visit(c, binary.BigEndian.Uint64(k[len(prefix):]))
	}
	if release := c.release(); err == nil {
		err = release
	}
	return err
}

// HasLines reports whether a slot has lines of any run: one seek.
func (s *Store) HasLines(slot uint16) (bool, error) {
	lower := appendHead(nil, slot, letterJournal)
	c, err := s.rangeCursor(lower, appendEnd(nil, lower))
	if err != nil {
		return false, err
	}
	ok := c.First()
	if ok {
		c.visited++
	}
	return ok, c.finish(nil)
}
