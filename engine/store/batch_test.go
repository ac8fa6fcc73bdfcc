package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
)

func TestBatchIsReusable(t *testing.T) {
	for _, apart := range []bool{false, true} {
		s, err := Open("store", Options{FS: vfs.NewMem(), Slots: 4, CommitSlots: apart, MemTableBytes: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		b := s.NewBatch()
		for round := range 3 {
			if !b.Empty() || b.Len() != 0 {
				t.Errorf("round %d: a fresh batch has %d bytes, empty %v, want none", round, b.Len(), b.Empty())
			}
			if err := b.Commit(); err != nil {
				t.Errorf("an empty commit: %v, want nil", err)
			}
			b.Begin(1)
			b.AddCounter(1, Counter{})
			if !b.Empty() {
				t.Error("a counter of 0 was written, want nothing")
			}
			// Above half of the memtable Pebble keeps the batch itself: its buffer must not be written into again.
			for i := range 300 * round * round {
				b.PutThread(&activity.Thread{ID: id(1, fmt.Sprint(round, i)), Reason: strings.Repeat("x", 1000)})
			}
			b.PutMember(id(uint32(round), "d"))
			b.Begin(0)
			b.PutMember(id(uint32(round), "e"))
			if b.Empty() || b.Len() < 10 {
				t.Errorf("a batch with rows has %d bytes, empty %v", b.Len(), b.Empty())
			}
			if err := b.Commit(); err != nil {
				t.Fatal(err)
			}
			for old := range uint32(round) + 1 {
				expect(t, "members in slot 1", must(s.Members(1, old, "", 9))(t), []string{"d"})
				expect(t, "members in slot 0", must(s.Members(0, old, "", 9))(t), []string{"e"})
			}
			for i := range 300 * round * round {
				if th := must(s.Thread(1, id(1, fmt.Sprint(round, i))))(t); len(th.Reason) != 1000 {
					t.Fatalf("round %d, thread %d is %+v, want the one written", round, i, th)
				}
			}
		}
		b.Begin(0)
		b.PutMember(id(9, "dropped"))
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		expect(t, "members of a dropped batch", len(must(s.Members(0, 9, "", 9))(t)), 0)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A write that cannot be encoded fails its batch as a whole, and only that one.
func TestUnstorableRowsFailTheBatch(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	b := s.NewBatch()
	defer b.Close()
	for what, put := range map[string]func(){
		"variable \"deep\"": func() {
			b.PutThread(&activity.Thread{ID: id(1, "d"), Vars: expr.Vars{{Name: "deep", Value: nested(MaxDepth + 5)}}})
		},
		"<nil> cannot be kept": func() { b.PutMail(id(1, "d"), Mail{}) },
		"more than the limit":  func() { b.PutOutbox(&Outbox{Body: make([]byte, maxRowBytes)}) },
		"nested deeper than 2": func() {
			b.PutMail(id(1, "d"), Mail{Message: &activity.Command{Args: map[string]any{"x": nested(MaxDepth + 5)}}})
		},
	} {
		b.Begin(0)
		b.PutMember(id(1, "d"))
		put()
		if b.Empty() {
			t.Errorf("%s: the batch is empty, want it to fail", what)
		}
		if err := b.Commit(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("Commit: %v, want an error with %q", err, what)
		}
		expect(t, "members after a failed batch", len(must(s.Members(0, 1, "", 9))(t)), 0)
	}
	write(t, s, 0, func(b *Batch) { b.PutMember(id(1, "d")) })
}

func TestProgrammingErrorsPanic(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 4})
	b := s.NewBatch()
	defer b.Close()
	for name, do := range map[string]func(){
		"write before Begin":          func() { b.PutMember(id(1, "d")) },
		"counter before Begin":        func() { b.AddCounter(1, Counter{N: 1}) },
		"unknown slot":                func() { b.Begin(4) },
		"PutPosition elsewhere":       func() { b.Begin(3); b.PutPosition("s", 1) },
		"PutNodeMeta elsewhere":       func() { b.Begin(3); b.PutNodeMeta(NodeMeta{}) },
		"PutNodeMeta, other slots":    func() { b.Begin(NodeSlot); b.PutNodeMeta(NodeMeta{Slots: 9}) },
		"PutNodeMeta, other id":       func() { b.Begin(NodeSlot); b.PutNodeMeta(NodeMeta{StoreID: "x"}) },
		"PutSlotMeta in the NodeSlot": func() { b.Begin(NodeSlot); b.PutSlotMeta(SlotMeta{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic, want one", name)
				}
			}()
			do()
		}()
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWritesDoNotAllocate(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	b := s.NewBatch()
	defer b.Close()
	th := couponThread(1)
	body := []byte("{}")
	fill := func() {
		b.Begin(0)
		for range 50 {
			b.PutThread(&th)
			b.PutAlarm(th.ID, th.Run, th.Alarm)
			b.DeleteAlarm(th.ID, th.Run, th.Alarm)
			b.PutMember(th.ID)
			b.AddCounter(3, Counter{Version: "1", Action: "w", Status: activity.Waiting, N: -1})
			b.PutOutbox(&Outbox{Service: "coupon", Body: body, Seq: 1})
			b.DeleteAllMail(th.ID)
			b.PutHighWater("kafka", 1)
			b.PutKey(Key{Day: 1})
		}
		b.reset()
	}
	fill()
	if n := testing.AllocsPerRun(20, fill); n > 0 {
		t.Errorf("450 writes allocate %v times, want 0", n)
	}
}

func TestCorruptRowsNameTheirKeys(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 2})
	d := id(5, "小明_PS4")
	th := couponThread(1)
	th.ID = d
	thread, _ := appendThread(nil, &th)
	reads := []struct {
		name, says string
		key, value []byte
		read       func() error
	}{
		{"live", `"小明_PS4"`, appendIDPrefix(nil, 1, 't', d), thread, func() error { _, err := s.LiveThreads(1, d.Domain, nil); return err }},
		{"thread", `"小明_PS4", activity 5`, appendIDPrefix(nil, 1, 't', d), thread, func() error { _, err := s.Thread(1, d); return err }},
		{"ended", `"小明_PS4"`, appendU64(appendIDPrefix(nil, 1, 'h', d), 3), thread, func() error { _, err := s.Ended(1, d, 3); return err }},
		{"last", `"小明_PS4"`, appendU64(appendIDPrefix(nil, 1, 'h', d), 3), thread, func() error { _, err := s.Ended(1, d, 0); return err }},
		{"meta", "0001 m", appendHead(nil, 1, 'm'), []byte{1, 1, 1, 9}, func() error { _, err := s.SlotMeta(1); return err }},
		{"mail", `"小明_PS4"`, appendU64(appendIDPrefix(nil, 1, 'b', d), 3), []byte{1, 2, 0}, func() error { _, err := s.MailOf(1, d, 9); return err }},
		{"request", "", appendRequestKey(nil, 1, 3), []byte{1, 1, 1, 9}, func() error { _, _, err := s.OpenRequest(1, 3); return err }},
		{"key", "", append(appendDayPrefix(nil, 1, 3), make([]byte, 16)...), appendKeyBody(nil, 5), func() error { _, _, err := s.KnownKey(1, Key{Day: 4}); return err }},
		{"high-water", `"kafka"`, append(appendHead(nil, 1, 's'), "kafka"...), appendNumber(nil, 5), func() error { _, err := s.HighWater(1, "kafka"); return err }},
		{"position", `"kafka"`, append(appendHead(nil, NodeSlot, 'p'), "kafka"...), appendNumber(nil, 5), func() error { _, _, err := s.Position("kafka"); return err }},
		{"outbox", "", appendU64(appendOutboxPrefix(nil, 1, 2), 3), appendOutbox(nil, &Outbox{Service: "s"}), func() error { _, err := s.OutboxRows(1, 2, 0, 9, 9, nil); return err }},
		{"dead letter", "", appendDeadKey(nil, 1, 2, 3), appendDeadLetter(nil, &DeadLetter{Reason: "r"}), func() error { _, err := s.DeadLetters(9); return err }},
		{"counter", "", appendCounterKey(nil, 1, 2, Counter{}), appendSum(nil, 3000), func() error { _, err := s.Counters(2); return err }},
	}
	for _, c := range reads {
		c.says = strings.ReplaceAll(c.says, "0001 m", "slot 1, row 'm'")
		s.db.Set(c.key, c.value, nil)
		s.generationForTest()
		if err := c.read(); err != nil {
			t.Errorf("%s: the whole row gives %v, want no error", c.name, err)
		}
		for cut := range len(c.value) {
			s.db.Set(c.key, c.value[:cut], nil)
			s.generationForTest()
			err := c.read()
			if err != nil && (!errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), fmt.Sprintf("%x", c.key)) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%s, cut to %d bytes: %v, want ErrCorrupt with the key %x and %q", c.name, cut, err, c.key, c.says)
			}
			if err == nil && cut != 1 && c.value[0] != rowFormat || cut == 0 && err == nil {
				t.Errorf("%s, cut to %d bytes: no error", c.name, cut)
			}
		}
		s.db.Set(c.key, []byte("\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01garbage"), nil)
		s.generationForTest()
		if err := c.read(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s, garbage: %v, want ErrCorrupt", c.name, err)
		}
		s.db.Delete(c.key, nil)
		s.generationForTest()
	}
}

