package crash

import (
	"fmt"
	"slices"

	"github.com/weftbox/weftbox/activity"
)

// thread is the model's idea of one thread: written by hand after the flows, it shares no decision with the engine. It is a value;
// its slices are never written into.
type thread struct {
	status     activity.Status
	pausedFrom activity.Status
	action     string
	run, visit uint64
	n          int64
	count      int64
	sum, hash  int64
	echoes     int64
	left       int64 // rounds of work
	to         string
	trace      string
	mail       []mail             // parked
	due        int64              // when the alarm is wanted, 0: none
	kind       activity.AlarmKind // which one
	row        row                // the alarm row that lies in the store
	request    uint64             // the open request, 0: none
}

type row struct {
	due   int64
	visit uint64
	kind  activity.AlarmKind
}

// mail is a parked message: an event by its number, or an answer by its request.
type mail struct {
	number uint64 // of its delivery: the order on disk
	event  *event
	answer uint64 // the request that it was led to
	said   uint64 // the request that its service answered
	echo   int64
}

// event is what the model sees of an event.
type event struct {
	n, amount int64
	close     bool
	ask, arm  bool
	work      int64  // rounds of actions that wait for nothing
	poison    string // what it does to a thread that takes it: "limit", "panic", or "missing" when it lacks what every flow wants
	tell      string // the hub that a user's thread tells it to
	kind      string // "tell" or "echo": a thread has sent it
	from      string // the domain id of that thread
	sent      request
}

// fact is what a delivery changes beside its thread: it holds when the turn's slot was committed.
type fact struct {
	event   int64  // this event had its effect at the thread; 0: none
	idle    bool   // the event was given to the thread, which had no use for it
	command int64  // this command was carried out
	ask     uint64 // this request goes out
	service string
	args    [3]int64 // its n, sum and count
	said    *said    // this goes out to another thread
	heard   request  // this, sent by a thread, was given to the thread
	ended   *ended
	closed  uint64 // this request is open no more
	letter  string // the message became a dead letter for this reason
	of      int64  // it is this event
	number  uint64 // of its delivery
	atMs    int64
}

type ended struct {
	id     activity.ID
	run    uint64
	status activity.Status
	action string
	atMs   int64
}

// stepper gives one message to a copy of a thread.
type stepper struct {
	id      activity.ID
	t       thread
	number  uint64
	nowMs   int64
	place   uint64
	actions int
	facts   []fact
}

func (s *stepper) event(e *event) activity.VerdictKind {
	t := &s.t
	if !t.status.Live() {
		return s.birth(e)
	}
	if t.status != activity.Waiting {
		s.facts = append(s.facts, e.given(false))
		t.mail = append(slices.Clip(t.mail), mail{number: s.number, event: e})
		return activity.VerdictParked
	}
	if t.action == "loop" && (e.poison == "limit" || e.poison == "panic") {
		return s.bury(e, e.poison)
	}
	next := s.next(e)
	s.facts = append(s.facts, e.given(next == ""))
	switch {
	case next == "":
		return activity.VerdictDropped
	case next == "end":
		s.end(activity.Finished)
		return activity.VerdictTaken
	case e.poison == "missing": // what the clause computes can not be computed
		s.end(activity.Failed)
		return activity.VerdictTaken
	case e.kind == "echo":
		t.echoes += e.amount
		s.enter(next)
		s.settle()
		return activity.VerdictTaken
	}
	if t.action == "armed" {
		t.trace += "c"
	}
	t.n, t.count, t.sum, t.hash = e.n, t.count+1, t.sum+e.amount, (t.hash*factor+e.n)%modulus
	switch next {
	case "work":
		t.left = e.work
	case "tell":
		t.to = e.tell
	case "echo":
		t.to = e.from
	}
	s.enter(next)
	s.settle()
	return activity.VerdictTaken
}

// next is where an event leads a thread that waits; "": nowhere.
func (s *stepper) next(e *event) string {
	switch {
	case s.t.action == "oracle":
		return ""
	case e.kind == "tell":
		return "echo"
	case e.kind == "echo":
		return "loop"
	case s.id.Activity == users && e.close:
		return "end"
	case e.close:
		return ""
	case s.id.Activity == users && e.work > 0:
		return "work"
	case s.id.Activity == users && e.ask:
		return "oracle"
	case s.id.Activity == users && e.tell != "":
		return "tell"
	case s.id.Activity == items && e.arm:
		return "armed"
	}
	return "loop"
}

func (s *stepper) birth(e *event) activity.VerdictKind {
	switch {
	case e.close, e.kind == "echo":
		s.facts = append(s.facts, e.given(true))
		return activity.VerdictNoTrigger
	case e.poison == "missing":
		return s.bury(e, "trigger")
	}
	s.facts = append(s.facts, e.given(false))
	s.t = thread{mail: s.t.mail, run: s.number, n: e.n, count: 1, sum: e.amount, hash: e.n % modulus, trace: "b", to: e.from}
	if s.id.Activity == hubs {
		s.enter("echo")
	} else {
		s.enter("loop")
	}
	s.settle()
	return activity.VerdictSpawned
}

// bury makes the message a dead letter; the thread stays as it is.
func (s *stepper) bury(e *event, reason string) activity.VerdictKind {
	s.facts = append(s.facts, fact{event: e.n}, fact{letter: reason, of: e.n, number: s.number, atMs: s.nowMs})
	return activity.VerdictDead
}

