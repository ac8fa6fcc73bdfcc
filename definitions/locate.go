package definitions

import (
	"errors"
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

// syntaxProblem puts a stop into words for the author. read is the text as it was read: that of src, with the quotes of what was mended. err is what the first parser said, used where the second has no place.
func syntaxProblem(src *source, read string, s stop, found bool, err error) Problem {
	p := Problem{Code: "WB1001", Severity: SeverityError, Line: s.line, Column: s.column}
	if found && s.secondDocument {
		p.Code = "WB1007"
		return p.says(say("a second YAML document begins here"), secondDocumentHint)
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
		return p.says(say("YAML cannot be read here: %s", cut(text, 200)), words{})
	}
	if opened, closed := src.strayQuote(s.line); opened.line > 0 && closesAt(read, opened, s.line) {
		p.Line, p.Column = opened.line, opened.column
		return p.says(say("this quote is closed only in line %d, in the middle of a text", closed), say("close the quote"))
	}
	message, hint := describe(src, s, &p)
	return p.says(message, hint)
}

// closesAt reports whether the text can be read further than to a line, once the quote that opens at a place is closed at its line's end.
func closesAt(text string, opened spot, last int) bool {
	s := newSource(text)
	lines := make([]string, len(s.lines))
	for i := range s.lines {
		lines[i] = s.lines[i].text
	}
	own := lines[opened.line-1]
	lines[opened.line-1] = strings.TrimRight(own, " \t") + own[s.byteOf(opened.line, opened.column):][:1]
	next, found := locate(strings.Join(lines, "\n"))
	return !found || next.line > last
}

// strayQuote finds a value, in a line up to last, whose quote was not closed where it was meant to be: the next quote stands lines below,
// and text goes on behind it.
func (s *source) strayQuote(last int) (opened spot, closed int) {
	for n := 1; n <= last; n++ {
		text := s.line(n)
		parts, ok := partsOf(text)
		if !ok || parts.value >= len(text) || text[parts.value] != '"' && text[parts.value] != '\'' || closingQuote(text, parts.value) >= 0 {
			continue
		}
		quote := text[parts.value : parts.value+1]
		for m := n + 1; m <= last; m++ {
			end := closingQuote(quote+s.line(m), 0)
			if end < 0 {
				continue
			}
			rest := strings.TrimLeft(s.line(m)[end:], " \t")
			if rest != "" && rest[0] != '#' {
				return spot{n, 1 + utf8.RuneCountInString(text[:parts.value])}, m
			}
			n = m
			break
		}
	}
	return spot{}, 0
}

var (
	quoteHint          = say(`put the whole value in single quotes (inside them ' is written '')`)
	indentHint         = say("check the indentation of this line and of the lines before it")
	secondDocumentHint = say(`a definition is one document: delete "---" or move the rest to a file of its own`)
)

// saying is the words for one message of the parser.
type saying struct {
	message, hint words
	atOpening     bool // the place is where the construct began
	fromOpening   bool // the message names where the block began
}

var sayings = map[string]saying{
	"mapping keys are not allowed in this context":                 {message: say(`"? " inside a value that is not quoted as a whole`), hint: quoteHint},
	"block sequence entries are not allowed in this context":       {message: say(`a list entry "- " cannot stand here`), hint: say(`begin the list on a line of its own; a text that begins with "- " needs quotes`)},
	"found a tab character that violates indentation":              {message: tabMessage, hint: tabHint},
	"found a tab character where an indentation space is expected": {message: tabMessage, hint: tabHint},
	"did not find expected '-' indicator":                          {message: say(`a list entry "- " is expected here`), hint: indentHint, fromOpening: true},
	"found unexpected end of stream":                               {message: say("this quote is not closed"), hint: say("close the quote"), atOpening: true},
	"found unknown escape character":                               {message: say("YAML does not know this escape"), hint: say(`inside double quotes write \\ for \, or use single quotes`)},
	"could not find expected ':'": {message: say(`a key with ":" is expected here`),
		hint: say(`write "key: value"; check the indentation if this line belongs to the one before`), atOpening: true},
	"did not find expected comment or line break": {message: say(`text stands behind "|" or ">"`),
		hint: say("the text of a block begins on the next line; an expression that begins with it needs quotes")},
	"did not find expected node content": {message: say("a value is expected here")},
}

var (
	tabMessage = say("a tab cannot indent YAML")
	tabHint    = say("use spaces")
)

// describe chooses the words by the parser's message, and corrects the place of p.
func describe(src *source, s stop, p *Problem) (message, hint words) {
	line := src.line(s.line)
	at := src.byteOf(s.line, s.column)
	if known, ok := sayings[s.message]; ok {
		if known.atOpening && s.openLine != 0 {
			p.Line, p.Column = s.openLine, s.openCol
		}
		if known.fromOpening {
			return began(known.message, s), known.hint
		}
		return known.message, known.hint
	}
	switch s.message {
	case stopMapping:
		if parts, ok := partsOf(line); ok && parts.colon == at {
			p.Column = 1 + len([]rune(line[:parts.key]))
			return say("a key cannot stand here: the value above it is not a map"), indentHint
		}
		return say(`": " inside a value that is not quoted`), quoteHint
	case "found character that cannot start any token":
		if strings.HasPrefix(line[at:], "\t") {
			return tabMessage, tabHint
		}
		if r, _ := utf8.DecodeRuneInString(line[at:]); at < len(line) {
			return say("a value cannot begin with %q", r), quoteHint
		}
		return say("a value cannot begin with this sign"), quoteHint
	case "did not find expected key":
		before := strings.TrimRight(line[:at], " \t")
		if before != "" && strings.ContainsRune(`"'}]`, rune(before[len(before)-1])) {
			return say("text goes on after the value has ended"), quoteHint
		}
		return began(say("a key is expected here"), s), indentHint
	case "did not find expected ',' or '}'":
		return unclosed(s, p, "{", "}")
	case "did not find expected ',' or ']'":
		return unclosed(s, p, "[", "]")
	}
	if strings.HasPrefix(s.message, "unknown anchor") {
		return say(`"*" repeats an anchor that does not exist`), say(`a text that begins with "*" needs quotes`)
	}
	return say("YAML cannot be read here: %s", cut(s.message, 200)), words{}
}

// unclosed speaks of a flow collection that does not go on as it must: where it opens, if that is in another line.
func unclosed(s stop, p *Problem, open, closing string) (message, hint words) {
	hint = say("close it with %q; an expression that begins with %q needs quotes", closing, open)
	if s.openLine == 0 || s.openLine == s.line {
		return say(`%q or "," is expected here`, closing), hint
	}
	p.Line, p.Column = s.openLine, s.openCol
	return say("this %q is not closed", open), hint
}

// began adds where the block began, if that is in another line.
func began(message words, s stop) words {
	if s.openLine == 0 || s.openLine == s.line {
		return message
	}
	return say("%s (its block began in line %d)", message, s.openLine)
}
