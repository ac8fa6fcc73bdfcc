package store

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
)

// newer is what a newer program may have written after the fields of a row.
var newer = appendBytesField(appendUintField(appendTextField(nil, 40, "lease"), 1000, 7), 41, make([]byte, 200))

func fullThread() activity.Thread {
	t := couponThread(1)
	t.PausedFrom, t.Retries, t.Reason, t.Error, t.Parked, t.Kept, t.Seen = activity.Stalled, 3, "error", "line 3:7", 9, 4, 1<<60
	t.KeptSince = 1_700_000_000_123
	t.Problem = "no stock"
	t.Requests = []uint64{1 << 40, 5, math.MaxUint64}
	t.Parts = []activity.Part{{Action: "price", Place: math.MaxUint16, Seq: 1 << 40, DueMs: 7}, {DueMs: math.MaxInt64}, {}}
	t.EndedMs = t.UpdatedMs + 1
	t.Unknown = newer
	t.Alarm.N, t.Alarm.Visit, t.AlarmDue, t.AlarmKind = math.MaxUint16, 1, t.Alarm.DueMs+5, activity.AlarmYield
	return t
}

func threadRoundTrip(t testing.TB, in activity.Thread) activity.Thread {
	t.Helper()
	value, err := appendThread(nil, &in)
	if err != nil {
		t.Fatal(err)
	}
	out := activity.Thread{ID: in.ID}
	if err := decodeThread(string(value), &out); err != nil {
		t.Fatalf("decoding %+v from %x: %v", in, value, err)
	}
	return out
}

func TestThreadRoundTrip(t *testing.T) {
	extreme := activity.Thread{
		Status: activity.Killed, Run: math.MaxUint64, Visit: math.MaxUint64, CreatedMs: math.MinInt64, UpdatedMs: math.MaxInt64, EndedMs: math.MinInt64,
		Alarm: activity.AlarmRow{DueMs: math.MinInt64, Visit: 1, Kind: 255}, AlarmDue: math.MaxInt64, Retries: math.MaxUint32, Parked: math.MaxUint32, Kept: math.MaxUint32, Seen: math.MaxUint64,
	}
	for name, in := range map[string]activity.Thread{
		"zero": {}, "coupon": couponThread(1), "full": fullThread(), "extreme": extreme,
		"kept row, no alarm wanted": {Status: activity.Running, Alarm: activity.AlarmRow{DueMs: 77, Visit: 1, Kind: 1}},
		"alarm wanted, no row":      {Status: activity.Waiting, AlarmDue: 5, AlarmKind: 1},
	} {
		if out := threadRoundTrip(t, in); !reflect.DeepEqual(in, out) {
			t.Errorf("%s: wrote %+v, read %+v", name, in, out)
		}
	}
}

// Every field of Thread must survive: a field added to the struct and forgotten here is lost at the first restart.
func TestEveryThreadFieldIsStored(t *testing.T) {
	full := fullThread()
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("field %s is zero in the test's thread: give it a value", v.Type().Field(i).Name)
		}
	}
	if out := threadRoundTrip(t, full); !reflect.DeepEqual(full, out) {
		t.Errorf("wrote %+v, read %+v", full, out)
	}
}

func TestRandomThreads(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for range 5000 {
		in := activity.Thread{
			Status: activity.Status(rng.IntN(8)), PausedFrom: activity.Status(rng.IntN(8)), Version: "v", Action: "a",
			Run: rng.Uint64() >> rng.IntN(64), Visit: rng.Uint64() >> rng.IntN(64), Retries: rng.Uint32() >> rng.IntN(32), Parked: rng.Uint32() >> rng.IntN(32),
			CreatedMs: rng.Int64() >> rng.IntN(63), UpdatedMs: rng.Int64() >> rng.IntN(63), EndedMs: rng.Int64() >> rng.IntN(63),
			Alarm:    activity.AlarmRow{DueMs: rng.Int64() >> rng.IntN(63), Visit: rng.Uint64() >> rng.IntN(64), Kind: activity.AlarmKind(rng.IntN(4)), N: uint16(rng.IntN(3))},
			AlarmDue: rng.Int64() >> rng.IntN(63), AlarmKind: activity.AlarmKind(rng.IntN(4)),
		}
		for i := range rng.IntN(5) {
			in.Vars = append(in.Vars, expr.Var{Name: string(rune('a' + i)), Value: randomValue(rng, 2)})
			in.Requests = append(in.Requests, rng.Uint64()>>rng.IntN(64))
		}
		out := threadRoundTrip(t, in)
		for i := range in.Vars {
			if out.Vars[i].Name != in.Vars[i].Name || !same(in.Vars[i].Value, out.Vars[i].Value) {
				t.Fatalf("variable %d: wrote %#v, read %#v", i, in.Vars[i], out.Vars[i])
			}
		}
		in.Vars, out.Vars = nil, nil
		if !reflect.DeepEqual(in, out) {
			t.Fatalf("wrote %+v, read %+v", in, out)
		}
	}
}

