package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/weftbox/weftbox/engine/store"
)

// ceiling is what the disk and Pebble allow: a store of its own with as many rows of the same size as the engine's, into which turns of the
// same sizes are written with nothing else done, each with one commit of the same durability.
type ceiling struct {
	db      *pebble.DB
	write   *pebble.WriteOptions
	value   []byte
	draw    *rand.Rand
	span    int   // rows that turns write, from the first
	inOrder []int // instead of drawing: all rows, in the order of their keys
	at      int   // place in it
	rows    []int // scratch
}

const (
	ceilingKeyBytes    = 16 // slot 2, letter 1, domain 8, end 1, activity 4
	ceilingRecordBytes = 3  // of a batch, on top of key and value
)

// openCeiling fills a store with rows that take rowBytes each in the log.
func openCeiling(ctx context.Context, dir string, o *Options, s *scenario, rowBytes int) (*ceiling, error) {
	p := &pebble.Options{FormatMajorVersion: pebble.FormatNewest, MemTableSize: 32 << 20, MemTableStopWritesThreshold: 4, CacheSize: 64<<20 + 3*32<<20,
		DisableWAL: o.Durability == store.Memory, Logger: silent{}}
	if c := cacheBytes(o, s); c > 0 {
		p.CacheSize = c + 3*32<<20
	}
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, p)
	if err != nil {
		return nil, fmt.Errorf("the store of the ceiling cannot be opened: %w", err)
	}
	c := &ceiling{db: db, write: pebble.Sync, draw: rand.New(rand.NewPCG(o.Seed, 8)), span: o.Hot, value: make([]byte, max(8, rowBytes-ceilingKeyBytes-ceilingRecordBytes))}
	if o.Durability != store.Sync {
		c.write = pebble.NoSync
	}
	if s.uniform {
		c.span = o.Threads
	}
	for i := range c.value {
		c.value[i] = byte(c.draw.Uint32())
	}
	if s.alarms {
		c.inOrder = make([]int, o.Threads)
		for i := range c.inOrder {
			c.inOrder[i] = i
		}
		slices.SortFunc(c.inOrder, func(a, b int) int { return slices.Compare(ceilingKey(nil, a), ceilingKey(nil, b)) })
	}
	if err := c.fill(ctx, o.Threads); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return c, nil
}

func (c *ceiling) fill(ctx context.Context, rows int) error {
	for first := 0; first < rows; first += 10_000 {
		b := c.db.NewBatch()
		for i := first; i < min(first+10_000, rows); i++ {
			binary.BigEndian.PutUint64(c.value, c.draw.Uint64())
			if err := b.Set(ceilingKey(nil, i), c.value, nil); err != nil {
				return errors.Join(err, b.Close())
			}
		}
		if err := errors.Join(b.Commit(pebble.NoSync), b.Close(), ctx.Err()); err != nil {
			return err
		}
	}
	if err := c.db.Flush(); err != nil {
		return err
	}
	c.settle(ctx)
	return nil
}

// ceilingKey spreads the rows over 256 slots, as domain ids are.
func ceilingKey(dst []byte, row int) []byte {
	slot := uint32(row) * 2654435761 >> 24
	dst = append(binary.BigEndian.AppendUint16(dst, uint16(slot)), 't')
	dst = append(dst, hitDomain(hit{user: uint32(row)})[1:]...)
	return binary.BigEndian.AppendUint32(append(dst, 0), 1)
}

// replay writes turns and returns how long it took and how long each commit did. With get each row is read before it is written.
func (c *ceiling) replay(ctx context.Context, turns []turn, get bool) (took time.Duration, commits []time.Duration, err error) {
	began := time.Now()
	key := make([]byte, 0, ceilingKeyBytes)
	for n, t := range turns {
		b := c.db.NewBatch()
		for _, row := range c.choose(t) {
			key = ceilingKey(key[:0], row)
			if get {
				if err := c.read(key); err != nil {
					return 0, nil, errors.Join(err, b.Close())
				}
			}
			binary.BigEndian.PutUint64(c.value, c.draw.Uint64())
			if err := b.Set(key, c.value, nil); err != nil {
				return 0, nil, errors.Join(err, b.Close())
			}
		}
		position := binary.BigEndian.AppendUint64(nil, uint64(n))
		err := b.Set([]byte{0xFF, 0xFF, 'p'}, position, nil)
		before := time.Now()
		if err = errors.Join(err, b.Commit(c.write), b.Close(), ctx.Err()); err != nil {
			return 0, nil, err
		}
		commits = append(commits, time.Since(before))
	}
	return time.Since(began), commits, nil
}

func (c *ceiling) read(key []byte) error {
	_, closer, err := c.db.Get(key)
	if err != nil {
		return fmt.Errorf("the ceiling's row %x cannot be read: %w", key, err)
	}
	return closer.Close()
}

// choose returns the rows of a turn in the order of their numbers: those of as many draws as it had events, each once.
func (c *ceiling) choose(t turn) []int {
	c.rows = c.rows[:0]
	if c.inOrder != nil {
		for range min(t.rows, len(c.inOrder)) {
			c.rows = append(c.rows, c.inOrder[c.at%len(c.inOrder)])
			c.at++
		}
		return c.rows
	}
	for range t.events {
		c.rows = append(c.rows, c.draw.IntN(c.span))
	}
	slices.SortFunc(c.rows, func(a, b int) int {
		if x, y := uint32(a)*2654435761>>24, uint32(b)*2654435761>>24; x != y {
			return int(x) - int(y)
		}
		return a - b
	})
	c.rows = slices.Compact(c.rows)
	return c.rows
}

// settle waits until Pebble's own work is done, so that it is not counted to whoever comes next.
func (c *ceiling) settle(ctx context.Context) {
	settle(ctx, func() bool { m := c.db.Metrics(); return m.Compact.NumInProgress > 0 || m.Flush.NumInProgress > 0 })
}

// settle waits, a minute at most, until a store rests.
func settle(ctx context.Context, busy func() bool) {
	for limit := time.Now().Add(time.Minute); busy() && ctx.Err() == nil && time.Now().Before(limit); {
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *ceiling) close() error { return c.db.Close() }

type silent struct{}

func (silent) Infof(string, ...any)      {}
func (silent) Errorf(string, ...any)     {}
func (silent) Fatalf(f string, a ...any) { panic("pebble: " + fmt.Sprintf(f, a...)) }
