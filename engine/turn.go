package engine

import (
	"fmt"
	"math"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/metadata"
)

// turn is one round of the loop: what it took in, what it works on, and what it will tell the world after the commit.
// It is reused; nothing in it outlives the round.
type turn struct {
	e     *Engine
	snap  *metadata.Snapshot
	nowMs int64
	most  int  // messages that it may take; 0: Options.MaxMessages
	used  bool // since it was cleared last

	records []*record          // what came in, in order
	spare   []*record          // to be used again
	byKey   map[string]*record // first record of an idempotency key in this turn
	work    []*slotWork        // by slot, made when first touched and used again
	touched []uint16           // the slots of this turn
	busy    []*lane            // that have slots of this turn
	hits    []activity.Hit     // scratch
	due     []store.DueAlarm   // scratch
	fired   []uint16           // slots whose alarms were read

	batch     *store.Batch
	printed   []string     // to be printed after the commit
	logged    []logLine    // to be logged after the commit
	swept     []sweep      // how far sweeps have come
	sends     []backlog    // where outbox rows were written
	done      []*delivered // relay results taken
	replies   int64        // answers taken in: counted once they are applied
	positions []position
	letters   turnLetters // dead letters to be replayed or deleted
	jobs      []*jobOp    // of batch jobs
	unrouted  tallies     // verdicts of events that came to no slot
	bags      []*mailbag  // mail taken from outboxes of slots
}

// position is how far a source was read: everything below next is applied once the turn is, also where the source went back meanwhile.
type position struct {
	consumer messagebus.Consumer
	next     uint64
	taken    uint64 // everything of the source below was taken by this turn
}

func newTurn(e *Engine) *turn {
	return &turn{e: e, byKey: map[string]*record{}, work: make([]*slotWork, len(e.slots)), batch: e.store.NewBatch()}
}

// clear empties the turn, so that its memory serves a later one. It touches nothing that another turn uses: the pipeline does it beside the loop.
func (t *turn) clear() {
	t.keepSpare()
	clear(t.printed)
	clear(t.logged)
	t.logged, t.swept = t.logged[:0], t.swept[:0]
	t.records, t.hits, t.fired, t.printed, t.sends, t.done = t.records[:0], t.hits[:0], t.fired[:0], t.printed[:0], t.sends[:0], t.done[:0]
	clear(t.byKey)
	for _, slot := range t.touched {
		t.work[slot].reset()
	}
	t.touched = t.touched[:0]
	t.positions = t.positions[:0]
	clear(t.bags)
	t.bags = t.bags[:0]
	t.letters.bytes, t.replies = 0, 0
	t.batch.Reset() // a turn that could not be decided leaves its writes
	t.unrouted.reset()
	t.used = false
}

// maxSpareRecords bounds the records that a turn keeps for a later one.
const maxSpareRecords = 16_000

func (t *turn) keepSpare() {
	for _, r := range t.records {
		if len(t.spare) < maxSpareRecords {
			*r = record{}
			t.spare = append(t.spare, r)
		}
	}
	clear(t.records)
}

// Turn does one round: poll, decode, drop duplicates, route, load, step, write, commit, and only then acknowledge, send and arm.
// It reports whether there was anything to do. It is called by a test or a tool that drives the engine itself; Run does the same with
// the sync of one turn beside the next one (pipeline.go).
func (e *Engine) Turn() bool {
	t := e.turn
	if !t.decide() {
		return false
	}
	if fault.On("ack-before-commit") {
		t.answerEarly()
	}
	if err := t.batch.Commit(); err != nil {
		e.o.Fatal(fmt.Errorf("a turn could not be committed: %w", err))
		return false
	}
	e.at(PointAfterCommit)
	t.armAgain()
	t.tell()
	return true
}

// decide does a turn up to its commit; it reports whether there was anything to do.
func (t *turn) decide() bool {
	e := t.e
	if e.failed.Load() { // what is in memory may stand on what was lost
		return false
	}
	if t.used {
		t.clear()
	}
	t.used, t.nowMs = true, e.now()
	if err := t.collect(); err != nil {
		e.o.Fatal(err)
		return false
	}
	if len(t.records) == 0 && len(t.done) == 0 && len(t.touched) == 0 && len(t.letters.ops) == 0 && len(t.swept) == 0 && len(t.jobs) == 0 && !e.loose.due(t.nowMs) {
		t.armAgain()
		return false
	}
	e.at(PointCollected)
	t.forget()
	if err := t.evaluate(); err != nil {
		e.o.Fatal(err)
		return false
	}
	e.at(PointStepped)
	t.writeNode()
	t.noteGone()
	e.at(PointBeforeCommit)
	return true
}

