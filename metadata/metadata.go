// Package metadata owns what the nodes agree on (strategies, services, definitions, activities) as one immutable Snapshot a revision,
// and the Store in which it is kept. Drivers lie in sub-packages and pass the suite of metadatatest.
//
// Room: seam.
package metadata

import (
	"context"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
)

// Strategy as stored and shown.
type Strategy struct {
	Name      string `json:"name"`
	When      string `json:"when"`
	DomainID  string `json:"domain_id"`
	CreatedMs int64  `json:"-"`
}

// Service is a registered service: an action type with no code.
type Service struct {
	Name        string `json:"name"`
	URL         string `json:"url"`
	Destination uint32 `json:"-"` // drawn once per name, never reused
	CreatedMs   int64  `json:"-"`
}

// Definition is one stored version of a definition.
type Definition struct {
	Name      string
	Version   string
	Text      []byte
	Enabled   bool
	Order     uint64 // creation order over all definitions: the latest has the greatest
	CreatedMs int64
}

// Activity as stored.
type Activity struct {
	Number      uint32 // drawn once, never reused
	Name        string // unique
	DisplayName string
	Definition  string
	State       activity.State
	Config      map[string]any // overrides only, values of package expr
	CreatedMs   int64
}

// Records is everything stored at one revision.
type Records struct {
	Revision    uint64
	Strategies  []Strategy   // by name
	Services    []Service    // by name
	Definitions []Definition // by Order
	Activities  []Activity   // by Number
}

// Outcome of a put.
type Outcome uint8

// The outcomes.
const (
	Created   Outcome = iota + 1
	Unchanged         // the same content was there
	Conflict          // other content is there; nothing was written
)

// Store keeps Records. Each put is one atomic change that raises the revision by one; it is durable when put returns. Names are unique
// per kind; Put of an existing name with the same content answers Unchanged and returns what is there, with other content Conflict
// and returns what is there (what is content: SameContent). A put keeps nothing of its arguments that the caller could write into
// later; what Load returns may be shared and is read only. Safe for concurrent use.
type Store interface {
	Load(ctx context.Context) (Records, error)
	PutStrategy(ctx context.Context, s Strategy) (Strategy, Outcome, error)
	PutService(ctx context.Context, s Service) (Service, Outcome, error)          // draws Destination
	PutDefinition(ctx context.Context, d Definition) (Definition, Outcome, error) // draws Order; Version "" draws the next number, unless the text equals the latest version's
	PutActivity(ctx context.Context, a Activity) (Activity, Outcome, error)       // draws Number
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