// The bytes of a row are on disk: these must be read for ever.
func TestThreadBytesAreFixed(t *testing.T) {
	in := activity.Thread{
		Status: activity.Waiting, Version: "1", Action: "w", Vars: expr.Vars{{Name: "n", Value: int64(300)}, {Name: "s", Value: "PS4"}},
		Run: 5, Visit: 2, CreatedMs: 1000, UpdatedMs: 1010, Alarm: activity.AlarmRow{DueMs: 2010, Visit: 2, Kind: 1}, AlarmDue: 2010, AlarmKind: 1,
	}
	want := "\x01" + "\x01\x06\x02\x05\x02\xd0\x0f\x14" + "\x02\x011" + "\x03\x01w" + "\x04\x0c\x02\x01n\x03\xd8\x04\x01s\x43PS4" + "\x05\x07\x01\x00\xd0\x0f\x00\x00\x01"
	value, err := appendThread(nil, &in)
	if err != nil || string(value) != want {
		t.Fatalf("the thread is encoded as %x (%v), want %x: the layout is fixed", value, err, want)
	}
}

func TestCouponThreadIsSmall(t *testing.T) {
	in := couponThread(1)
	value, err := appendThread(nil, &in)
	if err != nil {
		t.Fatal(err)
	}
	names := len(in.Version) + len(in.Action)
	for _, v := range in.Vars {
		names += len(v.Name)
	}
	t.Logf("a waiting coupon thread: value %d bytes, of which %d are names; thread key %d, alarm key %d, membership key %d", len(value), names,
		len(appendIDPrefix(nil, 0, letterThread, in.ID)), len(appendAlarmKey(nil, 0, in.ID, in.Run, in.Alarm)), len(appendText(appendMemberPrefix(nil, 0, 3), in.ID.Domain)))
	if beside := len(value) - names; beside > 57 {
		t.Errorf("a waiting coupon thread takes %d bytes beside its names, want at most 57", beside)
	}
}

func messages() []activity.Message {
	event := &activity.Event{ID: "e1", Type: "user_behavior", Sender: "s", Receiver: "r", Attrs: map[string]any{"n": int64(1), "l": []any{}}, TimeMs: -5}
	return []activity.Message{
		activity.Carried{Event: event, Strategies: []string{"user_id", "", "goods"}},
		activity.Carried{Event: &activity.Event{}},
		activity.Carried{Event: &activity.Event{Attrs: map[string]any{}}},
		&activity.Command{Name: "pause", Args: map[string]any{"why": nil}, TimeMs: 9},
		&activity.Command{},
		&activity.Reply{Seq: 1 << 50, Run: 2, Visit: 3, Action: "coupon", TimeMs: 4,
			Result: &activity.Result{Status: expr.ResultTimeout, ErrorCode: "c", Message: "m", Data: map[string]any{"expire_time": "x"}}},
		&activity.Reply{Result: &activity.Result{}},
		&activity.Reply{},
		&activity.Alarm{Kind: activity.AlarmYield, DueMs: 5, Run: 6, Visit: 7, N: 8},
		&activity.Alarm{},
	}
}

