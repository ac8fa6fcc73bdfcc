package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/internal/durable"
)

// candidates are the ways in which docs/decisions/0001-comparer.md looked for the live threads of a domain.
var candidates = []struct {
	name     string
	comparer *pebble.Comparer
	look     func(it *pebble.Iterator, slot uint16, domain string, key, end []byte) (found int)
}{
	{"own_prefix", comparer, lookPrefix},
	{"default_range", pebble.DefaultComparer, lookRange},
	{"default_5_keys", pebble.DefaultComparer, lookKeys},
}

func lookPrefix(it *pebble.Iterator, slot uint16, domain string, key, _ []byte) (found int) {
	for ok := it.SeekPrefixGE(appendDomainPrefix(key, slot, letterThread, domain)); ok; ok = it.Next() {
		found++
	}
	return found
}

func lookRange(it *pebble.Iterator, slot uint16, domain string, key, end []byte) (found int) {
	key = appendDomainPrefix(key, slot, letterThread, domain)
	it.SetBounds(key, appendEnd(end, key))
	for ok := it.First(); ok; ok = it.Next() {
		found++
	}
	return found
}

func lookKeys(it *pebble.Iterator, slot uint16, domain string, key, _ []byte) (found int) {
	key = appendDomainPrefix(key, slot, letterThread, domain)
	for number := uint32(1); number <= 5; number++ {
		if it.SeekPrefixGE(appendU32(key[:len(key):cap(key)], number)) {
			found++
		}
	}
	return found
}

