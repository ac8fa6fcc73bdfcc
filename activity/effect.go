package activity

import "github.com/weftbox/weftbox/expr"

// Effect is what a step wants done: *Send, *Emit, *SetTimer, *CancelTimer, *CloseRequest, *Park, *Record or *Log; the set is closed.
// Effects are values: the engine carries them out in the batch of the turn, in order.
type Effect interface{ effect() }

// Send asks a service for something. The engine gives it the number Delivery<<16|Place, from which the request id follows.
type Send struct {
	Place        uint16 // counts the sends of one delivery
	Service      string
	Action       string
	Run, Visit   uint64
	Args         any  // the request, a value of package expr
	IgnoreResult bool // no open request is kept: an answer is late by nature
	Monitor      bool // tells a monitor: left out where there is no such service
}

// Emit sends an event: to the node's own strategies and threads if Service is "" or the node's name, else to a service, which gets it as it is
// and answers nothing.
type Emit struct {
	Service string
	Event   *Event // without id, sender and receiver, which the engine sets
}

// SetTimer writes an alarm row.
type SetTimer struct {
	Row AlarmRow
	Run uint64
}

// CancelTimer deletes an alarm row that has not fired.
type CancelTimer struct {
	Row AlarmRow
	Run uint64
}

// CloseRequest deletes an open request: it was answered, or its action was left.
type CloseRequest struct{ Seq uint64 }

// Park keeps a message until the thread can take it, or, with Kept, until a later action wants it.
type Park struct {
	Row     uint64 // its place in the thread's mailbox
	Message Message
	Kept    bool
}

// Record is a line for people: what an action printed (kind "stdout"). It is printed after the commit.
type Record struct {
	Kind string
	Text string
}

// Log is a line of a thread's log ("$thread_log"); it is written after the commit. The thread is as it was when the line was made.
type Log struct {
	Operation  string // one of definitions.Operations
	Definition string
	Version    string
	Action     string
	Status     Status
	Vars       expr.Vars
	Error      string
	Unset      bool // "$thread_log" says nothing: the line is one of the engine's own, which holds repeats back
}

func (*Log) effect()          {}
func (*Send) effect()         {}
func (*Emit) effect()         {}
func (*SetTimer) effect()     {}
func (*CancelTimer) effect()  {}
func (*CloseRequest) effect() {}
func (*Park) effect()         {}
func (*Record) effect()       {}

// VerdictKind says what became of a message.
type VerdictKind string

// The verdicts.
const (
	VerdictSpawned   VerdictKind = "spawned"     // the trigger gave birth to a thread
	VerdictTaken     VerdictKind = "taken"       // the thread acted on it
	VerdictDropped   VerdictKind = "dropped"     // a live thread had no use for it
	VerdictNoTrigger VerdictKind = "no_trigger"  // no live thread, and the trigger did not match
	VerdictError     VerdictKind = "error"       // a strategy or trigger condition could not be computed
	VerdictDead      VerdictKind = "dead_letter" // kept as a dead letter
	VerdictParked    VerdictKind = "parked"      // kept until the thread can take it
	VerdictKept      VerdictKind = "kept"        // the current action had no use for it: it waits for a later one
	VerdictLate      VerdictKind = "late"        // a reply or alarm nobody waits for
	VerdictDuplicate VerdictKind = "duplicate"   // applied before
)

// Verdict is what became of one message at one thread.
type Verdict struct {
	Kind   VerdictKind
	Clause int    // the clause that took it, -1 when none did
	Action string // where the thread stands after it ("" when there is none)
	Status Status
	Error  string // for error and dead_letter: what happened, with line and column
}
