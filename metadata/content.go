package metadata

import (
	"bytes"
	"reflect"
	"strconv"
)

// What counts as "the same content" is decided here, once for all drivers: a put of an existing name with the same content answers
// Unchanged, with other content Conflict. Numbers, orders, times and lifecycle states are not content.

// SameContent reports whether o has the same expressions.
func (s Strategy) SameContent(o Strategy) bool { return s.When == o.When && s.DomainID == o.DomainID }

// SameContent reports whether o has the same URL.
func (s Service) SameContent(o Service) bool { return s.URL == o.URL }

// SameContent reports whether o has the same text, byte for byte.
func (d Definition) SameContent(o Definition) bool { return bytes.Equal(d.Text, o.Text) }

// SameContent reports whether o has the same display name, definition and config. Configs are the same when they are written the
// same: the type of a number counts, the order of a map does not.
func (a Activity) SameContent(o Activity) bool {
	return a.DisplayName == o.DisplayName && a.Definition == o.Definition && sameConfig(a.Config, o.Config)
}

func sameConfig(a, b map[string]any) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	if len(a) != len(b) {
		return false
	}
	if reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() {
		return true // one map: nothing need be written to know it
	}
	x, errX := EncodeConfig(a)
	y, errY := EncodeConfig(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// NextVersion returns the version number that a definition gets when its author names none: one above the greatest version
// that is a number, "1" when there is none. Versions of more than 15 digits are names, not numbers.
func NextVersion(versions []Definition) string {
	greatest := uint64(0)
	for _, v := range versions {
		if len(v.Version) > 15 {
			continue
		}
		if n, err := strconv.ParseUint(v.Version, 10, 64); err == nil && n > greatest {
			greatest = n
		}
	}
	return strconv.FormatUint(greatest+1, 10)
}
