package activity

import "github.com/weftbox/weftbox/internal/fault"

// reply gives a service's answer to the thread that asked. Its open request is closed whatever becomes of it.
func (s *Scope) reply(m *Reply) (Verdict, error) {
	t := s.thread
	if (!t.Status.Live() || t.Run != m.Run || t.Visit != m.Visit || !s.open(m.Seq)) && !(t.Status == Waiting && fault.On("late-reply")) {
		return verdict(VerdictLate), nil
	}
	b := s.pinned()
	switch s.gate(b) {
	case gateShut:
		return s.park(m)
	case gateGone:
		return verdict(VerdictTaken), nil
	}
	s.enter(b)
	s.close(m.Seq)
	s.answered, s.changed = m.Seq, true
	v, err := s.receive(m)
	return v, err
}

func (s *Scope) open(seq uint64) bool {
	for _, r := range s.thread.Requests {
		if r == seq {
			return true
		}
	}
	return false
}

func (s *Scope) close(seq uint64) {
	var rest []uint64
	for _, r := range s.thread.Requests {
		if r != seq {
			rest = append(rest, r)
		}
	}
	s.thread.Requests = rest
	s.Effects = append(s.Effects, &CloseRequest{Seq: seq})
}

// alarm gives a due alarm to its thread: only the row that the thread remembers counts, and only when it is truly due.
func (s *Scope) alarm(m *Alarm) (Verdict, error) {
	t := s.thread
	row := AlarmRow{DueMs: m.DueMs, Visit: m.Visit, Kind: m.Kind, N: m.N}
	if (!t.Status.Live() || t.Run != m.Run || t.Alarm != row) && !(t.Status.Live() && fault.On("run-visit-ignored")) {
		return verdict(VerdictLate), nil
	}
	t.Alarm = AlarmRow{}
	s.changed = true
	if m.Kind == AlarmRecheck {
		return s.wake(), nil
	}
	if t.Status == Paused || t.Status == Stalled || t.Problem != "" {
		return verdict(VerdictParked), nil // settleAlarm sets it anew when the thread goes on
	}
	if t.AlarmDue > s.NowMs && !(t.Visit != m.Visit && fault.On("run-visit-ignored")) {
		return verdict(VerdictParked), nil // pushed back meanwhile: settleAlarm arms it again
	}
	b := s.pinned()
	switch s.gate(b) {
	case gateShut:
		if t.Status != Running || b == nil || s.held(b) {
			return verdict(VerdictParked), nil
		}
	case gateGone:
		return verdict(VerdictTaken), nil
	}
	t.AlarmDue, t.AlarmKind = 0, 0
	s.enter(b)
	if m.Kind == AlarmYield {
		if t.Status == Running {
			if err := s.run(); err != nil {
				return verdict(VerdictDead), err
			}
		}
		return verdict(VerdictTaken), nil
	}
	if m.Kind == AlarmRetry {
		t.Status = Running
		if err := s.run(); err != nil {
			return verdict(VerdictDead), err
		}
		return verdict(VerdictTaken), nil
	}
	return s.receive(m)
}

// Lack puts a thread aside, as it was before a message, that needs a service which is not there: the message is to be given to it once more, which
// parks it, and the thread goes on with it by "resume", or by itself when it looks again.
func (t *Thread) Lack(d *Discard) {
	t.PausedFrom, t.Status = t.Status, Stalled
	t.Reason, t.Error = d.Reason, d.Err.Error()
}

// Stall puts a thread aside whose own alarm had to be discarded, for the fault it names: nobody would repeat that message, so the thread waits
// for an operator instead of for ever. "resume" gives it the alarm once more; its mail is parked meanwhile. (A reply that is discarded
// leaves its request open and its timeout running: its dead letter can be replayed.)
func (t *Thread) Stall(d *Discard) {
	t.PausedFrom, t.Status = t.Status, Stalled
	t.Alarm = AlarmRow{}
	t.Reason, t.Error = d.Reason, d.Err.Error()
}
