package messagebus

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weftbox/weftbox/expr"
)

// Bounds of a decimal: wide enough for any measured or counted thing (decimal128 has 34 digits and the same exponents), small enough
// that arithmetic on hostile ones stays cheap.
const (
	maxDigits   = 1000
	maxExponent = 6144
)

// special tells the bytes of a string that need a second look: quote, backslash, control characters, not ASCII.
var special = func() (t [256]bool) {
	for c := range t {
		t[c] = c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf
	}
	return t
}()

// string reads a string and returns its text: part of the data, or scratch that the next string overwrites.
func (r *reader) string() ([]byte, *syntaxError) {
	r.pos++
	start, ascii := r.pos, true
	for i := start; i < len(r.data); i++ {
		c := r.data[i]
		if !special[c] {
			continue
		}
		switch {
		case c == '"':
			r.pos = i + 1
			b := r.data[start:i]
			if !ascii && !utf8.Valid(b) {
				return nil, r.invalidUTF8(start, b)
			}
			return b, nil
		case c == '\\':
			return r.escaped(start, i)
		case c < 0x20:
			return nil, r.failAt(i, fmt.Sprintf("a control character (0x%02x) in a string must be escaped", c))
		}
		ascii = false
	}
	return nil, r.unterminated(start)
}

func (r *reader) unterminated(start int) *syntaxError {
	return r.failAt(len(r.data), fmt.Sprintf("the JSON text ends within the string that begins at byte %d", r.base+start-1))
}

func (r *reader) invalidUTF8(start int, b []byte) *syntaxError {
	i := 0
	for i < len(b) {
		c, size := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && size <= 1 {
			break
		}
		i += size
	}
	return r.failAt(start+i, fmt.Sprintf("invalid UTF-8 (byte 0x%02x): JSON texts are UTF-8", b[i]))
}

// escaped goes on with a string whose first backslash stands at i.
func (r *reader) escaped(start, i int) ([]byte, *syntaxError) {
	out := append(r.text[:0], r.data[start:i]...)
	for from := i; i < len(r.data); {
		c := r.data[i]
		switch {
		case c == '"':
			out = append(out, r.data[from:i]...)
			r.text, r.pos = out, i+1
			if !utf8.Valid(r.data[start:i]) {
				return nil, r.invalidUTF8(start, r.data[start:i])
			}
			return out, nil
		case c == '\\':
			out = append(out, r.data[from:i]...)
			var err *syntaxError
			if out, i, err = r.escape(out, i); err != nil {
				return nil, err
			}
			from = i
		case c < 0x20:
			return nil, r.failAt(i, fmt.Sprintf("a control character (0x%02x) in a string must be escaped", c))
		default:
			i++
		}
	}
	return nil, r.unterminated(start)
}

// escape appends what the escape at i stands for and returns where the text goes on.
func (r *reader) escape(out []byte, i int) ([]byte, int, *syntaxError) {
	if i+1 >= len(r.data) {
		return nil, 0, r.failAt(len(r.data), "the JSON text ends within an escape")
	}
	switch c := r.data[i+1]; c {
	case '"', '\\', '/':
		return append(out, c), i + 2, nil
	case 'b':
		return append(out, '\b'), i + 2, nil
	case 'f':
		return append(out, '\f'), i + 2, nil
	case 'n':
		return append(out, '\n'), i + 2, nil
	case 'r':
		return append(out, '\r'), i + 2, nil
	case 't':
		return append(out, '\t'), i + 2, nil
	case 'u':
	default:
		return nil, 0, r.failAt(i, fmt.Sprintf("a backslash before %q is no escape of JSON", c))
	}
	c, err := r.hex(i)
	if err != nil {
		return nil, 0, err
	}
	if !utf16.IsSurrogate(c) {
		return utf8.AppendRune(out, c), i + 6, nil
	}
	if i+8 > len(r.data) {
		return nil, 0, r.failAt(len(r.data), "the JSON text ends within an escape")
	}
	if r.data[i+6] == '\\' && r.data[i+7] == 'u' {
		low, err := r.hex(i + 6)
		if err != nil {
			return nil, 0, err
		}
		if pair := utf16.DecodeRune(c, low); pair != utf8.RuneError {
			return utf8.AppendRune(out, pair), i + 12, nil
		}
	}
	return nil, 0, r.failAt(i, fmt.Sprintf("\\u%04x is half of a surrogate pair", c))
}