// generationForTest makes reads see what a test wrote past the store.
func (s *Store) generationForTest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	s.idle.closeAll()
}

func TestCorruptKeysAreErrors(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 2})
	for name, c := range map[string]struct {
		key  []byte
		read func() error
	}{
		"thread":      {append(appendDomainPrefix(nil, 1, 't', "d"), 1), func() error { _, err := s.LiveThreads(1, "d", nil); return err }},
		"mail":        {append(appendIDPrefix(nil, 1, 'b', id(1, "d")), 1), func() error { _, err := s.MailOf(1, id(1, "d"), 9); return err }},
		"alarm":       {append(appendHead(nil, 1, 'c'), 9, 9), func() error { _, _, err := s.NextDue(1, 0); return err }},
		"due":         {appendMs(appendHead(nil, 1, 'c'), 5), func() error { _, err := s.Due(1, 0, 9, 9, nil); return err }},
		"member":      {append(appendMemberPrefix(nil, 1, 4), 'x'), func() error { _, err := s.Members(1, 4, "", 9); return err }},
		"outbox head": {append(appendHead(nil, 1, 'o'), sortService, 1), func() error { _, err := s.OutboxHead(1); return err }},
		"outbox":      {append(appendOutboxPrefix(nil, 1, 4), 1), func() error { _, err := s.OutboxRows(1, 4, 0, 9, 9, nil); return err }},
		"dead letter": {append(appendHead(nil, 1, 'x'), 9), func() error { _, err := s.DeadLetters(9); return err }},
		"counter":     {append(appendU32(appendHead(nil, 1, 'n'), 4), 'v'), func() error { _, err := s.Counters(4); return err }},
	} {
		s.db.Set(c.key, []byte{rowFormat}, nil)
		s.generationForTest()
		if err := c.read(); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), fmt.Sprintf("%x", c.key)) {
			t.Errorf("%s: %v, want ErrCorrupt with the key %x", name, err, c.key)
		}
		s.db.Delete(c.key, nil)
		s.generationForTest()
	}
}

