package expr

import "time"

// Event is what an expression sees of the message in hand.
type Event struct {
	ID       string         // the sender's id of this event, "" when it gave none
	Type     string         // "user_behavior"
	Sender   string         // may be empty
	Receiver string         // may be empty
	Attrs    map[string]any // the event's attributes (JSON name "attr")
	TimeMs   int64          // the sender's time in Unix ms; data only, never moves the clock
}

// Result is how an action ended, as ctrl expressions see it.
type Result struct {
	Status    ResultStatus
	ErrorCode string
	Message   string
	Data      map[string]any
}

// ResultStatus is ok, fail, timeout or ignore.
type ResultStatus uint8

// The statuses of a Result.
const (
	ResultOK ResultStatus = iota
	ResultFail
	ResultTimeout
	ResultIgnore
)

// ThreadInfo is what an expression may know of its thread.
type ThreadInfo struct {
	Activity     uint32
	ActivityName string
	Domain       string
	Definition   string
	Version      string
	Action       string
	Status       string
	CreatedAtMs  int64

	ActivityDisplayName   string
	ActivityCreatedAtMs   int64
	ActivityStatus        string // "common", "paused" or "killed"
	DefinitionDisplayName string
	DefinitionDescription string
}

// Context says which part of the world an expression may see; a function outside its contexts is a problem at compile time.
type Context uint8

// The contexts (playwell.md section 2.2).
const (
	ContextStrategy Context = iota // common, event
	ContextTrigger                 // common, event, config
	ContextAction                  // common, event, config, vars, thread
	ContextCtrl                    // common, config, vars, thread, result
)

// Scope is everything an evaluation may see and the budget it may spend. One Scope belongs to one worker and is reused for
// many evaluations; it is not safe for concurrent use. The zero value is ready.
type Scope struct {
	Event  *Event // nil when there is no message in hand: eventAttr then is an error
	Vars   Vars
	Config map[string]any
	Result *Result
	Thread *ThreadInfo
	NowMs  int64          // the turn's time
	Zone   *time.Location // of dates; nil: UTC
	Seed   uint64         // seed of all draws of this step; the same seed gives the same draws

	MaxTicks int64 // ticks one evaluation may spend; 0: the constant MaxTicks
	MaxBytes int64 // bytes one evaluation may make; 0: the constant MaxBytes

	engine
}

// Reseed sets the seed of the draws and starts their order anew.
func (s *Scope) Reseed(seed uint64) {
	s.Seed, s.drawSeed, s.draws = seed, seed, 0
}
