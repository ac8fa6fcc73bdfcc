package load

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/engine/store"
)

func TestGrowth(t *testing.T) {
	o := Options{Dir: t.TempDir(), Durability: store.Memory, Threads: 1000, Hot: 100, Events: 300, Activities: 20, Rounds: 1, Connections: 2, Array: 20}
	g, err := Growth(context.Background(), o)
	if err != nil {
		t.Fatalf("expected series, got %v", err)
	}
	want := map[string][]int{"threads": {100, 1000}, "activities": {1, 10, 20}, "vars": {100, 400, 1000, 2000, 4000}}
	if len(g.Series) != len(want) {
		t.Fatalf("expected %d series, got %d", len(want), len(g.Series))
	}
	for _, s := range g.Series {
		var sizes []int
		for _, p := range s.Points {
			sizes = append(sizes, p.Size)
			if p.EventsPerSecond.Median <= 0 {
				t.Errorf("%s %d: expected a rate, got %+v", s.Name, p.Size, p)
			}
		}
		if !slices.Equal(sizes, want[s.Name]) {
			t.Errorf("%s: expected the sizes %v, got %v", s.Name, want[s.Name], sizes)
		}
		wellFormed(t, s.SVG(), len(sizes))
	}
	for _, r := range g.Report.Results {
		if r.Sent != r.Applied || r.Ceiling != nil {
			t.Errorf("expected all events applied and no ceiling, got %d of %d, %v", r.Applied, r.Sent, r.Ceiling)
		}
	}
	var out bytes.Buffer
	if err := g.Table(&out); err != nil || !strings.Contains(out.String(), "unrelated activities") {
		t.Errorf("expected a table with all series, got %v\n%s", err, out.String())
	}
}

// wellFormed checks that a plot is XML with a dot for each point in both panels.
func wellFormed(t *testing.T, svg []byte, points int) {
	t.Helper()
	d, dots := xml.NewDecoder(bytes.NewReader(svg)), 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("expected XML, got %v in\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
			dots++
		}
	}
	if dots != 2*points {
		t.Errorf("expected %d dots, got %d", 2*points, dots)
	}
}

func TestAxisTexts(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 100: "100", 20_000: "20k", 1e6: "1M", 2.5: "2.5"} {
		if got := short(v); got != want {
			t.Errorf("short(%v): expected %q, got %q", v, want, got)
		}
	}
	for v, want := range map[float64]float64{0: 1, 1: 1, 3: 4, 61_000: 80_000, 95: 100} {
		if got := roundUp(v); got != want {
			t.Errorf("roundUp(%v): expected %v, got %v", v, want, got)
		}
	}
}
