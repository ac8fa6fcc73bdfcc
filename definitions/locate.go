package definitions

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml4 "go.yaml.in/yaml/v4"
)

// stop is where YAML gave up on a text and why.
type stop struct {
	line, column      int // 0: unknown
	openLine, openCol int // where the construct began; 0: unknown
	message           string
	secondDocument    bool // nothing is wrong but that there is another document
}

const stopMapping = "mapping values are not allowed in this context"

// locate asks the parser that knows exact places. It returns false where that parser finds nothing wrong.
func locate(text string) (s stop, found bool) {
	defer func() {
		if r := recover(); r != nil {
			s, found = stop{}, false
		}
	}()
	var docs []yaml4.Node
	err := yaml4.Load([]byte(text), &docs, yaml4.WithAllDocuments())
	if err == nil {
		if len(docs) < 2 {
			return stop{}, false
		}
		return stop{line: docs[1].Line, column: docs[1].Column, secondDocument: true}, true
	}
	var e *yaml4.LoadError
	if !errors.As(err, &e) {
		return stop{}, false
	}
	return stop{
		line: e.Mark.Line, column: e.Mark.Column, openLine: e.ContextMark.Line, openCol: e.ContextMark.Column,
		message: e.Message,
	}, true
}

var lineOfError = regexp.MustCompile(`^yaml: line (\d+): `)

// stoppedAtMapping returns the line in which the first parser met a ":" that fits nowhere, 0 if it stopped for another reason.
func stoppedAtMapping(err error) int {
	text := err.Error()
	if !strings.HasSuffix(text, stopMapping) {
		return 0
	}
	if m := lineOfError.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 1
}

// syntaxProblem puts a stop into words for the author. err is what the first parser said, used where the second has no place.
func syntaxProblem(src *source, s stop, found bool, err error) Problem {
	p := Problem{Code: "WB1001", Severity: SeverityError, Line: s.line, Column: s.column}
	if found && s.secondDocument {
		p.Code, p.Message, p.Hint = "WB1007", "a second YAML document begins here", secondDocumentHint
		return p
	}
	if !found || s.line == 0 {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		if m := lineOfError.FindStringSubmatch(err.Error()); m != nil {
			p.Line, _ = strconv.Atoi(m[1])
			text = strings.TrimPrefix(err.Error(), m[0])
		}
		if found && s.openLine != 0 {
			p.Line, p.Column = s.openLine, s.openCol
		}
		p.Message = "YAML cannot be read here: " + cut(text, 200)
		return p
	}
	describe(src, s, &p)
	return p
}

const (
	quoteHint          = `put the whole value in single quotes (inside them ' is written '')`
	indentHint         = "check the indentation of this line and of the lines before it"
	secondDocumentHint = `a definition is one document: delete "---" or move the rest to a file of its own`
)

// saying is the words for one message of the parser.
type saying struct {
	message, hint string
	atOpening     bool // the place is where the construct began
	fromOpening   bool // the message names where the block began
}

var sayings = map[string]saying{
	"mapping keys are not allowed in this context":                 {message: `"? " inside a value that is not quoted as a whole`, hint: quoteHint},
	"block sequence entries are not allowed in this context":       {message: `a list entry "- " cannot stand here`, hint: `begin the list on a line of its own; a text that begins with "- " needs quotes`},
	"found a tab character that violates indentation":              {message: tabMessage, hint: tabHint},
	"found a tab character where an indentation space is expected": {message: tabMessage, hint: tabHint},
	"did not find expected '-' indicator":                          {message: `a list entry "- " is expected here`, hint: indentHint, fromOpening: true},
	"found unexpected end of stream":                               {message: "this quote is not closed", hint: "close the quote", atOpening: true},
	"found unknown escape character":                               {message: "YAML does not know this escape", hint: `inside double quotes write \\ for \, or use single quotes`},
	"could not find expected ':'": {message: `a key with ":" is expected here`,
		hint: `write "key: value"; check the indentation if this line belongs to the one before`, atOpening: true},
	"did not find expected comment or line break": {message: `text stands behind "|" or ">"`,
		hint: "the text of a block begins on the next line; an expression that begins with it needs quotes"},
	"did not find expected node content": {message: "a value is expected here"},
}

const (
	tabMessage = "a tab cannot indent YAML"
	tabHint    = "use spaces"
)

// describe chooses message, place and hint by the parser's message.
func describe(src *source, s stop, p *Problem) {
	line := src.line(s.line)
	at := src.byteOf(s.line, s.column)
	if known, ok := sayings[s.message]; ok {
		p.Message, p.Hint = known.message, known.hint
		if known.fromOpening {
			p.Message += began(s)
		}
		if known.atOpening && s.openLine != 0 {
			p.Line, p.Column = s.openLine, s.openCol
		}
		return
	}
	switch s.message {
	case stopMapping:
		if parts, ok := partsOf(line); ok && parts.colon == at {
			p.Column = 1 + len([]rune(line[:parts.key]))
			p.Message, p.Hint = "a key cannot stand here: the value above it is not a map", indentHint
			return
		}
		p.Message, p.Hint = `": " inside a value that is not quoted`, quoteHint
	case "found character that cannot start any token":
		if strings.HasPrefix(line[at:], "\t") {
			p.Message, p.Hint = tabMessage, tabHint
			return
		}
		p.Message, p.Hint = "a value cannot begin with this sign", quoteHint
		if r, _ := utf8.DecodeRuneInString(line[at:]); at < len(line) {
			p.Message = fmt.Sprintf("a value cannot begin with %q", r)
		}
	case "did not find expected key":
		before := strings.TrimRight(line[:at], " \t")
		if before != "" && strings.ContainsRune(`"'}]`, rune(before[len(before)-1])) {
			p.Message, p.Hint = "text goes on after the value has ended", quoteHint
			return
		}
		p.Message, p.Hint = "a key is expected here"+began(s), indentHint
	case "did not find expected ',' or '}'":
		unclosed(s, p, "{", "}")
	case "did not find expected ',' or ']'":
		unclosed(s, p, "[", "]")
	default:
		if strings.HasPrefix(s.message, "unknown anchor") {
			p.Message, p.Hint = `"*" repeats an anchor that does not exist`, `a text that begins with "*" needs quotes`
			return
		}
		p.Message = "YAML cannot be read here: " + cut(s.message, 200)
	}
}

// unclosed speaks of a flow collection that does not go on as it must: where it opens, if that is in another line.
func unclosed(s stop, p *Problem, open, closing string) {
	p.Hint = fmt.Sprintf("close it with %q; an expression that begins with %q needs quotes", closing, open)
	if s.openLine == 0 || s.openLine == s.line {
		p.Message = fmt.Sprintf("%q or \",\" is expected here", closing)
		return
	}
	p.Line, p.Column = s.openLine, s.openCol
	p.Message = fmt.Sprintf("this %q is not closed", open)
}

func began(s stop) string {
	if s.openLine == 0 || s.openLine == s.line {
		return ""
	}
	return fmt.Sprintf(" (its block began in line %d)", s.openLine)
}
