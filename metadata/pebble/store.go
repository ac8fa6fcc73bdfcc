package pebble

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/internal/durable"
	"github.com/weftbox/weftbox/metadata"
)

// Store keeps metadata in one directory. It implements metadata.Store.
type Store struct {
	lock   *pebble.Lock
	guard  *durable.Guard
	beacon *durable.Beacon // may be nil

	mu      sync.Mutex // all below
	db      *pebble.DB // nil after Close
	broken  error      // a commit failed: what is on disk is unknown until the store is opened anew
	meta    meta
	records metadata.Records // slices are only appended to or replaced, never written into: Load hands them out

	activities  map[string]int   // place in records by name
	definitions map[string][]int // places in records by name, in order of creation
}

var _ metadata.Store = (*Store)(nil)

var errClosed = errors.New("the metadata store is closed")

func (s *Store) index() {
	s.activities = make(map[string]int, len(s.records.Activities))
	for i, a := range s.records.Activities {
		s.activities[a.Name] = i
	}
	s.definitions = map[string][]int{}
	for i, d := range s.records.Definitions {
		s.definitions[d.Name] = append(s.definitions[d.Name], i)
	}
}

// usable reports why nothing can be read or written.
func (s *Store) usable(ctx context.Context) error {
	switch {
	case s.db == nil:
		return errClosed
	case s.broken != nil:
		return fmt.Errorf("the metadata store takes no more changes since a write failed; restart to see what is on disk: %w", s.broken)
	case s.guard.Err() != nil:
		return fmt.Errorf("the metadata store can not go on; restart to see what is on disk: %w", s.guard.Err())
	}
	return ctx.Err()
}

// Load returns all records. Their slices, texts and configs are shared with the store and must not be written into.
func (s *Store) Load(ctx context.Context) (metadata.Records, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Records{}, err
	}
	return s.records, nil
}

// write is one row of a change; without a value it is deleted.
type write struct{ key, value []byte }

// commit writes the rows of one change and the row "m" of the next revision together, synced.
func (s *Store) commit(next meta, rows ...write) error {
	next.Revision++
	text, err := next.encode()
	if err != nil {
		return err
	}
	b := s.db.NewBatch()
	defer func() { _ = b.Close() }() // gives memory back; after a commit it has nothing left to fail at
	for _, row := range append(rows, write{keyMeta, text}) {
		if row.value == nil {
			err = b.Delete(row.key, nil)
		} else {
			err = b.Set(row.key, row.value, nil)
		}
		if err != nil {
			return err
		}
	}
	if err := errors.Join(b.Commit(pebble.Sync), s.guard.Err()); err != nil {
		s.broken = err
		return err
	}
	s.meta = next
	if err := s.mark(); err != nil {
		s.broken = err
		s.guard.Fatalf("%v", err)
		return err
	}
	s.records.Revision = next.Revision
	return nil
}

// row reads a row as it lies on disk; nil when there is none.
func (s *Store) row(key []byte) ([]byte, error) {
	value, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	value = slices.Clone(value)
	return value, closer.Close()
}

// gone reads what is left of something deleted.
func (s *Store) gone(key []byte) (g goneRow, err error) {
	value, err := s.row(key)
	if err == nil && value != nil {
		err = json.Unmarshal(value, &g)
	}
	return g, err
}

// PutStrategy implements metadata.Store.
func (s *Store) PutStrategy(ctx context.Context, in metadata.Strategy) (metadata.Strategy, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Strategy{}, 0, err
	}
	place, found := s.strategyAt(in.Name)
	if found {
		there := s.records.Strategies[place]
		return there, outcomeOf(there.SameContent(in)), nil
	}
	in.Revision = s.meta.Revision + 1
	value, err := json.Marshal(strategyRow(in))
	if err != nil {
		return metadata.Strategy{}, 0, err
	}
	if err := s.commit(s.meta, write{keyName(kindStrategy, in.Name), value}); err != nil {
		return metadata.Strategy{}, 0, err
	}
	s.records.Strategies = inserted(s.records.Strategies, place, in)
	return in, metadata.Created, nil
}

