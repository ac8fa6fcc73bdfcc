package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

// storeFormat is the format of the store as a whole: keys, merger, slot function. Rows have format numbers of their own.
const storeFormat = 1

// Tags of the small rows.
const (
	slotEpoch    = 1
	slotSequence = 2
	slotCursor   = 3

	nodeFormat  = 1
	nodeStoreID = 2
	nodeSlots   = 3
	nodeFloor   = 4
	nodeTurns   = 5

	numberValue = 1 // rows s, p: what else is known of that very position would go with it, so unknown tags are not carried over

	keyBody = 1

	outboxService = 1
	outboxBody    = 2
	outboxTo      = 3 // activity
	outboxDomain  = 4

	requestActivity = 1
	requestDomain   = 2
	requestRun      = 3
	requestVisit    = 4
	requestAction   = 5

	deadReason   = 1
	deadError    = 2
	deadActivity = 3
	deadDomain   = 4
	deadSource   = 5
	deadMessage  = 6
	deadKind     = 7
	deadAction   = 8
	deadPosition = 9
	deadReplays  = 10
)

func appendSlotMeta(dst []byte, m SlotMeta, unknown []byte) []byte {
	dst = appendUintField(append(dst, rowFormat), slotEpoch, m.Epoch)
	dst = appendUintField(dst, slotSequence, m.Sequence)
	dst = appendIntField(dst, slotCursor, m.CursorMs)
	return append(dst, unknown...)
}

func decodeSlotMeta(value string) (m SlotMeta, unknown []byte, err error) {
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case slotEpoch:
			m.Epoch = r.uint()
		case slotSequence:
			m.Sequence = r.uint()
		case slotCursor:
			m.CursorMs = r.int()
		default:
			unknown = append(unknown, r.field...)
		}
	}
	return m, unknown, r.err
}

func appendNodeMeta(dst []byte, m NodeMeta, unknown []byte) []byte {
	dst = appendUintField(append(dst, rowFormat), nodeFormat, storeFormat)
	dst = appendTextField(dst, nodeStoreID, m.StoreID)
	dst = appendUintField(dst, nodeSlots, uint64(m.Slots))
	dst = appendIntField(dst, nodeFloor, m.FloorMs)
	dst = appendUintField(dst, nodeTurns, m.Turns)
	return append(dst, unknown...)
}

func decodeNodeMeta(value string) (m NodeMeta, format uint64, unknown []byte, err error) {
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case nodeFormat:
			format = r.uint()
		case nodeStoreID:
			m.StoreID = r.body
		case nodeSlots:
			m.Slots = uint16(r.small(math.MaxUint16))
		case nodeFloor:
			m.FloorMs = r.int()
		case nodeTurns:
			m.Turns = r.uint()
		default:
			unknown = append(unknown, r.field...)
		}
	}
	return m, format, unknown, r.err
}

func appendNumber(dst []byte, v uint64) []byte {
	return appendUintField(append(dst, rowFormat), numberValue, v)
}

func decodeNumber(value string) (v uint64, err error) {
	r := readRow(value)
	for r.next() {
		if r.tag == numberValue {
			v = r.uint()
		}
	}
	return v, r.err
}

// appendKeyBody writes the hash in 8 bytes: a varint of a hash takes ten.
func appendKeyBody(dst []byte, body uint64) []byte {
	return binary.BigEndian.AppendUint64(appendTag(append(dst, rowFormat), keyBody, 8), body)
}

func decodeKeyBody(value string) (body uint64, err error) {
	r := readRow(value)
	for r.next() {
		if r.tag == keyBody {
			r.inField(func(in *reader) {
				if b := in.take(8); b != "" {
					body = binary.BigEndian.Uint64([]byte(b))
				}
			})
		}
	}
	return body, r.err
}

func appendOutbox(dst []byte, o *Outbox) []byte {
	dst = appendBytesField(appendTextField(append(dst, rowFormat), outboxService, o.Service), outboxBody, o.Body)
	return appendTextField(appendUintField(dst, outboxTo, uint64(o.To.Activity)), outboxDomain, o.To.Domain)
}

