package activity

import "github.com/weftbox/weftbox/expr"

// ID is the address of a thread.
type ID struct {
	Activity uint32
	Domain   string
}

// Status of a thread; its number is on disk and never changes its meaning.
type Status uint8

// The statuses. Absent is the zero value: no live thread has this address.
const (
	Absent   Status = 0
	Running  Status = 1 // owes itself work: it yielded, an alarm "now" continues it
	Waiting  Status = 2
	Paused   Status = 3
	Stalled  Status = 4 // its own alarm could not be carried out (Reason, Error): an operator is needed, nothing is lost
	Finished Status = 5
	Failed   Status = 6
	Killed   Status = 7
)

var statusNames = [...]string{"absent", "running", "waiting", "paused", "stalled", "finished", "failed", "killed"}

// String returns the status as the API shows it: running, waiting, paused, stalled, finished, failed, killed.
func (s Status) String() string { return statusNames[s] }

// Live reports whether a thread of this status takes messages.
func (s Status) Live() bool { return s >= Running && s <= Stalled }

// Ended reports whether a run of this status is over.
func (s Status) Ended() bool { return s >= Finished }

// AlarmRow names an alarm row at rest: its key is (due, domain, activity, run, visit, kind, n). The zero value is no row.
type AlarmRow struct {
	DueMs int64
	Visit uint64
	Kind  AlarmKind
	N     uint16
}

// Thread is one durable actor: all that survives a crash and nothing else. The zero value is an absent thread.
// Slices and values in it are never written into: a changed thread has new ones, so that a shallow copy is a savepoint.
type Thread struct {
	ID         ID
	Status     Status
	PausedFrom Status // what a paused or stalled thread goes back to
	Version    string // the definition version it is pinned to
	Action     string // the current action
	Vars       expr.Vars
	Run        uint64 // the slot's number of the delivery that gave birth
	Visit      uint64 // counts entries into actions, from 1
	Retries    uint32 // of the current action
	Reason     string // why it failed
	Error      string // the text behind reason "error", with line and column; may be empty
	Parked     uint32 // mail rows that wait for it ("b")
	Kept       uint32 // those among them that an action did not want
	Seen       uint64 // rows up to this one were offered to the present visit; SeenAll: all
	KeptSince  int64  // none of what is kept was kept before this, Unix ms; 0: nothing is known
	Problem    string // what an operator must repair before a waiting thread goes on; "": nothing

	Alarm     AlarmRow  // the row at rest that belongs to this thread; zero: none
	AlarmDue  int64     // when the current wait's alarm is truly due (>= Alarm.DueMs); 0: none wanted
	AlarmKind AlarmKind // kind of the wanted alarm

	Requests []uint64 // open requests of the present visit (their outbox numbers)
	Parts    []Part   // what the present visit waits for beside each other, if it is several things

	CreatedMs int64
	UpdatedMs int64 // when it last did something, or something was done to it: mail that only waits for it does not count
	EndedMs   int64

	Unknown []byte // tagged fields of a newer format, carried along
}