func TestMessageRoundTrip(t *testing.T) {
	for _, in := range messages() {
		value, err := appendMessage(nil, in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := decodeMessage(string(append(value, newer...)))
		if err != nil || !reflect.DeepEqual(in, out) {
			t.Errorf("wrote %+v, read %+v (%v)", in, out, err)
		}
	}
	event := activity.Carried{Event: &activity.Event{ID: "x"}}
	value, _ := appendMessage(nil, &event)
	if out, err := decodeMessage(string(value)); err != nil || !reflect.DeepEqual(out, activity.Message(event)) {
		t.Errorf("a pointer to an event came back as %+v (%v), want the event", out, err)
	}
	if _, err := appendMessage(nil, activity.Carried{}); err == nil {
		t.Error("a message without its event was encoded, want an error")
	}
	if _, err := appendMessage(nil, nil); err == nil {
		t.Error("no message was encoded, want an error")
	}
}

// Every row must read on over fields of a newer program, and refuse every cut of itself or stay within what it says.
func TestSmallRowsSkipOrKeepUnknownTags(t *testing.T) {
	slot := SlotMeta{Epoch: 3, Sequence: 1 << 60, CursorMs: -1}
	if m, unknown, err := decodeSlotMeta(string(appendSlotMeta(nil, slot, newer))); m != slot || !bytes.Equal(unknown, newer) || err != nil {
		t.Errorf("slot meta: %+v, unknown %x, %v; want %+v, %x", m, unknown, err, slot, newer)
	}
	node := NodeMeta{StoreID: "abcdefgh", Slots: 256, FloorMs: 12}
	if m, format, unknown, err := decodeNodeMeta(string(appendNodeMeta(nil, node, newer))); m != node || format != storeFormat || !bytes.Equal(unknown, newer) || err != nil {
		t.Errorf("node meta: %+v, format %d, unknown %x, %v; want %+v, %x", m, format, unknown, err, node, newer)
	}
	with := func(b []byte) string { return string(append(b, newer...)) }
	if v, err := decodeNumber(with(appendNumber(nil, math.MaxUint64))); v != math.MaxUint64 || err != nil {
		t.Errorf("number: %d, %v", v, err)
	}
	if v, err := decodeKeyBody(with(appendKeyBody(nil, math.MaxUint64-1))); v != math.MaxUint64-1 || err != nil {
		t.Errorf("key body: %d, %v", v, err)
	}
	outbox := Outbox{Service: "coupon", Body: []byte("{}")}
	var gotOutbox Outbox
	if err := decodeOutbox(with(appendOutbox(nil, &outbox)), &gotOutbox); err != nil || !reflect.DeepEqual(outbox, gotOutbox) {
		t.Errorf("outbox: %+v, %v; want %+v", gotOutbox, err, outbox)
	}
	request := Request{ID: activity.ID{Activity: 4, Domain: "d"}, Run: 5, Visit: 6, Action: "a"}
	if got, err := decodeRequest(with(appendRequest(nil, request))); err != nil || got != request {
		t.Errorf("request: %+v, %v; want %+v", got, err, request)
	}
	dead := DeadLetter{Reason: "decode", Error: "3:1", Activity: 7, Domain: "d", Source: "bus", Message: []byte("{")}
	var gotDead DeadLetter
	if err := decodeDeadLetter(with(appendDeadLetter(nil, &dead)), &gotDead); err != nil || !reflect.DeepEqual(dead, gotDead) {
		t.Errorf("dead letter: %+v, %v; want %+v", gotDead, err, dead)
	}
}

func TestMergerSums(t *testing.T) {
	for _, ns := range [][]int64{{0}, {1, -1}, {5, 7, -20}, {math.MaxInt64, -math.MaxInt64, 3}} {
		m, err := merger.Merge(nil, appendSum(nil, ns[0]))
		want := ns[0]
		for i, n := range ns[1:] {
			want += n
			if add := m.MergeNewer; i%2 == 1 {
				add = m.MergeOlder
				err = add(appendSum(nil, n))
			} else {
				err = add(appendSum(nil, n))
			}
		}
		value, _, _ := m.Finish(true)
		if got, bad := decodeSum(value); err != nil || bad != nil || got != want {
			t.Errorf("the sum of %v is %d (%v, %v), want %d", ns, got, err, bad, want)
		}
	}
	if _, err := merger.Merge([]byte("\x00\x01n"), []byte("\xff")); err == nil {
		t.Error("a counter of broken bytes was merged, want an error")
	}
}

func FuzzRows(f *testing.F) {
	full := fullThread()
	thread, _ := appendThread(nil, &full)
	f.Add(thread)
	for _, m := range messages() {
		b, _ := appendMessage(nil, m)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var th activity.Thread
		if decodeThread(string(in), &th) == nil {
			_ = th.Status.String() + th.PausedFrom.String()
			first, err := appendThread(nil, &th)
			if err != nil {
				t.Fatalf("a thread read from %x cannot be written: %v", in, err)
			}
			var again activity.Thread
			if err := decodeThread(string(first), &again); err != nil {
				t.Fatalf("a thread read from %x and written as %x cannot be read: %v", in, first, err)
			}
			if second, _ := appendThread(nil, &again); !bytes.Equal(first, second) {
				t.Fatalf("a thread read from %x is written as %x, then as %x", in, first, second)
			}
		}
		if m, err := decodeMessage(string(in)); err == nil {
			if b, err := appendMessage(nil, m); err != nil {
				t.Fatalf("a message read from %x cannot be written: %v", in, err)
			} else if _, err := decodeMessage(string(b)); err != nil {
				t.Fatalf("a message read from %x and written as %x cannot be read: %v", in, b, err)
			}
		}
		decodeSlotMeta(string(in))
		decodeNodeMeta(string(in))
		decodeNumber(string(in))
		decodeKeyBody(string(in))
		decodeOutbox(string(in), &Outbox{})
		decodeRequest(string(in))
		decodeDeadLetter(string(in), &DeadLetter{})
		decodeSum(in)
	})
}
