package store

import (
	"fmt"

	"github.com/weftbox/weftbox/activity"
)

// set writes b.key with b.value.
func (b *Batch) set() {
	b.mustBegin()
	if len(b.value) > maxRowBytes {
		b.fail(fmt.Errorf("%s: the row has %d bytes, more than the limit of %d", describeKey(b.key), len(b.value), maxRowBytes))
		return
	}
	b.fail(b.into().Set(b.key, b.value, nil))
}

// remove deletes b.key.
func (b *Batch) remove() {
	b.mustBegin()
	b.fail(b.into().Delete(b.key, nil))
}

func (b *Batch) mustBegin() {
	if !b.begun {
		panic("store: a write before Begin")
	}
}

func (b *Batch) fail(err error) {
	if b.err == nil && err != nil {
		b.err = err
	}
}

// PutThread writes a live thread. Variables that CheckVars refuses make Commit fail.
func (b *Batch) PutThread(t *activity.Thread) {
	b.key = appendIDPrefix(b.key[:0], b.slot, letterThread, t.ID)
	b.setThread(t)
}

func (b *Batch) setThread(t *activity.Thread) {
	var err error
	if b.value, err = appendThread(b.value[:0], t); err != nil {
		b.fail(fmt.Errorf("%s: %w", describeKey(b.key), err))
		return
	}
	b.set()
}

// DeleteThread deletes a live thread.
func (b *Batch) DeleteThread(id activity.ID) {
	b.key = appendIDPrefix(b.key[:0], b.slot, letterThread, id)
	b.remove()
}

// PutEnded writes an ended run.
func (b *Batch) PutEnded(t *activity.Thread) {
	b.key = appendU64(appendIDPrefix(b.key[:0], b.slot, letterEnded, t.ID), t.Run)
	b.setThread(t)
}

// DeleteEnded forgets an ended run.
func (b *Batch) DeleteEnded(id activity.ID, run uint64) {
	b.key = appendU64(appendIDPrefix(b.key[:0], b.slot, letterEnded, id), run)
	b.remove()
}

// PutMember writes the membership of a live thread.
func (b *Batch) PutMember(id activity.ID) {
	b.key = appendText(appendMemberPrefix(b.key[:0], b.slot, id.Activity), id.Domain)
	b.value = b.value[:0]
	b.set()
}

// DeleteMember deletes a membership.
func (b *Batch) DeleteMember(id activity.ID) {
	b.key = appendText(appendMemberPrefix(b.key[:0], b.slot, id.Activity), id.Domain)
	b.remove()
}

// AddCounter adds c.N, which may be negative, to a counter of activity number. Nothing is written for 0.
func (b *Batch) AddCounter(number uint32, c Counter) {
	if c.N == 0 {
		return
	}
	b.mustBegin()
	b.key = appendCounterKey(b.key[:0], b.slot, number, c)
	b.value = appendSum(b.value[:0], c.N)
	b.fail(b.into().Merge(b.key, b.value, nil))
}

// PutAlarm writes an alarm row; all it says is in its key.
func (b *Batch) PutAlarm(id activity.ID, run uint64, r activity.AlarmRow) {
	b.key = appendAlarmKey(b.key[:0], b.slot, id, run, r)
	b.value = b.value[:0]
	b.set()
}

// DeleteAlarm deletes an alarm row.
func (b *Batch) DeleteAlarm(id activity.ID, run uint64, r activity.AlarmRow) {
	b.key = appendAlarmKey(b.key[:0], b.slot, id, run, r)
	b.remove()
}

// PutOutbox writes a row to be sent; o.Slot is ignored.
func (b *Batch) PutOutbox(o *Outbox) {
	b.key = appendU64(appendOutboxPrefix(b.key[:0], b.slot, o.Destination), o.Seq)
	b.value = appendOutbox(b.value[:0], o)
	b.set()
}

// DeleteOutbox deletes a row that was sent.
func (b *Batch) DeleteOutbox(destination uint32, seq uint64) {
	b.key = appendU64(appendOutboxPrefix(b.key[:0], b.slot, destination), seq)
	b.remove()
}

// PutRequest writes an open request.
func (b *Batch) PutRequest(seq uint64, r Request) {
	b.key = appendRequestKey(b.key[:0], b.slot, seq)
	b.value = appendRequest(b.value[:0], r)
	b.set()
}

// DeleteRequest closes an open request.
func (b *Batch) DeleteRequest(seq uint64) {
	b.key = appendRequestKey(b.key[:0], b.slot, seq)
	b.remove()
}

