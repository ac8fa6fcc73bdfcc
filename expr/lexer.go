package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokInt
	tokLiteral // real number or text: val
	tokName
	tokOp
)

// token is one word of the source. Offsets are runes of the whole source.
type token struct {
	kind       tokenKind
	text       string // the name or operator
	val        any    // of tokLiteral
	mag        uint64 // of tokInt: 1<<63 is legal behind a minus only
	start, end int
}

// lexer cuts src[pos:stop] into tokens and gathers what it cannot read.
type lexer struct {
	src       []rune
	pos, stop int
	toks      []token
	probs     *[]Problem
	failed    bool
}

func lex(src []rune, start, stop int, probs *[]Problem) ([]token, bool) {
	lx := &lexer{src: src, pos: start, stop: stop, probs: probs, toks: make([]token, 0, (stop-start)/3+2)}
	for lx.next() {
	}
	lx.toks = append(lx.toks, token{kind: tokEnd, start: stop, end: stop})
	return lx.toks, !lx.failed
}

func (lx *lexer) problem(start, end int, code string, msg, hint words) {
	lx.failed = true
	*lx.probs = append(*lx.probs, problem(start, end, code, msg, hint))
}

func (lx *lexer) peek(i int) rune {
	if lx.pos+i < lx.stop {
		return lx.src[lx.pos+i]
	}
	return 0
}

func (lx *lexer) op(n int) {
	lx.toks = append(lx.toks, token{kind: tokOp, text: string(lx.src[lx.pos : lx.pos+n]), start: lx.pos, end: lx.pos + n})
	lx.pos += n
}

// twoSigns are the operators of two characters; they are tried before the single ones.
var twoSigns = []string{"==", "!=", "<=", ">=", "&&", "||", "?.", "?:", "?[", "^[", "$[", "![", "++", "--"}

const oneSigns = "+-*/%^<>!?:.,()[]{}=#"

func (lx *lexer) next() bool {
	for lx.pos < lx.stop && isSpace(lx.src[lx.pos]) {
		lx.pos++
	}
	if lx.pos >= lx.stop {
		return false
	}
	r := lx.src[lx.pos]
	switch {
	case r >= '0' && r <= '9':
		lx.number()
		return true
	case r == '"' || r == '\'':
		lx.text(r)
		return true
	}
	if r1 := lx.peek(1); r1 != 0 {
		two := string([]rune{r, r1})
		for _, s := range twoSigns {
			if s == two {
				lx.op(2)
				return true
			}
		}
	}
	switch {
	case isNameStart(r):
		start := lx.pos
		for lx.pos < lx.stop && (isNameStart(lx.src[lx.pos]) || lx.src[lx.pos] >= '0' && lx.src[lx.pos] <= '9') {
			lx.pos++
		}
		if n := lx.pos - start; n > MaxNameRunes {
			lx.problem(start, lx.pos, codeLength, say("this name has %d characters, at most %d are read", n, MaxNameRunes), say("put a text into quotes"))
			break
		}
		lx.toks = append(lx.toks, token{kind: tokName, text: string(lx.src[start:lx.pos]), start: start, end: lx.pos})
	case r < 0x80 && strings.ContainsRune(oneSigns, r):
		lx.op(1)
	default:
		lx.stranger(r)
	}
	return true
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }

func isNameStart(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '$'
}

// meant maps signs that look right on a keyboard with another layout to the sign of the language.
var meant = map[rune]string{
	'“': `"`, '”': `"`, '„': `"`, '«': `"`, '»': `"`, '＂': `"`, '‘': `'`, '’': `'`, '`': `"`, '＇': `'`,
	'（': "(", '）': ")", '［': "[", '］': "]", '【': "[", '】': "]", '｛': "{", '｝': "}", '，': ",", '、': ",", '。': ".", '．': ".",
	'：': ":", '？': "?", '！': "!", '＝': "==", '＜': "<", '＞': ">", '≤': "<=", '≥': ">=", '≠': "!=", '＋': "+", '－': "-", '−': "-", '–': "-",
	'—': "-", '＊': "*", '×': "*", '／': "/", '÷': "/", '％': "%", '＾': "^", '＆': "AND", '｜': "OR", '＃': "#", '＄': "$",
	'且': "AND", '或': "OR", '非': "NOT", '&': "AND", '|': "OR", '\u00a0': "a plain space", '\u3000': "a plain space", '~': "NOT",
}

// meantSign is the sign to write; a plain space has to be named.
func meantSign(sign string) words {
	if sign == "a plain space" {
		return say("a plain space")
	}
	return say("%s", sign)
}

