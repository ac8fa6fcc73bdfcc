package activity

import (
	"fmt"
	"slices"
	"strings"
)

// Transition is one row of the lifecycle of threads, or of that of activities: in From a Command leads to To.
type Transition[S any] struct {
	From    S
	Command string
	To      S

	effect func(*Scope) // of threads: what is done besides
}

// Commands beside pause, resume and kill.
const (
	CommandRemove      = "remove"       // ends a thread and keeps nothing of it
	CommandFireAlarm   = "fire_alarm"   // the alarm for which it waits is due now
	CommandDeleteAlarm = "delete_alarm" // the alarm for which it waits never comes
)

// ReasonRemoved is the reason of a run that is not to be kept.
const ReasonRemoved = "removed"

// threadTransitions is the whole lifecycle of a thread by command; what is not in it is refused with a text. Absent as To says: back to
// where the thread was before it was paused or stalled.
var threadTransitions = []Transition[Status]{
	{Running, "pause", Paused, (*Scope).setAside},
	{Waiting, "pause", Paused, (*Scope).setAside},
	{Paused, "resume", Absent, (*Scope).goOn},
	{Stalled, "resume", Absent, (*Scope).goOn},
	{Running, "kill", Killed, (*Scope).kill},
	{Waiting, "kill", Killed, (*Scope).kill},
	{Paused, "kill", Killed, (*Scope).kill},
	{Stalled, "kill", Killed, (*Scope).kill},
	{Running, CommandRemove, Killed, (*Scope).remove},
	{Waiting, CommandRemove, Killed, (*Scope).remove},
	{Paused, CommandRemove, Killed, (*Scope).remove},
	{Stalled, CommandRemove, Killed, (*Scope).remove},
	{Waiting, CommandFireAlarm, Waiting, (*Scope).fireAlarm},
	{Waiting, CommandDeleteAlarm, Waiting, (*Scope).deleteAlarm},
	{Paused, CommandDeleteAlarm, Paused, (*Scope).deleteAlarm},
}

// activityTransitions is the whole lifecycle of an activity.
var activityTransitions = []Transition[State]{
	{From: ActivityRunning, Command: "pause", To: ActivityPaused},
	{From: ActivityPaused, Command: "resume", To: ActivityRunning},
	{From: ActivityRunning, Command: "kill", To: ActivityKilled},
	{From: ActivityPaused, Command: "kill", To: ActivityKilled},
}

func (s *Scope) setAside() {
	s.thread.PausedFrom, s.thread.Status = s.thread.Status, Paused
	s.log("paused")
}

func (s *Scope) goOn() {
	t := s.thread
	t.Status, t.PausedFrom = t.PausedFrom, Absent
	t.Reason, t.Error = "", ""
	if t.Status == Running {
		t.AlarmDue, t.AlarmKind = s.NowMs, AlarmYield
	}
	s.log("continue_success")
}

func (s *Scope) kill() { s.end(Killed, "", "") }

func (s *Scope) remove() { s.end(Killed, ReasonRemoved, "") }

// fireAlarm makes the alarm due now; where several things wait beside each other it is that of the first.
func (s *Scope) fireAlarm() {
	t := s.thread
	if t.AlarmDue <= s.NowMs {
		return
	}
	t.Parts = slices.Clone(t.Parts)
	for i := range t.Parts {
		if t.Parts[i].DueMs == t.AlarmDue {
			t.Parts[i].DueMs = s.NowMs
		}
	}
	t.AlarmDue = s.NowMs
}

func (s *Scope) deleteAlarm() {
	t := s.thread
	t.AlarmDue, t.AlarmKind = 0, 0
	t.Parts = slices.Clone(t.Parts)
	for i := range t.Parts {
		t.Parts[i].DueMs = 0
	}
}

// Commands returns the names of the commands a thread knows.
func Commands() []string { return commandsOf(threadTransitions) }

// Transitions returns the whole lifecycle of a thread; Absent as To stands for the status before the pause.
func Transitions() []Transition[Status] { return threadTransitions }

func commandsOf[S any](table []Transition[S]) []string {
	var names []string
	for _, row := range table {
		if n := len(names); n == 0 || names[n-1] != row.Command {
			names = append(names, row.Command)
		}
	}
	return names
}

// canonical returns the name of a command that has several.
func canonical(command string) string {
	if command == "continue" {
		return "resume"
	}
	return command
}

// find returns the row of a state and a command, or why there is none. subject is "thread" or "activity".
func find[S interface {
	comparable
	fmt.Stringer
}](table []Transition[S], subject string, from S, command string) (*Transition[S], error) {
	var fits []string
	for i := range table {
		row := &table[i]
		if row.Command != canonical(command) {
			continue
		}
		if row.From == from {
			return row, nil
		}
		fits = append(fits, row.From.String())
	}
	if len(fits) == 0 {
		return nil, fmt.Errorf("there is no command %q for a thread or an activity: write one of %s", command, strings.Join(commandsOf(table), ", "))
	}
	article := "a "
	if subject == "activity" {
		article = "an "
	}
	return nil, fmt.Errorf("%s is not for %s%s that is %s, only for one that is %s", command, article, subject, from, strings.Join(fits, " or "))
}

// Refusal says why a command is not for a thread of that status, nil if it is.
func Refusal(from Status, command string) error {
	_, err := find(threadTransitions, "thread", from, command)
	return err
}

// Next returns the state of an activity after a command ("pause", "resume" or its alias "continue", "kill"). The error says why the command is
// not for one of this state.
func (s State) Next(command string) (State, error) {
	row, err := find(activityTransitions, "activity", s, command)
	if err != nil {
		return s, err
	}
	return row.To, nil
}

func (s *Scope) command(m *Command) (Verdict, error) {
	if m.Name == "repair" {
		return s.repair(m)
	}
	row, err := find(threadTransitions, "thread", s.thread.Status, m.Name)
	if err != nil {
		return Verdict{Kind: VerdictDropped, Clause: -1, Error: err.Error()}, nil
	}
	row.effect(s)
	s.changed = true
	return verdict(VerdictTaken), nil
}
