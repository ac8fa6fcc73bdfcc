package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"
)

// verb is one % of a format: %[index$][flags][width][.precision]conversion.
type verb struct {
	index     int // 0: the next argument; sameArgument
	flags     string
	width     int
	precision int // -1: not given
	conv      byte
}

func (v *verb) has(flag byte) bool { return strings.IndexByte(v.flags, flag) >= 0 }

// formatText is Java's String.format for the verbs %s %d %f %e %g %x %o %b %c %% %n (D12).
func formatText(s *Scope, format string, args []any) (any, error) {
	out := s.newText()
	next, last := 0, -1
	if err := s.scan(len(format)); err != nil {
		return nil, err
	}
	for i := 0; i < len(format) && !out.over; {
		j := strings.IndexByte(format[i:], '%')
		if j < 0 {
			out.str(format[i:])
			break
		}
		out.str(format[i : i+j])
		i += j
		v, n, err := parseVerb(format[i:])
		if err != nil {
			return nil, err
		}
		i += n
		if err := s.tick(1); err != nil {
			return nil, err
		}
		text := "%"
		switch v.conv {
		case '%':
		case 'n':
			text = "\n"
		default:
			k := v.index - 1
			switch v.index {
			case 0:
				k = next
				next++
			case sameArgument:
				k = last
			}
			last = k
			if k < 0 || k >= len(args) {
				return nil, failf("the format has no argument for %s", format[i-n:i])
			}
			if text, err = v.format(s, args[k]); err != nil {
				return nil, err
			}
		}
		out.str(v.pad(text))
	}
	return out.done(s)
}

// checkFormat reads a format without filling it in; it returns how many arguments it needs.
func checkFormat(format string) (needs int, err error) {
	next := 0
	for i := 0; i < len(format); {
		j := strings.IndexByte(format[i:], '%')
		if j < 0 {
			break
		}
		i += j
		v, n, err := parseVerb(format[i:])
		if err != nil {
			return 0, err
		}
		i += n
		switch {
		case v.conv == '%' || v.conv == 'n':
		case v.index > 0:
			needs = max(needs, v.index)
		case v.index == sameArgument && needs == 0:
			return 0, failf("the format has no argument for %s", format[i-n:i])
		case v.index == 0:
			next++
			needs = max(needs, next)
		}
	}
	return needs, nil
}

// allowedFlags are the flags of each conversion, in lower case; - is allowed for all.
var allowedFlags = map[byte]string{'s': "", 'b': "", 'c': "", 'd': "+ 0,(", 'x': "#0", 'o': "#0", 'f': "#+ 0,(", 'e': "#+ 0(", 'g': "+ 0,(", '%': "", 'n': ""}

func parseVerb(f string) (verb, int, error) {
	v := verb{precision: -1}
	i := 1
	if i < len(f) && f[i] == '<' {
		v.index, i = sameArgument, i+1
	} else if n, next := verbNumber(f, i); n > 0 && next < len(f) && f[next] == '$' {
		v.index, i = n, next+1
	}
	from := i
	for i < len(f) && strings.IndexByte("-#+ 0,(", f[i]) >= 0 {
		i++
	}
	v.flags = f[from:i]
	width, i := verbNumber(f, i)
	v.width = max(width, 0)
	if i < len(f) && f[i] == '.' {
		if v.precision, i = verbNumber(f, i+1); v.precision < 0 {
			return v, 0, failf("the precision is missing in %s", quoteShort(f[:i]))
		}
	}
	if v.width > MaxFormatWidth || v.precision > MaxFormatWidth {
		return v, 0, failf("width and precision of a format are at most %d", MaxFormatWidth)
	}
	if i >= len(f) || strings.IndexByte("sSdfeEgGxXobBcC%n", f[i]) < 0 {
		_, size := utf8.DecodeRuneInString(f[min(i, len(f)):])
		return v, 0, failf("%s is no verb of a format; write %%s %%d %%f %%e %%g %%x %%o %%b %%c, or %%%% for the sign", quoteShort(f[:min(i+size, len(f))]))
	}
	v.conv = f[i]
	return v, i + 1, v.check(f[:i+1])
}

// sameArgument is the index of %<s: the argument of the verb before.
const sameArgument = -1