// collect takes what is there now, never waiting for more: callers and relay, due alarms, then the buses.
func (t *turn) collect() error {
	e := t.e
	first := t.inboxShare()
	bytes := t.takeSome(first, e.o.MaxBytes)
	if err := e.dueAlarms(e.releasedMs(t.nowMs), t.takeAlarm); err != nil {
		return err
	}
	if err := t.poll(); err != nil {
		return err
	}
	if first < e.o.MaxMessages { // what the sources left
		t.takeSome(e.o.MaxMessages-len(t.records), bytes)
	}
	t.snap = e.o.Metadata()
	for _, r := range t.records {
		if err := t.route(r); err != nil {
			return err
		}
	}
	for _, bag := range t.bags { // not before the alarms were taken: in a turn they come before mail
		e.relay.brought(bag.destination, bag.old)
	}
	return t.sweep()
}

// takeSome takes what callers and the relay brought, within bounds, and returns what is left of the bytes.
func (t *turn) takeSome(messages, bytes int) int {
	inbox, bytes := t.e.takeInbox(messages, bytes)
	t.snap = t.e.o.Metadata() // not before: who posts after a change was answered must meet it
	for _, in := range inbox {
		if in.record != nil {
			t.take(in.record)
		}
		if in.delivered != nil {
			t.takeDelivered(in.delivered)
		}
		if in.letters != nil {
			t.takeLetters(in.letters)
		}
		if in.job != nil {
			t.takeJob(in.job)
		}
		if in.mail != nil {
			t.takeMail(in.mail)
		}
	}
	return bytes
}

// writeNode writes the node's own rows: positions and the clock's floor.
func (t *turn) writeNode() {
	t.settleLetters(t.batch, store.NodeSlot)
	t.writeJobs()
	t.gatherLoose()
	if t.batch.Empty() && len(t.positions) == 0 && len(t.swept) == 0 && !t.e.loose.due(t.nowMs) {
		return
	}
	t.batch.Begin(store.NodeSlot)
	t.writeLoose()
	t.writeSweeps()
	for _, p := range t.positions {
		t.batch.PutPosition(p.consumer.Name(), p.next)
	}
	t.e.floorMs = max(t.e.floorMs, t.nowMs)
	t.batch.PutNodeMeta(t.e.nodeMeta())
}

// tell lets the world hear of what is committed: answers, the relay, what was printed.
func (t *turn) tell() {
	e := t.e
	for _, r := range t.records {
		e.at(PointBeforeAnswer)
		r.answer()
		e.at(PointAfterAnswer)
	}
	t.tellLetters()
	t.tellJobs()
	t.tellMail()
	for _, d := range t.done {
		e.relay.deleted(d)
	}
	for _, s := range t.sends {
		e.relay.dirty(s.destination, s.slot)
	}
	e.printer.print(t.printed)
	t.tellLogged()
	for _, p := range t.positions {
		if err := p.consumer.Commit(p.next); err != nil {
			e.warn("bus "+p.consumer.Name()+" was not told its position", err)
		}
	}
	e.stats.Replies.Add(t.replies)
	e.stats.Turns.Add(1)
}

// armAgain finds the next alarm of each slot whose alarms were read.
func (t *turn) armAgain() {
	for _, slot := range t.fired {
		if err := t.e.findHead(slot); err != nil {
			t.e.o.Fatal(err)
		}
	}
}

// takeAlarm puts a due alarm before its thread; an ended run's is carried out by the slot itself.
func (t *turn) takeAlarm(slot uint16, fromMs int64, a store.DueAlarm) {
	w := t.slot(slot)
	w.alarms = append(w.alarms, a)
	w.fromMs, w.moved = fromMs, true
	if a.Alarm.Kind == activity.AlarmRetention {
		return
	}
	alarm := a.Alarm
	w.send(a.ID, &alarm, nil)
}

// maxBadBytes bounds what is kept of an answer that is no message.
const maxBadBytes = 256 << 10

func (t *turn) takeDelivered(d *delivered) {
	t.done = append(t.done, d)
	for _, row := range d.rows {
		w := t.slot(row.slot)
		w.sent = append(w.sent, sent{d.destination, row.seq})
	}
	for _, in := range d.replies {
		if in.Bad != nil {
			t.take(&messagebus.Record{Source: "reply", Raw: in.Bad.Raw[:min(len(in.Bad.Raw), maxBadBytes)], Err: in.Bad.Err})
			continue
		}
		t.take(&messagebus.Record{Source: "reply", Incoming: in})
	}
}

// number draws the next delivery number of a slot.
func (t *turn) number(slot uint16) uint64 {
	m := &t.e.slots[slot]
	if m.Sequence == math.MaxUint64>>16 {
		t.e.o.Fatal(fmt.Errorf("slot %d has used up its numbers", slot))
	}
	m.Sequence++
	return m.Sequence
}
