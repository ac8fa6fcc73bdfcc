package crash

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/slots"
)

// stored shows what the disk says of a thread, in the words of thread.String.
func (r *run) stored(id activity.ID) (string, error) {
	t, err := r.node.store.Thread(slots.Of(id.Domain, r.slots), id)
	if err != nil {
		return "", fmt.Errorf("thread %v can not be read: %w", id, err)
	}
	return shown(&t), nil
}

func shown(t *activity.Thread) string {
	if !t.Status.Live() {
		return "absent"
	}
	var vars []string
	echoes, left, to := int64(0), int64(0), ""
	for _, v := range t.Vars {
		switch v.Name {
		case "echoes":
			echoes = number64(v.Value)
			continue
		case "left":
			left = number64(v.Value)
			continue
		case "to":
			to, _ = v.Value.(string)
			continue
		}
		vars = append(vars, fmt.Sprintf("%s=%v", v.Name, v.Value))
	}
	slices.Sort(vars)
	requests := append([]uint64{}, t.Requests...)
	return fmt.Sprintf("%s(%s) at %s run %d visit %d parked %d due %d row %d/%d/%d requests %v echoes=%d left=%d to=%s %s", t.Status, t.PausedFrom, t.Action, t.Run, t.Visit, t.Parked,
		t.AlarmDue, t.Alarm.DueMs, t.Alarm.Visit, t.Alarm.Kind, requests, echoes, left, to, strings.Join(vars, " "))
}

// audit compares all that lies in the store with the model.
func (r *run) audit() error {
	for _, check := range []func() error{r.auditThreads, r.auditAlarms, r.auditRequests, r.auditCounters, r.auditLetters} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) auditThreads() error {
	live := map[activity.ID]bool{}
	for _, number := range []uint32{users, items, hubs} {
		list, _, _, err := r.node.engine.Threads(number, engine.Cursor{}, math.MaxInt32)
		if err != nil {
			return err
		}
		for i := range list {
			live[list[i].ID] = true
		}
	}
	for id, t := range r.ledger.kept {
		got, err := r.stored(id)
		if err != nil {
			return err
		}
		if want := t.String(); got != want {
			return fmt.Errorf("thread %v must be\n    %s\n  on disk it is\n    %s", id, want, got)
		}
		if live[id] != t.status.Live() {
			return fmt.Errorf("thread %v is %s, but membership says live %v", id, t.status, live[id])
		}
		delete(live, id)
		parked, err := r.node.store.MailOf(slots.Of(id.Domain, r.slots), id, activity.MaxParked+1)
		if err != nil {
			return err
		}
		if len(parked) != len(t.mail) {
			return fmt.Errorf("thread %v has %d parked messages, on disk there are %d", id, len(t.mail), len(parked))
		}
		for i, m := range parked {
			if got, want := describe(m.Message), t.mail[i].String(); got != want {
				return fmt.Errorf("parked message %d of thread %v must be %s, on disk it is %s", i, id, want, got)
			}
		}
	}
	for id := range live {
		return fmt.Errorf("thread %v is on disk, but no turn made it", id)
	}
	return nil
}

// auditAlarms: each thread's row is there, each ended run's until it is due, and no others.
func (r *run) auditAlarms() error {
	wanted := map[store.DueAlarm]bool{}
	for id, t := range r.ledger.kept {
		if t.row.due != 0 {
			wanted[store.DueAlarm{ID: id, Alarm: activity.Alarm{Kind: t.row.kind, DueMs: t.row.due, Run: t.run, Visit: t.row.visit}}] = true
		}
	}
	endings := map[ended]bool{}
	for slot := range r.slots {
		rows, err := r.node.store.Due(slot, 0, math.MaxInt64, math.MaxInt, nil)
		if err != nil {
			return err
		}
		for _, a := range rows {
			if a.Alarm.Kind == activity.AlarmRetention {
				endings[ended{id: a.ID, run: a.Alarm.Run, atMs: a.Alarm.DueMs - retentionMs}] = true
				continue
			}
			if !wanted[a] {
				return fmt.Errorf("the alarm row %+v belongs to no thread, which is %v", a, r.ledger.kept[a.ID])
			}
			delete(wanted, a)
		}
	}
	for a := range wanted {
		return fmt.Errorf("the alarm row %+v is missing: nothing will wake its thread", a)
	}
	return r.auditEnded(endings)
}

// auditEnded takes what is due out of the model once the store has forgotten it.
func (r *run) auditEnded(rows map[ended]bool) error {
	for e := range r.ledger.ended {
		key := ended{id: e.id, run: e.run, atMs: e.atMs}
		row := rows[key]
		delete(rows, key)
		t, err := r.node.store.Ended(slots.Of(e.id.Domain, r.slots), e.id, e.run)
		if err != nil {
			return err
		}
		there := t.Status != activity.Absent
		switch {
		case there != row:
			return fmt.Errorf("the ended run %+v: kept %v, with an alarm that forgets it %v", e, there, row)
		case !there && e.atMs+retentionMs > r.nowMs():
			return fmt.Errorf("the ended run %+v is forgotten %d ms too early", e, e.atMs+retentionMs-r.nowMs())
		case !there:
			delete(r.ledger.ended, e)
		case t.Status != e.status || t.Action != e.action || t.EndedMs != e.atMs:
			return fmt.Errorf("the ended run %+v is kept as %s at %s, ended at %d", e, t.Status, t.Action, t.EndedMs)
		}
	}
	for e := range rows {
		return fmt.Errorf("the alarm that forgets run %d of %v is there, the run is not", e.run, e.id)
	}
	return nil
}