func decodeOutbox(value string, o *Outbox) error {
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case outboxService:
			o.Service = r.body
		case outboxBody:
			o.Body = []byte(r.body)
		case outboxTo:
			o.To.Activity = uint32(r.small(math.MaxUint32))
		case outboxDomain:
			o.To.Domain = r.body
		}
	}
	return r.err
}

func appendRequest(dst []byte, q Request) []byte {
	dst = appendUintField(append(dst, rowFormat), requestActivity, uint64(q.ID.Activity))
	dst = appendTextField(dst, requestDomain, q.ID.Domain)
	dst = appendUintField(dst, requestRun, q.Run)
	dst = appendUintField(dst, requestVisit, q.Visit)
	return appendTextField(dst, requestAction, q.Action)
}

func decodeRequest(value string) (q Request, err error) {
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case requestActivity:
			q.ID.Activity = uint32(r.small(math.MaxUint32))
		case requestDomain:
			q.ID.Domain = r.body
		case requestRun:
			q.Run = r.uint()
		case requestVisit:
			q.Visit = r.uint()
		case requestAction:
			q.Action = r.body
		}
	}
	return q, r.err
}

func appendDeadLetter(dst []byte, d *DeadLetter) []byte {
	dst = appendTextField(append(dst, rowFormat), deadReason, d.Reason)
	dst = appendTextField(dst, deadError, d.Error)
	dst = appendUintField(dst, deadActivity, uint64(d.Activity))
	dst = appendTextField(dst, deadDomain, d.Domain)
	dst = appendTextField(dst, deadSource, d.Source)
	dst = appendBytesField(dst, deadMessage, d.Message)
	dst = appendTextField(dst, deadKind, d.Kind)
	dst = appendTextField(dst, deadAction, d.Action)
	dst = appendUintField(dst, deadPosition, d.Position)
	return appendUintField(dst, deadReplays, uint64(d.Replays))
}

func decodeDeadLetter(value string, d *DeadLetter) error {
	r := readRow(value)
	for r.next() {
		switch r.tag {
		case deadReason:
			d.Reason = r.body
		case deadError:
			d.Error = r.body
		case deadActivity:
			d.Activity = uint32(r.small(math.MaxUint32))
		case deadDomain:
			d.Domain = r.body
		case deadSource:
			d.Source = r.body
		case deadMessage:
			d.Message = []byte(r.body)
		case deadKind:
			d.Kind = r.body
		case deadAction:
			d.Action = r.body
		case deadPosition:
			d.Position = r.uint()
		case deadReplays:
			d.Replays = uint32(r.small(math.MaxUint32))
		}
	}
	return r.err
}

// merger adds up counters: operands and sums are zigzag varints. A sum of zero stays a row. Name and arithmetic are fixed with the first store.
var merger = &pebble.Merger{
	Name: "weftbox.add.1",
	Merge: func(key, value []byte) (pebble.ValueMerger, error) {
		m := &sum{}
		if err := m.add(value); err != nil {
			return nil, corrupt(key, err)
		}
		return m, nil
	},
}

type sum struct{ n int64 }

var errCounter = errors.New("it is no number")

func (m *sum) add(value []byte) error {
	n, err := decodeSum(value)
	m.n += n
	return err
}

func (m *sum) MergeNewer(value []byte) error { return m.add(value) }
func (m *sum) MergeOlder(value []byte) error { return m.add(value) }

func (m *sum) Finish(bool) ([]byte, io.Closer, error) {
	return appendSum(nil, m.n), nil, nil
}

func appendSum(dst []byte, n int64) []byte { return binary.AppendUvarint(dst, zigzag(n)) }

func decodeSum(value []byte) (int64, error) {
	v, n := binary.Uvarint(value)
	if n <= 0 || n != len(value) {
		return 0, fmt.Errorf("%w: %x", errCounter, value)
	}
	return unzigzag(v), nil
}
