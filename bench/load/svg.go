package load

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Places of a plot, in pixels: two panels side by side.
const (
	plotWidth, plotHeight  = 760, 300
	panelWidth             = 300
	panelTop, panelBottom  = 50, 240
	firstPanel, panelPitch = 60, 380
)

// SVG draws the series: events/s and CPU per event over the size, whose axis is logarithmic; bars show the smallest and the largest round.
// It is plain text without scripts and follows light and dark.
func (s *Series) SVG() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" font-family="sans-serif" font-size="12">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString("cost of an event over "+s.Title))
	b.WriteString("<style>text{fill:#444}.a{stroke:#999;fill:none}.g{stroke:#ddd}.l{stroke:#2563eb;stroke-width:2;fill:none}.d{fill:#2563eb}.e{stroke:#2563eb}" +
		"@media(prefers-color-scheme:dark){text{fill:#bbb}.g{stroke:#333}.l,.e{stroke:#7aa2f7}.d{fill:#7aa2f7}}</style>\n")
	s.panel(&b, 0, "events/s", func(p Point) Spread { return p.EventsPerSecond })
	s.panel(&b, 1, "CPU µs per event", func(p Point) Spread { return p.CPUMicros })
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

func (s *Series) panel(b *strings.Builder, place int, title string, of func(Point) Spread) {
	left := float64(firstPanel + place*panelPitch)
	most := 0.0
	for _, p := range s.Points {
		most = max(most, of(p).Max)
	}
	most = roundUp(most)
	y := func(v float64) float64 { return panelBottom - v/most*(panelBottom-panelTop) }
	x := s.axis(left)
	fmt.Fprintf(b, `<text x="%.0f" y="30" font-weight="bold">%s</text>`+"\n", left, html.EscapeString(title))
	for i := range 5 {
		v := most * float64(i) / 4
		fmt.Fprintf(b, `<line class="g" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/><text x="%.0f" y="%.1f" text-anchor="end">%s</text>`+"\n",
			left, left+panelWidth, y(v), y(v), left-6, y(v)+4, short(v))
	}
	fmt.Fprintf(b, `<path class="a" d="M%.0f %d V%d H%.0f"/>`+"\n", left, panelTop, panelBottom, left+panelWidth)
	var line []string
	for _, p := range s.Points {
		v := of(p)
		at := x(p.Size)
		line = append(line, fmt.Sprintf("%.1f,%.1f", at, y(v.Median)))
		fmt.Fprintf(b, `<line class="e" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><circle class="d" cx="%.1f" cy="%.1f" r="3"/>`, at, at, y(v.Min), y(v.Max), at, y(v.Median))
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", at, panelBottom+18, short(float64(p.Size)))
	}
	fmt.Fprintf(b, `<polyline class="l" points="%s"/>`+"\n", strings.Join(line, " "))
	fmt.Fprintf(b, `<text x="%.0f" y="%d" text-anchor="middle">%s</text>`+"\n", left+panelWidth/2, panelBottom+40, html.EscapeString(s.Title))
}

// axis returns where a size lies: its logarithm, between margins.
func (s *Series) axis(left float64) func(size int) float64 {
	const margin = 15
	if len(s.Points) == 0 {
		return func(int) float64 { return left }
	}
	from, to := math.Log(float64(s.Points[0].Size)), math.Log(float64(s.Points[len(s.Points)-1].Size))
	return func(size int) float64 {
		if to == from {
			return left + panelWidth/2
		}
		return left + margin + (math.Log(float64(size))-from)/(to-from)*(panelWidth-2*margin)
	}
}

// roundUp returns the next of 1, 2, 4, 5, 8 times a power of ten, so that its quarters are easy to read.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, k := range []float64{1, 2, 4, 5, 8} {
		if k*power >= v {
			return k * power
		}
	}
	return 10 * power
}
