package expr

import "github.com/expr-lang/expr/vm"

// Program is one compiled expression or template. It is immutable and safe for concurrent use (each with its own Scope).
type Program struct {
	source string
	runes  int
	code   *vm.Program
	calls  []CallTarget
	sites  []Site
	known  bool
	value  any

	present  [2][]string // the variables that are there where the value is false, and where it is true
	requires Requirement
	admits   map[string][]any
}

// Problem is one thing wrong with the text of an expression. Offsets count runes from the start of the source.
type Problem struct {
	Code    string // "WB13xx" syntax, "WB14xx" names, arguments and types, "WB15xx" limits; "WB25xx" warnings
	Warning bool   // true: the expression compiled all the same
	Start   int
	End     int // exclusive, at least Start
	Message string
	Hint    string // what to write instead; may be empty

	MessageZh, HintZh string // both in Chinese
}

// Error is an error of one evaluation.
type Error struct {
	Start, End int // rune offsets into the source
	Message    string
	MessageZh  string // the message in Chinese
	Limit      bool   // a limit of ticks, bytes or depth was hit: the step must be discarded, not only the thread failed
}

func (e *Error) Error() string { return e.Message }

// failed makes an error that concerns the whole source.
func (p *Program) failed(w words) *Error {
	return &Error{End: p.runes, Message: w.english(), MessageZh: w.chinese()}
}

// CallTarget is a call("name") whose name is a constant of the source.
type CallTarget struct {
	Name       string
	Start, End int      // of the string literal, quotes included, in runes
	Present    []string // variables that the thread has wherever the call is evaluated, as conditions before it look
}

// Eval runs the program. The error is always an *Error. Each call has a fresh budget of ticks and bytes.
func (p *Program) Eval(s *Scope) (any, error) {
	if p.known {
		s.begin()
		return p.value, nil
	}
	return p.run(s)
}

// EvalBool runs a condition: the value must be a Boolean, anything else (null too) is an error that names the value.
func (p *Program) EvalBool(s *Scope) (bool, error) {
	v, err := p.Eval(s)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, p.failed(say("a condition must be true or false, not %s", show(v)))
	}
	return b, nil
}

// EvalControl runs a then: the value must be a Control, or a text in the form of Control.String (ParseControl).
func (p *Program) EvalControl(s *Scope) (Control, error) {
	v, err := p.Eval(s)
	if err != nil {
		return Control{}, err
	}
	switch c := v.(type) {
	case Control:
		return c, nil
	case string:
		if parsed, err := ParseControl(c); err != nil {
			return Control{}, p.failed(say("%s", err.Error()))
		} else {
			return parsed, nil
		}
	}
	return Control{}, p.failed(say("call(..), finish(), fail() or retry(..) is needed here, not %s", show(v)))
}

// Source returns the text the program was compiled from.
func (p *Program) Source() string { return p.source }

// Calls returns the constant targets of call(...) in the source, so that a definition can check them.
func (p *Program) Calls() []CallTarget { return p.calls }

// Present returns the variables that the thread has whenever the condition gives outcome: context.containsKey("a") gives true only where
// there is an a. The list is shared: nobody writes into it.
func (p *Program) Present(outcome bool) []string { return p.present[boolInt(outcome)] }

// Const returns the program's value when it is the same in every Scope.
func (p *Program) Const() (any, bool) { return p.value, p.known }
