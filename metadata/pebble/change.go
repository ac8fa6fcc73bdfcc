package pebble

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/weftbox/weftbox/metadata"
)

func fits(there, expect uint64) bool { return expect == metadata.AnyRevision || expect == there }

// rewrite lays value over the row of key, keeping the fields of a newer program, and commits it.
func (s *Store) rewrite(key, value []byte) error {
	old, err := s.row(key)
	if err != nil {
		return err
	}
	if value, err = merged(old, value); err != nil {
		return err
	}
	return s.commit(s.meta, write{key, value})
}

// UpdateStrategy implements metadata.Store.
func (s *Store) UpdateStrategy(ctx context.Context, in metadata.Strategy, expect uint64) (metadata.Strategy, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Strategy{}, 0, err
	}
	place, found := s.strategyAt(in.Name)
	if !found {
		return metadata.Strategy{}, metadata.Missing, nil
	}
	there := s.records.Strategies[place]
	if outcome := settled(fits(there.Revision, expect), there.SameContent(in)); outcome != 0 {
		return there, outcome, nil
	}
	in.CreatedMs, in.Revision = there.CreatedMs, s.meta.Revision+1
	value, err := json.Marshal(strategyRow(in))
	if err == nil {
		err = s.rewrite(keyName(kindStrategy, in.Name), value)
	}
	if err != nil {
		return metadata.Strategy{}, 0, err
	}
	s.records.Strategies = replaced(s.records.Strategies, place, in)
	return in, metadata.Updated, nil
}

// UpdateService implements metadata.Store.
func (s *Store) UpdateService(ctx context.Context, in metadata.Service, expect uint64) (metadata.Service, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Service{}, 0, err
	}
	place, found := s.serviceAt(in.Name)
	if !found {
		return metadata.Service{}, metadata.Missing, nil
	}
	there := s.records.Services[place]
	if outcome := settled(fits(there.Revision, expect), there.SameContent(in)); outcome != 0 {
		return there, outcome, nil
	}
	in.CreatedMs, in.Destination, in.Revision = there.CreatedMs, there.Destination, s.meta.Revision+1
	value, err := json.Marshal(serviceRow(in))
	if err == nil {
		err = s.rewrite(keyName(kindService, in.Name), value)
	}
	if err != nil {
		return metadata.Service{}, 0, err
	}
	s.records.Services = replaced(s.records.Services, place, in)
	return in, metadata.Updated, nil
}

// UpdateDefinition implements metadata.Store.
func (s *Store) UpdateDefinition(ctx context.Context, in metadata.Definition, expect uint64) (metadata.Definition, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Definition{}, 0, err
	}
	place, found := s.versionAt(in.Name, in.Version)
	if !found {
		return metadata.Definition{}, metadata.Missing, nil
	}
	there := s.records.Definitions[place]
	if outcome := settled(fits(there.Revision, expect), there.SameContent(in) && there.Enabled == in.Enabled); outcome != 0 {
		return there, outcome, nil
	}
	in.CreatedMs, in.Order, in.Revision = there.CreatedMs, there.Order, s.meta.Revision+1
	in.Text = slices.Clone(in.Text)
	value, err := json.Marshal(definitionRow(in))
	if err == nil {
		err = s.rewrite(keyOrder(in.Order), value)
	}
	if err != nil {
		return metadata.Definition{}, 0, err
	}
	s.records.Definitions = replaced(s.records.Definitions, place, in)
	return in, metadata.Updated, nil
}

// UpdateActivity implements metadata.Store.
func (s *Store) UpdateActivity(ctx context.Context, in metadata.Activity, expect uint64) (metadata.Activity, metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return metadata.Activity{}, 0, err
	}
	place, found := slices.BinarySearchFunc(s.records.Activities, in.Number, func(r metadata.Activity, n uint32) int { return cmp.Compare(r.Number, n) })
	if !found {
		return metadata.Activity{}, metadata.Missing, nil
	}
	there := s.records.Activities[place]
	in.Name, in.Definition, in.CreatedMs = there.Name, there.Definition, there.CreatedMs
	if outcome := settled(fits(there.Revision, expect), there.SameContent(in) && there.State == in.State); outcome != 0 {
		return there, outcome, nil
	}
	in.Revision, in.StateAt = s.meta.Revision+1, there.StateAt
	if in.State != there.State {
		in.StateAt = in.Revision
	}
	value, err := encodeActivity(in)
	if err != nil {
		return metadata.Activity{}, 0, err
	}
	if in, err = decodeActivity(value); err != nil { // as PutActivity
		return metadata.Activity{}, 0, err
	}
	if err := s.rewrite(keyNumber(in.Number), value); err != nil {
		return metadata.Activity{}, 0, err
	}
	s.records.Activities = replaced(s.records.Activities, place, in)
	return in, metadata.Updated, nil
}