// PutMail parks a message. One that cannot be kept makes Commit fail.
func (b *Batch) PutMail(id activity.ID, m Mail) {
	b.key = appendU64(appendIDPrefix(b.key[:0], b.slot, letterMail, id), m.N)
	var err error
	if b.value, err = appendMessage(b.value[:0], m.Message); err != nil {
		b.fail(fmt.Errorf("%s: %w", describeKey(b.key), err))
		return
	}
	if m.KeptMs != 0 {
		b.value = appendIntField(b.value, mailKept, m.KeptMs)
		b.value = appendUintField(b.value, mailKeptRun, m.KeptRun)
	}
	b.set()
}

// DeleteMail deletes one parked message.
func (b *Batch) DeleteMail(id activity.ID, n uint64) {
	b.key = appendU64(appendIDPrefix(b.key[:0], b.slot, letterMail, id), n)
	b.remove()
}

// DeleteAllMail deletes all parked messages of a thread by one range.
func (b *Batch) DeleteAllMail(id activity.ID) {
	b.key = appendIDPrefix(b.key[:0], b.slot, letterMail, id)
	b.value = appendEnd(b.value[:0], b.key)
	b.removeRange()
}

// removeRange deletes b.key <= key < b.value.
func (b *Batch) removeRange() {
	b.mustBegin()
	b.fail(b.cur.DeleteRange(b.key, b.value, nil))
}

// PutKey remembers an idempotency key.
func (b *Batch) PutKey(k Key) {
	b.key = append(appendDayPrefix(b.key[:0], b.slot, k.Day), k.Hash[:]...)
	b.value = appendKeyBody(b.value[:0], k.Body)
	b.set()
}

// DeleteAlarms deletes all alarm rows with fromMs <= due < toMs by one range. It is for many rows at once: each range costs the reads that
// come after it a little. toMs is the new timer cursor, so that no row is ever set inside the range.
func (b *Batch) DeleteAlarms(fromMs, toMs int64) {
	b.key = appendMs(appendHead(b.key[:0], b.slot, letterAlarm), fromMs)
	b.value = appendMs(appendHead(b.value[:0], b.slot, letterAlarm), toMs)
	b.removeRange()
}

// DropKeys forgets the keys of all days before beforeDay by one range. Call it once per slot and day: ranges issued again and
// again slow down reads.
func (b *Batch) DropKeys(beforeDay uint32) {
	b.key = appendHead(b.key[:0], b.slot, letterKey)
	b.value = appendDayPrefix(b.value[:0], b.slot, beforeDay)
	b.removeRange()
}

// PutHighWater writes the last applied position of a producer.
func (b *Batch) PutHighWater(producer string, position uint64) {
	b.key = append(appendHead(b.key[:0], b.slot, letterHighWater), producer...)
	b.value = appendNumber(b.value[:0], position)
	b.set()
}

// PutSlotMeta writes row m of the slot, which must not be NodeSlot. Fields of a newer program in it are kept.
func (b *Batch) PutSlotMeta(m SlotMeta) {
	if b.mustBegin(); b.slot == NodeSlot {
		panic("store: PutSlotMeta in NodeSlot")
	}
	unknown, seen := b.s.slotMetas.get(b.slot)
	if !seen {
		if _, err := b.s.SlotMeta(b.slot); err != nil {
			b.fail(err)
			return
		}
		unknown, _ = b.s.slotMetas.get(b.slot)
	}
	b.key = appendHead(b.key[:0], b.slot, letterMeta)
	b.value = appendSlotMeta(b.value[:0], m, unknown)
	b.set()
}

// PutPosition writes the position from which a source is read on. It panics outside NodeSlot.
func (b *Batch) PutPosition(source string, next uint64) {
	b.mustBeNode("PutPosition")
	b.key = append(appendHead(b.key[:0], b.slot, letterPosition), source...)
	b.value = appendNumber(b.value[:0], next)
	b.set()
}

// PutNodeMeta writes the node's row m. Store id and number of slots are the store's for ever: empty ones stand for them, others panic,
// and so does a call outside NodeSlot. Turns is counted here.
func (b *Batch) PutNodeMeta(m NodeMeta) {
	b.mustBeNode("PutNodeMeta")
	is := b.s.Node()
	if m.StoreID != "" && m.StoreID != is.StoreID || m.Slots != 0 && m.Slots != is.Slots {
		panic(fmt.Sprintf("store: PutNodeMeta of store %q with %d slots in store %q with %d", m.StoreID, m.Slots, is.StoreID, is.Slots))
	}
	m.StoreID, m.Slots, m.Turns = is.StoreID, is.Slots, b.s.turns.Add(1)
	b.key = appendHead(b.key[:0], b.slot, letterMeta)
	b.value = appendNodeMeta(b.value[:0], m, b.s.nodeUnknown)
	b.set()
	b.node = &m
}

func (b *Batch) mustBeNode(what string) {
	if b.mustBegin(); b.slot != NodeSlot {
		panic(fmt.Sprintf("store: %s in slot %d: it belongs into NodeSlot", what, b.slot))
	}
}
