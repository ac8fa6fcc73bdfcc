package activity

import "github.com/weftbox/weftbox/definitions"

// State of an activity; its number is on disk.
type State uint8

// The states of an activity.
const (
	ActivityRunning State = 1
	ActivityPaused  State = 2
	ActivityKilled  State = 3
)

// String returns running, paused or killed.
func (s State) String() string {
	switch s {
	case ActivityRunning:
		return "running"
	case ActivityPaused:
		return "paused"
	case ActivityKilled:
		return "killed"
	}
	return "unknown"
}

// Activity is a running instance of a definition with its own config: the process. It is immutable; a change makes a new one.
type Activity struct {
	Number      uint32
	Name        string
	DisplayName string
	Definition  string // definition name
	State       State
	Overrides   map[string]any // config overrides only
	CreatedMs   int64
	StateAt     uint64 // the metadata revision at which State changed last; 0: it never did

	Versions map[string]*Bound // every loadable version of the definition
	Latest   *Bound            // the latest enabled one: the one whose trigger gives birth; nil if none
}

// Bound is one definition version as one activity runs it: behaviors looked up, config laid over.
type Bound struct {
	Version    string
	Enabled    bool
	Definition *definitions.Definition
	Config     map[string]any       // the version's config overlaid by the activity's overrides, without "$" items
	Settings   definitions.Settings // the version's "$" items overlaid by the activity's

	behaviors []Behavior // by action index
}

// Version is one loadable version of a definition, input of Bind.
type Version struct {
	Version    string
	Enabled    bool
	Definition *definitions.Definition
}

// Bind completes a: versions in order of creation, oldest first. Behaviors come from the registry; an action type without one is an error.
func (a *Activity) Bind(versions []Version) error { return bind(a, versions) }
