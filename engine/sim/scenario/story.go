package scenario

import (
	"fmt"
	"strings"

	"github.com/weftbox/weftbox/activity"
)

// story is what happened, seen from one thread: its own lines and those of the whole node. Without a thread it is everything.
func (p *player) story(id activity.ID) []string {
	all := id == activity.ID{}
	several := len(p.w.Threads()) > 1
	var lines []string
	for _, n := range p.w.Notes() {
		if !all && n.ID != id && n.ID != (activity.ID{}) {
			continue
		}
		who := ""
		if several && n.ID != (activity.ID{}) {
			who = p.nameOf(n.ID) + ": "
		}
		lines = append(lines, fmt.Sprintf("%-10s %s%s", "+"+span(n.AtMs-p.startMs), who, n.Text))
	}
	return lines
}

// span writes a duration as days, hours, minutes, seconds and milliseconds.
func span(ms int64) string {
	if ms == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range []struct {
		name string
		ms   int64
	}{{"d", 86_400_000}, {"h", 3_600_000}, {"m", 60_000}, {"s", 1000}, {"ms", 1}} {
		if n := ms / u.ms; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			ms -= n * u.ms
		}
	}
	return b.String()
}
