package load

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// traffic is what a phase sends.
type traffic struct {
	events, array, connections int
	rate                       int // events/s offered; 0: as fast as they are answered
	limit                      time.Duration
}

// phase is what came of it.
type phase struct {
	sent    int
	took    time.Duration
	waits   []time.Duration // from the sending of an array to its last answer
	turns   []turn          // nil where only their number is known
	refused int             // arrays sent again after 429 or 503
}

// turn is the size of one turn: events, and threads they went to.
type turn struct{ events, rows int }

// usage is what a process has used and an engine has done so far.
type usage struct {
	cpu            time.Duration
	mallocs, bytes uint64
	rssBytes       int64
	diskBytes      int64
	wrote          written // 0: unknown

	turns, events, fired, requests, replies, deadLetters int64
}

// written is what went into a store's log.
type written struct{ bytes, keys int64 }

func (w written) since(before written) written {
	return written{w.bytes - before.bytes, w.keys - before.keys}
}

// rowSize is what an engine writes for each thread that a turn touches, all rows of the turn counted in: alarms, requests, counters.
type rowSize struct{ bytes, keys float64 }

func (w written) over(rows int) rowSize {
	return rowSize{float64(w.bytes) / float64(max(1, rows)), float64(w.keys) / float64(max(1, rows))}
}

// touched is how many threads turns went to.
func touched(turns []turn) (rows int) {
	for _, t := range turns {
		rows += t.rows
	}
	return rows
}

// processUsage fills in what is known of this process.
func (u *usage) processUsage() {
	u.cpu = cpuTime()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.mallocs, u.bytes = m.Mallocs, m.TotalAlloc
	u.rssBytes = residentBytes(&m)
}

// cpuTime is what this process has used of the processors so far.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// residentBytes asks the system; where it does not tell, what Go got from the system is an upper bound.
func residentBytes(m *runtime.MemStats) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		lines := bufio.NewScanner(bytes.NewReader(status))
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
				kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
				if err == nil {
					return kib << 10
				}
			}
		}
	}
	return int64(m.Sys - m.HeapReleased)
}

// Spread is a figure of several rounds.
type Spread struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	v := slices.Sorted(slices.Values(values))
	return Spread{v[0], (v[(len(v)-1)/2] + v[len(v)/2]) / 2, v[len(v)-1]}
}

// quantile of sorted durations, in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(q*float64(len(sorted)-1))].Nanoseconds()) / 1e6
}
