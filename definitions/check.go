package definitions

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// Severity of a Problem.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one thing wrong with the text of a definition. Lines and columns count from 1, columns in runes; EndColumn is
// exclusive and in the same line.
type Problem struct {
	Code      string   `json:"code"`
	Severity  Severity `json:"severity"`
	Path      string   `json:"path"` // "/activity/actions/1/args/0/then"
	Line      int      `json:"line"`
	Column    int      `json:"column"`
	EndColumn int      `json:"end_column"`
	Message   string   `json:"message"`
	Hint      string   `json:"hint,omitempty"`
	MessageZh string   `json:"message_zh,omitempty"` // the message in Chinese
	HintZh    string   `json:"hint_zh,omitempty"`
}

// Shape says which arguments an action type takes.
type Shape uint8

// The shapes of an action's args.
const (
	ShapeAny         Shape = iota // an expression, list or map (stdout)
	ShapeKeys                     // a map with the keys of Spec.Keys
	ShapeClauses                  // a list of clauses (case, receive)
	ShapeAssignments              // a list of maps with one entry each: variable and expression (compute)
	ShapeVars                     // a map of variables and expressions (update_var)
	ShapeNames                    // "all", a list of names, or an expression whose value is one of these (delete_var, debug)
)

// Form says what the value of a Key is.
type Form uint8

// The forms of a Key's value.
const (
	FormValue    Form = iota // an expression, list or map
	FormControl              // an expression that says where the thread goes next
	FormName                 // a bare word, or an expression whose value is the name
	FormAction               // FormName, of an action of the definition
	FormService              // FormName, of a registered service, or OwnName
	FormClauses              // a list of clauses with the heads of Key.Heads: Args.Clauses
	FormHandlers             // a list of clauses that see the result and have no then: {when, context_vars} or {default: {variables}}
	FormMaps                 // a list of maps with the keys of Key.Keys
)

// OwnName is the name by which a node is a service itself.
const OwnName = "weftbox"

// Key is one argument of an action type whose shape is ShapeKeys.
type Key struct {
	Name     string
	Aliases  []string // other spellings; the action finds the value under Name
	Required bool
	Doc      string
	Form     Form
	Heads    []Head // FormClauses
	Keys     []Key  // FormMaps
}

// Spec is what a definition must know of an action type to check its use. It is a value, so that a checker needs no behavior.
type Spec struct {
	Type     string
	Doc      string // one sentence
	Example  string // YAML of one action
	Shape    Shape
	Keys     []Key  // ShapeKeys
	Heads    []Head // ShapeClauses: the heads its clauses may have
	Required bool   // args must be present
	Waits    bool   // may wait for a message: await:false is allowed on it, a cycle through it is no busy loop
	Service  bool   // a registered service rather than a built-in type
	Beside   bool   // concurrent may run it beside others: it waits for its own answer or alarm and for nothing else
}

// Env is what a definition may refer to: the action types and strategies that exist, as values.
type Env struct {
	Specs      map[string]*Spec // built-in types
	Services   map[string]bool  // registered services; a built-in type of the same name wins
	Service    *Spec            // the spec of an action whose type is a registered service
	Strategies map[string]bool
	When       map[string]*Expr // the conditions of strategies, by name, as far as they are known
}

// Check parses, checks and compiles a definition. All problems come at once, in the order of the text; with an error among them
// the Definition is nil. A fault that keeps YAML itself from being read comes alone.
func Check(text []byte, env Env) (*Definition, []Problem) {
	c := &checker{suggest: expr.Suggester{Max: maxSuggestWork}, env: env, compiled: map[compileKey]*compiled{}, statics: map[*node]any{}}
	root := c.load(text)
	if root != nil {
		c.bind(root)
		c.hush(root)
	}
	problems := c.sorted()
	for _, p := range problems {
		if p.Severity == SeverityError {
			return nil, problems
		}
	}
	return c.def, problems
}

// CompileExpr compiles an expression that stands alone, outside any YAML (a strategy's condition): its problems have line 1 or,
// where the text has several lines, the line counted inside it, and path as their Path.
func CompileExpr(source string, ctx expr.Context, path string) (*Expr, []Problem) {
	c := &checker{src: newSource(source)}
	program, found := expr.Compile(source, ctx)
	at := placeInText(source)
	for _, p := range found {
		c.add(exprProblem(c.src, at, p, path))
	}
	if program == nil {
		return nil, c.sorted()
	}
	return &Expr{Program: program, Path: path, place: at}, c.sorted()
}

// Hash names a definition's text: the SHA-256 of its bytes, in hex.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// checker is one Check: the text, what it may refer to, and what was found.
type checker struct {
	src       *source
	env       Env
	problems  []Problem
	errors    int
	suggest   expr.Suggester
	compiled  map[compileKey]*compiled
	statics   map[*node]any
	ends      map[*node]int
	def       *Definition
	uses      []use           // the expressions of actions, for the checks of the flow
	unsure    bool            // an action's name is missing or refused, so that a call to it cannot be told from a slip
	names     map[string]bool // of the actions
	nameNodes []*node         // of the actions, by index
	inAction  bool
	inTurn    int // index of the action being bound

	brokenActions map[int]bool // by index: those with an error
	configReads   []configRead
	timeless      []typeNode     // services that are awaited without a timeout
	afterless     []typeNode     // concurrents without an after
	surprised     map[*node]bool // config values that were looked at
}

