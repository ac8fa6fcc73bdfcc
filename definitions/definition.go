package definitions

// Definition is one checked version of a program. It is immutable and shared by all threads of the version.
type Definition struct {
	Name        string
	Strategy    string // name of the strategy that gives its threads their domain ids
	DisplayName string
	Description string
	Config      map[string]any // static values of the definition, without "$" items
	Settings    Settings       // the "$" items
	Trigger     Trigger
	Actions     []*Action // Actions[0] is the entry point

	byName map[string]*Action
}

// Action returns the action of that name, nil if there is none.
func (d *Definition) Action(name string) *Action { return d.byName[name] }

// Settings are the config items that begin with "$" (playwell.md section 1.5). A zero field means: not set, the engine's default holds.
type Settings struct {
	RetentionMs      int64 // "$retention": how long an ended run is kept; RetentionSet tells 0 from absent
	RetentionSet     bool
	MaxActions       int64          // "$schedule.max_continue_periods": actions one message may run before the thread yields; 0 or -1: the default
	SuspendMs        int64          // "$schedule.suspend_time": how long a thread that yields rests, in ms
	PauseContinueOld bool           // "$schedule.pause_continue_old": threads go on while their activity is paused
	KeepSleep        bool           // "$keep_sleep": a sleep or clock begins anew when its time is over
	ThreadLog        ThreadLog      // "$thread_log"
	Mailbox          Mailbox        // "$mailbox"
	Verdicts         bool           // "$verdicts": what became of a thread's last messages is kept
	Monitors         []Monitor      // "$monitors", or "$schedule.monitor": who is told of repair and of the end
	Items            map[string]any // every "$" item as written
}

// Monitor is a service that is told when a thread waits for repair and, unless OnlyRepair is set, when it has finished or failed.
type Monitor struct {
	Service    string
	OnlyRepair bool
}

// Trigger says which events give birth to a thread.
type Trigger struct {
	Type        string // "event"
	Condition   *Expr
	ContextVars []Assign
	Line        int
	Column      int
}

// Action is one step of a definition, as data. What it does is its type's Behavior.
type Action struct {
	Index   int
	Name    string
	Type    string
	Spec    *Spec
	Args    *Args    // nil when absent
	Clauses []Clause // of types whose shape is ShapeClauses (case, receive); nil otherwise
	Ctrl    Ctrl
	Await   bool
	Line    int
	Column  int
}

// Ctrl is an action's ctrl block. The zero value says there was none.
type Ctrl struct {
	When    []Clause // in order
	Default *Clause  // nil when absent
}

// Head is what opens a clause.
type Head uint8

// The heads of a clause.
const (
	HeadWhen Head = iota
	HeadAfter
	HeadDefault
)

// Clause is one entry of a case, a receive or a ctrl: when its condition holds, set ContextVars and follow Then.
// ContextVars and Then both see the variables as they were before the clause.
type Clause struct {
	Index       int // place in its list, from 0
	Head        Head
	Cond        *Expr // the condition (when) or the delay in ms (after); nil for default
	Then        *Expr // the control; for default, the default's own expression; nil in a handler
	ContextVars []Assign
	Line        int
	Column      int
}

// Assign gives a variable a value.
type Assign struct {
	Name  string
	Value *Args
}

// ArgsKind is the shape of one value in the arguments.
type ArgsKind uint8

// The kinds of Args.
const (
	ArgsExpr ArgsKind = iota
	ArgsList
	ArgsMap
	ArgsClauses
)

// Args is a tree of lists and maps with expressions as leaves; map entries keep the order of the text.
type Args struct {
	Kind    ArgsKind
	Expr    *Expr    // ArgsExpr
	Items   []*Args  // ArgsList
	Pairs   []Assign // ArgsMap
	Clauses []Clause // ArgsClauses; it has no value
	Line    int
	Column  int
}

// Get returns the value of a map entry, nil when a is nil, no map, or has no such entry.
func (a *Args) Get(key string) *Args {
	if a == nil {
		return nil
	}
	for i := range a.Pairs {
		if a.Pairs[i].Name == key {
			return a.Pairs[i].Value
		}
	}
	return nil
}
