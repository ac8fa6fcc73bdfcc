package store

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/weftbox/weftbox/expr"
)

func decimal(t testing.TB, s string) *apd.Decimal {
	t.Helper()
	d, _, err := apd.NewFromString(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// same compares values by type and content; numbers by their bits, decimals by their scale too.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case float32:
		b, ok := b.(float32)
		return ok && math.Float32bits(a) == math.Float32bits(b)
	case *apd.Decimal:
		b, ok := b.(*apd.Decimal)
		return ok && a.Form == b.Form && a.Negative == b.Negative && a.Exponent == b.Exponent && a.Coeff.Cmp(&b.Coeff) == 0
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) || b == nil {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) || b == nil {
			return false
		}
		for k, v := range a {
			if w, has := b[k]; !has || !same(v, w) {
				return false
			}
		}
		return true
	case map[any]any:
		b, ok := b.(map[any]any)
		if !ok || len(a) != len(b) || b == nil {
			return false
		}
		for k, v := range a {
			if w, has := b[k]; !has || !same(v, w) {
				return false
			}
		}
		return true
	}
	return a == b
}

func roundTrip(t testing.TB, v any) any {
	t.Helper()
	b, err := appendValue(nil, v, 0)
	if err != nil {
		t.Fatalf("encoding %#v: %v", v, err)
	}
	r := reader{rest: string(b)}
	out := r.value(0)
	if err := r.end(); err != nil {
		t.Fatalf("decoding %#v from %x: %v", v, b, err)
	}
	return out
}

func TestValuesKeepTheirTypes(t *testing.T) {
	for _, v := range []any{
		nil, true, false, "", "PS4", strings.Repeat("长", 100), strings.Repeat("x", 63), strings.Repeat("x", 64),
		int64(0), int64(1), int64(127), int64(128), int64(-1), int64(math.MaxInt64), int64(math.MinInt64),
		0.0, math.Copysign(0, -1), 1.0, math.NaN(), math.Inf(-1), float32(1.5), float32(math.Inf(1)),
		decimal(t, "0"), decimal(t, "1.50"), decimal(t, "1.5"), decimal(t, "-0.00"), decimal(t, "1E+1000"), decimal(t, "NaN"),
		decimal(t, "-Infinity"), decimal(t, "123456789012345678901234567890.123456789"),
		[]any{}, []any{nil, []any{}, int64(3), "x"},
		map[string]any{}, map[string]any{"b": nil, "a": map[string]any{"": []any{}}},
		map[any]any{int64(1): "a", true: "b", 2.5: nil, "k": []any{int64(7)}, float32(1): int64(1), nil: false},
	} {
		if got := roundTrip(t, v); !same(v, got) {
			t.Errorf("%T %#v came back as %T %#v", v, v, got, got)
		}
	}
}

func TestValuesThatAreStoredOtherwise(t *testing.T) {
	for _, c := range []struct{ in, want any }{
		{expr.Control{Kind: expr.ControlCall, Target: "deciding"}, expr.Control{Kind: expr.ControlCall, Target: "deciding"}.String()},
		{7, int64(7)},
		{[]any(nil), []any{}},
		{map[string]any(nil), map[string]any{}},
		{(*apd.Decimal)(nil), nil},
		{map[any]any{[1]int{4}: "x"}, map[any]any{"[4]": "x"}},
	} {
		if got := roundTrip(t, c.in); !same(c.want, got) {
			t.Errorf("%#v came back as %#v, want %#v", c.in, got, c.want)
		}
	}
}

func TestMapBytesDoNotDependOnOrder(t *testing.T) {
	m := map[string]any{}
	for i := range 50 {
		m[strings.Repeat("k", i)] = int64(i)
	}
	first, _ := appendValue(nil, m, 0)
	for range 20 {
		if again, _ := appendValue(nil, m, 0); string(again) != string(first) {
			t.Fatal("one map has two encodings, want one: keys are sorted")
		}
	}
}

func nested(depth int) any {
	var v any = int64(1)
	for range depth {
		v = []any{v}
	}
	return v
}

func TestDepthLimit(t *testing.T) {
	if got := roundTrip(t, nested(MaxDepth)); !same(nested(MaxDepth), got) {
		t.Errorf("a value nested %d deep came back changed", MaxDepth)
	}
	if err := CheckVars(expr.Vars{{Name: "x", Value: nested(MaxDepth)}}, 1<<30); err != nil {
		t.Errorf("CheckVars of depth %d: %v, want nil", MaxDepth, err)
	}
	for _, depth := range []int{MaxDepth + 2, 100_000} {
		v := nested(depth)
		if _, err := appendValue(nil, v, 0); !errors.Is(err, errDepth) {
			t.Errorf("encoding depth %d: error %v, want the depth limit", depth, err)
		}
		if err := CheckVars(expr.Vars{{Name: "x", Value: v}}, 1<<30); !errors.Is(err, errDepth) || !strings.Contains(err.Error(), `"x"`) {
			t.Errorf("CheckVars of depth %d: %v, want the depth limit and the variable's name", depth, err)
		}
		r := reader{rest: strings.Repeat("\x08\x01", depth) + "\x00"}
		if r.value(0); !errors.Is(r.err, errDepth) {
			t.Errorf("decoding depth %d: error %v, want the depth limit", depth, r.err)
		}
	}
}

