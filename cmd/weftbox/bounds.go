package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/definitions"
)

// bounds are limits of what a node keeps; zero is the engine's default.
type bounds struct {
	Keys            int64
	DeadLetterBytes int64
	DeadLetterAge   time.Duration
}

func addBoundFlags(serve *cobra.Command, c *nodeConfig) {
	p := serve.Flags()
	c.Bounds = bounds{Keys: 50_000_000, DeadLetterBytes: 1 << 30, DeadLetterAge: 30 * 24 * time.Hour}
	p.Var((*countValue)(&c.Bounds.Keys), "idempotency-max-keys", "how many idempotency keys are remembered; beyond it the older day's are forgotten early")
	p.Var((*bytesValue)(&c.Bounds.DeadLetterBytes), "dead-letters-max-bytes", "what dead letters may take, as 512MiB; beyond it the oldest are dropped")
	p.Var((*ageValue)(&c.Bounds.DeadLetterAge), "dead-letters-max-age", "how long dead letters are kept, as 30d or 12h")
}

// countValue is a flag's positive number.
type countValue int64

func (v *countValue) String() string { return strconv.FormatInt(int64(*v), 10) }
func (v *countValue) Type() string   { return "number" }

// Set reads the flag.
func (v *countValue) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("write a number above 0")
	}
	*v = countValue(n)
	return nil
}

// bytesValue is a flag's number of bytes: 1073741824, 512MiB, 1GiB.
type bytesValue int64

var byteUnits = []struct {
	name string
	size int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}}

func (v *bytesValue) String() string {
	for i := len(byteUnits) - 1; i >= 0; i-- {
		if u := byteUnits[i]; int64(*v) >= u.size && int64(*v)%u.size == 0 {
			return strconv.FormatInt(int64(*v)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(*v), 10)
}
func (v *bytesValue) Type() string { return "bytes" }

// Set reads the flag.
func (v *bytesValue) Set(text string) error {
	number, size := text, int64(1)
	for _, u := range byteUnits {
		if rest, found := strings.CutSuffix(text, u.name); found {
			number, size = rest, u.size
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 || n > (1<<62)/size {
		return fmt.Errorf("write a number of bytes such as 1073741824, 512MiB or 1GiB")
	}
	*v = bytesValue(n * size)
	return nil
}

// ageValue is a flag's duration, days among its units.
type ageValue time.Duration

func (v *ageValue) String() string {
	const day = 24 * time.Hour
	if d := time.Duration(*v); d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return time.Duration(*v).String()
}
func (v *ageValue) Type() string { return "duration" }

// Set reads the flag.
func (v *ageValue) Set(text string) error {
	ms, err := definitions.ParseDurationMs(text)
	if err != nil {
		return err
	}
	if ms < 60_000 {
		return fmt.Errorf("write a minute at least")
	}
	*v = ageValue(time.Duration(ms) * time.Millisecond)
	return nil
}
