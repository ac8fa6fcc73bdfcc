package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

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
func (l *lane) unfit(th *activity.Thread) *activity.Discard {
	if l.scope.Changed() {
		if err := store.CheckVars(th.Vars, l.e.o.MaxVarsBytes); err != nil {
			return &activity.Discard{Reason: "limit", Err: err}
		}
	}
	var out expr.Vars
	for _, effect := range l.scope.Effects {
		switch f := effect.(type) {
		case *activity.Send:
			if _, known := l.t.snap.Services[f.Service]; !known && f.Monitor {
				l.e.warn("a monitor was not told", fmt.Errorf("there is no service %q", f.Service))
				continue
			} else if !known {
				return &activity.Discard{Reason: activity.ReasonNoService, Err: fmt.Errorf("there is no service %q", f.Service)}
			}
			out = append(out, expr.Var{Name: f.Service, Value: f.Args})
		case *activity.Emit:
			if _, known := l.t.snap.Services[f.Service]; !known && !l.means(f.Service) {
				return &activity.Discard{Reason: activity.ReasonNoService, Err: fmt.Errorf("there is no service %q", f.Service)}
			}
			out = append(out, expr.Var{Name: f.Event.Type, Value: f.Event.Attrs})
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
func (l *lane) carryOut(w *slotWork, tw *threadWork, d *delivery) {
	s := &l.scope
	place := s.Sends()
	if s.Changed() {
		tw.dirty = true
	}
	for _, effect := range s.Effects {
		switch f := effect.(type) {
		case *activity.Send:
			l.send(w, tw.id, d.number, f)
		case *activity.Emit:
			place = l.emit(w, d.number, place, f)
		case *activity.SetTimer:
			l.batch.PutAlarm(tw.id, f.Run, f.Row)
			l.e.heads[w.slot] = min(l.e.heads[w.slot], f.Row.DueMs)
		case *activity.CancelTimer:
			l.batch.DeleteAlarm(tw.id, f.Run, f.Row)
		case *activity.CloseRequest:
			if !fault.On("late-reply") {
				l.batch.DeleteRequest(f.Seq)
			}
		case *activity.Park:
			l.park(w, tw, d, f)
		case *activity.Record:
			l.printed = append(l.printed, f.Text)
		case *activity.Log:
			l.logged = append(l.logged, logLine{tw.id, f})
		}
	}
}

func (l *lane) send(w *slotWork, id activity.ID, number uint64, f *activity.Send) {
	service, known := l.t.snap.Services[f.Service]
	if !known { // a monitor
		return
	}
	seq, destination := number<<16|uint64(f.Place), service.Destination
	body := messagebus.EncodeRequest(&messagebus.Request{RequestID: l.t.requestID(w.slot, seq), Sender: l.e.o.Name, Service: f.Service,
		Activity: id.Activity, Domain: id.Domain, Action: f.Action, Args: f.Args, IgnoreResult: f.IgnoreResult, TimeMs: l.t.nowMs})
	if fault.On("send-before-commit") {
		l.t.sendEarly(f.Service, body)
	}
	l.batch.PutOutbox(&store.Outbox{Destination: destination, Seq: seq, Service: f.Service, Body: body})
	if !f.IgnoreResult {
		l.batch.PutRequest(seq, store.Request{ID: id, Run: f.Run, Visit: f.Visit, Action: f.Action})
	}
	l.sends = append(l.sends, backlog{destination, w.slot})
	l.e.stats.Requests.Add(1)
	w.numbers = true
}

// bury keeps a message that could not be taken, with its reason.
func (l *lane) bury(w *slotWork, tw *threadWork, d delivery, why *activity.Discard) {
	l.t.keepLetter(l.batch, l.t.letterOf(w.slot, tw, d, why))
	w.numbers = true
	l.e.warn("a message became a dead letter ("+why.Reason+")", why.Err)
}

// writeThread writes what a thread has become, the runs that ended, and the counters' changes.
func (l *lane) writeThread(w *slotWork, tw *threadWork) {
	if !tw.dirty {
		return
	}
	l.cache.put(tw.live, &tw.now)
	l.countMove(w, tw)
	for i := range tw.ended {
		l.writeEnded(w, &tw.ended[i])
	}
	wasLive, isLive := tw.before.status.Live(), tw.now.Status.Live()
	switch {
	case isLive:
		l.batch.PutThread(&tw.now)
		if tw.now.Run != tw.before.run {
			w.numbers = true
		}
		if !wasLive {
			l.batch.PutMember(tw.id)
		}
	case wasLive:
		l.batch.DeleteThread(tw.id)
		l.batch.DeleteMember(tw.id)
	}
}

// countMove counts a thread out of where it stood and in where it stands.
func (l *lane) countMove(w *slotWork, tw *threadWork) {
	from, to := tw.before, placeOf(&tw.now)
	from.run, to.run = 0, 0
	if from == to {
		return
	}
	if from.status.Live() {
		w.counts[counterKey{tw.id.Activity, from.version, from.action, from.status}]--
	}
	if to.status.Live() {
		w.counts[counterKey{tw.id.Activity, to.version, to.action, to.status}]++
	}
}

func (l *lane) writeEnded(w *slotWork, th *activity.Thread) {
	w.counts[counterKey{th.ID.Activity, th.Version, th.Action, th.Status}]++
	w.numbers = true
	keepMs := l.e.o.RetentionFinishedMs
	if th.Status != activity.Finished {
		keepMs = l.e.o.RetentionFailedMs
	}
	if th.Reason == activity.ReasonRemoved && th.Status == activity.Killed {
		keepMs = 0
	} else if a := l.t.snap.Activities[th.ID.Activity]; a != nil {
		if b := a.Versions[th.Version]; b != nil && b.Settings.RetentionSet {
			keepMs = b.Settings.RetentionMs
		}
	}
	if keepMs == 0 {
		l.forgetLines(w, th.ID, th.Run)
		return
	}
	l.batch.PutEnded(th)
	if keepMs < 0 {
		return
	}
	due := th.EndedMs + keepMs
	l.batch.PutAlarm(th.ID, th.Run, activity.AlarmRow{DueMs: due, Visit: th.Visit, Kind: activity.AlarmRetention})
	l.e.heads[w.slot] = min(l.e.heads[w.slot], due)
}

// writeSlot writes what belongs to the slot as a whole.
func (l *lane) writeSlot(w *slotWork) {
	l.writeCounters(w)
	l.countSlotKeys(w)
	l.t.settleLetters(l.batch, w.slot)
	for _, source := range w.raised {
		l.batch.PutHighWater(source, w.highs[source])
	}
	if w.numbers || w.moved {
		l.batch.PutSlotMeta(l.e.slots[w.slot])
	}
}

// writeCounters writes what has changed, in the order of the keys.
func (l *lane) writeCounters(w *slotWork) {
	for key, n := range w.counts {
		if n != 0 {
			l.keys = append(l.keys, key)
		}
	}
	slices.SortFunc(l.keys, func(a, b counterKey) int {
		return cmp.Or(cmp.Compare(a.activity, b.activity), strings.Compare(a.version, b.version), strings.Compare(a.action, b.action), cmp.Compare(a.status, b.status))
	})
	for _, key := range l.keys {
		l.batch.AddCounter(key.activity, store.Counter{Version: key.version, Action: key.action, Status: key.status, N: w.counts[key]})
	}
	clear(l.keys)
	l.keys = l.keys[:0]
}
