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

// ceiling is what the disk and Pebble allow: a store of its own with as many threads as the engine's, into which turns of the same sizes are
// written with nothing else done: for each thread touched its row, as many other keys as the engine writes for it, and together as many bytes,
// sorted, one position row a turn, each turn with one commit of the same durability. Of the other keys half are new, and half are the oldest
// of these that are deleted, as it is with alarms and requests.
type ceiling struct {
	db      *pebble.DB
	write   *pebble.WriteOptions
	value   []byte
	draw    *rand.Rand
	span    int   // rows that turns write, from the first
	inOrder []int // instead of drawing: all rows, in the order of their keys
	at      int   // place in it
	rows    []int // scratch

	others  float64 // keys besides the row of a thread
	owed    float64 // of them not written yet, less than one
	odd     int     // 1: of those written last one more was new than deleted
	put     [256]uint64
	deleted [256]uint64
}

const (
	ceilingKeyBytes    = 16 // slot 2, letter 1, domain 8, end 1, activity 4
	ceilingRecordBytes = 3  // of a batch, on top of key and value
)

// openCeiling fills a store with the rows of all threads.
func openCeiling(ctx context.Context, dir string, o *Options, s *scenario, row rowSize) (*ceiling, error) {
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
	c := &ceiling{db: db, write: pebble.Sync, draw: rand.New(rand.NewPCG(o.Seed, 8)), span: o.Hot, value: make([]byte, row.valueBytes()), others: max(0, row.keys-1)}
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

// valueBytes makes keys and values of a thread's rows take its bytes; keys that are deleted have no value.
func (r rowSize) valueBytes() int {
	others := max(0, r.keys-1)
	return max(8, int((r.bytes-(1+others)*(ceilingKeyBytes+ceilingRecordBytes))/(1+others/2)))
}

func ceilingSlot(row int) uint16 { return uint16(uint32(row) * 2654435761 >> 24) }

// otherKey is the nth key of a slot that is no thread's row; it lies before those.
func otherKey(dst []byte, slot uint16, n uint64) []byte {
	dst = append(binary.BigEndian.AppendUint16(dst, slot), 'c')
	return append(binary.BigEndian.AppendUint64(dst, n), "other"...)
}

// writeOthers writes the other keys of a slot of which so many threads are touched, in order: what is deleted is older than what is new.
func (c *ceiling) writeOthers(b *pebble.Batch, key []byte, slot uint16, threads int) error {
	c.owed += c.others * float64(threads)
	n := int(c.owed)
	c.owed -= float64(n)
	old := min(uint64(n+c.odd)/2, c.put[slot]-c.deleted[slot])
	c.odd = (c.odd + n) % 2
	for i := range uint64(n) {
		var err error
		if i < old {
			err = b.Delete(otherKey(key, slot, c.deleted[slot]), nil)
			c.deleted[slot]++
		} else {
			binary.BigEndian.PutUint64(c.value, c.draw.Uint64())
			err = b.Set(otherKey(key, slot, c.put[slot]), c.value, nil)
			c.put[slot]++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ceilingKey spreads the rows over 256 slots, as domain ids are.
func ceilingKey(dst []byte, row int) []byte {
	dst = append(binary.BigEndian.AppendUint16(dst, ceilingSlot(row)), 't')
	dst = append(dst, hitDomain(hit{user: uint32(row)})[1:]...)
	return binary.BigEndian.AppendUint32(append(dst, 0), 1)
}

// replay writes turns and returns how long it took and how long each commit did. With get each row is read before it is written.
func (c *ceiling) replay(ctx context.Context, turns []turn, get bool) (took time.Duration, commits []time.Duration, err error) {
	began := time.Now()
	key := make([]byte, 0, ceilingKeyBytes)
	for n, t := range turns {
		b := c.db.NewBatch()
		rows := c.choose(t)
		for i, row := range rows {
			if i == 0 || ceilingSlot(row) != ceilingSlot(rows[i-1]) {
				end := i + 1
				for end < len(rows) && ceilingSlot(rows[end]) == ceilingSlot(row) {
					end++
				}
				if err := c.writeOthers(b, key[:0], ceilingSlot(row), end-i); err != nil {
					return 0, nil, errors.Join(err, b.Close())
				}
			}
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
		if x, y := ceilingSlot(a), ceilingSlot(b); x != y {
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
