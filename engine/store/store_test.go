package store

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

func openTest(t testing.TB, fs vfs.FS, o Options) *Store {
	t.Helper()
	o.FS = fs
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 1 << 20
	}
	s, err := Open("store", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// write commits what fill writes into a slot.
func write(t testing.TB, s *Store, slot uint16, fill func(b *Batch)) {
	t.Helper()
	b := s.NewBatch()
	defer b.Close()
	b.Begin(slot)
	fill(b)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

// must returns v and ends the test on an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func id(number uint32, domain string) activity.ID {
	return activity.ID{Activity: number, Domain: domain}
}

func expect(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %+v, want %+v", what, got, want)
	}
}

func TestThreads(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4})
	th := func(number uint32, domain string) activity.Thread {
		c := couponThread(int(number))
		c.ID = id(number, domain)
		return c
	}
	// Neighbours of the domain in the order of keys: a prefix of it, a child of it, one that it is a prefix of, and another slot.
	all := []activity.Thread{th(3, "u1"), th(70000, "u1"), th(1, "u1"), th(1, "u"), th(1, "u1\x01kid"), th(1, "u10"), th(1, "u1 ")}
	write(t, s, 2, func(b *Batch) {
		for i := range all {
			b.PutThread(&all[i])
		}
		b.Begin(3)
		other := th(9, "u1")
		b.PutThread(&other)
	})
	for range 2 { // the second time on a kept iterator
		got := must(s.LiveThreads(2, "u1", []activity.Thread{{Version: "kept"}}))(t)
		expect(t, "threads of u1", got, []activity.Thread{{Version: "kept"}, all[2], all[0], all[1]})
		expect(t, "threads of an absent domain", must(s.LiveThreads(2, "u2", nil))(t), []activity.Thread(nil))
		expect(t, "threads in another slot", len(must(s.LiveThreads(1, "u1", nil))(t)), 0)
		expect(t, "thread", must(s.Thread(2, id(1, "u1\x01kid")))(t), all[4])
		expect(t, "absent thread", must(s.Thread(2, id(2, "u1")))(t), activity.Thread{})
	}
	write(t, s, 2, func(b *Batch) { b.DeleteThread(all[0].ID) })
	expect(t, "threads after a delete", must(s.LiveThreads(2, "u1", nil))(t), []activity.Thread{all[2], all[1]})
}

func TestEnded(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	var runs []activity.Thread
	write(t, s, 0, func(b *Batch) {
		for _, run := range []uint64{7, 300, 40} {
			e := activity.Thread{ID: id(2, "d"), Run: run, Status: activity.Finished, EndedMs: int64(run)}
			b.PutEnded(&e)
			runs = append(runs, e)
		}
		b.PutEnded(&activity.Thread{ID: id(3, "d"), Run: 999, Status: activity.Failed})
	})
	expect(t, "last run", must(s.Ended(0, id(2, "d"), 0))(t), runs[1])
	expect(t, "run 40", must(s.Ended(0, id(2, "d"), 40))(t), runs[2])
	expect(t, "run 41", must(s.Ended(0, id(2, "d"), 41))(t), activity.Thread{})
	expect(t, "last run of nobody", must(s.Ended(0, id(1, "d"), 0))(t), activity.Thread{})
	write(t, s, 0, func(b *Batch) { b.DeleteEnded(id(2, "d"), 300) })
	expect(t, "last run after a delete", must(s.Ended(0, id(2, "d"), 0))(t), runs[2])
}

func TestMembers(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 2})
	domains := []string{"a", "a\x01kid", "a0", "aa", "b", "小明_PS4"}
	write(t, s, 1, func(b *Batch) {
		for _, d := range domains {
			b.PutMember(id(math.MaxUint32, d))
		}
		b.PutMember(id(5, "x"))
		b.PutMember(id(5, "gone"))
	})
	write(t, s, 1, func(b *Batch) { b.DeleteMember(id(5, "gone")) })
	expect(t, "all members", must(s.Members(1, math.MaxUint32, "", 100))(t), domains)
	expect(t, "members of 5", must(s.Members(1, 5, "", 100))(t), []string{"x"})
	var paged []string
	for after := ""; ; {
		page := must(s.Members(1, math.MaxUint32, after, 2))(t)
		if paged = append(paged, page...); len(page) < 2 {
			break
		}
		after = page[len(page)-1]
	}
	expect(t, "members by pages", paged, domains)
	expect(t, "members, limit 0", len(must(s.Members(1, 5, "", 0))(t)), 0)
}

