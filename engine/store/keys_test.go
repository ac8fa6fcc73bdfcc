package store

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

// The keys are law: these bytes are on disk.
func TestKeyBytesAreFixed(t *testing.T) {
	d := id(0x01020304, "ab")
	for want, key := range map[string][]byte{
		"0102 6d":                                         appendHead(nil, 0x0102, letterMeta),
		"0102 74 616200":                                  appendDomainPrefix(nil, 0x0102, letterThread, "ab"),
		"0102 74 616200 01020304":                         appendIDPrefix(nil, 0x0102, letterThread, d),
		"0102 68 616200 01020304":                         appendIDPrefix(nil, 0x0102, letterEnded, d),
		"0102 62 616200 01020304":                         appendIDPrefix(nil, 0x0102, letterMail, d),
		"0102 61 01020304":                                appendMemberPrefix(nil, 0x0102, 0x01020304),
		"0102 6e 00000007 763100 7700 02":                 appendCounterKey(nil, 0x0102, 7, Counter{Version: "v1", Action: "w", Status: activity.Waiting}),
		"0102 76 00000007 763100 7700 01 0002 74616b656e": appendVerdictKey(nil, 0x0102, 7, VerdictCount{Version: "v1", Action: "w", Sort: SortEvent, Clause: 2, Verdict: activity.VerdictTaken}),
		"0102 6a 616200 01020304 0000000000000005":        appendLinePrefix(nil, 0x0102, d, 5),
		"0102 6b 0000000000000005":                        appendJobKey(nil, 0x0102, 5),
		"0102 64 00000064":                                appendDayPrefix(nil, 0x0102, 100),
		"0102 6f 01 00000009":                             appendOutboxPrefix(nil, 0x0102, 9),
		"0102 72 0000000000010002":                        appendRequestKey(nil, 0x0102, 1<<16|2),
		"0102 78 0000000000000005 0000000000000006":       appendDeadKey(nil, 0x0102, 5, 6),
		"0102 63 0000000000000003 616200 01020304 0000000000000004 0000000000000005 01 0203": appendAlarmKey(nil, 0x0102, d, 4,
			activity.AlarmRow{DueMs: 3, Visit: 5, Kind: activity.AlarmAction, N: 0x0203}),
	} {
		if got := hex.EncodeToString(key); got != strings.ReplaceAll(want, " ", "") {
			t.Errorf("the key is %s, want %s", got, want)
		}
	}
}

// Keys sort as what they are made of: first the due time, then the domain by its bytes, then the numbers.
func TestKeyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	domains := []string{"a", "a\x01kid", "a ", "aa", "b", "小", "小明", "\x7f", strings.Repeat("x", 512)}
	number := func() uint64 { return []uint64{0, 1, 255, 256, 1 << 40, 1<<63 - 1}[rng.IntN(6)] }
	draw := func() (activity.ID, uint64, activity.AlarmRow) {
		return id(uint32(number()), domains[rng.IntN(len(domains))]), number(),
			activity.AlarmRow{DueMs: int64(number()), Visit: number(), Kind: activity.AlarmKind(rng.IntN(3)), N: uint16(number())}
	}
	for range 20_000 {
		i, run, a := draw()
		j, run2, b := draw()
		sameID := cmp.Or(cmp.Compare(i.Domain, j.Domain), cmp.Compare(i.Activity, j.Activity))
		want := cmp.Or(cmp.Compare(a.DueMs, b.DueMs), sameID, cmp.Compare(run, run2), cmp.Compare(a.Visit, b.Visit), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.N, b.N))
		if got := bytes.Compare(appendAlarmKey(nil, 1, i, run, a), appendAlarmKey(nil, 1, j, run2, b)); got != want {
			t.Fatalf("alarm keys of (%v, %d, %v) and (%v, %d, %v) compare %d, want %d", i, run, a, j, run2, b, got, want)
		}
		if got := bytes.Compare(appendIDPrefix(nil, 1, letterThread, i), appendIDPrefix(nil, 1, letterThread, j)); got != sameID {
			t.Fatalf("thread keys of %v and %v compare %d, want %d", i, j, got, sameID)
		}
		if p := appendDomainPrefix(nil, 1, letterThread, i.Domain); i.Domain != j.Domain && bytes.HasPrefix(appendIDPrefix(nil, 1, letterThread, j), p) {
			t.Fatalf("the key of %v begins with the prefix of %q", j, i.Domain)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("a\x00b", uint32(1), int64(5), []byte("\x00\x01t"))
	f.Fuzz(func(t *testing.T, domain string, number uint32, due int64, raw []byte) {
		describeKey(raw)
		if strings.Contains(domain, "\xC0\x80") {
			return
		}
		d := id(number, domain)
		r := keyReader{rest: appendAlarmKey(nil, 7, d, 1, activity.AlarmRow{DueMs: due, Visit: 2, Kind: 3, N: 4})[3:]}
		if got := r.ms(); got != max(due, 0) {
			t.Fatalf("due %d came back as %d", due, got)
		}
		if got := (activity.ID{Domain: r.text(), Activity: r.u32()}); got != d {
			t.Fatalf("%+v came back as %+v", d, got)
		}
		if r.u64() != 1 || r.u64() != 2 || r.u8() != 3 || r.u16() != 4 || !r.done() {
			t.Fatal("run, visit, kind and n came back changed")
		}
		key := appendIDPrefix(nil, 7, letterThread, d)
		if n := split(key); n != len(key)-4 {
			t.Fatalf("Split of %x is %d, want all but the activity", key, n)
		}
		if end := appendEnd(nil, key); bytes.Compare(key, end) >= 0 || bytes.HasPrefix(end, key) {
			t.Fatalf("the end of %x is %x, want a key behind all that begin with it", key, end)
		}
	})
}

// Readers, a writer and Close at once: every read sees whole batches, and Close leaves no iterator behind (Pebble would panic).
func TestReadersBesideAWriter(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4, Durability: Relaxed, MemTableBytes: 64 << 10})
	l := &ledger{s: s, pad: strings.Repeat("x", 300)}
	var readers sync.WaitGroup
	for r := range 4 {
		readers.Go(func() {
			last := uint64(0)
			for {
				threads, err := s.LiveThreads(uint16(r%2), "d", nil)
				if err != nil {
					if err != errClosed {
						t.Errorf("a read failed with %v", err)
					}
					return
				}
				for _, th := range threads {
					if th.Run != threads[0].Run || len(threads) != 5 || th.Run < last {
						t.Errorf("a read after batch %d saw %+v, want five threads of one later batch", last, threads)
						return
					}
					last = th.Run
				}
				if _, err := s.OutboxHead(0); err != nil && err != errClosed {
					t.Errorf("a read failed with %v", err)
				}
			}
		})
	}
	for range 300 {
		if err := l.commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close beside readers: %v", err)
	}
	readers.Wait()
}
