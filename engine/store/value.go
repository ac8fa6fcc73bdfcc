package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/cockroachdb/apd/v3"

	"github.com/weftbox/weftbox/expr"
)

// A value of the language is one code byte and what follows it. Codes 0x0B..0x3F are free.
const (
	codeNil     = 0x00
	codeFalse   = 0x01
	codeTrue    = 0x02
	codeInt     = 0x03 // zigzag varint
	codeFloat64 = 0x04 // 8 bytes
	codeFloat32 = 0x05 // 4 bytes
	codeDecimal = 0x06 // flags (1 negative, form<<1), zigzag exponent, length and bytes of the coefficient
	codeString  = 0x07 // length, bytes
	codeList    = 0x08 // count, values
	codeMap     = 0x09 // count, (length, key, value) ascending by key
	codeAnyMap  = 0x0A // count, (key value, value) ascending by the key's bytes
	codeShort   = 0x40 // 0x40..0x7F: a string of 0..63 bytes
	codeSmall   = 0x80 // 0x80..0xFF: an int 0..127
)

// MaxDepth is how deep lists and maps in a stored value may be nested.
const MaxDepth = 256

var errDepth = fmt.Errorf("lists and maps are nested deeper than %d", MaxDepth)

// CheckVars reports why a thread's variables cannot be stored: nested deeper than MaxDepth, or larger than 16 MiB.
// PutThread of such variables makes the whole batch fail, so the engine asks while it can still discard the step.
func CheckVars(vars expr.Vars, maxBytes int) error {
	size := 0
	maxBytes = min(maxBytes, maxRowBytes/2)
	for i := range vars {
		n, err := valueSize(vars[i].Value, 0)
		if err != nil {
			return fmt.Errorf("variable %q: %w", vars[i].Name, err)
		}
		if size += n + len(vars[i].Name) + 8; size > maxBytes {
			return fmt.Errorf("variable %q: the variables have more than %d bytes", vars[i].Name, maxBytes)
		}
	}
	return nil
}

// valueSize returns an upper bound of the encoded size.
func valueSize(v any, depth int) (int, error) {
	if depth > MaxDepth {
		return 0, errDepth
	}
	size := 11 // a code and the longest varint
	add := func(v any) error {
		n, err := valueSize(v, depth+1)
		if size += n; err == nil && size > maxRowBytes {
			err = fmt.Errorf("the value has more than %d bytes", maxRowBytes)
		}
		return err
	}
	var err error
	switch v := v.(type) {
	case string:
		size += len(v)
	case *apd.Decimal:
		if v != nil {
			size += 12 + v.Coeff.BitLen()/8
		}
	case []any:
		for i := 0; i < len(v) && err == nil; i++ {
			err = add(v[i])
		}
	case map[string]any:
		for k, e := range v {
			size += len(k) + 10
			if err = add(e); err != nil {
				break
			}
		}
	case map[any]any:
		for k, e := range v {
			if err = errors.Join(add(k), add(e)); err != nil {
				break
			}
		}
	}
	return size, err
}

// appendValue appends a value of the language. What is no such value (a Control) is kept as its text.
// A value nested too deep is refused; then dst is of no use.
func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, codeNil), nil
	case bool:
		if v {
			return append(dst, codeTrue), nil
		}
		return append(dst, codeFalse), nil
	case int64:
		return appendInt(dst, v), nil
	case int:
		return appendInt(dst, int64(v)), nil
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, codeFloat64), math.Float64bits(v)), nil
	case float32:
		return binary.BigEndian.AppendUint32(append(dst, codeFloat32), math.Float32bits(v)), nil
	case *apd.Decimal:
		return appendDecimal(dst, v), nil
	case string:
		return appendString(dst, v), nil
	case expr.Control:
		return appendString(dst, v.String()), nil
	}
	if depth > MaxDepth {
		return dst, errDepth
	}
	switch v := v.(type) {
	case []any:
		dst = binary.AppendUvarint(append(dst, codeList), uint64(len(v)))
		var err error
		for i := 0; i < len(v) && err == nil; i++ {
			dst, err = appendValue(dst, v[i], depth+1)
		}
		return dst, err
	case map[string]any:
		return appendMap(dst, v, depth)
	case map[any]any:
		return appendAnyMap(dst, v, depth)
	}
	return appendString(dst, fmt.Sprint(v)), nil
}

func appendInt(dst []byte, v int64) []byte {
	if v >= 0 && v < 0x80 {
		return append(dst, codeSmall|byte(v))
	}
	return binary.AppendUvarint(append(dst, codeInt), zigzag(v))
}

func appendString(dst []byte, s string) []byte {
	if len(s) < 0x40 {
		return append(append(dst, codeShort|byte(len(s))), s...)
	}
	return append(binary.AppendUvarint(append(dst, codeString), uint64(len(s))), s...)
}

func appendDecimal(dst []byte, d *apd.Decimal) []byte {
	if d == nil {
		return append(dst, codeNil)
	}
	flags := byte(d.Form) << 1
	if d.Negative {
		flags |= 1
	}
	coefficient := d.Coeff.Bytes()
	dst = binary.AppendUvarint(append(dst, codeDecimal, flags), zigzag(int64(d.Exponent)))
	return append(binary.AppendUvarint(dst, uint64(len(coefficient))), coefficient...)
}