// load reads the YAML. It returns nil after a fault that leaves nothing to look at.
func (c *checker) load(text []byte) *node {
	body := strings.TrimPrefix(string(text[:min(len(text), MaxTextBytes+len(bom))]), bom)
	if len(text) > MaxTextBytes {
		c.src = newSource("")
		c.add(Problem{Code: "WB1003", Line: 1, Column: 1, EndColumn: 1}.says(
			say("the definition has %d bytes; at most %d are allowed", len(text), MaxTextBytes), say("split it into several definitions")))
		return nil
	}
	c.src = newSource(body)
	if offset, code, message, hint := checkText(body); offset >= 0 {
		line, column := c.src.placeOf(offset)
		c.add(Problem{Code: code, Line: line, Column: column}.says(message, hint))
		return nil
	}
	r := read(c.src)
	if r.problem != nil {
		for _, m := range r.mended {
			c.add(mendWarning(m, ""))
		}
		c.add(*r.problem)
		return nil
	}
	return c.tree(r)
}

func mendWarning(m MendedPlace, path string) Problem {
	return Problem{Code: "WB2001", Severity: SeverityWarning, Path: path, Line: m.Line, Column: m.Column, EndColumn: m.EndColumn}.says(
		say(`quote this value: YAML does not allow " : " in unquoted text`), say("write %s", singleQuoted(m.Value)))
}

func singleQuoted(text string) words {
	if len(text) > 200 {
		return say("single quotes around it; inside them ' is written ''")
	}
	return say("%s", "'"+strings.ReplaceAll(text, "'", "''")+"'")
}

// exprProblem gives a problem of the language its place in the text.
func exprProblem(src *source, at place, p expr.Problem, path string) Problem {
	line, column := at.at(p.Start)
	line, column = src.clamp(line, column)
	out := Problem{Code: p.Code, Severity: SeverityError, Path: path, Line: line, Column: column, Message: p.Message, Hint: p.Hint,
		MessageZh: p.MessageZh, HintZh: p.HintZh}
	if p.Warning {
		out.Severity = SeverityWarning
	}
	if p.End > p.Start && !at.fixed {
		out.EndColumn = endColumn(src, at, p.End, line)
	}
	return out
}

// endColumn returns the column behind the rune before offset, if that is in line, otherwise behind the line.
func endColumn(src *source, at place, offset, line int) int {
	lastLine, last := at.at(offset - 1)
	if lastLine != line {
		return src.width(line) + 1
	}
	if nextLine, next := at.at(offset); nextLine == line && next > last {
		return next
	}
	return last + 1
}

// add takes a problem in; its place is kept inside the text.
func (c *checker) add(p Problem) {
	if p.Severity == "" {
		p.Severity = SeverityError
	}
	p.Line, p.Column = c.src.clamp(p.Line, p.Column)
	width := c.src.width(p.Line)
	p.EndColumn = min(max(p.EndColumn, p.Column+1), width+1)
	if p.Severity == SeverityError {
		c.errors++
	}
	c.problems = append(c.problems, p)
}

// report adds an error at a node.
func (c *checker) report(code string, n *node, path string, message, hint words) {
	c.add(Problem{Code: code, Path: path, Line: n.line, Column: n.column, EndColumn: c.endOf(n)}.says(message, hint))
}

// warn adds a warning at a node.
func (c *checker) warn(code string, n *node, path string, message, hint words) {
	c.add(Problem{Code: code, Severity: SeverityWarning, Path: path, Line: n.line, Column: n.column, EndColumn: c.endOf(n)}.says(message, hint))
}

// mark adds an error at a part of an expression.
func (c *checker) mark(code string, x *Expr, start, end int, message, hint words) {
	c.add(exprProblem(c.src, x.place, expr.Problem{Code: code, Start: start, End: end}, x.Path).says(message, hint))
}

// caution adds a warning at a part of an expression.
func (c *checker) caution(code string, x *Expr, start, end int, message, hint words) {
	c.add(exprProblem(c.src, x.place, expr.Problem{Code: code, Warning: true, Start: start, End: end}, x.Path).says(message, hint))
}

// endOf returns where the underlining of a node ends: with a scalar of one line, with the first key of a map, at once otherwise.
func (c *checker) endOf(n *node) int {
	if end, ok := c.ends[n]; ok {
		return end
	}
	end := c.findEnd(n)
	if c.ends == nil {
		c.ends = map[*node]int{}
	}
	c.ends[n] = end
	return end
}

func (c *checker) findEnd(n *node) int {
	for n.kind == kindMap && len(n.keys) > 0 && n.keys[0].line == n.line && n.keys[0].column >= n.column {
		n = n.keys[0]
	}
	switch {
	case n.kind == kindScalar && n.value == "" && (n.style == styleSingle || n.style == styleDouble):
		return n.column + 2
	case n.kind != kindScalar || n.value == "":
		return n.column + 1
	}
	p := placeOfScalar(c.src, n)
	runes := len([]rune(n.value))
	if p.fixed {
		return c.src.width(n.line) + 1
	}
	end := endColumn(c.src, p, runes, n.line)
	if n.style == styleSingle || n.style == styleDouble {
		end++
	}
	return end
}

// sorted returns the problems in the order of the text, each once.
func (c *checker) sorted() []Problem {
	sort.SliceStable(c.problems, func(i, j int) bool {
		a, b := &c.problems[i], &c.problems[j]
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	type key struct {
		line, column  int
		code, message string
	}
	seen := map[key]bool{}
	var out []Problem
	for _, p := range c.problems {
		k := key{p.Line, p.Column, p.Code, p.Message}
		if !seen[k] {
			seen[k] = true
			out = append(out, p)
		}
	}
	return out
}
