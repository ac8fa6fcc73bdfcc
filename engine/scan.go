package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/metadata"
)

// Place says where a scan goes on: after that domain id (and run, among ended runs) of that slot. The zero value is the start.
type Place struct {
	Slot   uint16
	Domain string
	Run    uint64
}

// maxSeen bounds what one listing looks at: a filter may choose few of many.
const maxSeen = 10_000

// seenAtOnce is how many threads are read with one iterator: what it pins is let go after them.
const seenAtOnce = 500

// BadFilter is the error of a filter that can not be: Problems are those of its condition, if there are any.
type BadFilter struct {
	Text     string
	Problems []definitions.Problem
}

func (e *BadFilter) Error() string { return e.Text }

// matcher is a filter made ready. It serves one goroutine at a time.
type matcher struct {
	store.ThreadFilter
	ended  bool // it chooses among ended runs
	where  *definitions.Expr
	scope  expr.Scope
	info   expr.ThreadInfo
	errors int64 // threads for which the condition could not be computed
	err    error // the last of them
}

// newMatcher compiles a filter; the error is a *BadFilter.
func newMatcher(f store.ThreadFilter) (*matcher, error) {
	m := &matcher{ThreadFilter: f}
	live := len(f.Statuses) == 0
	for _, s := range f.Statuses {
		live, m.ended = live || s.Live(), m.ended || s.Ended()
	}
	switch {
	case live && m.ended:
		return nil, &BadFilter{Text: "a filter chooses either live threads (running, waiting, paused, stalled) or ended runs (finished, failed, killed), not both"}
	case m.ended && (f.HasAlarm || f.AlarmFromMs != 0 || f.AlarmToMs != 0):
		return nil, &BadFilter{Text: "an ended run has no alarm"}
	case f.IdleMs < 0:
		return nil, &BadFilter{Text: "the idle time must not be negative"}
	}
	if strings.TrimSpace(f.Where) == "" {
		return m, nil
	}
	x, problems := definitions.CompileExpr(f.Where, expr.ContextCtrl, "where")
	if x == nil {
		text := "the condition is none"
		if len(problems) > 0 {
			text = fmt.Sprintf("%d:%d: %s", problems[0].Line, problems[0].Column, problems[0].Message)
		}
		return nil, &BadFilter{Text: text, Problems: problems}
	}
	m.where = x
	return m, nil
}

// place is where a scan stands that has just met t.
func (m *matcher) place(slot uint16, t *activity.Thread) Place {
	if m.ended {
		return Place{slot, t.ID.Domain, t.Run}
	}
	return Place{Slot: slot, Domain: t.ID.Domain}
}

// takes reports whether the filter chooses a thread.
func (m *matcher) takes(snap *metadata.Snapshot, t *activity.Thread, nowMs int64) bool {
	switch {
	case t.ID.Activity != m.Activity || t.Status == activity.Absent || t.Status.Ended() != m.ended,
		len(m.Statuses) > 0 && !slices.Contains(m.Statuses, t.Status),
		m.Action != "" && t.Action != m.Action,
		m.Version != "" && t.Version != m.Version,
		m.IdleMs > 0 && nowMs-t.UpdatedMs < m.IdleMs,
		m.BornUntilMs != 0 && t.CreatedMs > m.BornUntilMs,
		(m.HasAlarm || m.AlarmFromMs != 0 || m.AlarmToMs != 0) && t.AlarmDue == 0,
		t.AlarmDue < m.AlarmFromMs,
		m.AlarmToMs != 0 && t.AlarmDue >= m.AlarmToMs:
		return false
	}
	return m.where == nil || m.holds(snap, t, nowMs)
}

// holds computes the condition.
func (m *matcher) holds(snap *metadata.Snapshot, t *activity.Thread, nowMs int64) bool {
	m.info = expr.ThreadInfo{Activity: t.ID.Activity, Domain: t.ID.Domain, Version: t.Version, Action: t.Action, Status: t.Status.String(), CreatedAtMs: t.CreatedMs}
	m.scope.Vars, m.scope.Config, m.scope.Thread, m.scope.NowMs = t.Vars, nil, &m.info, nowMs
	if a := snap.Activities[t.ID.Activity]; a != nil {
		m.info.ActivityName, m.info.ActivityDisplayName, m.info.ActivityStatus, m.info.Definition = a.Name, a.DisplayName, a.State.String(), a.Definition
		if b := a.Versions[t.Version]; b != nil {
			m.scope.Config = b.Config
		}
	}
	m.scope.Reseed(t.Run)
	ok, err := m.where.EvalBool(&m.scope)
	if err != nil {
		m.errors++
		m.err = fmt.Errorf("thread %q: %w", t.ID.Domain, err)
		return false
	}
	return ok
}

// read reads up to limit threads of a slot, or ended runs, after a place; done says that there are no more in the slot.
func (e *Engine) read(m *matcher, from Place, limit int) (threads []activity.Thread, next Place, done bool, err error) {
	next = from
	if m.ended {
		var more bool
		threads, next.Domain, next.Run, more, err = e.store.EndedAfter(from.Slot, m.Activity, from.Domain, from.Run, limit, 4*limit)
		return threads, next, !more, err
	}
	domains, err := e.store.Members(from.Slot, m.Activity, from.Domain, limit)
	if err != nil {
		return nil, from, false, err
	}
	for _, domain := range domains {
		t, err := e.store.Thread(from.Slot, activity.ID{Activity: m.Activity, Domain: domain})
		if err != nil {
			return nil, from, false, err
		}
		next.Domain = domain
		if t.Status != activity.Absent { // it may have ended between the two reads
			threads = append(threads, t)
		}
	}
	return threads, next, len(domains) < limit, nil
}

// Scan lists threads that a filter chooses, slot by slot, until it has limit of them or has looked at 10,000, and says where to go on; done is
// true after the last one. A page may be short, or empty, and not be the last. Threads born or gone meanwhile may be in it or not. It holds
// no lock and no iterator from chunk to chunk, so that the loop goes on. Only synced state is seen. The error is a *BadFilter or a failure.
func (e *Engine) Scan(f store.ThreadFilter, from Place, limit int) (threads []activity.Thread, next Place, done bool, err error) {
	m, err := newMatcher(f)
	if err != nil {
		return nil, from, false, err
	}
	defer func() { err = errors.Join(err, e.store.Barrier()) }()
	snap, nowMs, seen := e.o.Metadata(), e.NowMs(), 0
	for next = from; int(next.Slot) < len(e.slots); {
		some, after, slotDone, err := e.read(m, next, min(seenAtOnce, maxSeen-seen, 10*(limit-len(threads))))
		if err != nil {
			return nil, from, false, err
		}
		seen += len(some) + 1
		for i := range some {
			if !m.takes(snap, &some[i], nowMs) {
				continue
			}
			if threads = append(threads, some[i]); len(threads) == limit {
				return threads, m.place(next.Slot, &some[i]), false, nil
			}
		}
		if next = after; slotDone {
			next = Place{Slot: next.Slot + 1}
		}
		if seen >= maxSeen && int(next.Slot) < len(e.slots) {
			return threads, next, false, nil
		}
	}
	return threads, next, true, nil
}