func TestAlarms(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 2})
	var want []DueAlarm
	write(t, s, 0, func(b *Batch) {
		for i := range 10 {
			row := activity.AlarmRow{DueMs: int64(1000 + i/2), Visit: 3, Kind: activity.AlarmYield, N: uint16(i)}
			b.PutAlarm(id(8, "d"), 4, row)
			want = append(want, DueAlarm{id(8, "d"), activity.Alarm{Kind: row.Kind, DueMs: row.DueMs, Run: 4, Visit: 3, N: row.N}})
		}
		b.Begin(1)
		b.PutAlarm(id(1, "d"), 1, activity.AlarmRow{DueMs: 1})
	})
	expect(t, "all due", must(s.Due(0, 0, 5000, 100, nil))(t), want)
	expect(t, "due from the cursor until now", must(s.Due(0, 1001, 1002, 100, nil))(t), want[2:6])
	expect(t, "due, limited", must(s.Due(0, 1001, 1002, 3, want[:1:1]))(t), []DueAlarm{want[0], want[2], want[3], want[4]})
	expect(t, "due before", len(must(s.Due(0, 0, 999, 100, nil))(t)), 0)
	for cursor, due := range map[int64]int64{0: 1000, 1000: 1000, 1001: 1001, 1004: 1004} {
		if got, ok, err := s.NextDue(0, cursor); got != due || !ok || err != nil {
			t.Errorf("NextDue from %d = %d, %v, %v, want %d", cursor, got, ok, err, due)
		}
	}
	if _, ok, err := s.NextDue(0, 1005); ok || err != nil {
		t.Errorf("NextDue from 1005: ok %v, %v, want none", ok, err)
	}
	write(t, s, 0, func(b *Batch) {
		for _, w := range want[:9] {
			b.DeleteAlarm(w.ID, w.Alarm.Run, activity.AlarmRow{DueMs: w.Alarm.DueMs, Visit: w.Alarm.Visit, Kind: w.Alarm.Kind, N: w.Alarm.N})
		}
	})
	expect(t, "what is left", must(s.Due(0, 0, 5000, 100, nil))(t), want[9:])
}

func TestAlarmReadsStartAtTheCursor(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	write(t, s, 0, func(b *Batch) {
		for i := range 5000 {
			b.PutAlarm(id(1, fmt.Sprint(i)), 1, activity.AlarmRow{DueMs: int64(i)})
		}
	})
	before := s.Usage().KeysRead
	if due, ok, err := s.NextDue(0, 4990); due != 4990 || !ok || err != nil {
		t.Fatalf("NextDue = %d, %v, %v, want 4990", due, ok, err)
	}
	must(s.Due(0, 4990, 9999, 3, nil))(t)
	if read := s.Usage().KeysRead - before; read != 4 {
		t.Errorf("NextDue and Due of three rows visited %d keys, want 4", read)
	}
}

func TestOutbox(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	row := func(destination uint32, seq uint64) Outbox {
		return Outbox{Slot: 0, Destination: destination, Seq: seq, Service: "coupon", Body: []byte(strings.Repeat("x", 100))}
	}
	write(t, s, 0, func(b *Batch) {
		for _, d := range []uint32{9, 1, math.MaxInt32, ToSlot(7), ToSlot(math.MaxUint16 - 1)} {
			for seq := range uint64(4) {
				o := row(d, seq<<16)
				b.PutOutbox(&o)
			}
		}
	})
	before := s.Usage().KeysRead
	expect(t, "heads", must(s.OutboxHead(0))(t), []uint32{1, 9, math.MaxInt32, ToSlot(7), ToSlot(math.MaxUint16 - 1)})
	if read := s.Usage().KeysRead - before; read != 5 {
		t.Errorf("OutboxHead of five destinations visited %d keys, want 5", read)
	}
	seqs := func(after uint64, limit, maxBytes int) (out []uint64) {
		for _, o := range must(s.OutboxRows(0, 9, after, limit, maxBytes, nil))(t) {
			expect(t, "row", o, row(9, o.Seq))
			out = append(out, o.Seq)
		}
		return out
	}
	expect(t, "rows after 0", seqs(0, 100, 1<<20), []uint64{1 << 16, 2 << 16, 3 << 16})
	expect(t, "two rows", seqs(0, 2, 1<<20), []uint64{1 << 16, 2 << 16})
	expect(t, "rows of 200 bytes", seqs(0, 100, 200), []uint64{1 << 16, 2 << 16})
	expect(t, "rows of 199 bytes", seqs(0, 100, 199), []uint64{1 << 16})
	expect(t, "one row however large", seqs(0, 100, 0), []uint64{1 << 16})
	expect(t, "rows after the last number", seqs(math.MaxUint64, 100, 1<<20), []uint64(nil))
	write(t, s, 0, func(b *Batch) {
		for seq := range uint64(4) {
			b.DeleteOutbox(9, seq<<16)
		}
	})
	expect(t, "heads after a delete", must(s.OutboxHead(0))(t), []uint32{1, math.MaxInt32, ToSlot(7), ToSlot(math.MaxUint16 - 1)})
	mail := Outbox{Destination: ToSlot(7), Seq: 5 << 16, Body: []byte("m"), To: activity.ID{Activity: 3, Domain: "d"}}
	write(t, s, 0, func(b *Batch) { b.PutOutbox(&mail) })
	expect(t, "rows to a slot after the first four", must(s.OutboxRows(0, ToSlot(7), 4<<16, 9, 1<<20, nil))(t), []Outbox{mail})
}