// verbNumber reads digits; n is -1 when there are none.
func verbNumber(f string, i int) (n, next int) {
	next = i
	for next < len(f) && f[next] >= '0' && f[next] <= '9' {
		next++
	}
	if next == i {
		return -1, i
	}
	n, err := strconv.Atoi(f[i:next])
	if err != nil {
		return math.MaxInt32, next
	}
	return n, next
}

// check refuses what the original refuses: flags and a precision that a conversion does not have.
func (v *verb) check(text string) error {
	conv := v.conv
	if conv != '%' {
		conv |= 0x20
	}
	for i := 0; i < len(v.flags); i++ {
		if flag := v.flags[i]; flag != '-' && strings.IndexByte(allowedFlags[conv], flag) < 0 || strings.IndexByte(v.flags[i+1:], flag) >= 0 {
			return failf("the flag %s has no place in %s", quoteShort(v.flags[i:i+1]), quoteShort(text))
		}
	}
	switch {
	case (v.has('-') || v.has('0')) && v.width == 0:
		return failf("the flag in %s needs a width", quoteShort(text))
	case v.has('-') && v.has('0') || v.has('+') && v.has(' '):
		return failf("the flags in %s exclude each other", quoteShort(text))
	case v.precision >= 0 && strings.IndexByte("dxoc%n", conv) >= 0:
		return failf("%s cannot have a precision", quoteShort(text))
	case conv == 'n' && (v.width > 0 || v.has('-')):
		return failf("%s cannot have a width", quoteShort(text))
	}
	return nil
}

// pad fills up to the width; numbers with the flag 0 are already wide enough.
func (v *verb) pad(text string) string {
	n := v.width - utf8.RuneCountInString(text)
	if n <= 0 {
		return text
	}
	if v.has('-') {
		return text + strings.Repeat(" ", n)
	}
	return strings.Repeat(" ", n) + text
}

func (v *verb) mismatch(arg any) error {
	return failf("%%%c cannot print %s", v.conv, show(arg))
}

func (v *verb) format(s *Scope, arg any) (string, error) {
	text, err := v.plain(s, arg)
	if err == nil && v.conv >= 'A' && v.conv <= 'Z' {
		text = strings.ToUpper(text)
	}
	return text, err
}

func (v *verb) plain(s *Scope, arg any) (string, error) {
	conv := v.conv | 0x20
	switch {
	case conv == 'b':
		b, ok := arg.(bool)
		return v.cut(strconv.FormatBool(ok && b || !ok && arg != nil)), nil
	case arg == nil:
		return v.cut("null"), nil
	}
	switch conv {
	case 's':
		text, err := textArg(s, arg)
		return v.cut(text), err
	case 'c':
		return v.char(arg)
	case 'd':
		return v.whole(arg)
	case 'x', 'o':
		n, ok := arg.(int64)
		if !ok {
			return "", v.mismatch(arg)
		}
		return v.based(n, map[byte]int{'x': 16, 'o': 8}[conv]), nil
	}
	if numberKind(arg) == notNumber {
		return "", v.mismatch(arg)
	}
	if f := toFloat(arg); numberKind(arg) != isDecimal && (math.IsNaN(f) || math.IsInf(f, 0)) {
		text := javaFloat(f, 64)
		if v.has('+') && f > 0 {
			text = "+" + text
		}
		return text, nil
	}
	if f, is := arg.(float32); is {
		arg = float64(f) // as the original widens it
	}
	d, err := toDec(arg)
	if err == nil {
		err = checkDec(d)
	}
	if err != nil {
		return "", err
	}
	return v.real(conv, d)
}

// cut shortens a text to the precision, in runes.
func (v *verb) cut(text string) string {
	if v.precision < 0 {
		return text
	}
	n := 0
	for i := range text {
		if n == v.precision {
			return text[:i]
		}
		n++
	}
	return text
}

func (v *verb) char(arg any) (string, error) {
	switch x := arg.(type) {
	case int64:
		if x >= 0 && x <= utf8.MaxRune && utf8.ValidRune(rune(x)) {
			return string(rune(x)), nil
		}
		return "", failf("%d is no character", x)
	case string:
		if utf8.RuneCountInString(x) == 1 {
			return x, nil
		}
	}
	return "", v.mismatch(arg)
}

