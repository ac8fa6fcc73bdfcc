package api

import (
	"strings"
	"testing"
)

// Each language has every sentence, with the same arguments in the same order.
func TestLanguagesSayTheSame(t *testing.T) {
	verbs := func(text string) (out []string) {
		for i := 0; i+1 < len(text); i++ {
			if text[i] == '%' {
				out = append(out, text[i:i+2])
			}
		}
		return out
	}
	for name, l := range storyWords {
		for key, text := range english.texts {
			if got, want := strings.Join(verbs(l.texts[key]), " "), strings.Join(verbs(text), " "); got != want || l.texts[key] == "" {
				t.Errorf("%s %q: arguments %q, want %q", name, key, got, want)
			}
		}
		if len(l.texts) != len(english.texts) {
			t.Errorf("%s has %d sentences, want %d", name, len(l.texts), len(english.texts))
		}
	}
}
