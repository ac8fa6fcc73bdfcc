package definitions

import (
	"sort"
	"strings"
)

// maxSuggestWork bounds the comparisons that all suggestions of one Check may cost together, so that thousands of
// misspelled names against thousands of names stay cheap.
const maxSuggestWork = 50_000

// didYouMean turns a suggestion into a hint; without one, the hint lists what there is if that is short.
func didYouMean(suggestion string, noun words, all []string) words {
	if suggestion != "" {
		return say("did you mean %s?", quote(suggestion))
	}
	if len(all) == 0 {
		return say("there is no %s at all", noun)
	}
	if len(all) > 12 {
		return words{}
	}
	return say("known: %s", cut(strings.Join(all, ", "), 200))
}

func sortedNames[V any](sets ...map[string]V) []string {
	seen := map[string]bool{}
	var names []string
	for _, set := range sets {
		for name := range set {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	sort.Strings(names)
	return names
}
