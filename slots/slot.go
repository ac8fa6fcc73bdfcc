package slots

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

// Slot is a virtual shard: 0..n-1 of a store with n slots.
type Slot = uint16

// Epoch counts the owners that a slot has had; a greater one fences off a smaller one.
type Epoch uint64

const (
	// MaxSlots is the greatest number of slots.
	MaxSlots = 16384
	// MaxDomainBytes is the length of the longest domain id that comes from outside.
	MaxDomainBytes = 512
	// FamilySeparator ends the root in the name of a child thread.
	FamilySeparator = 0x01
)

// Of returns the slot of a domain id among n slots: xxhash64, seed 0, of the domain id up to its first byte 0x01, mod n. So a child
// thread shares the slot of its root. It is on disk and never changes. n must not be 0.
func Of(domain string, n uint16) uint16 {
	return uint16(xxhash.Sum64String(Root(domain)) % uint64(n))
}

// Root returns the name of the root thread: the domain id up to its first byte 0x01.
func Root(domain string) string {
	if i := strings.IndexByte(domain, FamilySeparator); i >= 0 {
		return domain[:i]
	}
	return domain
}

// ValidDomain reports why a text cannot be a domain id from outside: it must be 1 to 512 bytes of UTF-8 without bytes below 0x20.
func ValidDomain(domain string) error {
	switch {
	case domain == "":
		return errors.New("the domain id is empty")
	case len(domain) > MaxDomainBytes:
		return fmt.Errorf("the domain id has %d bytes, at most %d are allowed", len(domain), MaxDomainBytes)
	case !utf8.ValidString(domain):
		return fmt.Errorf("the domain id %q is not UTF-8", domain)
	}
	for i := 0; i < len(domain); i++ {
		if domain[i] < 0x20 {
			return fmt.Errorf("the domain id %q has the control character 0x%02X at byte %d", domain, domain[i], i+1)
		}
	}
	return nil
}
