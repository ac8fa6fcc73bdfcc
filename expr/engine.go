package expr

import (
	"errors"
	"regexp"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// engine is the part of a Scope that belongs to the evaluator: the machine and its buffers, the budget left, the draws made.
type engine struct {
	vm               vm.VM
	ticks, bytes     int64 // left
	maxTicks, maxByt int64 // of the last evaluation
	drawSeed         uint64
	draws            uint64
	regexes          map[string]*pattern
	evals            uint64
}

// evalError is an error inside an evaluation, before it is known where.
type evalError struct {
	words
	limit bool
}

func (e *evalError) Error() string { return e.english() }

var (
	errTicks  = &evalError{say("the evaluation took too many steps"), true}
	errBytes  = &evalError{say("the evaluation made too much text, or too large a list or map"), true}
	errItems  = &evalError{say("a list or map would have more than %d items", MaxItems), true}
	errDeep   = &evalError{say("a value is nested too deeply"), true}
	errDigits = &evalError{say("a decimal has more than %d digits", MaxDecimalDigits), true}
)

func failf(format string, args ...any) error { return &evalError{words: say(format, args...)} }

func isLimit(err error) bool {
	var e *evalError
	return errors.As(err, &e) && e.limit
}

// begin gives the engine a fresh budget.
func (s *Scope) begin() {
	s.maxTicks, s.maxByt = s.MaxTicks, s.MaxBytes
	if s.maxTicks <= 0 {
		s.maxTicks = MaxTicks
	}
	if s.maxByt <= 0 {
		s.maxByt = MaxBytes
	}
	s.ticks, s.bytes = s.maxTicks, s.maxByt
	s.evals++
}

// Evaluations returns how many times a program was evaluated with this Scope, those with a constant value included.
func (s *Scope) Evaluations() uint64 { return s.evals }

// Spent returns how many ticks and bytes the last Eval used, both at most its budget.
func (s *Scope) Spent() (ticks, bytes int64) {
	return s.maxTicks - max(s.ticks, 0), s.maxByt - max(s.bytes, 0)
}

// tick charges n ticks.
func (e *engine) tick(n int) error {
	e.ticks -= int64(n)
	if e.ticks < 0 {
		e.ticks = 0
		return errTicks
	}
	return nil
}

// grow charges n bytes that are about to be made. What does not fit is refused without being counted.
func (e *engine) grow(n int) error {
	if n < 0 || int64(n) > e.bytes {
		e.bytes = 0
		return errBytes
	}
	e.bytes -= int64(n)
	return nil
}

// scan charges the reading of n bytes of text.
func (e *engine) scan(n int) error {
	if n < 256 {
		return nil
	}
	return e.tick(n >> 8)
}

// newList charges and makes a list with room for n items, one tick per item.
func (e *engine) newList(n int) ([]any, error) {
	if n > MaxItems {
		return nil, errItems
	}
	if err := e.tick(n); err != nil {
		return nil, err
	}
	if err := e.grow(listBase + itemBytes*n); err != nil {
		return nil, err
	}
	return make([]any, 0, n), nil
}

// compiledPattern returns the compiled form of a dynamic regular expression; the Scope remembers the last few.
func (s *Scope) compiledPattern(src string) (*pattern, error) {
	if p, ok := s.regexes[src]; ok {
		return p, nil
	}
	if err := s.tick(10 + len(src)); err != nil {
		return nil, err
	}
	p, err := compilePattern(src)
	if err != nil {
		return nil, err
	}
	if s.regexes == nil || len(s.regexes) >= maxRegexCache {
		s.regexes = make(map[string]*pattern)
	}
	s.regexes[src] = p
	return p, nil
}

// pattern is a regular expression with its price and, made on first use by whoever compiles it, its anchored form.
type pattern struct {
	find *regexp.Regexp
	full *regexp.Regexp
	cost int
}

// charge charges one match over n bytes of text.
func (p *pattern) charge(s *Scope, n int) error { return s.tick(1 + (n*p.cost)>>6) }

// run executes the program on the machine of the Scope and translates its errors.
func (p *Program) run(s *Scope) (any, error) {
	s.begin()
	v, err := s.vm.Run(p.code, s)
	if s.maxTicks-s.ticks > bigRunTicks {
		s.vm = vm.VM{}
	}
	if err == nil {
		return v, nil
	}
	return nil, p.locate(err)
}

func (p *Program) locate(err error) *Error {
	out := &Error{}
	what := say("internal error of the evaluator: %s", err.Error())
	var at *file.Error
	if errors.As(err, &at) {
		what = say("internal error of the evaluator: %s", at.Message)
		out.Start = min(max(at.From, 0), p.runes)
		out.End = min(max(at.To, out.Start), p.runes)
	}
	var mine *evalError
	switch {
	case errors.As(err, &mine):
		what, out.Limit = mine.words, mine.limit
	case at != nil && at.Message == "memory budget exceeded":
		what, out.Limit = errItems.words, true
	}
	out.Message, out.MessageZh = what.english(), what.chinese()
	return out
}
