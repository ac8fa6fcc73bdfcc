package definitions

import (
	"sort"
	"strings"
)

// maxSuggestWork bounds the comparisons that all suggestions of one Check may cost together, so that thousands of
// misspelled names against thousands of names stay cheap.
const maxSuggestWork = 50_000

// didYouMean turns a suggestion into a hint; without one, the hint lists what there is if that is short.
func didYouMean(suggestion, noun string, all []string) string {
	if suggestion != "" {
		return "did you mean " + quote(suggestion) + "?"
	}
	if len(all) == 0 {
		return "there is no " + noun + " at all"
	}
	if len(all) > 12 {
		return ""
	}
	return "known: " + cut(strings.Join(all, ", "), 200)
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
