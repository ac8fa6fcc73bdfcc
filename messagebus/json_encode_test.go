package messagebus

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/weftbox/weftbox/activity"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string]any{
		"0": int64(0), "-0": int64(0), "9223372036854775807": int64(math.MaxInt64), "-9223372036854775808": int64(math.MinInt64), "999999999999999999": int64(999999999999999999),
		"1.5e1": int64(15), "5e0": int64(5), "9223372036854775808": "9223372036854775808", "-123456789012345678901234567890": "-123456789012345678901234567890",
		"1.50": "1.50", "0.00": "0.00", "-0.0": "0.0", "1e3": "1E+3", "1E-7": "1E-7", "0.1234567890123456789": "0.1234567890123456789", "12345678901234567890.5": "12345678901234567890.5", "-2.5e-3": "-0.0025",
	} {
		v, err := DecodeValue([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d, ok := v.(*apd.Decimal); ok {
			v = d.String()
		}
		if v != want {
			t.Errorf("%s: expected %T %v, got %T %v", text, want, want, v, v)
		}
	}
}

func TestEncodeValue(t *testing.T) {
	d := func(s string) *apd.Decimal {
		v, _, err := apd.NewFromString(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "null"}, {true, "true"}, {"a\"\\\n\r\t\x01é<\u2028", `"a\"\\\n\r\t\u0001é<` + "\u2028" + `"`}, {"\xffx\xe5\xb0", `"` + "\uFFFDx\uFFFD\uFFFD" + `"`},
		{int64(1 << 60), "1152921504606846976"}, {1.0, "1.0"}, {0.1, "0.1"}, {float32(0.1), "0.1"}, {1e7, "10000000.0"}, {1e21, "1e+21"}, {1e-7, "1e-07"}, {0.0, "0.0"},
		{math.NaN(), "null"}, {math.Inf(-1), "null"}, {d("1.50"), "1.50"}, {d("1E+3"), "1E+3"}, {d("NaN"), "null"}, {d("Infinity"), "null"}, {(*apd.Decimal)(nil), "null"},
		{[]any{}, "[]"}, {map[string]any{}, "{}"}, {map[string]any{"b": int64(1), "a": []any{nil, "x"}}, `{"a":[null,"x"],"b":1}`},
		{map[any]any{int64(7): "int", "7": "text", true: int64(1), 1.5: nil}, `{"1.5":null,"7":"text","true":1}`},
	} {
		got := string(EncodeValue([]byte(">"), c.v))
		if got != ">"+c.want {
			t.Errorf("EncodeValue(%#v): expected %s, got %s", c.v, c.want, got)
		}
		if !json.Valid([]byte(got[1:])) {
			t.Errorf("EncodeValue(%#v): %s is not JSON", c.v, got)
		}
	}
}

func TestEncodeRequest(t *testing.T) {
	r := &Request{RequestID: "ab-1-65537", Sender: "wb", Service: "mail", Activity: 3, Domain: "小明", Action: "send", TimeMs: 5, Args: map[string]any{
		"z": int64(1), "a": []any{"x"}, "m": map[string]any{"k2": nil, "k1": 1.5}}, IgnoreResult: true}
	want := `{"type":"req","sender":"wb","receiver":"mail","attr":{"request_id":"ab-1-65537","activity":3,"domain":"小明","action":"send",` +
		`"args":{"a":["x"],"m":{"k1":1.5,"k2":null},"z":1},"ignore_result":true},"time":5}`
	for range 50 {
		if got := string(EncodeRequest(r)); got != want {
			t.Fatalf("expected %s\ngot      %s", want, got)
		}
	}
}

func TestEncodeEventTimes(t *testing.T) {
	for _, ms := range []int64{0, 1, -1, firstMs - 1, firstMs, 1561269531131, -firstMs, lastMs} {
		e := &activity.Event{Type: "a", TimeMs: ms}
		if got := decodeOne(t, string(EncodeEvent(e))).Event.TimeMs; got != ms {
			t.Errorf("%s: expected %d back, got %d", EncodeEvent(e), ms, got)
		}
	}
}

// FuzzDecode holds three promises: no input panics, what decodes comes back from its encoding, and an error names an element of the array.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"type":"a","attr":{"n":1.5e1,"d":-0.00,"s":"\ud83d\ude00\u0000","l":[[],{}]},"time":1561269531131,"id":-1.5}`, `[{"type":"a"},{"type":"b","time":"2019-06-23T05:58:51.131Z"}]`,
		`{"type":"res","attr":{"request_id":"r","status":"timeout","data":{}}}`, `{"type":"SYSTEM","attr":{"activity":1,"domain":"d","command":"kill"}}`, `[{"type":"a"},`, `[{"type":"a","time":`, `{"type":"a","id":`, "\xff", `1e6144`, `123456789012345678901234567890`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if v, err := DecodeValue(data); err == nil {
			if !json.Valid(data) {
				t.Fatalf("%q is not JSON but decoded to %v", data, v)
			}
			sameAgain(t, EncodeValue(nil, v))
		}
		items, raws, single, err := DecodeJSON(data, now, Limits{})
		if err != nil {
			var d *DecodeError
			if !errors.As(err, &d) || d.Index < 0 || d.Index > strings.Count(string(data), "{") || d.Single && d.Index != 0 || d.Offset < 0 || d.Offset > len(data) {
				t.Fatalf("%q: the place of the error is wrong: %+v", data, err)
			}
			return
		}
		if single && len(items) != 1 || len(raws) != len(items) {
			t.Fatalf("%q: %d items, %d raws, single %v", data, len(items), len(raws), single)
		}
		for i, in := range items {
			again, _, _, err := DecodeJSON(encoded(in), now, Limits{})
			if _, _, _, alone := DecodeJSON(raws[i], now, Limits{}); alone != nil || err != nil {
				t.Fatalf("%q: element %d does not decode again: %v, %v", data, i, alone, err)
			}
			if got, want := string(encoded(again[0])), string(encoded(in)); got != want {
				t.Fatalf("%q: expected %s back, got %s", data, want, got)
			}
		}
	})
}

func encoded(in Incoming) []byte {
	switch {
	case in.Event != nil:
		return EncodeEvent(in.Event)
	case in.Reply != nil:
		return EncodeReply(in.Reply)
	}
	return EncodeEvent(&activity.Event{Type: "command", Attrs: map[string]any{"n": in.Command.Command.Name, "a": in.Command.Command.Args}})
}

// sameAgain checks that an encoding decodes to a value with the same encoding and the same types.
func sameAgain(t *testing.T, first []byte) {
	t.Helper()
	v, err := DecodeValue(first)
	if err != nil {
		t.Fatalf("%s does not decode: %v", first, err)
	}
	if again := EncodeValue(nil, v); string(again) != string(first) {
		t.Fatalf("expected %s back, got %s", first, again)
	}
}
