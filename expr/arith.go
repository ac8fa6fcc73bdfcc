package expr

import (
	"math"
	"math/bits"
	"strings"
)

// add is +: numbers are added; with a text on one side both become text.
func add(s *Scope, a, b any) (any, error) {
	if isText(a) || isText(b) {
		return concat(s, "null", a, b)
	}
	return arith(s, '+', a, b)
}

func isText(v any) bool {
	switch v.(type) {
	case string, Control:
		return true
	}
	return false
}

// concat joins the texts of values, lists with commas (D14); null prints as the given text.
func concat(s *Scope, null string, vals ...any) (any, error) {
	t := s.newText()
	for _, v := range vals {
		if v == nil {
			t.str(null)
		} else {
			t.joined(v, 0)
		}
		if t.over {
			break
		}
	}
	if err := s.tick(len(t.b) >> 8); err != nil {
		return nil, err
	}
	return t.done(s)
}

// multiply is *: numbers, or a text and how often to repeat it.
func multiply(s *Scope, a, b any) (any, error) {
	if c, is := a.(Control); is {
		a = c.String()
	}
	text, ok := a.(string)
	if !ok {
		return arith(s, '*', a, b)
	}
	n, ok := b.(int64)
	switch {
	case !ok:
		return nil, operandError('*', a, b)
	case n <= 0 || text == "":
		return "", nil
	case n > math.MaxInt32 || int64(len(text))*n > s.bytes:
		s.bytes = 0
		return nil, errBytes
	}
	if err := s.grow(len(text) * int(n)); err != nil {
		return nil, err
	}
	return strings.Repeat(text, int(n)), nil
}

func operandError(op byte, a, b any) error {
	return failf("%c is not possible between %s and %s", op, show(a), show(b))
}

// arith computes + - * / % of two numbers in the wider of their types.
func arith(s *Scope, op byte, a, b any) (any, error) {
	ka, kb := numberKind(a), numberKind(b)
	switch {
	case ka == notNumber || kb == notNumber:
		return nil, operandError(op, a, b)
	case ka == isInt && kb == isInt:
		return intArith(op, a.(int64), b.(int64))
	case ka == isDecimal || kb == isDecimal:
		x, err := toDec(a)
		if err != nil {
			return nil, err
		}
		y, err := toDec(b)
		if err != nil {
			return nil, err
		}
		return box(decArith(s, op, x, y))
	case ka == isFloat64 || kb == isFloat64:
		return floatArith(op, toFloat(a), toFloat(b)), nil
	}
	return float32(floatArith(op, float64(float32(toFloat(a))), float64(float32(toFloat(b))))), nil
}

// box keeps a nil pointer from becoming a value.
func box(d *Decimal, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return d, nil
}

func floatArith(op byte, x, y float64) float64 {
	switch op {
	case '+':
		return x + y
	case '-':
		return x - y
	case '*':
		return x * y
	case '/':
		return x / y
	}
	return math.Mod(x, y)
}

func overflow(op byte, x, y int64) error {
	return failf("%d %c %d does not fit into 64 bits", x, op, y)
}

func intArith(op byte, x, y int64) (any, error) {
	switch op {
	case '+':
		z := x + y
		if (x >= 0) == (y >= 0) && (z >= 0) != (x >= 0) {
			return nil, overflow(op, x, y)
		}
		return z, nil
	case '-':
		z := x - y
		if (x >= 0) != (y >= 0) && (z >= 0) != (x >= 0) {
			return nil, overflow(op, x, y)
		}
		return z, nil
	case '*':
		z, ok := mulInt(x, y)
		if !ok {
			return nil, overflow(op, x, y)
		}
		return z, nil
	}
	switch {
	case y == 0:
		return nil, failf("division by zero")
	case y == -1 && x == math.MinInt64 && op == '/':
		return nil, overflow(op, x, y)
	case y == -1 && op == '%':
		return int64(0), nil
	case op == '/':
		return x / y, nil
	}
	return x % y, nil
}

func mulInt(x, y int64) (int64, bool) {
	neg := (x < 0) != (y < 0)
	hi, lo := bits.Mul64(absUint(x), absUint(y))
	switch {
	case hi != 0 || lo > 1<<63 || lo == 1<<63 && !neg:
		return 0, false
	case neg:
		return -int64(lo), true
	}
	return int64(lo), true
}

func absUint(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// power is ^ (D5): whole numbers stay whole, a decimal takes a whole power, everything else is a float.
func power(s *Scope, a, b any) (any, error) {
	ka, kb := numberKind(a), numberKind(b)
	switch {
	case ka == notNumber || kb == notNumber:
		return nil, operandError('^', a, b)
	case ka == isDecimal:
		n, err := truncInt(b)
		if err != nil {
			return nil, err
		}
		return box(decPow(s, a.(*Decimal), n))
	case ka == isInt && kb == isDecimal: // whole, as the original cuts it
		n, err := truncFloat(math.Pow(toFloat(a), toFloat(b)))
		return n, err
	case ka != isInt || kb != isInt:
		return math.Pow(toFloat(a), toFloat(b)), nil
	}
	x, n := a.(int64), b.(int64)
	switch {
	case n < 0 && x == 0:
		return nil, failf("division by zero")
	case n < 0 && x != 1 && x != -1:
		return int64(0), nil
	case x == 0 || x == 1 || x == -1:
		if n == 0 || x == -1 && n%2 == 0 {
			return int64(1), nil
		}
		return x, nil
	}
	z, base, ok := int64(1), x, true
	for e := n; ; {
		if e&1 == 1 {
			if z, ok = mulInt(z, base); !ok {
				return nil, overflow('^', x, n)
			}
		}
		if e >>= 1; e == 0 {
			return z, nil
		}
		if base, ok = mulInt(base, base); !ok {
			return nil, overflow('^', x, n)
		}
	}
}

// negate is unary minus: 0 - x, so that -0.0 is 0.0 as in the original.
func negate(s *Scope, v any) (any, error) {
	switch numberKind(v) {
	case notNumber:
		return nil, failf("- is not possible before %s", show(v))
	case isDecimal:
		d := new(Decimal)
		d.Neg(v.(*Decimal))
		return d, s.grow(32 + int(d.NumDigits()))
	}
	return arith(s, '-', int64(0), v)
}