// hex reads the four digits of the \u escape at i.
func (r *reader) hex(i int) (rune, *syntaxError) {
	if i+6 > len(r.data) {
		return 0, r.failAt(len(r.data), "the JSON text ends within an escape")
	}
	var c rune
	for _, b := range r.data[i+2 : i+6] {
		c <<= 4
		switch {
		case b >= '0' && b <= '9':
			c |= rune(b - '0')
		case b >= 'a' && b <= 'f':
			c |= rune(b - 'a' + 10)
		case b >= 'A' && b <= 'F':
			c |= rune(b - 'A' + 10)
		default:
			return 0, r.failAt(i, "\\u needs four hexadecimal digits")
		}
	}
	return c, nil
}

// number reads a number: an int64 if it is a whole number of 64 bits written without a scale, a decimal otherwise.
func (r *reader) number() (any, *syntaxError) {
	start := r.pos
	n, err := r.scanNumber()
	if err != nil {
		return nil, err
	}
	if n.scale == 0 && n.digits <= 18 {
		r.heap += heapNumber
		if n.negative {
			return -int64(n.value), nil
		}
		return int64(n.value), nil
	}
	text := r.data[start:r.pos]
	if n.scale == 0 && !n.point {
		if v, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			r.heap += heapNumber
			return v, nil
		}
	}
	if n.digits > maxDigits || n.scale > maxExponent || n.scale < -maxExponent {
		return nil, r.failAt(start, fmt.Sprintf("the number is out of range: at most %d digits and an exponent of %d", maxDigits, maxExponent))
	}
	return r.decimal(n, text)
}

// decimal makes the decimal of a number; a whole number whose scale came out as zero ("1.5e1") is an integer after all.
func (r *reader) decimal(n number, text []byte) (any, *syntaxError) {
	d := new(expr.Decimal)
	d.Exponent = int32(n.scale)
	if n.digits <= 18 {
		d.Coeff.SetInt64(int64(n.value))
	} else {
		digits := make([]byte, 0, len(text))
		for _, c := range text {
			if c == 'e' || c == 'E' {
				break
			}
			if c >= '0' && c <= '9' {
				digits = append(digits, c)
			}
		}
		d.Coeff.SetString(string(digits), 10)
	}
	d.Negative = n.negative && d.Coeff.Sign() != 0
	if n.scale == 0 {
		if v, err := d.Int64(); err == nil {
			r.heap += heapNumber
			return v, nil
		}
	}
	r.heap += heapDecimal + n.digits/2
	return d, nil
}

// number is what scanNumber found: value × 10^scale, where value holds the digits if they are at most 18.
type number struct {
	negative bool
	value    uint64
	digits   int // without leading zeros
	scale    int
	point    bool // written with a point or an exponent
}

func (n *number) digit(c byte) {
	if n.digits > 0 || c != '0' {
		n.digits++
	}
	if n.digits <= 18 {
		n.value = n.value*10 + uint64(c-'0')
	}
}

// scanNumber takes the characters of a number and checks its form.
func (r *reader) scanNumber() (n number, err *syntaxError) {
	if r.data[r.pos] == '-' {
		n.negative = true
		r.pos++
	}
	first := r.pos
	for ; r.isDigit(); r.pos++ {
		n.digit(r.data[r.pos])
	}
	if r.pos == first {
		return n, r.unexpected("a digit")
	}
	if r.data[first] == '0' && r.pos > first+1 {
		return n, r.failAt(first, "a number does not begin with 0")
	}
	if r.pos < len(r.data) && r.data[r.pos] == '.' {
		n.point = true
		r.pos++
		first = r.pos
		for ; r.isDigit(); r.pos++ {
			n.digit(r.data[r.pos])
		}
		if r.pos == first {
			return n, r.unexpected("a digit after the point")
		}
		n.scale = first - r.pos
	}
	if r.pos < len(r.data) && r.data[r.pos]|0x20 == 'e' {
		n.point = true
		r.pos++
		exponent, err := r.exponent()
		if err != nil {
			return n, err
		}
		n.scale += exponent
	}
	return n, nil
}

func (r *reader) isDigit() bool { return r.pos < len(r.data) && r.data[r.pos]-'0' <= 9 }

// exponent reads a signed exponent; beyond a million it is only known to be out of range.
func (r *reader) exponent() (int, *syntaxError) {
	sign := 1
	if r.pos < len(r.data) && (r.data[r.pos] == '+' || r.data[r.pos] == '-') {
		if r.data[r.pos] == '-' {
			sign = -1
		}
		r.pos++
	}
	first, v := r.pos, 0
	for ; r.isDigit(); r.pos++ {
		if v < 1_000_000 {
			v = v*10 + int(r.data[r.pos]-'0')
		}
	}
	if r.pos == first {
		return 0, r.unexpected("a digit of the exponent")
	}
	return sign * v, nil
}
