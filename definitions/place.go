package definitions

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// place maps the runes of an expression to where they stand in the text of the definition, exactly: through quotes, escapes,
// folded lines and the indentation of block texts. The zero value maps everything to line 0.
type place struct {
	line, column int    // of rune 0
	fixed        bool   // the runes have no places of their own: every offset is at line and column
	steps        []step // where counting on from the rune before goes wrong; in order of offset
}

// step says that rune offset stands at line and column, and those after it behind it.
type step struct{ offset, line, column int32 }

// at returns the line and column of a rune offset.
func (p place) at(offset int) (line, column int) {
	if p.fixed || offset < 0 {
		return p.line, p.column
	}
	i := sort.Search(len(p.steps), func(i int) bool { return int(p.steps[i].offset) > offset })
	if i == 0 {
		return p.line, p.column + offset
	}
	s := p.steps[i-1]
	return int(s.line), int(s.column) + offset - int(s.offset)
}

// placeInText maps an expression that stands alone: its lines are the text's.
func placeInText(text string) place {
	p := place{line: 1, column: 1}
	offset, line := 0, 1
	for _, r := range text {
		offset++
		if r == '\n' {
			line++
			p.steps = append(p.steps, step{int32(offset), int32(line), 1})
		}
	}
	return p
}

// placeOfScalar maps the value of a scalar by reading its source again in its style. Should the reading not give the value that
// the parser gave, which no known text does, everything maps to the scalar's start.
func placeOfScalar(src *source, n *node) place {
	t := tracer{src: src, line: n.line, text: src.line(n.line), want: n.value}
	t.pos, t.col = src.byteOf(n.line, n.column), n.column
	if n.style == styleMended {
		return place{line: n.line, column: n.column}
	}
	t.skipProperties()
	if n.style == stylePlain && strings.HasPrefix(t.text[t.pos:], n.value) {
		return place{line: t.line, column: t.col}
	}
	start := place{line: t.line, column: t.col, fixed: true}
	switch n.style {
	case styleLiteral, styleFolded:
		t.block(n.style == styleFolded)
	case styleSingle:
		t.advance()
		t.flow('\'')
	case styleDouble:
		t.advance()
		t.flow('"')
	default:
		t.flow(0)
	}
	if t.failed || t.want != "" {
		return start
	}
	if t.count == 0 {
		return start
	}
	if int(t.next.line) == t.line && int(t.next.column) < t.col { // the last rune is an escape: what follows stands behind it
		t.out.steps = append(t.out.steps, step{int32(t.count), int32(t.line), int32(t.col)})
	}
	return t.out
}

// tracer reads a scalar's source and notes where each rune of the value comes from.
type tracer struct {
	src    *source
	line   int
	text   string // of the line
	pos    int    // byte offset in text
	col    int
	want   string // the runes of the value that are still to come
	count  int    // runes that came
	failed bool
	out    place
	next   step // where the next rune would stand if nothing happens in between
}

func (t *tracer) done() bool { return t.failed || t.want == "" }

// eol reports the end of the line.
func (t *tracer) eol() bool { return t.pos >= len(t.text) }

func (t *tracer) blank() bool { return !t.eol() && (t.text[t.pos] == ' ' || t.text[t.pos] == '\t') }

func (t *tracer) advance() {
	if !t.eol() {
		_, size := utf8.DecodeRuneInString(t.text[t.pos:])
		t.pos += size
		t.col++
	}
}

// nextLine goes to the start of the next line; behind the last one the tracing fails.
func (t *tracer) nextLine() {
	if t.line >= len(t.src.lines) {
		t.failed = true
		return
	}
	t.line++
	t.text, t.pos, t.col = t.src.line(t.line), 0, 1
}

// emit takes the next rune of the value; it stands at line and col. r is what it must be, or -1 for any rune.
func (t *tracer) emit(r rune, line, col int) {
	if t.done() {
		return
	}
	got, size := utf8.DecodeRuneInString(t.want)
	if r >= 0 && got != r {
		t.failed = true
		return
	}
	t.want = t.want[size:]
	here := step{int32(t.count), int32(line), int32(col)}
	switch {
	case t.count == 0:
		t.out.line, t.out.column = line, col
	case here.line != t.next.line || here.column != t.next.column:
		t.out.steps = append(t.out.steps, here)
	}
	t.next = step{line: here.line, column: here.column + 1}
	t.count++
}

// take emits the rune at hand and goes on.
func (t *tracer) take() {
	r, _ := utf8.DecodeRuneInString(t.text[t.pos:])
	t.emit(r, t.line, t.col)
	t.advance()
}

