package activity

import (
	"strings"
	"testing"

	"github.com/weftbox/weftbox/definitions"
)

// idle is a behavior that waits for ever and takes nothing.
type idle struct{}

func (idle) Start(*Scope) Outcome            { return Wait() }
func (idle) Receive(*Scope, Message) Outcome { return Ignore() }

// resting returns an activity with one version and a thread of it, in the given status at its only action.
func resting(state State, status Status) (*Activity, *Thread) {
	d := &definitions.Definition{Name: "d", Strategy: "s", Actions: []*definitions.Action{{Name: "a", Spec: &definitions.Spec{Type: "idle"}}}}
	b := &Bound{Version: "1", Enabled: true, Definition: d, behaviors: []Behavior{idle{}}}
	a := &Activity{Number: 1, Name: "x", Definition: "d", State: state, Versions: map[string]*Bound{"1": b}}
	t := &Thread{ID: ID{1, "u"}, Status: status, Version: "1", Action: "a", Run: 7, Visit: 3}
	switch status {
	case Running:
		t.AlarmDue, t.AlarmKind, t.Alarm = 50, AlarmYield, AlarmRow{DueMs: 50, Visit: 3, Kind: AlarmYield}
	case Waiting:
		t.AlarmDue, t.AlarmKind, t.Alarm = 900, AlarmAction, AlarmRow{DueMs: 900, Visit: 3, Kind: AlarmAction}
	case Paused, Stalled:
		t.PausedFrom, t.AlarmDue, t.AlarmKind = Waiting, 20, AlarmAction
	}
	if status == Stalled {
		t.Reason, t.Error = "limit", "too much"
	}
	return a, t
}

var allStatuses = []Status{Absent, Running, Waiting, Paused, Stalled, Finished, Failed, Killed}

// TestEveryStatusAndCommand walks the whole table, and everything that is not in it: that is refused with a text that names both, and changes
// nothing.
func TestEveryStatusAndCommand(t *testing.T) {
	want := map[Status]map[string]Status{
		Running: {"pause": Paused, "kill": Killed, "remove": Killed},
		Waiting: {"pause": Paused, "kill": Killed, "remove": Killed, "fire_alarm": Waiting, "delete_alarm": Waiting},
		Paused:  {"resume": Waiting, "continue": Waiting, "kill": Killed, "remove": Killed, "delete_alarm": Paused},
		Stalled: {"resume": Waiting, "continue": Waiting, "kill": Killed, "remove": Killed},
	}
	rows := 0
	for _, from := range allStatuses {
		for _, command := range []string{"pause", "resume", "continue", "kill", "remove", "fire_alarm", "delete_alarm", "reboot", ""} {
			a, th := resting(ActivityRunning, from)
			before := *th
			var s Scope
			v, err := Step(&s, a, th, &Command{Name: command}, 9, 100)
			if err != nil {
				t.Fatalf("%s of a thread that is %s: expected no error, got %v", command, from, err)
			}
			to, fits := want[from][command]
			if !fits {
				if v.Kind != VerdictDropped || !strings.Contains(v.Error, command) || len(s.Effects) > 0 || th.Status != from || th.UpdatedMs != before.UpdatedMs {
					t.Errorf("%q of a thread that is %s: expected it to be dropped with a text and to change nothing, got %+v, %d effects, %s", command, from, v, len(s.Effects), th.Status)
				}
				known := command != "reboot" && command != ""
				if known && !strings.Contains(v.Error, from.String()) {
					t.Errorf("%q of a thread that is %s: expected a text that says so, got %q", command, from, v.Error)
				}
				if Refusal(from, command) == nil {
					t.Errorf("Refusal(%s, %q): expected one", from, command)
				}
				continue
			}
			rows++
			if v.Kind != VerdictTaken || th.Status != to || v.Status != to || Refusal(from, command) != nil {
				t.Errorf("%s of a thread that is %s: expected it to be taken and to lead to %s, got %+v, %s", command, from, to, v, th.Status)
			}
			checkAfter(t, command, &before, th, s.Effects)
		}
	}
	if rows != 17 { // 15 rows of the table, and resume by its other name
		t.Errorf("expected 17 pairs that fit, got %d", rows)
	}
	if n := len(Transitions()); n != 15 {
		t.Errorf("expected 15 transitions in the table, got %d", n)
	}
}

