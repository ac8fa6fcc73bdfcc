package messagebus

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// A number is taken for seconds below 1e11 (until the year 5138) and for milliseconds from there (since March 1973) to the year 9999.
const (
	firstMs = 100_000_000_000
	lastMs  = 253_402_300_799_999
)

// time reads the value of "time" or "timestamp", whose first byte is c, and returns Unix ms.
func (r *reader) time(key string, c byte) (int64, *syntaxError) {
	at := r.pos
	switch {
	case c == '"':
		b, err := r.string()
		if err != nil {
			return 0, err
		}
		t, bad := time.Parse(time.RFC3339, string(b))
		if bad != nil {
			return 0, r.failAt(at, fmt.Sprintf("%q is %s: a time is RFC 3339 text (\"2026-11-22T10:30:00Z\"), or a number of seconds or milliseconds", key, quoted(string(b))))
		}
		return t.UnixMilli(), nil
	case c == '-' || (c >= '0' && c <= '9'):
		n, err := r.scanNumber()
		if err != nil {
			return 0, err
		}
		ms, ok := numberMs(n, r.data[at:r.pos])
		if !ok {
			return 0, r.failAt(at, fmt.Sprintf("%q is a number beyond the year 9999 in milliseconds: give seconds or milliseconds, not micro- or nanoseconds", key))
		}
		return ms, nil
	}
	return 0, r.unexpected(fmt.Sprintf("a number or a text as %q", key))
}

func numberMs(n number, text []byte) (int64, bool) {
	if !n.point && n.digits <= 18 {
		v := int64(n.value)
		if v < firstMs {
			v *= 1000
		}
		if n.negative {
			v = -v
		}
		return v, v <= lastMs && v >= -lastMs
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, false
	}
	if math.Abs(v) < firstMs {
		v *= 1000
	}
	return int64(math.Round(v)), math.Abs(v) <= lastMs
}

// appendTime writes a time that reads back as the same: as a number where it would be taken for ms, as text where it would not.
func appendTime(dst []byte, ms int64) []byte {
	if ms > -firstMs && ms < firstMs && ms != 0 {
		dst = append(dst, '"')
		dst = time.UnixMilli(ms).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
		return append(dst, '"')
	}
	return strconv.AppendInt(dst, ms, 10)
}
