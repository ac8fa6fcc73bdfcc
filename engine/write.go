package engine

import (
	"fmt"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/internal/fault"
	"github.com/weftbox/weftbox/messagebus"
)

// backlog names a destination that has something to be sent from a slot.
type backlog struct {
	destination uint32
	slot        uint16
}

// maxOutBytes bounds what one step sends and prints: a request may grow sixfold as JSON and must still fit into a row.
const maxOutBytes = 4 << 20

// unfit looks whether what the step made can be kept and sent: the variables' size, and that every service it asks exists.
func (t *turn) unfit(th *activity.Thread) *activity.Discard {
	if t.e.scope.Changed() {
		if err := store.CheckVars(th.Vars, t.e.o.MaxVarsBytes); err != nil {
			return &activity.Discard{Reason: "limit", Err: err}
		}
	}
	var out expr.Vars
	for _, effect := range t.e.scope.Effects {
		switch f := effect.(type) {
		case *activity.Send:
			if _, known := t.snap.Services[f.Service]; !known {
				return &activity.Discard{Reason: "service_missing", Err: fmt.Errorf("there is no service %q", f.Service)}
			}
			out = append(out, expr.Var{Name: f.Service, Value: f.Args})
		case *activity.Record:
			out = append(out, expr.Var{Name: f.Kind, Value: f.Text})
		}
	}
	if err := store.CheckVars(out, maxOutBytes); err != nil {
		return &activity.Discard{Reason: "limit", Err: fmt.Errorf("what one message makes the thread send or print is too much: %w", err)}
	}
	return nil
}

// carryOut writes the effects of the last step; this switch is the only place that knows them all.
func (t *turn) carryOut(w *slotWork, tw *threadWork, number uint64) {
	s := &t.e.scope
	if s.Changed() {
		tw.dirty = true
	}
	for _, effect := range s.Effects {
		switch f := effect.(type) {
		case *activity.Send:
			t.send(w, tw.id, number, f)
		case *activity.SetTimer:
			t.batch.PutAlarm(tw.id, f.Run, f.Row)
			t.e.heads[w.slot] = min(t.e.heads[w.slot], f.Row.DueMs)
		case *activity.CancelTimer:
			t.batch.DeleteAlarm(tw.id, f.Run, f.Row)
		case *activity.CloseRequest:
			if !fault.On("late-reply") {
				t.batch.DeleteRequest(f.Seq)
			}
		case *activity.Park:
			m := store.Mail{N: number, Message: f.Message}
			t.batch.PutMail(tw.id, m)
			tw.parked = append(tw.parked, m)
			w.numbers = true
		case *activity.Record:
			t.printed = append(t.printed, f.Text)
		}
	}
}

func (t *turn) send(w *slotWork, id activity.ID, number uint64, f *activity.Send) {
	seq := number<<16 | uint64(f.Place)
	destination := t.snap.Services[f.Service].Destination
	body := messagebus.EncodeRequest(&messagebus.Request{RequestID: t.requestID(w.slot, seq), Sender: t.e.o.Name, Service: f.Service,
		Activity: id.Activity, Domain: id.Domain, Action: f.Action, Args: f.Args, IgnoreResult: f.IgnoreResult, TimeMs: t.nowMs})
	if fault.On("send-before-commit") {
		t.sendEarly(f.Service, body)
	}
	t.batch.PutOutbox(&store.Outbox{Destination: destination, Seq: seq, Service: f.Service, Body: body})
	if !f.IgnoreResult {
		t.batch.PutRequest(seq, store.Request{ID: id, Run: f.Run, Visit: f.Visit, Action: f.Action})
	}
	t.sends = append(t.sends, backlog{destination, w.slot})
	t.e.stats.Requests.Add(1)
	w.numbers = true
}

// bury keeps a message that could not be taken, with its reason.
func (t *turn) bury(w *slotWork, id activity.ID, d delivery, why *activity.Discard) {
	t.keepLetter(t.letterOf(w, id, d, why))
	w.numbers = true
	t.e.warn("a message became a dead letter ("+why.Reason+")", why.Err)
}

// writeThread writes what a thread has become, the runs that ended, and the counters' changes.
func (t *turn) writeThread(w *slotWork, tw *threadWork) {
	if !tw.dirty {
		return
	}
	t.e.cache.put(&tw.now)
	t.countPlace(w, &tw.before, -1)
	t.countPlace(w, &tw.now, 1)
	for i := range tw.ended {
		t.writeEnded(w, &tw.ended[i])
	}
	wasLive, isLive := tw.before.Status.Live(), tw.now.Status.Live()
	switch {
	case isLive:
		t.batch.PutThread(&tw.now)
		if tw.now.Run != tw.before.Run {
			w.numbers = true
		}
		if !wasLive {
			t.batch.PutMember(tw.id)
		}
	case wasLive:
		t.batch.DeleteThread(tw.id)
		t.batch.DeleteMember(tw.id)
	}
}

func (t *turn) countPlace(w *slotWork, th *activity.Thread, n int64) {
	if th.Status.Live() {
		w.counts[counterKey{th.ID.Activity, th.Version, th.Action, th.Status}] += n
	}
}

func (t *turn) writeEnded(w *slotWork, th *activity.Thread) {
	w.counts[counterKey{th.ID.Activity, th.Version, th.Action, th.Status}]++
	w.numbers = true
	keepMs := t.e.o.RetentionFinishedMs
	if th.Status != activity.Finished {
		keepMs = t.e.o.RetentionFailedMs
	}
	if a := t.snap.Activities[th.ID.Activity]; a != nil {
		if b := a.Versions[th.Version]; b != nil && b.Definition.Settings.RetentionSet {
			keepMs = b.Definition.Settings.RetentionMs
		}
	}
	if keepMs == 0 {
		return
	}
	t.batch.PutEnded(th)
	if keepMs < 0 {
		return
	}
	due := th.EndedMs + keepMs
	t.batch.PutAlarm(th.ID, th.Run, activity.AlarmRow{DueMs: due, Visit: th.Visit, Kind: activity.AlarmRetention})
	t.e.heads[w.slot] = min(t.e.heads[w.slot], due)
}

// writeSlot writes what belongs to the slot as a whole.
func (t *turn) writeSlot(w *slotWork) {
	for key, n := range w.counts {
		if n != 0 {
			t.batch.AddCounter(key.activity, store.Counter{Version: key.version, Action: key.action, Status: key.status, N: n})
		}
	}
	t.countSlotKeys(w)
	t.settleLetters(w.slot)
	for _, source := range w.raised {
		t.batch.PutHighWater(source, w.highs[source])
	}
	if w.numbers || w.moved {
		t.batch.PutSlotMeta(t.e.slots[w.slot])
	}
}
