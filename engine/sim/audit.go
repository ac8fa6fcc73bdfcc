package sim

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/slots"
)

// auditAlarms bounds the alarm rows that are looked at in one slot.
const auditAlarms = 100_000

type place struct {
	version, action string
	status          activity.Status
}

// Audit compares what lies in the store with what the threads say: alarms, open requests, parked mail, membership, counters and outbox.
// An error names what does not fit: it is a fault of the engine, never of a flow.
func (w *World) Audit() error {
	threads, err := w.live()
	if err != nil {
		return err
	}
	for _, check := range []func(map[activity.ID]*activity.Thread) error{w.auditAlarms, w.auditRequests, w.auditMail, w.auditCounters} {
		if err := check(threads); err != nil {
			return fmt.Errorf("the store does not agree with the threads: %w", err)
		}
	}
	for slot := range w.store.Node().Slots {
		destinations, err := w.store.OutboxHead(slot)
		if err != nil {
			return err
		}
		if len(destinations) > 0 {
			return fmt.Errorf("the store does not agree with the threads: slot %d has an outbox for destinations %v although all was delivered", slot, destinations)
		}
	}
	return nil
}

// live reads every live thread that membership knows, and every thread ever seen.
func (w *World) live() (map[activity.ID]*activity.Thread, error) {
	threads := map[activity.ID]*activity.Thread{}
	for number := range w.cache.Load().Activities {
		list, _, _, err := w.node.Threads(number, engine.Cursor{}, math.MaxInt32)
		if err != nil {
			return nil, err
		}
		for i := range list {
			threads[list[i].ID] = &list[i]
		}
	}
	for _, id := range w.order {
		t, err := w.node.Thread(id, 0)
		if err != nil {
			return nil, err
		}
		if _, member := threads[id]; member != t.Status.Live() {
			return nil, fmt.Errorf("the store does not agree with the threads: thread %v is %s, but membership says live %v", id, t.Status, member)
		}
	}
	return threads, nil
}

// Timers counts the alarm rows of a thread that lie in the store.
func (w *World) Timers(id activity.ID) (n int, err error) {
	err = w.eachAlarm(func(a store.DueAlarm) error {
		if a.ID == id {
			n++
		}
		return nil
	})
	return n, err
}

