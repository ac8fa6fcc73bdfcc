package engine

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
)

// MaxDeadLettersAtOnce bounds one replay or deletion.
const MaxDeadLettersAtOnce = 1000

// DeadResult is what became of a letter that was to be replayed or deleted.
type DeadResult struct {
	ID       store.DeadID
	Found    bool                 // there was such a letter
	Deleted  bool                 // it is gone: deleted, replayed, or replaced by the letter of a failed replay
	Replayed bool                 // its message was taken, or kept for the thread
	Refused  string               // why the message was not given to anybody; the letter is kept
	Verdicts []messagebus.Verdict // of the replay
}

// letterOp is a caller's wish to replay or delete letters.
type letterOp struct {
	ids     []store.DeadID
	replay  bool
	results []DeadResult
	answer  func([]DeadResult, error)
}

// letterWork is a letter that this turn replays or deletes.
type letterWork struct {
	id     store.DeadID
	bytes  int64
	letter store.DeadLetter
	record *record // what it was made into; nil: it is to be deleted
	result *DeadResult
}

// turnLetters is what a turn does with dead letters. The zero value is that of a turn without.
type turnLetters struct {
	ops   []*letterOp
	work  map[uint16][]*letterWork // by slot: what is to be settled there
	ids   map[store.DeadID]struct{}
	bytes int // of the messages taken
}

// SubmitDeadLetters has letters replayed or deleted by the next turn and calls answer after the commit, with one result for each id in order.
func (e *Engine) SubmitDeadLetters(ids []store.DeadID, replay bool, answer func([]DeadResult, error)) error {
	if len(ids) > MaxDeadLettersAtOnce {
		return fmt.Errorf("%d dead letters at once: at most %d are possible", len(ids), MaxDeadLettersAtOnce)
	}
	return e.put(input{letters: &letterOp{ids: ids, replay: replay, answer: answer}}, maxInbox)
}

// ReplayDeadLetters gives the messages of letters to their threads again and waits for the commit. It needs a running loop.
func (e *Engine) ReplayDeadLetters(ctx context.Context, ids []store.DeadID) ([]DeadResult, error) {
	return e.waitLetters(ctx, ids, true)
}

// DeleteDeadLetters deletes letters and waits for the commit. It needs a running loop.
func (e *Engine) DeleteDeadLetters(ctx context.Context, ids []store.DeadID) ([]DeadResult, error) {
	return e.waitLetters(ctx, ids, false)
}

