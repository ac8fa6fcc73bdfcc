package definitions

import (
	"regexp"
	"slices"
	"strings"
)

// silencing is a comment that takes a warning back: "# lint: ok WB2101 devices never leave".
var silencing = regexp.MustCompile(`(?:^|[ \t])#[ \t]*lint:[ \t]*ok\b[ \t]*([^ \t]*)[ \t]*(.*)$`)

// silence is one such comment. It holds for its own line or, alone on its line, for the next line that is no comment.
type silence struct {
	line, column int // of the "#"
	end          int
	target       int
	code, reason string
	used         bool
}

// silences finds the comments. Inside block and quoted texts there are none.
func (c *checker) silences(root *node) (out []silence) {
	if !strings.Contains(c.src.text, "lint:") {
		return nil
	}
	var texts map[int]bool
	for n := 1; n <= len(c.src.lines); n++ {
		line := c.src.line(n)
		m := silencing.FindStringSubmatchIndex(line)
		if m == nil {
			continue
		}
		if texts == nil {
			texts = map[int]bool{}
			c.textLines(root, texts, map[*node]bool{})
		}
		hash := m[0] + strings.IndexByte(line[m[0]:], '#')
		if texts[n] || quotedAt(line, hash) {
			continue
		}
		s := silence{line: n, column: 1 + len([]rune(line[:hash])), end: 1 + len([]rune(line)), target: n, code: line[m[2]:m[3]], reason: strings.TrimSpace(line[m[4]:m[5]])}
		if strings.TrimSpace(line[:hash]) == "" {
			for s.target++; s.target < len(c.src.lines) && commentLine(c.src.line(s.target)); {
				s.target++
			}
		}
		out = append(out, s)
	}
	return out
}

func commentLine(line string) bool {
	rest := strings.TrimLeft(line, " \t")
	return rest == "" || rest[0] == '#'
}

// textLines marks the lines in which a text goes on that began in a line before, and those of block texts.
func (c *checker) textLines(n *node, lines map[int]bool, seen map[*node]bool) {
	if n == nil || seen[n] {
		return
	}
	seen[n] = true
	if n.kind == kindScalar && n.value != "" && n.style != stylePlain && n.style != styleMended {
		p := placeOfScalar(c.src, n)
		last, _ := p.at(len([]rune(n.value)) - 1)
		for l := n.line + 1; l <= last; l++ {
			lines[l] = true
		}
	}
	for _, k := range n.keys {
		c.textLines(k, lines, seen)
	}
	for _, i := range n.items {
		c.textLines(i, lines, seen)
	}
}

// quotedAt reports whether a byte of a line stands in quotes that open in the line. A quote in the middle of a word opens nothing.
func quotedAt(line string, at int) bool {
	for i := 0; i < at; i++ {
		if (line[i] != '"' && line[i] != '\'') || i > 0 && !strings.ContainsRune(" \t-[{,:", rune(line[i-1])) {
			continue
		}
		end := closingQuote(line, i)
		if end < 0 || end > at {
			return true
		}
		i = end
	}
	return false
}

// hush takes out the warnings that comments silence, and adds a warning for each comment that does not.
func (c *checker) hush(root *node) {
	list := c.silences(root)
	if len(list) == 0 {
		return
	}
	c.problems = slices.DeleteFunc(c.problems, func(p Problem) bool {
		hushed := false
		for i := range list {
			s := &list[i]
			if s.target == p.Line && strings.EqualFold(s.code, p.Code) && p.Severity == SeverityWarning {
				s.used, hushed = true, true
			}
		}
		return hushed
	})
	for i := range list {
		s := &list[i]
		message, hint := words{}, words{}
		switch {
		case s.code == "" || s.used && s.reason == "":
			message, hint = say("this comment gives no code, or no reason"), say("write # lint: ok WB2101 and why")
		case !s.used && c.errors > 0:
			continue // an error may hide what it silences
		case !s.used:
			message, hint = say("this comment silences nothing: there is no warning %s here", quote(s.code)), say("delete it; it holds for its own line or, alone on its line, for the next")
		default:
			continue
		}
		c.add(Problem{Code: "WB2004", Severity: SeverityWarning, Line: s.line, Column: s.column, EndColumn: s.end}.says(message, hint))
	}
}