func checkAfter(t *testing.T, command string, before, th *Thread, effects []Effect) {
	t.Helper()
	set, cancelled := 0, 0
	for _, f := range effects {
		switch f.(type) {
		case *SetTimer:
			set++
		case *CancelTimer:
			cancelled++
		}
	}
	switch {
	case command == CommandDeleteAlarm:
		if th.AlarmDue != 0 || set != 0 || th.Status == Waiting && (th.Alarm != AlarmRow{} || cancelled != 1) {
			t.Errorf("%s from %s: expected no alarm to be wanted, and the row of a waiting thread to go, got %+v, %d set, %d cancelled", command, before.Status, th, set, cancelled)
		}
	case command == CommandFireAlarm:
		if th.Alarm.DueMs > 100 || th.AlarmDue > 100 || th.AlarmDue == 0 {
			t.Errorf("%s from %s: expected the alarm to be due at 100, got %+v", command, before.Status, th)
		}
	case th.Status == Paused && (th.PausedFrom != before.Status || th.AlarmDue != before.AlarmDue || set+cancelled > 0):
		t.Errorf("pause from %s: expected the alarm to stay and the status to be remembered, got %+v", before.Status, th)
	case th.Status == Killed && (th.AlarmDue != 0 || th.Alarm != AlarmRow{} || th.EndedMs != 100):
		t.Errorf("kill from %s: expected no alarm to be left and an end at 100, got %+v", before.Status, th)
	case th.Status == Waiting && (th.Alarm.DueMs != 100 || set != 1 || th.Reason != "" || th.PausedFrom != Absent):
		t.Errorf("%s from %s: expected the alarm that was due meanwhile to be set for now, got %+v, %d set", command, before.Status, th, set)
	}
}

func TestEveryActivityStateAndCommand(t *testing.T) {
	want := map[State]map[string]State{
		ActivityRunning: {"pause": ActivityPaused, "kill": ActivityKilled},
		ActivityPaused:  {"resume": ActivityRunning, "continue": ActivityRunning, "kill": ActivityKilled},
		ActivityKilled:  {},
	}
	for from, table := range want {
		for _, command := range []string{"pause", "resume", "continue", "kill", "start"} {
			to, err := from.Next(command)
			if expected, fits := table[command]; fits {
				if err != nil || to != expected {
					t.Errorf("%s of an activity that is %s: expected %s, got %s, %v", command, from, expected, to, err)
				}
			} else if err == nil || to != from || !strings.Contains(err.Error(), command) {
				t.Errorf("%s of an activity that is %s: expected a refusal with a text, got %s, %v", command, from, to, err)
			}
		}
	}
}

// TestThreadsOfAPausedActivityStandStill: mail and alarms wait, commands are carried out, a wake after the resume brings the alarm back.
func TestThreadsOfAPausedActivityStandStill(t *testing.T) {
	event := Carried{Event: &Event{Type: "e"}, Strategies: []string{"s"}}
	a, th := resting(ActivityPaused, Waiting)
	var s Scope
	if v, err := Step(&s, a, th, event, 9, 100); err != nil || v.Kind != VerdictParked || th.Parked != 1 {
		t.Fatalf("an event for a thread of a paused activity: expected it to be parked, got %+v, %v", v, err)
	}
	alarm := &Alarm{Kind: AlarmAction, DueMs: 900, Run: 7, Visit: 3}
	if v, err := Step(&s, a, th, alarm, 10, 900); err != nil || v.Kind != VerdictParked || th.AlarmDue != 900 || len(s.Effects) != 0 {
		t.Fatalf("its alarm: expected it to wait without a new row, got %+v, %v, %d effects", v, err, len(s.Effects))
	}
	if NeedsWake(a, th) || TakesMail(a, th) {
		t.Fatal("while the activity is paused: expected the thread to need no wake and to take no mail")
	}
	a.Versions["1"].Settings.PauseContinueOld = true
	if !NeedsWake(a, th) || !TakesMail(a, th) {
		t.Fatal("with pause_continue_old: expected the thread to go on although the activity is paused")
	}
	a.Versions["1"].Settings.PauseContinueOld = false
	a.State = ActivityRunning
	if v, err := Step(&s, a, th, &Wake{}, 11, 1000); err != nil || v.Kind != VerdictTaken || th.Alarm.DueMs != 1000 || th.AlarmDue != 900 {
		t.Fatalf("a wake after the resume: expected the alarm to be set for now, got %+v, %v, %+v", v, err, th)
	}
}