// skipProperties goes over an anchor and a tag, which stand where the parser says that the scalar begins.
func (t *tracer) skipProperties() {
	for !t.failed {
		switch {
		case t.eol() || t.text[t.pos] == '#': // no value begins with it: a comment
			t.nextLine()
		case t.blank():
			t.advance()
		case t.text[t.pos] == '&': // its name may end without a blank: "&a:0" is the anchor a at the value ":0"
			for t.advance(); !t.eol() && inAnchor(t.text[t.pos]); {
				t.advance()
			}
		case t.text[t.pos] == '!':
			for !t.eol() && !t.blank() {
				t.advance()
			}
		default:
			return
		}
	}
}

// inAnchor reports whether a byte belongs to the name of an anchor, as the parser has it.
func inAnchor(b byte) bool {
	return b == '_' || b == '-' || '0' <= b && b <= '9' || 'A' <= b && b <= 'Z' || 'a' <= b && b <= 'z'
}

// flow reads plain (quote 0) and quoted text: white space with line breaks in it folds.
func (t *tracer) flow(quote byte) {
	for !t.done() {
		switch {
		case t.eol() || t.blank():
			t.white(false)
		case quote == '\'' && t.text[t.pos] == '\'':
			t.take()
			t.advance()
		case quote == '"' && t.text[t.pos] == '\\':
			t.escape()
		default:
			t.take()
		}
	}
}

// white reads a run of blanks and line breaks. Without a break the blanks are themselves; one break is a space, more are line
// breaks, one fewer; behind an escaped break each further one counts.
func (t *tracer) white(escaped bool) {
	breaks := 0
	if escaped {
		breaks = 1
	}
	line, col, pos := t.line, t.col, t.pos
	for !t.failed && (t.eol() || t.blank()) {
		if t.blank() {
			t.advance()
			continue
		}
		breaks++
		if breaks > 1 {
			t.emit('\n', t.line, t.col)
		} else {
			line, col = t.line, t.col
		}
		t.nextLine()
	}
	switch {
	case breaks == 0:
		for i := pos; i < t.pos; i++ {
			t.emit(rune(t.text[i]), line, col+i-pos)
		}
	case breaks == 1 && !escaped:
		t.emit(' ', line, col)
	}
}

// escape reads one escape of double quotes.
func (t *tracer) escape() {
	line, col := t.line, t.col
	t.advance()
	if t.eol() {
		t.nextLine()
		t.white(true)
		return
	}
	digits := 0
	switch t.text[t.pos] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	t.emit(-1, line, col)
	for i := 0; i <= digits; i++ {
		t.advance()
	}
}

// block reads the text of "|" or ">".
func (t *tracer) block(folded bool) {
	t.nextLine()
	indent := t.blockIndent()
	var pending []spot // breaks read but not yet part of the value: the first ended a line of text, the rest empty lines
	hadText, wasBlank := false, false
	for !t.done() {
		if indentOf(t.text) < indent && strings.Trim(t.text, " ") == "" {
			pending = append(pending, spot{t.line, len(t.text) + 1})
			t.nextLine()
			continue
		}
		if indentOf(t.text) < indent {
			break
		}
		t.pos, t.col = indent, indent+1
		if t.eol() {
			pending = append(pending, spot{t.line, t.col})
			t.nextLine()
			continue
		}
		t.fold(folded && hadText && !wasBlank && !t.blank(), pending)
		pending, wasBlank, hadText = pending[:0], t.blank(), true
		for !t.eol() && !t.done() {
			t.take()
		}
		pending = append(pending, spot{t.line, t.col})
		if t.want != "" && t.line == len(t.src.lines) {
			break
		}
		t.nextLine()
	}
	if t.want != "" {
		t.failed = false
		t.fold(false, pending)
	}
	t.failed = t.failed && t.want != ""
}

// fold puts the pending breaks into the value: as they are, or folded, where the first one is dropped and stands for a space
// if it is the only one.
func (t *tracer) fold(folded bool, pending []spot) {
	for i, s := range pending {
		switch {
		case folded && i == 0 && len(pending) == 1:
			t.emit(' ', s.line, s.column)
		case folded && i == 0:
		default:
			t.emit('\n', s.line, s.column)
		}
	}
}

// blockIndent finds by how much a block's text is indented: its first line's spaces, less those that the value itself begins
// with; empty lines with more spaces count, as they do in the parser.
func (t *tracer) blockIndent() int {
	widest := 0
	for n := t.line; n <= len(t.src.lines); n++ {
		text := t.src.line(n)
		spaces := indentOf(text)
		if strings.Trim(text, " ") == "" {
			widest = max(widest, spaces)
			continue
		}
		body := strings.TrimLeft(t.want, "\n")
		return max(1, max(widest, spaces)-indentOf(body))
	}
	return max(1, widest)
}