// DeleteStrategy implements metadata.Store.
func (s *Store) DeleteStrategy(ctx context.Context, name string, expect uint64) (metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	place, found := s.strategyAt(name)
	switch {
	case !found:
		return metadata.Missing, nil
	case !fits(s.records.Strategies[place].Revision, expect):
		return metadata.Conflict, nil
	}
	if err := s.commit(s.meta, write{key: keyName(kindStrategy, name)}); err != nil {
		return 0, err
	}
	s.records.Strategies = without(s.records.Strategies, place)
	return metadata.Deleted, nil
}

// DeleteService implements metadata.Store. The destination stays the name's: what waits in outboxes goes out when the service is put again.
func (s *Store) DeleteService(ctx context.Context, name string, expect uint64) (metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	place, found := s.serviceAt(name)
	switch {
	case !found:
		return metadata.Missing, nil
	case !fits(s.records.Services[place].Revision, expect):
		return metadata.Conflict, nil
	}
	left, err := json.Marshal(goneRow{Destination: s.records.Services[place].Destination})
	if err != nil {
		return 0, err
	}
	if err := s.commit(s.meta, write{key: keyName(kindService, name)}, write{keyGone(kindService, name), left}); err != nil {
		return 0, err
	}
	s.records.Services = without(s.records.Services, place)
	return metadata.Deleted, nil
}

// DeleteDefinition implements metadata.Store.
func (s *Store) DeleteDefinition(ctx context.Context, name, version string, expect uint64) (metadata.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	place, found := s.versionAt(name, version)
	switch {
	case !found:
		return metadata.Missing, nil
	case !fits(s.records.Definitions[place].Revision, expect):
		return metadata.Conflict, nil
	}
	old, err := s.gone(keyGone(kindDefinition, name))
	if err != nil {
		return 0, err
	}
	next, err := strconv.ParseUint(metadata.NextVersion([]metadata.Definition{{Version: version}}), 10, 64)
	if err != nil {
		return 0, err
	}
	left, err := json.Marshal(goneRow{Greatest: max(old.Greatest, next-1)})
	if err != nil {
		return 0, err
	}
	if err := s.commit(s.meta, write{key: keyOrder(s.records.Definitions[place].Order)}, write{keyGone(kindDefinition, name), left}); err != nil {
		return 0, err
	}
	s.records.Definitions = without(s.records.Definitions, place)
	s.index()
	return metadata.Deleted, nil
}

func (s *Store) strategyAt(name string) (place int, found bool) {
	return slices.BinarySearchFunc(s.records.Strategies, name, func(r metadata.Strategy, name string) int { return cmp.Compare(r.Name, name) })
}

func (s *Store) serviceAt(name string) (place int, found bool) {
	return slices.BinarySearchFunc(s.records.Services, name, func(r metadata.Service, name string) int { return cmp.Compare(r.Name, name) })
}

func (s *Store) versionAt(name, version string) (place int, found bool) {
	for _, place := range s.definitions[name] {
		if s.records.Definitions[place].Version == version {
			return place, true
		}
	}
	return 0, false
}

// settled returns the outcome of an update that writes nothing, 0 when it has to be written.
func settled(fits, same bool) metadata.Outcome {
	switch {
	case !fits:
		return metadata.Conflict
	case same:
		return metadata.Unchanged
	}
	return 0
}

// replaced returns a new slice with v at place, without one without the element there; list stays as it is for those who hold it.
func replaced[T any](list []T, place int, v T) []T {
	out := slices.Clone(list)
	out[place] = v
	return out
}

func without[T any](list []T, place int) []T {
	return slices.Concat(list[:place], list[place+1:])
}