func TestRequestsKeysAndPositions(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 2})
	request := Request{ID: id(3, "d"), Run: 4, Visit: 5, Action: "coupon"}
	key := Key{Day: 100, Hash: [16]byte{1, 0, 2}, Body: 77}
	write(t, s, 1, func(b *Batch) {
		b.PutRequest(8, request)
		b.PutKey(key)
		b.PutHighWater("kafka/a", 12)
		b.Begin(NodeSlot)
		b.PutPosition("kafka/a", 0)
	})
	if r, ok, err := s.OpenRequest(1, 8); r != request || !ok || err != nil {
		t.Errorf("OpenRequest = %+v, %v, %v, want %+v", r, ok, err, request)
	}
	if _, ok, err := s.OpenRequest(0, 8); ok || err != nil {
		t.Errorf("OpenRequest in another slot: %v, %v, want none", ok, err)
	}
	for day, known := range map[uint32]bool{99: false, 100: true, 101: true, 102: false, 0: false} {
		body, ok, err := s.KnownKey(1, Key{Day: day, Hash: key.Hash})
		if ok != known || err != nil || known && body != 77 {
			t.Errorf("KnownKey on day %d = %d, %v, %v, want known %v", day, body, ok, err, known)
		}
	}
	expect(t, "high-water", must(s.HighWater(1, "kafka/a"))(t), uint64(12))
	expect(t, "high-water of a longer name", must(s.HighWater(1, "kafka/a1"))(t), uint64(0))
	if next, ok, err := s.Position("kafka/a"); next != 0 || !ok || err != nil {
		t.Errorf("Position = %d, %v, %v, want 0, true", next, ok, err)
	}
	if _, ok, err := s.Position("kafka/b"); ok || err != nil {
		t.Errorf("Position of an unknown source: %v, %v, want none", ok, err)
	}
	write(t, s, 1, func(b *Batch) { b.DeleteRequest(8); b.DropKeys(100) })
	if _, ok, _ := s.OpenRequest(1, 8); ok {
		t.Error("the request is open after it was closed")
	}
	if _, ok, _ := s.KnownKey(1, key); !ok {
		t.Error("DropKeys(100) dropped day 100, want only the days before")
	}
	write(t, s, 1, func(b *Batch) { b.DropKeys(101) })
	if _, ok, _ := s.KnownKey(1, key); ok {
		t.Error("DropKeys(101) kept day 100")
	}
}

func TestMail(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	var want []Mail
	write(t, s, 0, func(b *Batch) {
		for i, m := range messages() {
			want = append(want, Mail{N: uint64(i * 300), Message: m})
		}
		for _, m := range slices.Backward(want) {
			b.PutMail(id(4, "d"), m)
		}
		b.PutMail(id(3, "d"), want[3])
		b.PutMail(id(5, "d"), want[3])
	})
	expect(t, "mail", must(s.MailOf(0, id(4, "d"), 100))(t), want)
	expect(t, "mail, limited", must(s.MailOf(0, id(4, "d"), 2))(t), want[:2])
	expect(t, "mail of nobody", len(must(s.MailOf(0, id(4, "e"), 2))(t)), 0)
	write(t, s, 0, func(b *Batch) { b.DeleteMail(id(4, "d"), 300) })
	expect(t, "mail after a delete", must(s.MailOf(0, id(4, "d"), 2))(t), []Mail{want[0], want[2]})
	write(t, s, 0, func(b *Batch) { b.DeleteAllMail(id(4, "d")) })
	expect(t, "mail after all was deleted", len(must(s.MailOf(0, id(4, "d"), 100))(t)), 0)
	expect(t, "mail of the neighbours", len(must(s.MailOf(0, id(3, "d"), 9))(t))+len(must(s.MailOf(0, id(5, "d"), 9))(t)), 2)
}