// eachAlarm visits the alarms of threads; those of ended runs are left out.
func (w *World) eachAlarm(visit func(store.DueAlarm) error) error {
	for slot := range w.store.Node().Slots {
		due, err := w.store.Due(slot, 0, math.MaxInt64, auditAlarms, nil)
		if err != nil {
			return err
		}
		for _, a := range due {
			if a.Alarm.Kind == activity.AlarmRetention {
				continue
			}
			if err := visit(a); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *World) auditAlarms(threads map[activity.ID]*activity.Thread) error {
	rows := map[activity.ID]int{}
	err := w.eachAlarm(func(a store.DueAlarm) error {
		rows[a.ID]++
		row := activity.AlarmRow{DueMs: a.Alarm.DueMs, Visit: a.Alarm.Visit, Kind: a.Alarm.Kind, N: a.Alarm.N}
		switch t := threads[a.ID]; {
		case t == nil:
			return fmt.Errorf("thread %v is not live, but its alarm %+v is there", a.ID, a.Alarm)
		case t.Run != a.Alarm.Run || t.Alarm != row:
			return fmt.Errorf("thread %v (run %d) remembers the alarm %+v, but there is %+v", a.ID, t.Run, t.Alarm, a.Alarm)
		case row.DueMs < w.NowMs() && t.Status != activity.Paused && t.Problem == "" && (t.Status != activity.Stalled || t.Recoverable()):
			return fmt.Errorf("the alarm %+v of thread %v is %d ms overdue", a.Alarm, a.ID, w.NowMs()-row.DueMs)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, t := range threads {
		switch {
		case t.Alarm != (activity.AlarmRow{}) && rows[id] != 1:
			return fmt.Errorf("thread %v remembers the alarm %+v, but there are %d rows", id, t.Alarm, rows[id])
		case t.AlarmDue != 0 && rows[id] == 0 && t.Problem == "" && t.Status != activity.Paused && t.Status != activity.Stalled && !w.holds(t):
			return fmt.Errorf("thread %v (%s at %s) waits for an alarm at %d ms that is not there: nothing will wake it", id, t.Status, t.Action, t.AlarmDue)
		case t.Status == activity.Running && t.AlarmKind != activity.AlarmYield:
			return fmt.Errorf("thread %v owes itself work but no alarm continues it", id)
		}
	}
	return nil
}

// holds reports whether a thread stands still because its activity is paused.
func (w *World) holds(t *activity.Thread) bool {
	a := w.cache.Load().Activities[t.ID.Activity]
	if a == nil || a.State != activity.ActivityPaused {
		return false
	}
	b := a.Versions[t.Version]
	return b == nil || !b.Settings.PauseContinueOld
}

// auditRequests: an answered request has no row, an open one belongs to its thread.
func (w *World) auditRequests(threads map[activity.ID]*activity.Thread) error {
	for _, c := range w.services.calls {
		parts := strings.Split(c.RequestID, "-")
		if len(parts) != 3 {
			return fmt.Errorf("the request id %q has not three parts", c.RequestID)
		}
		slot, err1 := strconv.ParseUint(parts[1], 10, 16)
		seq, err2 := strconv.ParseUint(parts[2], 10, 64)
		if err1 != nil || err2 != nil {
			return fmt.Errorf("the request id %q can not be read", c.RequestID)
		}
		_, open, err := w.store.OpenRequest(uint16(slot), seq)
		if err != nil {
			return err
		}
		wanted := false
		if t := threads[activity.ID{Activity: c.Activity, Domain: c.Domain}]; t != nil {
			for _, r := range t.Requests {
				wanted = wanted || r == seq
			}
		}
		if open != wanted {
			return fmt.Errorf("request %s of %s: in the store open is %v, its thread says %v", c.RequestID, c.Action, open, wanted)
		}
	}
	return nil
}

func (w *World) auditMail(threads map[activity.ID]*activity.Thread) error {
	for _, id := range w.order {
		parked := 0
		if t := threads[id]; t != nil {
			parked = int(t.Parked)
		}
		mail, err := w.store.MailOf(w.slotOf(id.Domain), id, activity.MaxParked+1)
		if err != nil {
			return err
		}
		if len(mail) != parked {
			return fmt.Errorf("thread %v counts %d parked messages, there are %d", id, parked, len(mail))
		}
	}
	return nil
}

func (w *World) auditCounters(threads map[activity.ID]*activity.Thread) error {
	for number := range w.cache.Load().Activities {
		want := map[place]int64{}
		for id, t := range threads {
			if id.Activity == number {
				want[place{t.Version, t.Action, t.Status}]++
			}
		}
		counters, err := w.node.Counters(number)
		if err != nil {
			return err
		}
		for _, c := range counters {
			p := place{c.Version, c.Action, c.Status}
			if c.Status.Live() && want[p] != c.N {
				return fmt.Errorf("activity %d counts %d threads %s at %s, there are %d", number, c.N, c.Status, c.Action, want[p])
			}
			delete(want, p)
		}
		for p, n := range want {
			return fmt.Errorf("activity %d does not count its %d threads %s at %s", number, n, p.status, p.action)
		}
	}
	return nil
}

// Ended counts the runs of an activity that have ended, by its counters.
func (w *World) Ended(number uint32) (n int64, err error) {
	counters, err := w.node.Counters(number)
	for _, c := range counters {
		if c.Status.Ended() {
			n += c.N
		}
	}
	return n, err
}

// Live counts the live threads of an activity.
func (w *World) Live(number uint32) (int, error) {
	list, _, _, err := w.node.Threads(number, engine.Cursor{}, math.MaxInt32)
	return len(list), err
}

func (w *World) slotOf(domain string) uint16 { return slots.Of(domain, w.store.Node().Slots) }