// A read that began before a commit must not leave its old view behind for later reads.
func TestOldIteratorsAreNotKept(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	c, err := s.prefixCursor()
	if err != nil {
		t.Fatal(err)
	}
	th := couponThread(1)
	write(t, s, 0, func(b *Batch) { b.PutThread(&th) })
	if err := c.release(); err != nil {
		t.Fatal(err)
	}
	expect(t, "the thread", must(s.Thread(0, th.ID))(t), th)
}

func TestLargeBuffersAreNotKept(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1})
	b := s.NewBatch()
	defer b.Close()
	b.Begin(0)
	b.PutOutbox(&Outbox{Body: make([]byte, 2*maxIdleValue)})
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if cap(b.value) > maxIdleValue {
		t.Errorf("after a large row the batch keeps a buffer of %d bytes, want at most %d", cap(b.value), maxIdleValue)
	}
}

// Memtables are taken out of Pebble's cache: enough must be left for filters and blocks, else each read goes to disk.
func TestMemtablesLeaveTheCacheAlone(t *testing.T) {
	s := openTest(t, vfs.NewMem(), Options{Slots: 1, MemTableBytes: 4 << 20, CacheBytes: 2 << 20})
	pad := strings.Repeat("x", 1000)
	for i := range 20 {
		write(t, s, 0, func(b *Batch) {
			for j := range 1000 {
				b.PutThread(&activity.Thread{ID: id(1, fmt.Sprint(j)), Run: uint64(i), Reason: pad})
			}
		})
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	c, err := s.prefixCursor()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		if c.key = appendDomainPrefix(c.key[:0], 0, letterThread, fmt.Sprint(i%3)); !c.SeekPrefixGE(c.key) {
			t.Fatalf("thread %d is missing", i%3)
		}
	}
	if read := loaded(c.Iterator); read > 200<<10 {
		t.Errorf("500 reads of three threads read %d bytes of blocks, want at most 200 KiB: each block once", read)
	}
	if err := c.release(); err != nil {
		t.Fatal(err)
	}
}
