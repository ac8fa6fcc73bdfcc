package store

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
)

// couponThread is a thread that waits in the coupon story: two visits within an hour, an alarm ten days after the last one.
func couponThread(i int) activity.Thread {
	const born, hour, day = 1_794_000_000_000, 3_600_000, 24 * 3_600_000
	user, goods := int64(10000+i), int64(2000+i%1000)
	due := int64(born + hour + 10*day)
	return activity.Thread{
		ID:      activity.ID{Activity: 3, Domain: fmt.Sprintf("%d_%d", user, goods)},
		Status:  activity.Waiting,
		Version: "0.1", Action: "waiting_visit_event",
		Vars: expr.Vars{{Name: "user_id", Value: user}, {Name: "goods_id", Value: goods}, {Name: "goods_title", Value: "PS4"}, {Name: "visit_count", Value: int64(2)}},
		Run:  uint64(40000 + i), Visit: 3,
		Alarm:    activity.AlarmRow{DueMs: due, Visit: 3, Kind: activity.AlarmAction},
		AlarmDue: due, AlarmKind: activity.AlarmAction,
		CreatedMs: born, UpdatedMs: born + hour,
	}
}

func benchStore(b *testing.B, threads int) (*Store, []activity.Thread) {
	b.Helper()
	s, err := Open("bench", Options{FS: vfs.NewMem(), Slots: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	all := make([]activity.Thread, threads)
	batch := s.NewBatch()
	for i := range all {
		all[i] = couponThread(i)
		batch.Begin(0)
		batch.PutThread(&all[i])
		if i%1000 == 999 {
			if err := batch.Commit(); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := batch.Commit(); err != nil {
		b.Fatal(err)
	}
	if err := s.db.Compact(b.Context(), []byte{0}, []byte{0xFF, 0xFF, 0xFF}, false); err != nil {
		b.Fatal(err)
	}
	batch.Close()
	return s, all
}

// One operation is a turn that rewrites 1,000 threads.
func BenchmarkRewrite1000(b *testing.B) {
	s, all := benchStore(b, 20_000)
	batch := s.NewBatch()
	defer batch.Close()
	b.ReportAllocs()
	at := 0
	for b.Loop() {
		batch.Begin(0)
		for range 1000 {
			t := &all[at%len(all)]
			at += 7
			t.Visit++
			batch.PutThread(t)
		}
		if err := batch.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLiveThreads(b *testing.B) {
	s, all := benchStore(b, 200_000)
	for _, c := range []struct {
		name   string
		domain func(i int) string
	}{
		{"hit", func(i int) string { return all[i*7919%len(all)].ID.Domain }},
		{"miss", func(i int) string { return fmt.Sprintf("%d_absent", i*7919%len(all)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var out []activity.Thread
			var err error
			i := 0
			for b.Loop() {
				i++
				if out, err = s.LiveThreads(0, c.domain(i), out[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeThread(b *testing.B) {
	t := couponThread(1)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = appendThread(dst[:0], &t)
	}
}

func BenchmarkDecodeThread(b *testing.B) {
	t := couponThread(1)
	value, err := appendThread(nil, &t)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		out := activity.Thread{}
		if err := decodeThread(string(value), &out); err != nil {
			b.Fatal(err)
		}
	}
}