// single is the request that an answer without a name is for: the only open one of the present visit, or what it was led to when it was parked.
func (s *stepper) single(parked bool, box []mail) uint64 {
	if parked {
		return box[0].answer
	}
	return s.t.request
}

func (s *stepper) answer(seq, said uint64, echo int64) activity.VerdictKind {
	t := &s.t
	if !t.status.Live() || seq == 0 || t.request != seq {
		return activity.VerdictLate
	}
	if t.status != activity.Waiting {
		t.mail = append(slices.Clip(t.mail), mail{number: s.number, answer: seq, said: said, echo: echo})
		return activity.VerdictParked
	}
	t.trace += "o"
	t.echoes += echo
	s.enter("loop")
	s.settle()
	return activity.VerdictTaken
}

func (s *stepper) alarm(run uint64, r row) activity.VerdictKind {
	t := &s.t
	if !t.status.Live() || t.run != run || t.row != r {
		return activity.VerdictLate
	}
	t.row = row{}
	if t.status == activity.Paused {
		return activity.VerdictParked
	}
	if t.due > s.nowMs {
		s.settle()
		return activity.VerdictParked
	}
	t.due = 0
	if r.kind == activity.AlarmYield {
		s.goOn()
		s.settle()
		return activity.VerdictTaken
	}
	switch t.action {
	case "loop":
		t.trace += "i"
		s.end(activity.Finished)
		return activity.VerdictTaken
	case "oracle":
		t.trace += "t"
		s.enter("loop")
	case "armed":
		t.trace += "f"
		s.enter("bell")
	}
	s.settle()
	return activity.VerdictTaken
}

func (s *stepper) command(name string) activity.VerdictKind {
	t := &s.t
	switch {
	case name == "pause" && (t.status == activity.Waiting || t.status == activity.Running):
		t.pausedFrom, t.status = t.status, activity.Paused
	case name == "resume" && t.status == activity.Paused:
		t.status, t.pausedFrom = t.pausedFrom, activity.Absent
		if t.status == activity.Running {
			t.due, t.kind = s.nowMs, activity.AlarmYield
		}
		s.settle()
	case name == "kill" && t.status.Live():
		s.end(activity.Killed)
	default:
		return activity.VerdictDropped
	}
	return activity.VerdictTaken
}

// enter leaves the present action and goes on with another one.
func (s *stepper) enter(action string) {
	s.leave()
	s.t.action = action
	s.goOn()
}

// goOn runs actions until one waits, or until the message has run as many as it may: then the thread owes itself the rest.
func (s *stepper) goOn() {
	t := &s.t
	for {
		if s.id.Activity == users && s.actions == maxActions {
			t.status, t.due, t.kind = activity.Running, s.nowMs, activity.AlarmYield
			return
		}
		s.actions++
		t.visit++
		switch t.action {
		case "work":
			if t.left--; t.left <= 0 {
				t.action = "loop"
			}
			continue
		case "bell":
			s.ask("bell")
			t.action = "loop"
			continue
		case "tell", "echo":
			s.say(t.action)
			t.action = "loop"
			continue
		case "loop":
			t.due = s.nowMs + idleMs
		case "armed":
			t.due = s.nowMs + alarmMs
		case "oracle":
			t.due = s.nowMs + timeoutMs
			t.request = s.ask("oracle")
		}
		t.status, t.kind = activity.Waiting, activity.AlarmAction
		return
	}
}

func (s *stepper) ask(service string) uint64 {
	seq := s.number<<16 | s.place
	s.place++
	s.facts = append(s.facts, fact{ask: seq, service: service, args: [3]int64{s.t.n, s.t.sum, s.t.count}})
	return seq
}

func (s *stepper) leave() {
	s.t.due = 0
	if s.t.request != 0 {
		s.facts = append(s.facts, fact{closed: s.t.request})
		s.t.request = 0
	}
}

func (s *stepper) end(status activity.Status) {
	s.leave()
	t := &s.t
	s.facts = append(s.facts, fact{ended: &ended{id: s.id, run: t.run, status: status, action: t.action, atMs: s.nowMs}})
	left := t.mail
	if status == activity.Killed {
		left = nil
	}
	*t = thread{mail: left}
}

// settle keeps a row of the wanted kind that is due no later than wanted, drops another one, and sets one where it is missing.
func (s *stepper) settle() {
	t := &s.t
	if t.status == activity.Paused {
		return
	}
	if t.row.due > t.due || t.row.kind != t.kind {
		t.row = row{}
	}
	if t.due != 0 && t.row == (row{}) {
		t.row = row{max(t.due, s.nowMs), t.visit, t.kind}
	}
}

// takesMail reports whether parked mail must be handed over before anything else.
func (t *thread) takesMail() bool {
	return len(t.mail) > 0 && (t.status == activity.Waiting || !t.status.Live())
}

// String shows what the store must hold of the thread.
func (t *thread) String() string {
	if !t.status.Live() {
		return "absent"
	}
	vars := fmt.Sprintf("count=%d hash=%d n=%d sum=%d trace=%s", t.count, t.hash, t.n, t.sum, t.trace)
	requests := []uint64{}
	if t.request != 0 {
		requests = append(requests, t.request)
	}
	return fmt.Sprintf("%s(%s) at %s run %d visit %d parked %d due %d row %d/%d/%d requests %v echoes=%d left=%d to=%s %s", t.status, t.pausedFrom, t.action, t.run, t.visit, len(t.mail), t.due, t.row.due, t.row.visit, t.row.kind, requests, t.echoes, t.left, t.to, vars)
}
