// Package metadata owns what the nodes agree on (strategies, services, definitions, activities) as one immutable Snapshot a revision,
// and the Store in which it is kept. Drivers lie in sub-packages and pass the suite of metadatatest.
//
// Room: seam.
package metadata

import (
	"context"
	"math"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// Strategy as stored and shown.
type Strategy struct {
	Name      string `json:"name"`
	When      string `json:"when"`
	DomainID  string `json:"domain_id"`
	CreatedMs int64  `json:"-"`
	UpdatedMs int64  `json:"-"` // when it was changed last; 0: never
	Revision  uint64 `json:"-"` // of the metadata, at which it was put or changed last
}

// Service is a registered service: an action type with no code.
type Service struct {
	Name        string `json:"name"`
	URL         string `json:"url"`
	Destination uint32 `json:"-"` // drawn once per name, also where the service is deleted and put again; never another's
	CreatedMs   int64  `json:"-"`
	UpdatedMs   int64  `json:"-"`
	Revision    uint64 `json:"-"`
}

// Definition is one stored version of a definition.
type Definition struct {
	Name      string
	Version   string
	Text      []byte
	Enabled   bool
	Order     uint64 // creation order over all definitions: the latest has the greatest
	CreatedMs int64
	UpdatedMs int64
	Revision  uint64
}

// Activity as stored.
type Activity struct {
	Number      uint32 // drawn once, never reused
	Name        string // unique among those that are not killed
	DisplayName string
	Definition  string
	State       activity.State
	Config      map[string]any // overrides only, values of package expr
	CreatedMs   int64
	UpdatedMs   int64
	Revision    uint64
	StateAt     uint64 // the revision at which State changed last; 0: it is as it was put
}

// Records is everything stored at one revision.
type Records struct {
	Revision    uint64
	Strategies  []Strategy   // by name
	Services    []Service    // by name
	Definitions []Definition // by Order
	Activities  []Activity   // by Number
}

// Outcome of a change.
type Outcome uint8

// The outcomes.
const (
	Created   Outcome = iota + 1
	Unchanged         // the same content was there
	Conflict          // other content is there, or it is of another revision; nothing was written
	Updated           // the content was replaced
	Missing           // there is nothing of this name; nothing was written
	Deleted
)

// AnyRevision as an expected revision says that whatever is there may be changed.
const AnyRevision = math.MaxUint64

// Store keeps Records. Each change is one atomic one that raises the revision by one and stamps the record with it; it is durable when the
// method returns. Names are unique per kind; Put of an existing name with the same content answers Unchanged and returns what is there,
// with other content Conflict and returns what is there (what is content: SameContent). A killed activity gives its name free.
//
// An update replaces a record of that name (a definition's of that name and version, an activity's of that number) where it is of the expected
// revision: it answers Updated and what is there now, Unchanged where nothing would change, Conflict and what is there where the revision is
// another, Missing where there is no such record. What was drawn, and CreatedMs, stay. A delete answers Deleted, Conflict or Missing. A
// version that was deleted is not drawn again.
//
// A change keeps nothing of its arguments that the caller could write into later; what Load returns may be shared and is read only. Safe
// for concurrent use.
type Store interface {
	Load(ctx context.Context) (Records, error)
	PutStrategy(ctx context.Context, s Strategy) (Strategy, Outcome, error)
	PutService(ctx context.Context, s Service) (Service, Outcome, error)          // draws Destination
	PutDefinition(ctx context.Context, d Definition) (Definition, Outcome, error) // draws Order; Version "" draws the next number, unless the text equals the latest version's
	PutActivity(ctx context.Context, a Activity) (Activity, Outcome, error)       // draws Number

	UpdateStrategy(ctx context.Context, s Strategy, expect uint64) (Strategy, Outcome, error)       // When, DomainID
	UpdateService(ctx context.Context, s Service, expect uint64) (Service, Outcome, error)          // URL
	UpdateDefinition(ctx context.Context, d Definition, expect uint64) (Definition, Outcome, error) // Text, Enabled
	UpdateActivity(ctx context.Context, a Activity, expect uint64) (Activity, Outcome, error)       // DisplayName, Config, State

	DeleteStrategy(ctx context.Context, name string, expect uint64) (Outcome, error)
	DeleteService(ctx context.Context, name string, expect uint64) (Outcome, error)
	DeleteDefinition(ctx context.Context, name, version string, expect uint64) (Outcome, error)
	Close() error
}

// Snapshot is all metadata at one revision, compiled. It is immutable; a turn takes it once.
type Snapshot struct {
	Revision    uint64
	Strategies  map[string]*activity.Strategy
	Services    map[string]Service
	Definitions map[string][]*Version // by name, oldest first
	Activities  map[uint32]*activity.Activity
	ByName      map[string]*activity.Activity
	Router      *activity.Router
	Records     Records
}

// Version is one stored version with what compiling it gave.
type Version struct {
	Definition
	Compiled *definitions.Definition // nil when it has errors now (a service or strategy is gone): it harms no other
	Problems []definitions.Problem
}
