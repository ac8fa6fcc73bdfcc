package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/clock"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/metadata"
	metapebble "github.com/weftbox/weftbox/metadata/pebble"
)

const (
	benchThreads  = 20_000
	benchMessages = 1_000
)

// benchFeed is a bus without a network: a turn finds benchMessages events in it.
type benchFeed struct {
	records []messagebus.Record
	ready   chan struct{}
}

func (f *benchFeed) Name() string           { return "bench" }
func (f *benchFeed) Seek(uint64) error      { return nil }
func (f *benchFeed) Ready() <-chan struct{} { return f.ready }
func (f *benchFeed) Commit(uint64) error    { return nil }
func (f *benchFeed) Close() error           { return nil }
func (f *benchFeed) Poll(int, int) ([]messagebus.Record, error) {
	records := f.records
	f.records = nil
	return records, nil
}

func (f *benchFeed) load(draw *rand.Rand) {
	for range benchMessages {
		f.add(fmt.Sprintf("user-%05d", draw.IntN(benchThreads)))
	}
}

func (f *benchFeed) add(user string) {
	e := &activity.Event{Type: "hit", Attrs: map[string]any{"user": user}}
	f.records = append(f.records, messagebus.Record{Source: "bench", Incoming: messagebus.Incoming{Event: e}})
}

func benchEngine(b *testing.B) (*Engine, *benchFeed, *store.Store, uint32) {
	meta, err := metapebble.Open("meta", metapebble.Options{FS: vfs.NewMem()})
	if err != nil {
		b.Fatal(err)
	}
	builtin, service := activity.Specs()
	now := clock.NewManual(startMs)
	cache, err := metadata.NewCache(context.Background(), meta, metadata.Options{Specs: builtin, Service: service, NowMs: now.NowMs})
	if err != nil {
		b.Fatal(err)
	}
	r := &rig{t: b, cache: cache}
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	number := r.flow(counterFlow)
	s, err := store.Open(b.TempDir(), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	feed := &benchFeed{ready: make(chan struct{})}
	e, err := New(Options{Store: s, Clock: now, Metadata: cache.Load, Consumers: []messagebus.Consumer{feed},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Fatal: func(err error) { b.Fatal(err) }})
	if err != nil {
		b.Fatal(err)
	}
	for i := range benchThreads {
		if feed.add(fmt.Sprintf("user-%05d", i)); len(feed.records) == 4000 {
			e.Turn()
		}
	}
	return e, feed, s, number
}

// BenchmarkTurn1000Hot is a turn of 1,000 events to 20,000 waiting threads, with one sync, beside the ceiling: rows of the same sizes written
// bare to Pebble with one sync. Both print messages/s; share is the turn's part of the ceiling in the same run.
func BenchmarkTurn1000Hot(b *testing.B) {
	e, feed, s, number := benchEngine(b)
	draw := rand.New(rand.NewPCG(1, 2))
	th, err := e.Thread(activity.ID{Activity: number, Domain: "user-00001"}, 0)
	if err != nil || th.Status != activity.Waiting {
		b.Fatalf("the bench has no waiting thread: %v %v", th.Status, err)
	}
	row := s.NewBatch()
	row.Begin(1)
	row.PutThread(&th)
	size := row.Len()
	row.Close()
	bare := bareStore(b)
	turn, ceiling := 0.0, 0.0
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		feed.load(draw)
		ceiling += bare(draw, size)
		b.StartTimer()
		e.Turn()
	}
	turn = b.Elapsed().Seconds()
	n := float64(b.N) * benchMessages
	b.ReportMetric(n/turn, "messages/s")
	b.ReportMetric(n/ceiling, "ceiling/s")
	b.ReportMetric(100*ceiling/turn, "%share")
	b.ReportMetric(float64(size), "B/row")
}

// bareStore returns a function that writes benchMessages rows of a size to a Pebble of its own with one sync and says how many seconds it took.
func bareStore(b *testing.B) func(draw *rand.Rand, size int) float64 {
	db, err := pebble.Open(b.TempDir(), &pebble.Options{FormatMajorVersion: pebble.FormatNewest, MemTableSize: 32 << 20, Logger: quiet{}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	return func(draw *rand.Rand, size int) float64 {
		began := time.Now()
		batch := db.NewBatch()
		key, value := make([]byte, 18), make([]byte, max(8, size-18))
		for range benchMessages {
			binary.BigEndian.PutUint64(key[10:], uint64(draw.IntN(benchThreads)))
			binary.BigEndian.PutUint64(value, draw.Uint64())
			if err := batch.Set(key, value, nil); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Commit(pebble.Sync); err != nil {
			b.Fatal(err)
		}
		return time.Since(began).Seconds()
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)      {}
func (quiet) Errorf(string, ...any)     {}
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