func (v *verb) whole(arg any) (string, error) {
	n, ok := arg.(int64)
	if ok {
		return v.signed(n < 0, strconv.FormatUint(absUint(n), 10), ""), nil
	}
	if d, is := arg.(*Decimal); is && d.Exponent == 0 && d.Form == apd.Finite { // an integer beyond 64 bits
		return v.signed(d.Negative, d.Coeff.String(), ""), nil
	}
	return "", v.mismatch(arg)
}

// based prints in another base; a negative number as the two's complement of 32 bits where it fits, else of 64.
func (v *verb) based(n int64, base int) string {
	u := uint64(n)
	if n < 0 && n >= math.MinInt32 {
		u = uint64(uint32(n))
	}
	text := strconv.FormatUint(u, base)
	if v.has('#') {
		text = map[int]string{16: "0x", 8: "0"}[base] + text
	}
	if v.has('0') {
		text = strings.Repeat("0", max(0, v.width-len(text))) + text
	}
	return text
}

// signed puts sign, grouping and zeros around the digits of a number; rest is what follows the whole part.
func (v *verb) signed(neg bool, digits, rest string) string {
	if v.has(',') {
		for i := len(digits) - 3; i > 0; i -= 3 {
			digits = digits[:i] + "," + digits[i:]
		}
	}
	before, after := "", ""
	switch {
	case neg && v.has('('):
		before, after = "(", ")"
	case neg:
		before = "-"
	case v.has('+'):
		before = "+"
	case v.has(' '):
		before = " "
	}
	if v.has('0') {
		digits = strings.Repeat("0", max(0, v.width-len(before)-len(digits)-len(rest)-len(after))) + digits
	}
	return before + digits + rest + after
}

// real prints %f, %e and %g, rounding half up.
func (v *verb) real(conv byte, d *Decimal) (string, error) {
	precision := v.precision
	if precision < 0 {
		precision = 6
	}
	if conv == 'g' {
		precision = max(precision, 1)
		rounded := roundDigits(d, precision)
		exp := int(rounded.NumDigits()) + int(rounded.Exponent) - 1
		switch {
		case d.IsZero():
			conv, precision = 'f', precision-1
		case exp >= -4 && exp < precision:
			conv, precision = 'f', precision-exp-1
		default:
			conv, precision = 'e', precision-1
		}
	}
	if conv == 'f' {
		r, err := rescale(d, int64(precision), apd.RoundHalfUp)
		if err != nil {
			return "", err
		}
		digits := r.Coeff.String()
		if len(digits) <= precision {
			digits = strings.Repeat("0", precision+1-len(digits)) + digits
		}
		rest := ""
		if precision > 0 {
			rest = "." + digits[len(digits)-precision:]
		}
		return v.signed(d.Negative, digits[:len(digits)-precision], rest), nil
	}
	r := roundDigits(d, precision+1)
	digits := r.Coeff.String()
	exp := 0
	if !d.IsZero() {
		exp = len(digits) + int(r.Exponent) - 1
	}
	digits += strings.Repeat("0", max(0, precision+1-len(digits)))
	rest := ""
	if precision > 0 {
		rest = "." + digits[1:precision+1]
	}
	sign := "+"
	if exp < 0 {
		sign, exp = "-", -exp
	}
	tail := strconv.Itoa(exp)
	if len(tail) < 2 {
		tail = "0" + tail
	}
	return v.signed(d.Negative, digits[:1], rest+"e"+sign+tail), nil
}

// roundDigits keeps n significant digits, half up.
func roundDigits(d *Decimal, n int) *Decimal {
	drop := int(d.NumDigits()) - n
	if drop <= 0 {
		return d
	}
	c, scale := parts(d)
	neg := c.Sign() < 0
	c.Abs(c)
	unit := pow10(drop)
	c.Add(c, new(big.Int).Quo(unit, big.NewInt(2)))
	c.Quo(c, unit)
	if neg {
		c.Neg(c)
	}
	out := fromParts(c, scale-drop)
	if int(out.NumDigits()) > n { // 9.99 became 10.0
		return roundDigits(out, n)
	}
	return out
}