// fillCold makes a store of threads, each with its alarm and membership, settled but for the last ones, and reopens it with a cold
// cache of cacheBytes.
func fillCold(t testing.TB, fs vfs.FS, dir string, c *pebble.Comparer, threads int, cacheBytes int64) *pebble.DB {
	t.Helper()
	options := func() *pebble.Options {
		o := pebbleOptions(fs, Options{MemTableBytes: 4 << 20, CacheBytes: cacheBytes, Logger: durable.ErrorLogger{Out: os.Stderr, Name: "store"}})
		o.Comparer = c
		return o
	}
	db, err := pebble.Open(dir, options())
	if err != nil {
		t.Fatal(err)
	}
	batch := db.NewBatch()
	for i := range threads {
		th := couponThread(i)
		slot := uint16(i % 256)
		value, err := appendThread(nil, &th)
		if err != nil {
			t.Fatal(err)
		}
		batch.Set(appendIDPrefix(nil, slot, letterThread, th.ID), value, nil)
		batch.Set(appendAlarmKey(nil, slot, th.ID, th.Run, th.Alarm), nil, nil)
		batch.Set(appendText(appendMemberPrefix(nil, slot, th.ID.Activity), th.ID.Domain), nil, nil)
		if i%5000 == 4999 || i == threads-1 {
			if err := db.Apply(batch, pebble.NoSync); err != nil {
				t.Fatal(err)
			}
			batch.Reset()
		}
		if i == threads*9/10 {
			if err := db.Compact(t.Context(), []byte{0}, []byte{0xFF, 0xFF, 0xFF}, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = pebble.Open(dir, options()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// loaded returns how many bytes of blocks an iterator read from disk.
func loaded(it *pebble.Iterator) uint64 {
	s := it.Stats().InternalStats
	return s.BlockBytes - s.BlockBytesInCache
}

// BenchmarkColdAbsentDomain looks for domains without a thread in a store of 1 M threads on disk, with a cache of 8 MiB that is cold at
// the start. The first 2,000 look-ups are in the figures.
func BenchmarkColdAbsentDomain(b *testing.B) {
	for _, c := range candidates {
		b.Run(c.name, func(b *testing.B) {
			db := fillCold(b, vfs.Default, b.TempDir(), c.comparer, 1_000_000, 8<<20)
			for _, kind := range []string{"absent", "present"} {
				b.Run(kind, func(b *testing.B) {
					it, err := db.NewIter(&prefixOptions)
					if err != nil {
						b.Fatal(err)
					}
					defer it.Close()
					rng := rand.New(rand.NewPCG(1, 2))
					key, end := make([]byte, 0, 64), make([]byte, 0, 64)
					for b.Loop() {
						i := rng.IntN(1_000_000)
						name := fmt.Sprintf("%d_9999", 10000+i)
						if kind == "present" {
							name = couponThread(i).ID.Domain
						}
						if c.look(it, uint16(i%256), name, key, end) > 0 != (kind == "present") {
							b.Fatalf("domain %s: found = %v", name, kind != "present")
						}
					}
					b.ReportMetric(float64(loaded(it))/float64(b.N), "diskB/op")
					b.ReportMetric(float64(db.Metrics().DiskSpaceUsage())/1_000_000, "storeB/thread")
				})
			}
		})
	}
}

// Absent domains must be answered by the filters: what is read from disk is the filters and indexes, once.
func TestAbsentDomainReadsNoBlocks(t *testing.T) {
	const threads, looks = 30_000, 5_000
	db := fillCold(t, vfs.NewMem(), "cold", comparer, threads, 32<<20)
	it, err := db.NewIter(&prefixOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for i := range looks {
		if n := lookPrefix(it, uint16(i%256), fmt.Sprintf("%d_9999", 10000+i), nil, nil); n != 0 {
			t.Fatalf("absent domain %d: %d threads found, want 0", i, n)
		}
	}
	// The filters have 10 bits for each prefix, three prefixes a thread. The other half is for indexes, and for the one look-up of a
	// hundred whose filter is wrong. Without the filters of the last level it is twice that.
	if got, limit := loaded(it), uint64(threads*3*10/8*3); got > limit {
		t.Errorf("%d look-ups of absent domains read %d bytes of blocks, want at most %d", looks, got, limit)
	}
}

// The rules that Pebble sets for Split, on keys of all letters and on cut and lengthened ones, as separators are.
func TestSplitRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	var keys [][]byte
	for range 400 {
		domain := string([]byte{byte('a' + rng.IntN(2)), byte('a' + rng.IntN(2)), 1, 'x'}[:1+rng.IntN(4)])
		k := appendDomainPrefix(nil, uint16(rng.IntN(2)), "thbjacx"[rng.IntN(7)], domain)
		for range rng.IntN(6) {
			k = append(k, byte(rng.IntN(3)))
		}
		keys = append(keys, k[:rng.IntN(len(k))+1])
	}
	for _, a := range keys {
		pa := a[:split(a)]
		if split(pa) != len(pa) {
			t.Fatalf("Split(%x) = %d, want its whole length: it is a prefix of %x", pa, split(pa), a)
		}
		if len(pa) < len(a) && bytes.Compare(pa, a) >= 0 {
			t.Fatalf("prefix %x does not sort before its key %x", pa, a)
		}
		next := immediateSuccessor(nil, pa)
		if split(next) != len(next) || bytes.Compare(pa, next) >= 0 {
			t.Fatalf("immediate successor of %x is %x: want a greater prefix", pa, next)
		}
		for _, b := range keys {
			pb := b[:split(b)]
			if bytes.Compare(a, b) <= 0 && bytes.Compare(pa, pb) > 0 {
				t.Fatalf("keys %x <= %x, but prefixes %x > %x", a, b, pa, pb)
			}
			if bytes.Equal(pa, pb) && bytes.Compare(a, b) != bytes.Compare(a[len(pa):], b[len(pb):]) {
				t.Fatalf("keys %x and %x with the same prefix are not ordered by their suffixes", a, b)
			}
			if bytes.Compare(pa, pb) < 0 && bytes.Compare(pb, next) < 0 {
				t.Fatalf("prefix %x lies between %x and its immediate successor %x", pb, pa, next)
			}
		}
	}
}

func TestComparerNameAndMergerNameAreFixed(t *testing.T) {
	if comparer.Name != "weftbox.domain.1" || merger.Name != "weftbox.add.1" {
		t.Fatalf("names on disk are %q and %q, want weftbox.domain.1 and weftbox.add.1", comparer.Name, merger.Name)
	}
	for key, want := range map[string]int{
		"\x00\x01tab\x00\x00\x00\x00\x05":           6,
		"\x00\x01hab\x00\x00\x00\x00\x05":           6,
		"\x00\x01bab\x00\x00\x00\x00\x05":           6,
		"\x00\x01jab\x00\x00\x00\x00\x05":           6,
		"\x00\x01tab":                               5,
		"\x00\x01a\x00\x00\x00\x05ab\x00":           10,
		"\x00\x01c\x00\x00\x00\x00\x00\x00\x00":     10,
		"\x00\x00m":                                 3,
		"\x00":                                      1,
		"":                                          0,
		"\x00\x00t\x00":                             4,
		"\x00\x00d\x00\x00\x00\x01hash\x00hash\x00": 17,
	} {
		if got := split([]byte(key)); got != want {
			t.Errorf("Split(%x) = %d, want %d: it is on disk and must not change", key, got, want)
		}
	}
}
