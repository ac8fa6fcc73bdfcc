package store

import (
	"fmt"

	"github.com/weftbox/weftbox/internal/durable"
)

// ErrShortHistory is wrapped by the error of Open that says that a store lacks what was once on disk.
var ErrShortHistory = durable.ErrShortHistory

// ExitCode is the code with which a process ends after an error of a store: 10 when the disk is full, 1 otherwise.
func ExitCode(err error) int { return durable.ExitCode(err) }

// usable says why nothing can be read or written any more. The store's lock must be held.
func (s *Store) usable() error {
	if s.down != nil {
		return s.down
	}
	if err := s.guard.Err(); err != nil {
		return fmt.Errorf("store %s: a write failed, the process must end: %w", s.dir, err)
	}
	return nil
}

// DiskFull gives the ballast up: another file on the store's disk found no room.
func (s *Store) DiskFull() { s.disk.release() }
