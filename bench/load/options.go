package load

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/weftbox/weftbox/engine/store"
)

// Options of Run and Growth. Zero fields mean the defaults; Complete fills them in.
type Options struct {
	Scenarios   []string // names of Scenarios; empty: all (over HTTP: those that need no restart of the node)
	Dir         string   // where directories are made and removed again; "": the system's temporary folder
	Server      string   // URL of a running node; "": an engine inside this process
	Durability  store.Durability
	Threads     int           // waiting threads in the store, default 100,000
	Hot         int           // threads that get the events of counter, coupon and fanout, default 20,000, at most Threads
	Events      int           // of one round, default 100,000
	Activities  int           // the most unrelated activities of fanout, default 10,000
	VarsBytes   int           // text kept in the variables of each thread on top of its counter, default 0
	Rounds      int           // measured after the warm-up, default 3
	Connections int           // senders that each wait for the answer to their array; default 40, over HTTP 16
	Array       int           // events sent at once by each, default 100
	Rate        int           // events/s offered whatever the answers; 0: each sender sends again when it is answered
	CacheBytes  int64         // of the store's block cache, and of the engine's threads in memory; default: their own, for cold 8 MiB each
	RoundLimit  time.Duration // a round sends nothing more after this time, default 30 s
	Seed        uint64        // of all draws, default 1
	Progress    io.Writer     // lines about what is under way; nil: none
	NoCeiling   bool          // leave the ceiling out: growth series need it only once
}

// Complete checks the options and fills in the defaults.
func (o *Options) Complete() error {
	setDefault(&o.Threads, 100_000)
	setDefault(&o.Hot, min(20_000, o.Threads))
	setDefault(&o.Events, 100_000)
	setDefault(&o.Activities, 10_000)
	setDefault(&o.Rounds, 3)
	setDefault(&o.Array, 100)
	if o.Server == "" {
		setDefault(&o.Connections, 40)
	}
	setDefault(&o.Connections, 16)
	if o.RoundLimit == 0 {
		o.RoundLimit = 30 * time.Second
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	o.Hot = min(o.Hot, o.Threads)
	for _, f := range []struct {
		name  string
		value int
		most  int
	}{
		{"threads", o.Threads, 20_000_000}, {"hot", o.Hot, 20_000_000}, {"events", o.Events, 100_000_000}, {"activities", o.Activities, 100_000},
		{"rounds", o.Rounds, 100}, {"connections", o.Connections, 10_000}, {"array", o.Array, 10_000},
	} {
		if f.value < 1 || f.value > f.most {
			return fmt.Errorf("--%s %d: write a number from 1 to %d", f.name, f.value, f.most)
		}
	}
	if o.VarsBytes < 0 || o.VarsBytes > 60_000 {
		return fmt.Errorf("--vars-bytes %d: write a number from 0 to 60000", o.VarsBytes)
	}
	if o.Rate < 0 || o.RoundLimit < 0 || o.CacheBytes < 0 {
		return errors.New("--rate, --round-limit and --cache-bytes may not be negative")
	}
	return o.chooseScenarios()
}

func (o *Options) chooseScenarios() error {
	if len(o.Scenarios) == 0 {
		for _, s := range scenarios {
			if o.Server == "" || s.remote {
				o.Scenarios = append(o.Scenarios, s.name)
			}
		}
	}
	for _, name := range o.Scenarios {
		if find(name) == nil {
			return fmt.Errorf("there is no scenario %q: the scenarios are %s", name, list(ScenarioNames()))
		}
	}
	return nil
}

func setDefault(field *int, value int) {
	if *field == 0 {
		*field = value
	}
}

func (o *Options) say(format string, args ...any) { fmt.Fprintf(o.Progress, format+"\n", args...) }

func list(names []string) string {
	text := ""
	for i, n := range names {
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}

// ScenarioNames returns the names of all scenarios, in the order in which they run.
func ScenarioNames() []string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

// Summary says what a scenario measures, in one line.
func Summary(name string) string { return find(name).summary }

func find(name string) *scenario {
	i := slices.IndexFunc(scenarios, func(s *scenario) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return scenarios[i]
}
