package activity

import (
	"fmt"

	"github.com/weftbox/weftbox/internal/fault"
)

// reply gives a service's answer to the thread that asked. Its open request is closed whatever becomes of it.
func (s *Scope) reply(m *Reply) (Verdict, error) {
	t := s.thread
	if (!t.Status.Live() || t.Run != m.Run || t.Visit != m.Visit || !s.open(m.Seq)) && !(t.Status == Waiting && fault.On("late-reply")) {
		return verdict(VerdictLate), nil
	}
	b, err := s.pinned()
	if err != nil {
		return verdict(VerdictDead), err
	}
	if t.Status != Waiting {
		return s.park(m)
	}
	s.enter(b)
	s.close(m.Seq)
	s.changed = true
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
	if t.Status == Paused || t.Status == Stalled {
		return verdict(VerdictParked), nil // settleAlarm sets it anew when the thread goes on
	}
	if t.AlarmDue > s.NowMs && !(t.Visit != m.Visit && fault.On("run-visit-ignored")) {
		return verdict(VerdictParked), nil // pushed back meanwhile: settleAlarm arms it again
	}
	b, err := s.pinned()
	if err != nil {
		return verdict(VerdictDead), err
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
	return s.receive(m)
}

// transition is one row of the lifecycle: a command, the statuses it is for, and what it does.
type transition struct {
	command string
	from    []Status
	effect  func(*Scope)
}

// transitions is the whole lifecycle by command. What is not in it is refused with a verdict.
var transitions = []transition{
	{"pause", []Status{Running, Waiting}, func(s *Scope) {
		s.thread.PausedFrom, s.thread.Status = s.thread.Status, Paused
	}},
	{"resume", []Status{Paused, Stalled}, func(s *Scope) {
		s.thread.Status, s.thread.PausedFrom = s.thread.PausedFrom, Absent
		s.thread.Reason, s.thread.Error = "", ""
		if s.thread.Status == Running {
			s.thread.AlarmDue, s.thread.AlarmKind = s.NowMs, AlarmYield
		}
	}},
	{"kill", []Status{Running, Waiting, Paused, Stalled}, func(s *Scope) { s.end(Killed, "", "") }},
}

// Stall puts a thread aside whose own alarm had to be discarded, for the fault it names: nobody would repeat that message, so the thread waits
// for an operator instead of for ever. "resume" gives it the alarm once more; its mail is parked meanwhile. (A reply that is discarded
// leaves its request open and its timeout running: its dead letter can be replayed.)
func (t *Thread) Stall(d *Discard) {
	t.PausedFrom, t.Status = t.Status, Stalled
	t.Alarm = AlarmRow{}
	t.Reason, t.Error = d.Reason, d.Err.Error()
}

// Commands returns the names of the commands a thread knows.
func Commands() []string {
	var names []string
	for _, t := range transitions {
		names = append(names, t.command)
	}
	return names
}

func (s *Scope) command(m *Command) Verdict {
	name := m.Name
	if name == "continue" {
		name = "resume"
	}
	for _, row := range transitions {
		if row.command != name {
			continue
		}
		for _, from := range row.from {
			if s.thread.Status == from {
				row.effect(s)
				s.changed = true
				return verdict(VerdictTaken)
			}
		}
		return Verdict{Kind: VerdictDropped, Clause: -1, Error: fmt.Sprintf("%s is not for a thread that is %s", name, s.thread.Status)}
	}
	return Verdict{Kind: VerdictDropped, Clause: -1, Error: fmt.Sprintf("there is no command %q: write one of %v", m.Name, Commands())}
}