// What CheckVars lets through must be encoded, and what the encoder refuses CheckVars must refuse: else a thread could stop the engine.
func TestCheckVarsAgreesWithTheEncoder(t *testing.T) {
	for depth := MaxDepth - 2; depth < MaxDepth+4; depth++ {
		for name, leaf := range map[string]any{"int": int64(1), "empty list": []any{}, "empty map": map[string]any{}, "any map": map[any]any{int64(1): nil}} {
			v := leaf
			for range depth {
				v = []any{v}
			}
			_, encode := appendValue(nil, v, 0)
			check := CheckVars(expr.Vars{{Name: "x", Value: v}}, 1<<30)
			if check == nil && encode != nil {
				t.Errorf("%s at depth %d: CheckVars = nil, the encoder says %v", name, depth, encode)
			}
			if encode == nil {
				roundTrip(t, v)
			}
		}
	}
	big := strings.Repeat("x", maxRowBytes/2)
	if err := CheckVars(expr.Vars{{Name: "big", Value: big}}, 1<<30); err == nil {
		t.Error("CheckVars of 16 MiB of text = nil, want an error")
	}
}

func TestHostileCounts(t *testing.T) {
	for _, v := range []string{
		"\x08\xff\xff\xff\xff\x0f", "\x09\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x0a\xff\xff\x03", "\x07\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
		"\x06\x00\x00\xff\xff\xff\x0f", "\x06\x08\x00\x00", "\x0b", "\x3f", "\x04\x00", "\x09\x02\x01b\x00\x01a\x00", "\x09\x02\x01a\x00\x01a\x00",
		"\x0a\x01\x08\x00\x00", "\x0a\x01\x06\x00\x00\x01\x01\x00", "\x0a\x02\x81\x00\x81\x00", "",
	} {
		r := reader{rest: v}
		r.value(0)
		if r.end() == nil {
			t.Errorf("decoding %x succeeded, want an error", v)
		}
	}
}

func randomValue(rng *rand.Rand, depth int) any {
	n := 13
	if depth == 0 {
		n = 10
	}
	text := func() string { return strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN(80)) }
	switch rng.IntN(n) {
	case 0:
		return nil
	case 1:
		return rng.IntN(2) == 0
	case 2, 3:
		return int64(rng.Uint64()) >> rng.IntN(64)
	case 4:
		return math.Float64frombits(rng.Uint64())
	case 5:
		return math.Float32frombits(rng.Uint32()&^0x7FC00000 | 0x3F000000)
	case 6:
		d := apd.New(int64(rng.Uint64())>>rng.IntN(64), int32(rng.IntN(200)-100))
		return d
	case 10:
		out := make([]any, rng.IntN(4))
		for i := range out {
			out[i] = randomValue(rng, depth-1)
		}
		return out
	case 11:
		out := map[string]any{}
		for range rng.IntN(4) {
			out[text()] = randomValue(rng, depth-1)
		}
		return out
	case 12:
		out := map[any]any{}
		for range rng.IntN(4) {
			out[[]any{rng.Int64(), text(), rng.Float64(), true}[rng.IntN(4)]] = randomValue(rng, depth-1)
		}
		return out
	}
	return text()
}

func TestRandomValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 20_000 {
		v := randomValue(rng, 4)
		if got := roundTrip(t, v); !same(v, got) {
			t.Fatalf("%#v came back as %#v", v, got)
		}
		encoded, _ := appendValue(nil, v, 0)
		if size, err := valueSize(v, 0); err != nil || size < len(encoded) {
			t.Fatalf("%#v: CheckVars counts %d bytes (%v), the encoding has %d", v, size, err, len(encoded))
		}
	}
}

// A key that equals nothing, not even itself, is kept as its text: it is found again and the rest of the map stays.
func TestMapKeyThatIsNoNumber(t *testing.T) {
	for _, k := range []any{math.NaN(), float32(math.NaN())} {
		got, _ := roundTrip(t, map[any]any{k: "x", int64(1): "y"}).(map[any]any)
		if want := map[any]any{"NaN": "x", int64(1): "y"}; !same(got, want) {
			t.Errorf("key %v: expected %#v, got %#v", k, want, got)
		}
	}
}

func FuzzValue(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 50 {
		b, _ := appendValue(nil, randomValue(rng, 3), 0)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := reader{rest: string(in)}
		v := r.value(0)
		if r.end() != nil {
			return
		}
		if got := roundTrip(t, v); !same(v, got) {
			t.Fatalf("%x is %#v, encoded again it is %#v", in, v, got)
		}
	})
}
