package slots

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// The vectors were computed with the Python package xxhash 4.1.0 (xxh64, seed 0), which shares no code with the library used here.
func TestOfVectors(t *testing.T) {
	sizes := []uint16{1, 7, 256, 1024, 16384}
	for _, c := range []struct {
		domain string
		slots  []uint16
	}{
		{"", []uint16{0, 6, 153, 409, 10649}}, // 0xef46db3751d8e999
		{"a", []uint16{0, 6, 91, 603, 11867}}, // 0xd24ec4f1a98c6e5b
		{"小明_PS4", []uint16{0, 3, 211, 211, 8403}},
		{"10010_2002", []uint16{0, 6, 194, 706, 7874}},
		{"user-1", []uint16{0, 1, 232, 1000, 11240}},
		{"0123456789abcdef0123456789abcdef0123456789", []uint16{0, 6, 28, 540, 2588}}, // longer than one stripe of 32 bytes
		{"小明_PS4\x01child", []uint16{0, 3, 211, 211, 8403}},
		{"10010_2002\x01a\x01b", []uint16{0, 6, 194, 706, 7874}},
		{"\x01x", []uint16{0, 6, 153, 409, 10649}},
	} {
		for i, n := range sizes {
			if got := Of(c.domain, n); got != c.slots[i] {
				t.Errorf("Of(%q, %d) = %d, want %d: the slot function is on disk and must not change", c.domain, n, got, c.slots[i])
			}
		}
	}
}

func TestValidDomain(t *testing.T) {
	for _, good := range []string{"a", "小明_PS4", " ", "\x7f", strings.Repeat("x", 512), "a\u00a0b"} {
		if err := ValidDomain(good); err != nil {
			t.Errorf("ValidDomain(%q) = %v, want nil", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                       "empty",
		strings.Repeat("x", 513): "513 bytes, at most 512",
		"a\xff":                  "not UTF-8",
		"root\x01child":          "0x01 at byte 5",
		"a\x00":                  "0x00 at byte 2",
		"\n":                     "0x0A at byte 1",
	} {
		if err := ValidDomain(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ValidDomain(%q) = %v, want an error with %q", bad, err, want)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("10010_2002", uint16(256))
	f.Add("a\x01b\x01c", uint16(3))
	f.Fuzz(func(t *testing.T, domain string, n uint16) {
		if n == 0 {
			return
		}
		slot := Of(domain, n)
		if slot >= n {
			t.Fatalf("Of(%q, %d) = %d, want less than %d", domain, n, slot, n)
		}
		if child := Of(domain+"\x01child", n); child != slot {
			t.Fatalf("a child of %q is in slot %d, want its root's %d", domain, child, slot)
		}
		if ValidDomain(domain) == nil && (!utf8.ValidString(domain) || Root(domain) != domain) {
			t.Fatalf("ValidDomain(%q) = nil, want an error", domain)
		}
	})
}