func (lx *lexer) stranger(r rune) {
	start := lx.pos
	lx.pos++
	name := strconv.QuoteRune(r)
	switch {
	case r == '@':
		lx.problem(start, lx.pos, codeHost, say("@ (access to beans) is not part of the language"), say("use the functions of the language"))
	case r == '\\':
		lx.problem(start, lx.pos, codeCharacter, say("a backslash has no meaning outside a text"), say(`inside a text a quote is doubled: "say ""hi"""`))
	case r == ';':
		lx.problem(start, lx.pos, codeCharacter, say("; is not part of the language"), say("an expression has one value; remove the semicolon"))
	case meant[r] != "":
		lx.problem(start, lx.pos, codeCharacter, say("%s is not part of the language", name), say("write %s", meantSign(meant[r])))
	default:
		for lx.pos < lx.stop && unicode.IsLetter(lx.src[lx.pos]) && lx.src[lx.pos] >= 0x80 && meant[lx.src[lx.pos]] == "" {
			lx.pos++
		}
		hint := words{}
		if unicode.IsLetter(r) {
			hint = say(`names have the letters a-z and A-Z, digits, _ and $ only; put other text into quotes: "%s"`, string(lx.src[start:lx.pos]))
		}
		lx.problem(start, lx.pos, codeCharacter, say("%s is not part of the language", strconv.Quote(string(lx.src[start:lx.pos]))), hint)
	}
}

// text reads '..' or ".."; a doubled quote stands for itself and nothing else is special.
func (lx *lexer) text(quote rune) {
	start := lx.pos
	lx.pos++
	from := lx.pos
	var b strings.Builder
	for lx.pos < lx.stop {
		if lx.src[lx.pos] != quote {
			lx.pos++
			continue
		}
		if lx.peek(1) == quote {
			b.WriteString(string(lx.src[from : lx.pos+1]))
			lx.pos += 2
			from = lx.pos
			continue
		}
		b.WriteString(string(lx.src[from:lx.pos]))
		lx.pos++
		lx.toks = append(lx.toks, token{kind: tokLiteral, val: b.String(), start: start, end: lx.pos})
		return
	}
	hint := say("close the text with %s", string(quote))
	if strings.ContainsRune(string(lx.src[start:lx.stop]), '\\') {
		hint = say("close the text with %s; a backslash does not escape a quote, a quote inside a text is doubled", string(quote))
	}
	lx.problem(start, lx.stop, codeString, say("this text has no closing quote"), hint)
}

func (lx *lexer) digits(hex bool) {
	for lx.pos < lx.stop {
		r := lx.src[lx.pos]
		if r >= '0' && r <= '9' || hex && (r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F') {
			lx.pos++
			continue
		}
		return
	}
}

func (lx *lexer) number() {
	start := lx.pos
	if lx.src[start] == '0' && (lx.peek(1) == 'x' || lx.peek(1) == 'X') {
		lx.pos += 2
		lx.digits(true)
		lx.integer(start, string(lx.src[start+2:lx.pos]), 16)
		return
	}
	lx.digits(false)
	real := false
	if r := lx.peek(1); lx.peek(0) == '.' && r >= '0' && r <= '9' {
		real = true
		lx.pos++
		lx.digits(false)
	}
	if r := lx.peek(0); r == 'e' || r == 'E' {
		real = true
		lx.pos++
		if s := lx.peek(0); s == '+' || s == '-' {
			lx.pos++
		}
		if d := lx.peek(0); d < '0' || d > '9' {
			lx.problem(start, lx.pos, codeNumber, say("the exponent of this number has no digits"), words{})
			return
		}
		lx.digits(false)
	}
	digits := string(lx.src[start:lx.pos])
	switch lx.peek(0) {
	case 'f', 'F':
		lx.pos++
		f, _ := strconv.ParseFloat(digits, 32)
		lx.toks = append(lx.toks, token{kind: tokLiteral, val: float32(f), start: start, end: lx.pos})
		return
	case 'd', 'D':
		real = true
		lx.pos++
	}
	if !real {
		lx.integer(start, digits, 10)
		return
	}
	if r := lx.peek(0); r == 'l' || r == 'L' {
		lx.problem(start, lx.pos+1, codeNumber, say("a number with a fraction cannot carry the suffix L"), words{})
		lx.pos++
		return
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil && !math.IsInf(f, 0) {
		lx.problem(start, lx.pos, codeNumber, say("malformed number %s", digits), words{})
		return
	}
	lx.toks = append(lx.toks, token{kind: tokLiteral, val: f, start: start, end: lx.pos})
}

func (lx *lexer) integer(start int, digits string, base int) {
	if r := lx.peek(0); r == 'l' || r == 'L' {
		lx.pos++
	}
	mag, err := strconv.ParseUint(digits, base, 64)
	if digits == "" || err != nil || mag > 1<<63 {
		msg := say("this number does not fit into 64 bits")
		if digits == "" {
			msg = say("0x needs hexadecimal digits")
		}
		lx.problem(start, lx.pos, codeNumber, msg, say(`integers go from -9223372036854775808 to 9223372036854775807; larger ones: toDecimal("..")`))
		return
	}
	lx.toks = append(lx.toks, token{kind: tokInt, mag: mag, start: start, end: lx.pos})
}
