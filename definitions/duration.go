package definitions

import (
	"math"
	"strconv"
	"strings"
)

// durationUnits in the order in which they may stand in a duration, in ms.
var durationUnits = []struct {
	name string
	ms   int64
}{{"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1000}, {"ms", 1}}

// ParseDurationMs reads a duration of days, hours, minutes, seconds and milliseconds: 2d, 48h, 15m, 90s, 500ms, 1h30m.
// Each unit stands at most once, the larger before the smaller; numbers are whole. The error says what to write instead.
func ParseDurationMs(text string) (int64, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return 0, durationErrorf("a duration is expected, such as 48h, 15m or 1h30m")
	}
	if _, err := strconv.ParseFloat(rest, 64); err == nil {
		return 0, durationErrorf("the duration %s has no unit: write %sms, %ss or %sm", quote(rest), cut(rest, 20), cut(rest, 20), cut(rest, 20))
	}
	var total int64
	next := 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		unit := strings.TrimLeft(rest, "0123456789")
		if i := strings.IndexAny(unit, "0123456789"); i >= 0 {
			unit = unit[:i]
		}
		at := unitIndex(unit)
		if digits == 0 || at < 0 {
			return 0, durationErrorf("%s is not a duration: write whole numbers with d, h, m, s or ms, such as 48h or 1h30m", quote(text))
		}
		if at < next {
			return 0, durationErrorf("the units of the duration %s are out of order: write each once, larger ones first, such as 1h30m", quote(text))
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		ms := durationUnits[at].ms
		if err != nil || n > (math.MaxInt64-total)/ms {
			return 0, durationErrorf("the duration %s is too long", quote(text))
		}
		total += n * ms
		next = at + 1
		rest = rest[digits+len(unit):]
	}
	return total, nil
}

func unitIndex(unit string) int {
	for i, u := range durationUnits {
		if u.name == unit {
			return i
		}
	}
	return -1
}

// durationError says what is wrong with a duration, in both languages.
type durationError struct{ words }

func durationErrorf(format string, args ...any) error { return durationError{say(format, args...)} }

func (e durationError) Error() string { return e.english() }
