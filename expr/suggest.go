package expr

import "strings"

// Suggester finds the name that was probably meant. The zero value has no bound.
type Suggester struct {
	Max  int // comparisons that all its suggestions may cost together; 0: any number
	Work int // comparisons made so far
}

// Nearest returns the candidate that differs least from word, "" if none is close.
func Nearest(word string, candidates []string) string { return new(Suggester).Near(word, candidates) }

// Near returns the candidate that differs least from word, "" if none is close: about one slip for three runes.
func (s *Suggester) Near(word string, candidates []string) string {
	if word == "" || len(word) > 80 {
		return ""
	}
	w := []rune(strings.ToLower(word))
	limit := max(1, len(w)/3)
	if len(w) == 1 {
		limit = 0
	}
	best, least := "", limit+1
	for _, c := range candidates {
		if len(c) > 160 {
			continue
		}
		if s.Work++; s.Max > 0 && s.Work > s.Max {
			return best
		}
		if d := distance(w, []rune(strings.ToLower(c)), least); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours between two words, at most limit.
func distance(a, b []rune, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
			least = min(least, now[j])
		}
		if least >= limit {
			return limit
		}
		before, last, now = last, now, before
	}
	return min(limit, last[len(b)])
}