// TestAThreadWithoutItsVersionStalls and goes on by itself when the version is back.
func TestAThreadWithoutItsVersionStalls(t *testing.T) {
	a, th := resting(ActivityRunning, Waiting)
	versions := a.Versions
	a.Versions = nil
	var s Scope
	v, err := Step(&s, a, th, Carried{Event: &Event{Type: "e"}, Strategies: []string{"s"}}, 9, 100)
	if err != nil || v.Kind != VerdictParked || th.Status != Stalled || th.Reason != "definition_missing" || th.Parked != 1 || th.AlarmDue != 900 {
		t.Fatalf("an event for a thread whose version is gone: expected it to be parked and the thread to stall, got %+v, %v, %+v", v, err, th)
	}
	if th.Alarm.Kind != AlarmRecheck || th.Alarm.DueMs != 100+RecheckMs {
		t.Fatalf("a stalled thread: expected it to look again in ten minutes, got %+v", th.Alarm)
	}
	recheck := Alarm{Kind: AlarmRecheck, DueMs: th.Alarm.DueMs, Run: 7, Visit: 3}
	if v, err = Step(&s, a, th, &recheck, 10, recheck.DueMs); err != nil || th.Status != Stalled || th.Alarm.DueMs != 100+2*RecheckMs {
		t.Fatalf("the look, while the version is gone: expected the next one in ten minutes, got %+v, %v, %+v", v, err, th)
	}
	a.Versions = versions
	if !NeedsWake(a, th) {
		t.Fatal("when the version is back: expected the thread to need a wake")
	}
	if v, err = Step(&s, a, th, &Wake{}, 11, 200); err != nil || th.Status != Waiting || th.Reason != "" || th.Alarm.Kind != AlarmAction || th.Alarm.DueMs != 900 {
		t.Fatalf("a wake: expected the thread to wait again for its alarm at 900, got %+v, %v, %+v", v, err, th)
	}
}

func TestADisabledVersionFailsItsThreads(t *testing.T) {
	for _, from := range []Status{Running, Waiting} {
		a, th := resting(ActivityRunning, from)
		a.Versions["1"].Enabled = false
		var s Scope
		v, err := Step(&s, a, th, Carried{Event: &Event{Type: "e"}, Strategies: []string{"s"}}, 9, 100)
		if err != nil || v.Kind != VerdictTaken || th.Status != Failed || th.Reason != "def_not_enable" {
			t.Errorf("an event for a %s thread of a disabled version: expected it to fail with def_not_enable, got %+v, %v, %+v", from, v, err, th)
		}
	}
}

func TestAKilledActivityKillsWhatIsTouched(t *testing.T) {
	for _, m := range []Message{Carried{Event: &Event{Type: "e"}, Strategies: []string{"s"}}, &Reply{Run: 7, Visit: 3}, &Alarm{Kind: AlarmAction, DueMs: 900, Run: 7, Visit: 3}, &Command{Name: "pause"}, &Wake{}} {
		a, th := resting(ActivityKilled, Waiting)
		var s Scope
		if v, err := Step(&s, a, th, m, 9, 900); err != nil || th.Status != Killed || th.Reason != "activity_killed" || v.Kind == VerdictTaken || len(s.Effects) != 1 {
			t.Errorf("%T for a thread of a killed activity: expected it to be killed and its alarm cancelled, got %+v, %v, %s, %d effects", m, v, err, th.Status, len(s.Effects))
		}
	}
}

func TestThreadLogSaysWhatWasAskedFor(t *testing.T) {
	logged := func(l definitions.ThreadLog, m Message) (out []string) {
		a, th := resting(ActivityRunning, Waiting)
		a.Versions["1"].Settings.ThreadLog = l
		var s Scope
		if _, err := Step(&s, a, th, m, 9, 100); err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Effects {
			if l, ok := f.(*Log); ok {
				out = append(out, l.Operation)
			}
		}
		return out
	}
	for _, c := range []struct {
		log  definitions.ThreadLog
		want string
	}{
		{definitions.ThreadLog{}, ""},
		{definitions.ThreadLog{Set: true, All: true}, "killed"},
		{definitions.ThreadLog{Set: true, Errors: true}, ""},
		{definitions.ThreadLog{Set: true, Operations: []string{"killed"}}, "killed"},
		{definitions.ThreadLog{Set: true, Operations: []string{"paused"}}, ""},
	} {
		if got := strings.Join(logged(c.log, &Command{Name: "kill"}), " "); got != c.want {
			t.Errorf("$thread_log %+v and a kill: expected the lines %q, got %q", c.log, c.want, got)
		}
	}
}
