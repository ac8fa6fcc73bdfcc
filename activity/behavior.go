package activity

import (
	"fmt"
	"sort"
	"strings"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// Behavior is what an action type does. One value serves all threads: it keeps nothing.
type Behavior interface {
	// Start runs when a thread enters the action.
	Start(s *Scope) Outcome
	// Receive runs when the thread waits at the action and a message comes: *Event (as Carried), *Reply of the present visit, or *Alarm of the present wait.
	Receive(s *Scope, m Message) Outcome
}

// Func is the Behavior of an action that does its work when a thread enters it and waits for nothing.
type Func func(s *Scope) Outcome

// Start calls f.
func (f Func) Start(s *Scope) Outcome { return f(s) }

// Receive has no use for any message.
func (f Func) Receive(*Scope, Message) Outcome { return Ignore() }

type outcomeKind uint8

const (
	outcomeWait outcomeKind = iota
	outcomeDone
	outcomeJump
	outcomeIgnore
	outcomeFail
	outcomeError
)

// Outcome is what a behavior answers: Wait, Done, Jump, Ignore, Fail or Error.
type Outcome struct {
	kind    outcomeKind
	result  *expr.Result
	control expr.Control
	vars    expr.Vars
	clause  int
	reason  string
	err     error
}

// Wait keeps the thread at the action until a message comes.
func Wait() Outcome { return Outcome{kind: outcomeWait, clause: -1} }

// Done ends the action with a result; its ctrl block decides what follows.
func Done(r *expr.Result) Outcome { return Outcome{kind: outcomeDone, result: r, clause: -1} }

// Jump ends the action well with a control of its own (the clause that was taken), which holds unless a ctrl block overrides it.
func Jump(clause int, c expr.Control) Outcome {
	return Outcome{kind: outcomeJump, control: c, clause: clause}
}

// Ignore says that the message is of no use to the action, which goes on waiting.
func Ignore() Outcome { return Outcome{kind: outcomeIgnore, clause: -1} }

// Fail ends the thread with a reason of the engine's own: "no_default", "service_not_found", ...
func Fail(reason string) Outcome { return Outcome{kind: outcomeFail, reason: reason, clause: -1} }

// Error ends the thread with reason "error" and the text of err, or, if err is a limit, discards the step.
func Error(err error) Outcome { return Outcome{kind: outcomeError, err: err, clause: -1} }

var registry = map[string]registered{}

type registered struct {
	spec     *definitions.Spec
	behavior Behavior
}

// Register makes an action type known. It is called from init functions only; a type registered twice panics.
// The spec with Service set serves every action whose type is a registered service.
func Register(spec *definitions.Spec, b Behavior) {
	if _, twice := registry[spec.Type]; twice {
		panic("activity: action type " + spec.Type + " registered twice")
	}
	registry[spec.Type] = registered{spec, b}
}

// Specs returns the built-in action types by name, and the spec of registered services.
func Specs() (builtin map[string]*definitions.Spec, service *definitions.Spec) {
	builtin = map[string]*definitions.Spec{}
	for name, r := range registry {
		if r.spec.Service {
			service = r.spec
		} else {
			builtin[name] = r.spec
		}
	}
	return builtin, service
}

// Types returns the names of the built-in action types, sorted.
func Types() []string {
	var names []string
	for name, r := range registry {
		if !r.spec.Service {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func bind(a *Activity, versions []Version) error {
	a.Versions = make(map[string]*Bound, len(versions))
	a.Latest = nil
	for _, v := range versions {
		b := &Bound{Version: v.Version, Enabled: v.Enabled, Definition: v.Definition, Config: overlay(v.Definition.Config, a.Overrides),
			Settings: v.Definition.Settings.With(a.Overrides)}
		for _, action := range v.Definition.Actions {
			r, ok := registry[action.Spec.Type]
			if !ok {
				return fmt.Errorf("action %q of definition %s version %s has type %q, which this program does not carry", action.Name, a.Definition, v.Version, action.Type)
			}
			b.behaviors = append(b.behaviors, r.behavior)
		}
		a.Versions[v.Version] = b
		if v.Enabled {
			a.Latest = b
		}
	}
	return nil
}

func overlay(base, over map[string]any) map[string]any {
	if len(over) == 0 {
		return base
	}
	out := make(map[string]any, len(base)+len(over))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range over {
		if !strings.HasPrefix(k, "$") {
			out[k] = v
		}
	}
	return out
}