func (e *Engine) waitLetters(ctx context.Context, ids []store.DeadID, replay bool) ([]DeadResult, error) {
	type outcome struct {
		results []DeadResult
		err     error
	}
	done := make(chan outcome, 1)
	if err := e.SubmitDeadLetters(ids, replay, func(r []DeadResult, err error) { done <- outcome{r, err} }); err != nil {
		return nil, err
	}
	select {
	case o := <-done:
		return o.results, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// takeLetters reads the letters of a wish and gives their messages to their threads.
func (t *turn) takeLetters(op *letterOp) {
	l := &t.letters
	if l.work == nil {
		l.work, l.ids = map[uint16][]*letterWork{}, map[store.DeadID]struct{}{}
	}
	l.ops = append(l.ops, op)
	op.results = make([]DeadResult, len(op.ids))
	for i, id := range op.ids {
		result := &op.results[i]
		result.ID = id
		_, twice := l.ids[id]
		_, gone := t.e.dead.gone[id]
		if twice || gone || (int(id.Slot) >= len(t.e.slots) && id.Slot != store.NodeSlot) {
			continue
		}
		letter, bytes, ok, err := t.e.store.DeadLetter(id)
		if err != nil {
			result.Found, result.Refused = true, err.Error()
			continue
		}
		if !ok {
			continue
		}
		result.Found = true
		if l.bytes += len(letter.Message); l.bytes > t.e.o.MaxBytes {
			result.Refused = "too much for one turn: try again"
			continue
		}
		l.ids[id] = struct{}{}
		w := &letterWork{id: id, bytes: bytes, letter: letter, result: result}
		if op.replay {
			if err := t.replay(w); err != nil {
				result.Refused = err.Error()
				continue
			}
		} else if id.Slot != store.NodeSlot {
			t.slot(id.Slot)
		}
		l.work[id.Slot] = append(l.work[id.Slot], w)
	}
}

// replay makes a letter's message into a delivery again. What was dropped as a repeat before is not dropped now: it carries no key and no position.
func (t *turn) replay(w *letterWork) error {
	d := &w.letter
	if d.Slot == store.NodeSlot {
		return t.replayUndecoded(w)
	}
	id := activity.ID{Activity: d.Activity, Domain: d.Domain}
	if d.Reason == reasonDecode {
		return t.replayMail(w, id)
	}
	if !t.exists(id) {
		return fmt.Errorf("there is no activity %d any more", d.Activity)
	}
	w.record = &record{Record: messagebus.Record{Source: d.Source, Raw: d.Message, TimeMs: t.nowMs}, letter: d}
	if d.Kind == kindAlarm {
		return t.replayAlarm(w, id)
	}
	in, err := t.decodeLetter(d)
	switch {
	case err != nil:
		return fmt.Errorf("the message cannot be read: %w", err)
	case in.Event != nil:
		return t.replayEvent(w, id, in.Event)
	case in.Reply != nil:
		return t.replayReply(w, id, in.Reply)
	case in.Command != nil:
		c := in.Command.Command
		t.slot(d.Slot).send(id, &c, w.record.part(d.Slot))
		return nil
	}
	return errors.New("the message is of no kind that can be replayed")
}

func (t *turn) decodeLetter(d *store.DeadLetter) (messagebus.Incoming, error) {
	body, err := messagebus.Decode(d.Message, t.nowMs, messagebus.Limits{})
	if err != nil {
		return messagebus.Incoming{}, err
	}
	if len(body.Items) != 1 {
		return messagebus.Incoming{}, fmt.Errorf("it holds %d messages, one is wanted", len(body.Items))
	}
	return body.Items[0], nil
}

// replayEvent asks the strategies anew and gives the event to the letter's thread only.
func (t *turn) replayEvent(w *letterWork, id activity.ID, event *activity.Event) error {
	t.e.routes.NowMs = t.nowMs
	t.e.routes.Reseed(hashOf(w.letter.Message))
	t.hits = t.snap.Router.Route(&t.e.routes, event, t.hits[:0])
	led := false
	for i := range t.hits {
		h := &t.hits[i]
		if h.Err != nil || h.Domain != id.Domain || !slices.ContainsFunc(h.Activities, func(a *activity.Activity) bool { return a.Number == id.Activity }) {
			continue
		}
		led = true
		slot := t.slot(w.id.Slot)
		slot.directs = append(slot.directs, direct{id: id, message: activity.Carried{Event: event, Strategies: []string{h.Strategy}}, part: w.record.part(slot.slot), strategy: h.Strategy})
	}
	if !led {
		return fmt.Errorf("no strategy leads the event to thread %q of activity %d any more", id.Domain, id.Activity)
	}
	return nil
}

// replayReply gives an answer to its thread if the request is still open.
func (t *turn) replayReply(w *letterWork, id activity.ID, in *messagebus.Reply) error {
	result := in.Result
	reply := &activity.Reply{Action: in.Action, Result: &result, TimeMs: t.nowMs}
	if in.RequestID != "" {
		slot, seq, ok := t.parseRequestID(in.RequestID)
		var request store.Request
		if ok && slot == w.id.Slot {
			var err error
			if request, ok, err = t.e.store.OpenRequest(slot, seq); err != nil {
				return err
			}
		}
		if !ok || request.ID != id {
			return errors.New("the request that it answers is not open any more")
		}
		reply.Seq, reply.Run, reply.Visit, reply.Action = seq, request.Run, request.Visit, request.Action
	}
	t.slot(w.id.Slot).send(id, reply, w.record.part(w.id.Slot))
	return nil
}

// replayMail gives what a thread sent, and the node could not read then, to whom it was for.
func (t *turn) replayMail(w *letterWork, id activity.ID) error {
	m, err := store.DecodeMessage(w.letter.Message)
	c, ok := m.(activity.Carried)
	if err != nil || !ok {
		return fmt.Errorf("what the thread sent cannot be read by this program: %v", err)
	}
	again := w.letter // should it become a letter once more, then one that can be read
	again.Kind, again.Message = kindEvent, messagebus.EncodeEvent(c.Event)
	w.record = &record{Record: messagebus.Record{Source: again.Source, Raw: again.Message, TimeMs: t.nowMs}, letter: &again,
		mail: &mail{row: &store.Outbox{To: id, Body: w.letter.Message}}}
	w.record.Incoming.Event = c.Event
	return t.deliverMail(t.slot(w.id.Slot), w.record)
}

// replayAlarm lets a thread go on that was stalled by its alarm: the alarm comes again by itself.
func (t *turn) replayAlarm(w *letterWork, id activity.ID) error {
	th, err := t.e.store.Thread(w.id.Slot, id)
	if err != nil {
		return err
	}
	if th.Status != activity.Stalled {
		return fmt.Errorf("thread %q of activity %d is %s, not stalled: there is nothing to give its alarm to", id.Domain, id.Activity, th.Status)
	}
	t.slot(w.id.Slot).send(id, &activity.Command{Name: "resume", TimeMs: t.nowMs}, w.record.part(w.id.Slot))
	return nil
}

// replayUndecoded takes in what could not be read before, as if it came now. It may concern many slots, and the letter goes with the last of
// them only: a key made of the letter's name keeps the slots from taking it twice.
func (t *turn) replayUndecoded(w *letterWork) error {
	d := &w.letter
	in, err := t.decodeLetter(d)
	t.take(&messagebus.Record{Source: d.Source, TimeMs: t.nowMs, Incoming: in, Raw: d.Message, Err: err,
		Key: fmt.Sprintf("dead letter %d-%d", d.TimeMs, d.Seq), BodyHash: hashOf(d.Message)})
	w.record = t.records[len(t.records)-1]
	w.record.letter = d
	return nil
}

func hashOf(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

// settleLetters deletes the letters of a slot whose messages were taken or have become letters anew, in the group of what the messages did.
func (t *turn) settleLetters(into *store.Batch, slot uint16) {
	work := t.letters.work[slot]
	if len(work) == 0 {
		return
	}
	into.Begin(slot)
	for _, w := range work {
		settled := w.record == nil
		if w.record != nil {
			w.result.Verdicts = w.record.all()
			for i := range w.result.Verdicts {
				switch w.result.Verdicts[i].Kind {
				case activity.VerdictTaken, activity.VerdictSpawned, activity.VerdictParked, activity.VerdictKept, activity.VerdictDuplicate:
					settled, w.result.Replayed = true, true
				case activity.VerdictDead:
					settled = true
				}
			}
		}
		if settled {
			w.result.Deleted = true
			t.removeLetter(into, w.id, w.bytes)
		}
	}
}

// noteGone remembers which letters the turn deletes.
func (t *turn) noteGone() {
	for _, work := range t.letters.work {
		for _, w := range work {
			if w.result.Deleted {
				t.e.dead.gone[w.id] = t.e.dead.turn
			}
		}
	}
}

// tellLetters answers those who wanted letters replayed or deleted.
func (t *turn) tellLetters() {
	ops := t.letters.ops
	t.letters = turnLetters{}
	for _, op := range ops {
		op.answer(op.results, nil)
	}
}
