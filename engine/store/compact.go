package store

import (
	"context"
	"fmt"
)

// Compact writes everything in memory to its tables and merges them into as few bytes as they take, which can last minutes. It serves
// measurements: a store in use compacts itself.
func (s *Store) Compact(ctx context.Context) error {
	s.mu.RLock()
	err := s.usable()
	if err == nil {
		s.readers.Add(1) // Close waits
	}
	s.mu.RUnlock()
	if err != nil {
		return err
	}
	defer s.readers.Done()
	if err := s.db.Flush(); err != nil {
		return fmt.Errorf("store %s cannot be flushed: %w", s.dir, err)
	}
	if err := s.db.Compact(ctx, []byte{0}, []byte{0xFF, 0xFF, 0xFF}, true); err != nil {
		return fmt.Errorf("store %s cannot be compacted: %w", s.dir, err)
	}
	return nil
}

// LogBytes returns how many bytes of rows were written to the log since Open.
func (s *Store) LogBytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.down != nil {
		return 0
	}
	return int64(s.db.Metrics().WAL.BytesIn)
}

// Writes returns how many keys were put, merged or deleted since the store was opened; a deleted range counts once.
func (s *Store) Writes() int64 { return s.writes.Load() }

// TableBytes returns how many bytes the store's tables take, without logs.
func (s *Store) TableBytes() (int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(); err != nil {
		return 0, err
	}
	return int64(s.db.Metrics().Total().TablesSize), nil
}

// Busy reports whether the store writes tables or merges them at this moment.
func (s *Store) Busy() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.down != nil {
		return false
	}
	m := s.db.Metrics()
	return m.Flush.NumInProgress > 0 || m.Compact.NumInProgress > 0
}
