package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// Verify runs a scenario file twice, without faults and with power loss after every step, turn and request, for tests of Go. It returns
// what is wrong: problems of the file, scenarios that failed, and scenarios whose crashes changed the story.
func Verify(path string) (wrong []string) {
	f, problems, err := Load(path)
	if err != nil {
		return []string{err.Error()}
	}
	for _, p := range problems {
		wrong = append(wrong, fmt.Sprintf("%s:%d:%d: %s %s; %s", path, p.Line, p.Column, p.Code, p.Message, p.Hint))
	}
	if f == nil {
		return wrong
	}
	if len(f.scenarios) == 0 {
		return []string{path + " holds no scenario"}
	}
	plain, crashed := f.Run(Options{}), f.Run(Options{Crash: true})
	for i := range plain {
		for _, r := range []Result{plain[i], crashed[i]} {
			if r.Failure != nil {
				var text strings.Builder
				fmt.Fprintf(&text, "after %d crashes:\n", r.Crashes)
				r.writeText(&text, true)
				wrong = append(wrong, text.String())
				break // the second run of a scenario that fails anyway says nothing new
			}
		}
		if plain[i].Failure != nil || crashed[i].Failure != nil {
			continue
		}
		if !slices.Equal(plain[i].Story, crashed[i].Story) {
			wrong = append(wrong, fmt.Sprintf("%s: after a crash at every turn the story is\n%s\nwithout crashes it is\n%s", plain[i].Name,
				strings.Join(crashed[i].Story, "\n"), strings.Join(plain[i].Story, "\n")))
		}
		if crashed[i].Crashes <= crashed[i].Steps {
			wrong = append(wrong, fmt.Sprintf("%s: %d crashes in %d steps, expected more than one a step", plain[i].Name, crashed[i].Crashes, crashed[i].Steps))
		}
	}
	return wrong
}
