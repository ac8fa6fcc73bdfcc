package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Run measures the scenarios one after the other, each on empty directories that are removed again. An event that was sent and is not found in
// the threads, or found twice, is an error.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.Complete(); err != nil {
		return nil, err
	}
	report := newReport()
	for _, name := range o.Scenarios {
		s := find(name)
		if o.Server != "" && !s.remote {
			return nil, fmt.Errorf("scenario %s runs inside this process only: leave --server out", name)
		}
		others := []int{0}
		if s.fanout {
			others = fanoutSteps(o.Activities)
		}
		for _, n := range others {
			r, err := measure(ctx, &o, s, n)
			if err != nil {
				return report, fmt.Errorf("scenario %s: %w", name, err)
			}
			report.Results = append(report.Results, *r)
		}
	}
	return report, nil
}

// fanoutSteps are the numbers of unrelated activities: 1 and the most.
func fanoutSteps(most int) []int {
	if most == 1 {
		return []int{1}
	}
	return []int{1, most}
}

// bench is one scenario being measured.
type bench struct {
	o    *Options
	s    *scenario
	w    *workload
	d    driver
	dir  string
	top  *ceiling
	r    *Result
	base usage // of the empty store

	figures map[string][]float64
}

func measure(ctx context.Context, o *Options, s *scenario, others int) (r *Result, err error) {
	dir, err := os.MkdirTemp(o.Dir, "weftbox-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{o: o, s: s, dir: dir, figures: map[string][]float64{}}
	defer func() { err = errors.Join(err, b.close()) }()
	b.r = &Result{Scenario: s.name, Mode: "in process", Threads: o.Threads, Users: o.Hot, Activities: others, VarsBytes: o.VarsBytes,
		Connections: o.Connections, Array: o.Array, Rate: o.Rate, Rounds: o.Rounds}
	if s.uniform || s.alarms {
		b.r.Users = o.Threads
	}
	if err := b.open(ctx, others); err != nil {
		return nil, err
	}
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	if s.alarms {
		err = b.alarmRounds(ctx)
	} else {
		err = b.eventRounds(ctx)
	}
	if err != nil {
		return nil, err
	}
	b.summarise()
	o.say("%s: reading the books", s.name)
	if err := b.books(ctx); err != nil {
		return nil, err
	}
	return b.r, b.compact(ctx)
}

func (b *bench) open(ctx context.Context, others int) (err error) {
	if b.o.Server == "" {
		b.w = newWorkload(b.o, b.s, "")
		var l *local
		if l, err = openLocal(ctx, b.dir, b.o, b.w, others); err == nil {
			b.d = l
		}
	} else {
		b.r.Mode = "http"
		b.w = newWorkload(b.o, b.s, "_"+strconv.FormatUint(rand.Uint64N(1<<40), 36))
		var r *remote
		if r, err = openRemote(ctx, b.o, b.w); err == nil {
			b.d, b.r.NDJSON = r, r.ndjson
		}
	}
	if err == nil {
		b.base, err = b.d.usage(ctx)
	}
	return err
}

func (b *bench) close() (err error) {
	if b.d != nil {
		err = b.d.close()
	}
	if b.top != nil {
		err = errors.Join(err, b.top.close())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

// fill gives birth to a thread for every user.
func (b *bench) fill(ctx context.Context) error {
	b.o.say("%s: %d threads are born", b.s.name, b.o.Threads)
	b.w.everyUser("hit", true)
	t := b.traffic(b.o.Threads)
	t.rate, t.limit, t.array = 0, time.Hour, max(t.array, 100)
	if b.r.Activities > 0 { // the cost of an event is not known yet
		if err := b.careful(ctx, &t); err != nil {
			return err
		}
	}
	if _, err := b.drive(ctx, t); err != nil {
		return err
	}
	b.w.anyUser()
	if l, ok := b.d.(*local); ok { // merging what the births wrote is no part of what is measured
		settle(ctx, l.state.Busy)
	}
	return nil
}

// inFlightBytes bounds what the events under way allocate.
const inFlightBytes = 256 << 20

// careful sends the first events one by one and then lets as many be under way as fit into memory.
func (b *bench) careful(ctx context.Context, t *traffic) error {
	before, err := b.d.usage(ctx)
	if err != nil {
		return err
	}
	const first = 8
	if _, err := b.drive(ctx, traffic{events: min(first, t.events), array: 1, connections: 1, limit: t.limit}); err != nil {
		return err
	}
	after, err := b.d.usage(ctx)
	if err != nil {
		return err
	}
	t.events -= min(first, t.events)
	fit := int(inFlightBytes * first / max(1, after.bytes-before.bytes))
	if fit < t.connections*t.array {
		t.array = min(t.array, max(1, fit))
		t.connections = max(1, fit/t.array)
		b.r.Array, b.r.Connections = t.array, t.connections
		b.o.say("%s: an event allocates %d bytes, so that %d are under way at once", b.s.name, (after.bytes-before.bytes)/first, t.array*t.connections)
	}
	return nil
}

func (b *bench) traffic(events int) traffic {
	return traffic{events: events, array: b.r.Array, connections: b.r.Connections, rate: b.o.Rate, limit: b.o.RoundLimit}
}

func (b *bench) drive(ctx context.Context, t traffic) (*phase, error) {
	if t.events == 0 {
		return &phase{}, nil
	}
	p, err := b.d.drive(ctx, t)
	if err == nil && p.sent == 0 {
		err = errors.New("no event was sent")
	}
	return p, err
}

// eventRounds warms up, which also shows how large a row is, and measures.
func (b *bench) eventRounds(ctx context.Context) error {
	before, err := b.d.usage(ctx)
	if err != nil {
		return err
	}
	b.o.say("%s: warming up", b.s.name)
	p, err := b.drive(ctx, b.traffic(max(b.o.Events/4, b.r.Array)))
	if err != nil {
		return err
	}
	after, err := b.d.usage(ctx)
	if err != nil {
		return err
	}
	b.r.RSSBytes, b.r.DiskBytesPerThread = after.rssBytes, float64(after.diskBytes-b.base.diskBytes)/float64(b.o.Threads)
	if err := b.openTop(ctx, after.wrote.since(before.wrote).over(touched(p.turns))); err != nil {
		return err
	}
	for round := range b.o.Rounds {
		b.o.say("%s: round %d of %d", b.s.name, round+1, b.o.Rounds)
		if before, err = b.d.usage(ctx); err != nil {
			return err
		}
		if p, err = b.drive(ctx, b.traffic(b.o.Events)); err != nil {
			return err
		}
		if after, err = b.d.usage(ctx); err != nil {
			return err
		}
		b.add(p, p.sent, before, after)
		if err := b.replay(ctx, p, p.sent, after.turns-before.turns); err != nil {
			return err
		}
	}
	return nil
}

// openTop opens the ceiling with rows of a size. Over HTTP the size is not known: a small run inside this process shows it.
func (b *bench) openTop(ctx context.Context, row rowSize) (err error) {
	if b.o.NoCeiling {
		return nil
	}
	if row.bytes <= 0 {
		if row, err = b.sampleRow(ctx); err != nil {
			return err
		}
	}
	b.r.RowBytes, b.r.RowKeys = row.bytes, row.keys
	b.o.say("%s: filling the store of the ceiling, %.1f keys of %.0f bytes together for a thread", b.s.name, row.keys, row.bytes)
	b.top, err = openCeiling(ctx, filepath.Join(b.dir, "ceiling"), b.o, b.s, row)
	if err == nil {
		b.r.Ceiling = &Ceiling{}
	}
	return err
}

func (b *bench) sampleRow(ctx context.Context) (row rowSize, err error) {
	small := *b.o
	small.Server, small.Threads, small.Hot, small.Events, small.Rounds, small.NoCeiling, small.Rate = "", 20_000, 20_000, 16_000, 1, true, 0
	s := &bench{o: &small, s: b.s, dir: filepath.Join(b.dir, "sample"), r: &Result{Array: 100, Connections: 16}, figures: map[string][]float64{}}
	s.w = newWorkload(&small, b.s, "")
	l, err := openLocal(ctx, s.dir, &small, s.w, 0)
	if err != nil {
		return row, err
	}
	s.d = l
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.fill(ctx); err != nil {
		return row, err
	}
	before := l.written()
	p, err := s.drive(ctx, s.traffic(small.Events))
	if err != nil {
		return row, err
	}
	return l.written().since(before).over(touched(p.turns)), nil
}

// add takes the figures of a round with n events or alarms.
func (b *bench) add(p *phase, n int, before, after usage) {
	put := func(name string, v float64) { b.figures[name] = append(b.figures[name], v) }
	each := float64(max(1, n))
	put("events", each)
	put("rate", each/p.took.Seconds())
	put("cpu", float64((after.cpu-before.cpu).Nanoseconds())/1000/each)
	put("mallocs", float64(after.mallocs-before.mallocs)/each)
	put("bytes", float64(after.bytes-before.bytes)/each)
	put("turn", each/float64(max(1, after.turns-before.turns)))
	slices.Sort(p.waits)
	put("p50", quantile(p.waits, 0.50))
	put("p99", quantile(p.waits, 0.99))
	put("max", quantile(p.waits, 1))
	b.r.Refused += p.refused
	for _, t := range p.turns {
		b.r.TurnMax = max(b.r.TurnMax, t.events)
	}
}

// replay writes the round's turns bare to Pebble.
func (b *bench) replay(ctx context.Context, p *phase, n int, turns int64) error {
	if b.top == nil {
		return nil
	}
	sizes := p.turns
	if sizes == nil { // only their number is known: they count as equal
		for i := range turns {
			k := int(int64(n)*(i+1)/turns - int64(n)*i/turns)
			sizes = append(sizes, turn{k, k})
		}
	}
	rate := float64(n) / p.took.Seconds()
	for _, get := range []bool{false, true} {
		before := cpuTime()
		took, commits, err := b.top.replay(ctx, sizes, get)
		if err != nil {
			return err
		}
		cpu := float64((cpuTime() - before).Nanoseconds()) / 1000 / float64(n)
		top, name := float64(n)/took.Seconds(), "cache"
		if get {
			name = "get"
		} else {
			slices.Sort(commits)
			b.figures["commit"] = append(b.figures["commit"], quantile(commits, 0.5))
		}
		b.figures[name] = append(b.figures[name], top)
		b.figures[name+"CPU"] = append(b.figures[name+"CPU"], cpu)
		b.figures[name+"Share"] = append(b.figures[name+"Share"], 100*rate/top)
	}
	b.top.settle(ctx)
	return nil
}

func (b *bench) summarise() {
	of := func(name string) Spread { return spread(b.figures[name]) }
	r := b.r
	r.EventsPerRound, r.EventsPerSecond, r.CPUMicros, r.Allocations, r.AllocatedBytes = of("events"), of("rate"), of("cpu"), of("mallocs"), of("bytes")
	r.AckP50Ms, r.AckP99Ms, r.AckMaxMs, r.TurnMean = of("p50"), of("p99"), of("max"), of("turn")
	if r.Ceiling != nil {
		*r.Ceiling = Ceiling{of("cache"), of("get"), of("commit"), of("cacheShare"), of("getShare"), of("cacheCPU"), of("getCPU")}
	}
}

// compact looks how many bytes the threads take once nothing is left to merge. It comes last: it would disturb what is measured.
func (b *bench) compact(ctx context.Context) error {
	l, ok := b.d.(*local)
	if !ok {
		return nil
	}
	b.o.say("%s: compacting", b.s.name)
	if err := l.state.Compact(ctx); err != nil {
		return err
	}
	rows, err := l.state.TableBytes()
	if err != nil {
		return err
	}
	b.r.CompactedPerThread = float64(rows) / float64(b.live())
	return nil
}

// live is how many threads wait in the end: of the coupon story each user has one for every product.
func (b *bench) live() (n int64) {
	if b.s.rowBefore == nil {
		return int64(b.o.Threads)
	}
	for user, nth := range b.w.sent {
		n += goods(hit{uint32(user), nth}) + 1
	}
	return n
}
