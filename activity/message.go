package activity

import "github.com/weftbox/weftbox/expr"

// Event is a business event, as posted.
type Event = expr.Event

// Result is how an action ended.
type Result = expr.Result

// Message is what a thread can be given: Carried, *Command, *Reply, *Alarm or *Wake; the set is closed.
// The turn's time is not in the message but in the Scope that Step is called with.
type Message interface{ class() Class }

// Class orders messages of one turn: a thread sees commands first, then replies and alarms, then events.
type Class uint8

// The classes, in the order in which a thread sees them.
const (
	ClassCommand Class = iota
	ClassReply         // replies and alarms
	ClassEvent
)

// ClassOf returns the class of a message.
func ClassOf(m Message) Class { return m.class() }

// Carried is an event on its way to one thread: the event and the strategies that routed it to this domain id.
type Carried struct {
	*Event
	Strategies []string
	Direct     bool // it names its thread itself: no strategy is asked, and it gives birth to none
}

// Address is where an event wants to go by its own attributes, past the conditions of the strategies: to a thread ($ACTIVITY and $DID), or to the
// threads of one strategy and domain id ($DID_STRATEGY and $DID).
type Address struct {
	Activity any    // a number, or a text: the name or the number; nil when Strategy is set
	Strategy string // "" for a thread
	Domain   string
}

// AddressOf reads the address of an event; ok is false when it has none.
func AddressOf(e *Event) (a Address, ok bool) {
	domain, ok := e.Attrs["$DID"]
	if !ok || domain == nil {
		return a, false
	}
	a.Domain = expr.Text(domain)
	if a.Activity = e.Attrs["$ACTIVITY"]; a.Activity != nil {
		return a, true
	}
	a.Strategy, ok = e.Attrs["$DID_STRATEGY"].(string)
	return a, ok && a.Strategy != ""
}

// Command is an operator's word to one thread.
type Command struct {
	Name   string         // "pause", "resume" (alias "continue"), "kill"
	Args   map[string]any // may be nil
	TimeMs int64
}

// Reply is a service's answer to a request, after it was matched to its open request: Run, Visit and Action are the request's.
type Reply struct {
	Seq    uint64 // the request's outbox number in its slot; names the open-request row
	Run    uint64
	Visit  uint64
	Action string
	Result *Result
	TimeMs int64
}

// AlarmKind says what an alarm is for; its number is part of a key on disk and never changes its meaning.
type AlarmKind uint8

// The kinds of alarm.
const (
	AlarmAction    AlarmKind = 1 // a behavior's own: sleep, after, timeout
	AlarmYield     AlarmKind = 2 // goes on with a thread that yielded, or hands over parked mail
	AlarmRetention AlarmKind = 3 // an ended run is forgotten
	AlarmRecheck   AlarmKind = 4 // looks whether what a stalled thread misses is back
	AlarmRetry     AlarmKind = 8 // runs the current action again
)

// Alarm is a timer that is due.
type Alarm struct {
	Kind  AlarmKind
	DueMs int64 // due time of the row that fired
	Run   uint64
	Visit uint64
	N     uint16
}

// Wake lets a thread go on that stood still because its activity was paused, or because what it misses was gone. It is the engine's own.
type Wake struct{}

func (*Wake) class() Class    { return ClassCommand }
func (Carried) class() Class  { return ClassEvent }
func (*Command) class() Class { return ClassCommand }
func (*Reply) class() Class   { return ClassReply }
func (*Alarm) class() Class   { return ClassReply }