func appendMap(dst []byte, m map[string]any, depth int) ([]byte, error) {
	dst = binary.AppendUvarint(append(dst, codeMap), uint64(len(m)))
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var err error
	for _, k := range keys {
		dst = append(binary.AppendUvarint(dst, uint64(len(k))), k...)
		if dst, err = appendValue(dst, m[k], depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendAnyMap(dst []byte, m map[any]any, depth int) ([]byte, error) {
	type entry struct {
		key   []byte
		value any
	}
	entries := make([]entry, 0, len(m))
	for k, v := range m {
		if !isMapKey(k) {
			k = fmt.Sprint(k)
		}
		key, err := appendValue(nil, k, depth+1)
		if err != nil {
			return dst, err
		}
		entries = append(entries, entry{key, v})
	}
	slices.SortFunc(entries, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return bytes.Equal(a.key, b.key) })
	dst = binary.AppendUvarint(append(dst, codeAnyMap), uint64(len(entries)))
	var err error
	for _, e := range entries {
		dst = append(dst, e.key...)
		if dst, err = appendValue(dst, e.value, depth+1); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// isMapKey reports whether a value may be a key: it can be hashed, and equal values are equal keys. NaN is not: no look-up
// finds it again.
func isMapKey(k any) bool {
	switch k := k.(type) {
	case nil, bool, int64, string:
		return true
	case float64:
		return k == k
	case float32:
		return k == k
	}
	return false
}

// value reads one value of the language.
func (r *reader) value(depth int) any {
	code := r.byte()
	switch {
	case r.err != nil:
		return nil
	case code >= codeSmall:
		return int64(code &^ codeSmall)
	case code >= codeShort:
		return r.take(uint64(code &^ codeShort))
	case code >= codeList && depth > MaxDepth:
		r.fail(errDepth)
		return nil
	}
	switch code {
	case codeNil:
		return nil
	case codeFalse, codeTrue:
		return code == codeTrue
	case codeInt:
		return r.varint()
	case codeFloat64:
		if s := r.take(8); s != "" {
			return math.Float64frombits(binary.BigEndian.Uint64([]byte(s)))
		}
	case codeFloat32:
		if s := r.take(4); s != "" {
			return math.Float32frombits(binary.BigEndian.Uint32([]byte(s)))
		}
	case codeDecimal:
		return r.decimal()
	case codeString:
		return r.take(r.uvarint())
	case codeList:
		return r.list(depth)
	case codeMap:
		return r.stringMap(depth)
	case codeAnyMap:
		return r.anyMap(depth)
	default:
		r.fail(fmt.Errorf("value code %#x is unknown: it may be of a newer program", code))
	}
	return nil
}

func (r *reader) decimal() any {
	flags := r.byte()
	exponent := r.varint()
	coefficient := r.take(r.uvarint())
	if r.err == nil && (flags > 7 || exponent != int64(int32(exponent))) {
		r.fail(errors.New("a decimal is out of range"))
	}
	if r.err != nil {
		return nil
	}
	d := &apd.Decimal{Form: apd.Form(flags >> 1), Negative: flags&1 != 0, Exponent: int32(exponent)}
	d.Coeff.SetBytes([]byte(coefficient))
	return d
}

// count reads a number of elements; each takes at least size bytes, so a hostile count cannot claim more memory than the row has bytes.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/size) {
		r.fail(errShort)
		return 0
	}
	return int(n)
}

func (r *reader) list(depth int) any {
	n := r.count(1)
	out := make([]any, 0, n)
	for ; n > 0 && r.err == nil; n-- {
		out = append(out, r.value(depth+1))
	}
	return out
}

func (r *reader) stringMap(depth int) any {
	n := r.count(2)
	out := make(map[string]any, min(n, 1<<10))
	last := ""
	for i := 0; i < n && r.err == nil; i++ {
		k := r.take(r.uvarint())
		if i > 0 && k <= last && r.err == nil {
			r.fail(errors.New("the keys of a map are not ascending"))
		}
		last = k
		out[k] = r.value(depth + 1)
	}
	return out
}

func (r *reader) anyMap(depth int) any {
	n := r.count(2)
	out := make(map[any]any, min(n, 1<<10))
	last := ""
	for i := 0; i < n && r.err == nil; i++ {
		from := r.rest
		k := r.value(depth + 1)
		raw := from[:len(from)-len(r.rest)]
		switch {
		case r.err != nil:
			return nil
		case !isMapKey(k):
			r.fail(errors.New("a map has a key that is no simple value"))
			return nil
		case i > 0 && raw <= last:
			r.fail(errors.New("the keys of a map are not ascending"))
			return nil
		}
		last = raw
		out[k] = r.value(depth + 1)
	}
	return out
}

// mapField reads the present field as a map with string keys.
func (r *reader) mapField() (out map[string]any) {
	r.inField(func(in *reader) {
		m, ok := in.value(0).(map[string]any)
		if !ok {
			in.fail(errors.New("a map was expected"))
		}
		out = m
	})
	return out
}
