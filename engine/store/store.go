package store

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

// NodeSlot is the node's own range; it never moves.
const NodeSlot uint16 = 0xFFFF

// Durability says when a commit may be answered.
type Durability uint8

// The durabilities.
const (
	Sync    Durability = iota // every commit is on disk before it is answered (default)
	Relaxed                   // on disk within 100 ms
	Memory                    // nothing survives; Options.FS should be vfs.NewMem()
)

// Options of Open. The zero value opens a durable store with 256 slots.
type Options struct {
	FS         vfs.FS // nil: the operating system's
	Slots      uint16 // number of slots of a new store, 1..16384; 0: 256. An existing store keeps its own; another non-zero number is an error
	Durability Durability
	Logger     pebble.Logger // nil: only errors, to stderr. Its Fatalf should end the process; a store whose process lives on refuses everything

	// The store takes CacheBytes and three memtables of memory.
	CacheBytes    int64 // block cache; 0: 64 MiB
	MemTableBytes int64 // 0: 32 MiB

	BallastBytes int64     // held in reserve for a full disk; 0: 64 MiB, at most an eighth of the disk; negative: none
	LowDiskBytes int64     // free space below which Disk says low; 0: 2 % of the disk, at least 256 MiB, at most an eighth of it
	DiskUsage    DiskUsage // nil: asks FS, which for the operating system's is statfs

	Beacon     bool // keep a beacon although FS is given; a store on the operating system's files always has one
	AcceptLoss bool // open a store although the beacon says that a part of its history is missing

	// CommitSlots commits each slot's group of a batch by itself, in ascending order, each synced. It is slow and for simulations
	// that die in between: no code may rely on two slots' writes landing together.
	CommitSlots bool
}

// SlotMeta is row m of a slot.
type SlotMeta struct {
	Epoch    uint64
	Sequence uint64 // last number given to a delivery that went into a durable row
	CursorMs int64  // timer cursor: every alarm due before it is consumed
}

// NodeMeta is row m of NodeSlot.
type NodeMeta struct {
	StoreID string // 8 base32 characters drawn at creation; part of every request id
	Slots   uint16
	FloorMs int64  // the clock never goes below it
	Turns   uint64 // how often this row was written; the store counts, the beacon compares
}

// ToSlot is the destination of rows that another slot of this store takes, or the same one: what threads send to threads.
func ToSlot(slot uint16) (destination uint32) { return slotDestination | uint32(slot) }

// IsSlot reports whether a destination is a slot and which.
func IsSlot(destination uint32) (slot uint16, ok bool) {
	return uint16(destination), destination&slotDestination != 0
}

// slotDestination marks slots among destinations; the numbers that metadata draws for services stay below it.
const slotDestination = 1 << 31

// Outbox is one row waiting to be sent.
type Outbox struct {
	Slot        uint16
	Destination uint32      // number drawn by metadata, or ToSlot
	Seq         uint64      // delivery number<<16 | place
	Service     string      // receiver's name
	Body        []byte      // the message as it is sent, byte for byte the same in every repeat; to a slot: as EncodeMessage makes it
	To          activity.ID // of a row to a slot: the thread, or with activity 0 the domain id that strategies found
}

// Request is one open request.
type Request struct {
	ID     activity.ID
	Run    uint64
	Visit  uint64
	Action string
}

// Mail is one parked message.
type Mail struct {
	N       uint64 // its row: the order
	Message activity.Message
	KeptMs  int64  // since when it is kept for a later action; 0: it waits for the thread as such
	KeptRun uint64 // of whom
}

// DeadLetter is a message that could not be taken, with its reason.
type DeadLetter struct {
	Slot     uint16 // NodeSlot when it concerned none
	TimeMs   int64
	Seq      uint64
	Reason   string // "decode", "trigger", "panic", "limit", "mailbox_full", ...
	Error    string // what happened, with line and column where there is one
	Activity uint32 // 0: none
	Domain   string
	Source   string // the bus it came from; "engine" for the engine's own alarms and for mail that was parked
	Position uint64 // its place in that source, 0 where the source has none
	Message  []byte // the message as JSON
	Kind     string // "event", "reply", "command" or "alarm"; "" when it could not be decoded
	Action   string // where the thread stood
	Replays  uint32 // how often it was replayed and became a dead letter again
}

// DueAlarm is an alarm row that is due.
type DueAlarm struct {
	ID    activity.ID
	Alarm activity.Alarm
}

// Key is an idempotency key of a slot.
type Key struct {
	Day  uint32 // now / one day
	Hash [16]byte
	Body uint64 // hash of the body: same key, other body is a conflict
}

// Counter is one counter of an activity.
type Counter struct {
	Version string
	Action  string
	Status  activity.Status
	N       int64
}

// Usage is what the store takes: bytes on disk, and how many keys reads have visited since Open (for tests that count).
type Usage struct {
	DiskBytes int64
	KeysRead  int64
	Disk      Disk // that the store lies on
}