func TestDeadLetters(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 8})
	var want []DeadLetter
	for i := range 40 {
		slot := uint16(i % 3)
		if i%3 == 2 {
			slot = NodeSlot
		}
		d := DeadLetter{Slot: slot, TimeMs: int64(1000 + i/4), Seq: uint64(i), Reason: "panic", Message: []byte("{}")}
		write(t, s, slot, func(b *Batch) { b.PutDeadLetter(&d) })
		want = append(want, d)
	}
	slices.Reverse(want)
	expect(t, "all dead letters", must(s.DeadLetters(100))(t), want)
	before := s.Usage().KeysRead
	expect(t, "the newest", must(s.DeadLetters(5))(t), want[:5])
	if read := s.Usage().KeysRead - before; read > 3+2*5 {
		t.Errorf("five of 40 dead letters visited %d keys, want at most 13", read)
	}
	expect(t, "none", len(must(s.DeadLetters(0))(t)), 0)
}

func TestCounters(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 3})
	waiting, done := Counter{Version: "1", Action: "w", Status: activity.Waiting}, Counter{Version: "1", Action: "w", Status: activity.Finished}
	for slot := range uint16(3) {
		for _, n := range []int64{5, -2, 0} {
			write(t, s, slot, func(b *Batch) {
				for _, c := range []Counter{waiting, done, {Version: "1w"}} {
					c.N = n
					if c.Status == activity.Finished {
						c.N = n * 3
					}
					b.AddCounter(6, c)
				}
				b.AddCounter(7, Counter{N: 1})
			})
		}
	}
	write(t, s, 0, func(b *Batch) { b.AddCounter(6, Counter{Version: "1w", N: -9}) })
	waiting.N, done.N = 9, 27
	expect(t, "counters", must(s.Counters(6))(t), []Counter{waiting, done})
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xFF, 0xFF, 0xFF}, false); err != nil {
		t.Fatal(err)
	}
	expect(t, "counters after a compaction", must(s.Counters(6))(t), []Counter{waiting, done})
	expect(t, "counters of nobody", len(must(s.Counters(5))(t)), 0)
}

func TestMetasKeepWhatANewerProgramWrote(t *testing.T) {
	fs := vfs.NewMem()
	s := openTest(t, fs, Options{Slots: 2})
	slotKey, nodeKey := appendHead(nil, 1, letterMeta), appendHead(nil, NodeSlot, letterMeta)
	node := s.Node()
	s.db.Set(slotKey, appendSlotMeta(nil, SlotMeta{Epoch: 1}, newer), nil)
	s.db.Set(nodeKey, appendNodeMeta(nil, node, newer), nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, fs, Options{})
	expect(t, "a slot never written", must(s.SlotMeta(0))(t), SlotMeta{})
	write(t, s, 1, func(b *Batch) {
		b.PutSlotMeta(SlotMeta{Epoch: 2, Sequence: 3, CursorMs: 4}) // without having read it
		b.Begin(NodeSlot)
		b.PutNodeMeta(NodeMeta{FloorMs: 9})
	})
	node.FloorMs, node.Turns = 9, 1
	expect(t, "node", s.Node(), node)
	for key, want := range map[string][]byte{
		string(slotKey): appendSlotMeta(nil, SlotMeta{Epoch: 2, Sequence: 3, CursorMs: 4}, newer),
		string(nodeKey): appendNodeMeta(nil, node, newer),
	} {
		value, _, err := s.lookup(func([]byte) []byte { return []byte(key) })
		if err != nil || value != string(want) {
			t.Errorf("row %x is %x (%v), want %x", key, value, err, want)
		}
	}
	expect(t, "slot meta", must(s.SlotMeta(1))(t), SlotMeta{Epoch: 2, Sequence: 3, CursorMs: 4})
}

// Bytes that no valid domain has must not reach into another domain's rows.
func TestTextsWithZeroBytesStayApart(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	odd := activity.Thread{ID: id(1, "a\x00\x00\x00\x00b"), Status: activity.Waiting}
	write(t, s, 0, func(b *Batch) {
		b.PutThread(&odd)
		b.PutMember(odd.ID)
		b.PutAlarm(odd.ID, 1, activity.AlarmRow{DueMs: 1})
	})
	expect(t, "threads of a", len(must(s.LiveThreads(0, "a", nil))(t)), 0)
	expect(t, "threads of the odd one", must(s.LiveThreads(0, odd.ID.Domain, nil))(t), []activity.Thread{odd})
	expect(t, "members", must(s.Members(0, 1, "", 9))(t), []string{odd.ID.Domain})
	expect(t, "due", must(s.Due(0, 0, 9, 9, nil))(t)[0].ID, odd.ID)
}
