package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// cursor is an iterator of a read, with the buffers that the read needs. It sees the state of one commit.
type cursor struct {
	*pebble.Iterator
	s          *Store
	generation uint64
	visited    int64
	key        []byte
}

// idleIterators keeps prefix iterators between two commits: opening one costs more than the seek. The next commit closes them, so that
// they pin no file longer.
type idleIterators struct {
	mu   sync.Mutex
	free []*cursor
}

const maxIdle = 8

// prefixOptions: filters of the last level too. They are most of the filters' bytes, but without them each look-up of what does not
// exist (a first event, a new idempotency key) reads a block.
var prefixOptions = pebble.IterOptions{UseL6Filters: true}

// prefixCursor returns a cursor for SeekPrefixGE; release ends its use.
func (s *Store) prefixCursor() (*cursor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.idle.mu.Lock()
	if n := len(s.idle.free); n > 0 {
		c := s.idle.free[n-1]
		s.idle.free = s.idle.free[:n-1]
		s.idle.mu.Unlock()
		s.readers.Add(1)
		return c, nil
	}
	s.idle.mu.Unlock()
	it, err := s.db.NewIter(&prefixOptions)
	if err != nil {
		return nil, s.readError(err)
	}
	s.readers.Add(1)
	return &cursor{Iterator: it, s: s, generation: s.generation}, nil
}

// release keeps a prefix cursor for the next read or closes it, and returns what went wrong with it.
func (c *cursor) release() error {
	defer c.s.readers.Done()
	c.s.keysRead.Add(c.visited)
	c.visited = 0
	if err := c.Error(); err != nil {
		return c.s.readError(errors.Join(err, c.Iterator.Close()))
	}
	c.s.mu.RLock()
	defer c.s.mu.RUnlock()
	if c.s.down == nil && c.generation == c.s.generation {
		c.s.idle.mu.Lock()
		defer c.s.idle.mu.Unlock()
		if len(c.s.idle.free) < maxIdle {
			c.s.idle.free = append(c.s.idle.free, c)
			return nil
		}
	}
	return c.s.readError(c.Iterator.Close())
}

// closeAll closes the idle iterators. The store's lock must be held for writing.
func (i *idleIterators) closeAll() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var err error
	for _, c := range i.free {
		err = errors.Join(err, c.Iterator.Close())
	}
	clear(i.free)
	i.free = i.free[:0]
	return err
}

// rangeCursor returns a cursor over lower <= key < upper; close ends its use.
func (s *Store) rangeCursor(lower, upper []byte) (*cursor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, s.readError(err)
	}
	s.readers.Add(1)
	return &cursor{Iterator: it, s: s}, nil
}

// finish closes a range cursor and returns err or what went wrong with the cursor.
func (c *cursor) finish(err error) error {
	defer c.s.readers.Done()
	c.s.keysRead.Add(c.visited)
	if failed := errors.Join(c.Error(), c.Iterator.Close()); failed != nil {
		return errors.Join(err, c.s.readError(failed))
	}
	return err
}

// see counts the row the cursor stands on and returns its value as a text of its own.
func (c *cursor) see() (value string, err error) {
	c.visited++
	v, err := c.ValueAndErr()
	if err != nil {
		return "", fmt.Errorf("store: %s: %w", describeKey(c.Key()), err)
	}
	return string(v), nil
}

func (s *Store) readError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store %s cannot be read: %w", s.dir, err)
}

// lookup reads the row of one key, through the bloom filters of all levels.
func (s *Store) lookup(key func([]byte) []byte) (value string, ok bool, err error) {
	c, err := s.prefixCursor()
	if err != nil {
		return "", false, err
	}
	c.key = key(c.key[:0])
	if c.SeekPrefixGE(c.key) && bytes.Equal(c.Key(), c.key) {
		value, err = c.see()
		ok = err == nil
	}
	return value, ok, errors.Join(err, c.release())
}
