package expr

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	exprparser "github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Compile parses, checks and compiles src for the given context. With an error among the problems the Program is nil.
// All problems are returned at once, in the order of the source. A source that contains "${" is a template (D15).
func Compile(src string, ctx Context) (*Program, []Problem) { return compileSource(src, ctx, true) }

// compileSource is Compile; without fold nothing is computed now, so that what a function costs can be measured.
func compileSource(src string, ctx Context, folds bool) (*Program, []Problem) {
	if len(src) > MaxSourceBytes {
		return nil, []Problem{problem(0, 0, codeLength, say("the expression is longer than 16 KiB"), say("compute parts of it in variables"))}
	}
	if !utf8.ValidString(src) {
		src = strings.ToValidUTF8(src, "\uFFFD")
	}
	runes := []rune(src)
	var probs []Problem
	tree := parseSource(src, runes, &probs)
	if tree == nil {
		return nil, sorted(probs)
	}
	fold := &Scope{}
	fold.begin()
	l := &lowerer{ctx: ctx, probs: &probs, fold: fold, folds: folds, pure: true}
	root := l.lower(tree)
	if hasError(probs) {
		return nil, sorted(probs)
	}
	p := &Program{source: src, runes: len(runes), calls: l.calls, sites: l.sites, known: root.known, value: root.val}
	p.present = l.presence(root.n)
	code, err := assemble(root)
	if err != nil {
		probs = append(probs, problem(0, len(runes), codeInternal, say("the expression could not be compiled: %s", firstLine(err.Error())), say("please report it")))
		return nil, sorted(probs)
	}
	p.code = code
	if !p.known && l.pure && folds {
		p.settle()
	}
	p.requires = p.requirement(root.n)
	p.admits = admitsOf(root.n)
	return p, sorted(probs)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func hasError(probs []Problem) bool {
	for _, p := range probs {
		if !p.Warning {
			return true
		}
	}
	return false
}

func sorted(probs []Problem) []Problem {
	sort.SliceStable(probs, func(i, j int) bool { return probs[i].Start < probs[j].Start })
	return probs
}

// settle runs a program that looks at nothing once, so that Const knows its value.
func (p *Program) settle() {
	s := &Scope{MaxTicks: MaxTicks / 10, MaxBytes: maxFoldBytes}
	if v, err := p.run(s); err == nil {
		p.known, p.value = true, v
	}
}

// assemble runs the machine's own checker, optimizer and compiler over the tree.
func assemble(root lowered) (*vm.Program, error) {
	config := &conf.Config{Optimize: true, ShortCircuit: true, Functions: compiled}
	tree := &exprparser.Tree{Node: root.n, Source: file.NewSource("")}
	if _, err := checker.Check(tree, config); err != nil {
		return nil, err
	}
	if err := optimizer.Optimize(&tree.Node, config); err != nil {
		return nil, err
	}
	return compiler.Compile(tree, config)
}

// parseSource parses an expression or a template; nil when there was an error.
func parseSource(src string, runes []rune, probs *[]Problem) *node {
	nodes := 0
	if strings.TrimSpace(src) == "" {
		*probs = append(*probs, problem(0, len(runes), codeEmpty, say("the expression is empty"), words{}))
		return nil
	}
	if !strings.Contains(src, "${") {
		return parse(runes, 0, len(runes), &nodes, probs)
	}
	warnQuoted(runes, probs)
	t := &template{src: runes, nodes: &nodes, probs: probs}
	return t.parse()
}

// warnQuoted warns where the source reads as an expression and a ${ lies inside one of its texts.
func warnQuoted(src []rune, probs *[]Problem) {
	var ignored []Problem
	toks, ok := lex(src, 0, len(src), &ignored)
	if !ok {
		return
	}
	for _, t := range toks {
		if _, text := t.val.(string); t.kind != tokLiteral || !text {
			continue
		}
		for i := t.start; i+1 < t.end; i++ {
			if src[i] == '$' && src[i+1] == '{' {
				*probs = append(*probs, warning(i, i+2, codeQuotedTemplate,
					say("${ inside a quoted text makes the whole expression a template"), say(`to join texts write "a" + b`)))
				return
			}
		}
	}
}

// template splits text with ${expression} parts.
type template struct {
	src   []rune
	nodes *int
	probs *[]Problem
	bad   bool
}

func (t *template) parse() *node {
	var parts []*node
	from := 0
	for i := 0; i < len(t.src); {
		if i+1 >= len(t.src) || t.src[i] != '$' || t.src[i+1] != '{' {
			i++
			continue
		}
		if i > from {
			parts = append(parts, t.literal(from, i))
		}
		end := t.closing(i + 2)
		if end < 0 {
			t.problem(i, len(t.src), say("this ${ has no closing }"))
			return nil
		}
		if strings.TrimSpace(string(t.src[i+2:end])) == "" {
			t.problem(i, end+1, say("there is no expression between ${ and }"))
		} else if n := parse(t.src, i+2, end, t.nodes, t.probs); n == nil {
			t.bad = true
		} else {
			parts = append(parts, n)
		}
		i = end + 1
		from = i
	}
	if from < len(t.src) {
		parts = append(parts, t.literal(from, len(t.src)))
	}
	switch {
	case t.bad:
		return nil
	case len(parts) == 1:
		return parts[0]
	case len(parts)+*t.nodes > MaxNodes:
		*t.probs = append(*t.probs, problem(0, len(t.src), codeNodes, say("the template has more than %d parts", MaxNodes), words{}))
		return nil
	}
	return &node{kind: nodeConcat, end: len(t.src), kids: parts}
}

func (t *template) literal(from, to int) *node {
	return &node{kind: nodeLiteral, raw: true, start: from, end: to, val: string(t.src[from:to])}
}

func (t *template) problem(start, end int, msg words) {
	t.bad = true
	*t.probs = append(*t.probs, problem(start, end, codeTemplate, msg, words{}))
}

// closing returns where the } of a ${ stands; braces and quotes inside are skipped as pairs.
func (t *template) closing(i int) int {
	depth := 0
	for ; i < len(t.src); i++ {
		switch r := t.src[i]; r {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		case '"', '\'':
			for i++; i < len(t.src) && t.src[i] != r; i++ {
			}
		}
	}
	return -1
}