// PutService implements metadata.Store.
func (s *Store) PutService(ctx context.Context, in metadata.Service) (metadata.Service, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Service{}, 0, err
	}
	place, found := s.serviceAt(in.Name)
	if found {
		there := s.records.Services[place]
		return there, outcomeOf(there.SameContent(in)), nil
	}
	old, err := s.gone(keyGone(kindService, in.Name))
	if err != nil {
		return metadata.Service{}, 0, err
	}
	next := s.meta
	if in.Destination = old.Destination; in.Destination == 0 {
		next.Destination++
		in.Destination = next.Destination
	}
	in.Revision = s.meta.Revision + 1
	value, err := json.Marshal(serviceRow(in))
	if err != nil {
		return metadata.Service{}, 0, err
	}
	if err := s.commit(next, write{keyName(kindService, in.Name), value}); err != nil {
		return metadata.Service{}, 0, err
	}
	s.records.Services = inserted(s.records.Services, place, in)
	return in, metadata.Created, nil
}

// PutDefinition implements metadata.Store.
func (s *Store) PutDefinition(ctx context.Context, in metadata.Definition) (metadata.Definition, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Definition{}, 0, err
	}
	versions := make([]metadata.Definition, 0, len(s.definitions[in.Name]))
	for _, place := range s.definitions[in.Name] {
		versions = append(versions, s.records.Definitions[place])
	}
	if in.Version == "" {
		if n := len(versions); n > 0 && versions[n-1].SameContent(in) {
			return versions[n-1], metadata.Unchanged, nil
		}
		old, err := s.gone(keyGone(kindDefinition, in.Name))
		if err != nil {
			return metadata.Definition{}, 0, err
		}
		if old.Greatest > 0 {
			versions = append(versions, metadata.Definition{Version: strconv.FormatUint(old.Greatest, 10)})
		}
		in.Version = metadata.NextVersion(versions)
	}
	for _, there := range versions {
		if there.Version == in.Version {
			return there, outcomeOf(there.SameContent(in)), nil
		}
	}
	next := s.meta
	next.Order++
	in.Order, in.Revision = next.Order, next.Revision+1
	in.Text = slices.Clone(in.Text)
	value, err := json.Marshal(definitionRow(in))
	if err != nil {
		return metadata.Definition{}, 0, err
	}
	if err := s.commit(next, write{keyOrder(in.Order), value}); err != nil {
		return metadata.Definition{}, 0, err
	}
	s.definitions[in.Name] = append(s.definitions[in.Name], len(s.records.Definitions))
	s.records.Definitions = append(s.records.Definitions, in)
	return in, metadata.Created, nil
}

// PutActivity implements metadata.Store.
func (s *Store) PutActivity(ctx context.Context, in metadata.Activity) (metadata.Activity, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Activity{}, 0, err
	}
	if place, found := s.activities[in.Name]; found && s.records.Activities[place].State != activity.ActivityKilled {
		there := s.records.Activities[place]
		return there, outcomeOf(there.SameContent(in)), nil
	}
	next := s.meta
	next.Number++
	in.Number, in.Revision = next.Number, next.Revision+1
	value, err := encodeActivity(in)
	if err != nil {
		return metadata.Activity{}, 0, err
	}
	if in, err = decodeActivity(value); err != nil { // what is kept shares nothing with the caller, and is what a restart will read
		return metadata.Activity{}, 0, err
	}
	if err := s.commit(next, write{keyNumber(in.Number), value}); err != nil {
		return metadata.Activity{}, 0, err
	}
	s.activities[in.Name] = len(s.records.Activities)
	s.records.Activities = append(s.records.Activities, in)
	return in, metadata.Created, nil
}

// Close ends the use of the directory. Later calls of any method answer an error, of Close nil.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	err := s.release()
	s.db = nil
	return err
}

func outcomeOf(same bool) metadata.Outcome {
	if same {
		return metadata.Unchanged
	}
	return metadata.Conflict
}

// inserted returns a new slice with v at place; list stays as it is for those who hold it.
func inserted[T any](list []T, place int, v T) []T {
	out := make([]T, 0, len(list)+1)
	out = append(out, list[:place]...)
	out = append(out, v)
	return append(out, list[place:]...)
}