// auditRequests: a request waits in the outbox or has reached its service, and is open as long as its thread waits for it.
func (r *run) auditRequests() error {
	boxes := map[request]bool{}
	for slot := range r.slots {
		destinations, err := r.node.store.OutboxHead(slot)
		if err != nil {
			return err
		}
		for _, d := range destinations {
			rows, err := r.node.store.OutboxRows(slot, d, 0, math.MaxInt, math.MaxInt, nil)
			if err != nil {
				return err
			}
			for _, row := range rows {
				boxes[request{slot, row.Seq}] = true
			}
		}
	}
	for q, a := range r.ledger.asks {
		if a.body == "" && !boxes[q] {
			return fmt.Errorf("request %v to %s is lost: it lies in no outbox and never reached its service", q, a.service)
		}
		delete(boxes, q)
		_, open, err := r.node.store.OpenRequest(q.slot, q.seq)
		if err != nil {
			return err
		}
		if want := a.service == "oracle" && !a.closed; open != want {
			return fmt.Errorf("request %v to %s: open must be %v, on disk it is %v", q, a.service, want, open)
		}
	}
	if err := r.auditSaid(boxes); err != nil {
		return err
	}
	for q := range boxes {
		return fmt.Errorf("request %v lies in the outbox, but no turn made it", q)
	}
	return nil
}

// auditCounters: those of live statuses count threads standing there, those of ended ones all that ended.
func (r *run) auditCounters() error {
	want := map[ending]int64{}
	for e, n := range r.ledger.endings {
		want[e] = n
	}
	for id, t := range r.ledger.kept {
		if t.status.Live() {
			want[ending{id.Activity, t.action, t.status}]++
		}
	}
	for _, number := range []uint32{users, items, hubs} {
		counters, err := r.node.engine.Counters(number)
		if err != nil {
			return err
		}
		for _, c := range counters {
			e := ending{number, c.Action, c.Status}
			if want[e] != c.N {
				return fmt.Errorf("activity %d counts %d threads %s at %s, there are %d", number, c.N, c.Status, c.Action, want[e])
			}
			delete(want, e)
		}
	}
	for e, n := range want {
		if n != 0 {
			return fmt.Errorf("activity %d does not count its %d threads %s at %s", e.activity, n, e.status, e.action)
		}
	}
	return nil
}

// outbox counts the rows that wait to be sent.
func (r *run) outbox() (n int) {
	for slot := range r.slots {
		heads, err := r.node.store.OutboxHead(slot)
		if err != nil {
			r.fail("the outbox can not be read: %v", err)
		}
		n += len(heads)
	}
	return n
}

// nothing looks for what is left when every run has ended and is forgotten.
func (r *run) nothing() error {
	if len(r.ledger.ended) > 0 {
		return fmt.Errorf("%d ended runs are never forgotten, one of them is %+v", len(r.ledger.ended), sample(r.ledger.ended))
	}
	for slot := range r.slots {
		rows, err := r.node.store.Due(slot, 0, math.MaxInt64, math.MaxInt, nil)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			return fmt.Errorf("slot %d still holds the alarm row %+v", slot, rows[0])
		}
	}
	return nil
}

// auditLetters: each message that a thread could not take is a dead letter, and nothing else is.
func (r *run) auditLetters() error {
	letters, err := r.node.engine.DeadLetters(math.MaxInt32)
	if err != nil {
		return err
	}
	seen := map[letterAt]bool{}
	for _, letter := range letters {
		at := letterAt{letter.Slot, letter.Seq}
		f, ok := r.ledger.letters[at]
		if !ok {
			return fmt.Errorf("there is the dead letter %v of thread %q of activity %d (%s: %s), but its message was not poison", at, letter.Domain, letter.Activity, letter.Reason, letter.Error)
		}
		if got := (activity.ID{Activity: letter.Activity, Domain: letter.Domain}); got != f.id || letter.Reason != f.letter || !strings.Contains(string(letter.Message), fmt.Sprintf(`"n":%d,`, f.of)) {
			return fmt.Errorf("the dead letter %v must be event %d at %v for %s, it is at %v for %s: %s", at, f.of, f.id, f.letter, got, letter.Reason, letter.Message)
		}
		seen[at] = true
	}
	for at, f := range r.ledger.letters {
		if !seen[at] {
			return fmt.Errorf("the dead letter %v of event %d at %v is missing", at, f.of, f.id)
		}
	}
	kept, _ := r.node.engine.DeadLetterUsage()
	if kept != int64(len(letters)) {
		return fmt.Errorf("%d dead letters are counted, there are %d", kept, len(letters))
	}
	return nil
}

func sample[K comparable, V any](m map[K]V) (k K) {
	for k = range m {
		return k
	}
	return k
}
