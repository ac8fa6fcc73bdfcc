package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// The kinds of number, in the order in which they widen; a decimal met by a float gives a decimal (D7).
const (
	notNumber = iota
	isInt
	isFloat32
	isFloat64
	isDecimal
)

func numberKind(v any) int {
	switch v.(type) {
	case int64:
		return isInt
	case float32:
		return isFloat32
	case float64:
		return isFloat64
	case *Decimal:
		return isDecimal
	}
	return notNumber
}

// toFloat widens a number to a float; the value must be a number.
func toFloat(v any) float64 {
	switch x := v.(type) {
	case int64:
		return float64(x)
	case float32:
		return float64(x)
	case float64:
		return x
	case *Decimal:
		f, _ := strconv.ParseFloat(x.Text('E'), 64)
		return f
	}
	return math.NaN()
}

// toDec makes a decimal of a number: a float by the digits it prints with (D11). Infinity and NaN are errors.
func toDec(v any) (*Decimal, error) {
	switch x := v.(type) {
	case *Decimal:
		return x, nil
	case int64:
		return apd.New(x, 0), nil
	case float32:
		return floatDec(float64(x), 32)
	case float64:
		return floatDec(x, 64)
	}
	return nil, failf("%s is not a number", show(v))
}

func floatDec(f float64, bits int) (*Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, failf("%s cannot become a decimal", javaFloat(f, bits))
	}
	d, _, err := apd.NewFromString(javaFloat(f, bits))
	if err != nil {
		return nil, failf("%s cannot become a decimal", javaFloat(f, bits))
	}
	return d, nil
}

// checkDec refuses a decimal that is too large for arithmetic.
func checkDec(ds ...*Decimal) error {
	for _, d := range ds {
		if d.Form != apd.Finite {
			return failf("%s is not a finite decimal", d.String())
		}
		if e := int64(d.Exponent); e > MaxDecimalDigits || e < -MaxDecimalDigits || d.NumDigits() > MaxDecimalDigits {
			return errDigits
		}
	}
	return nil
}

// parts returns the signed coefficient and the scale (digits behind the point, may be negative) of a decimal.
func parts(d *Decimal) (*big.Int, int) {
	c := new(big.Int).Set(d.Coeff.MathBigInt())
	if d.Negative {
		c.Neg(c)
	}
	return c, -int(d.Exponent)
}

func fromParts(c *big.Int, scale int) *Decimal {
	d := &Decimal{Exponent: int32(-scale), Negative: c.Sign() < 0}
	d.Coeff.SetMathBigInt(new(big.Int).Abs(c))
	return d
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// aligned returns both coefficients at the larger scale.
func aligned(a, b *Decimal) (x, y *big.Int, scale int) {
	x, sa := parts(a)
	y, sb := parts(b)
	scale = max(sa, sb)
	if sa < scale {
		x.Mul(x, pow10(scale-sa))
	}
	if sb < scale {
		y.Mul(y, pow10(scale-sb))
	}
	return x, y, scale
}

// decArith computes a op b exactly, except for division (D7): 16 digits more than the larger scale, half even, zeros stripped
// down to the larger scale.
func decArith(s *Scope, op byte, a, b *Decimal) (*Decimal, error) {
	if err := checkDec(a, b); err != nil {
		return nil, err
	}
	if err := s.grow(32 + int(a.NumDigits()+b.NumDigits())); err != nil {
		return nil, err
	}
	var d *Decimal
	switch op {
	case '+', '-':
		x, y, scale := aligned(a, b)
		if op == '+' {
			x.Add(x, y)
		} else {
			x.Sub(x, y)
		}
		d = fromParts(x, scale)
	case '%':
		if b.IsZero() {
			return nil, failf("division by zero")
		}
		d = remainder(a, b)
	case '*':
		x, sa := parts(a)
		y, sb := parts(b)
		d = fromParts(x.Mul(x, y), sa+sb)
	default:
		if b.IsZero() {
			return nil, failf("division by zero")
		}
		d = divide(a, b)
	}
	return d, checkDec(d)
}

// remainder is what BigDecimal.remainder gives: a - q * b for the whole quotient q, whose zeros are stripped as far as the scales of
// a and b want it, which decides the scale of the result.
func remainder(a, b *Decimal) *Decimal {
	x, y, scale := aligned(a, b)
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	_, sa := parts(a)
	_, sb := parts(b)
	least := sa - sb // the scale that the quotient had best
	if q.Sign() != 0 && least < 0 {
		least = max(least, -trailingZeros(q))
	}
	want := max(sa, least+sb)
	out := fromParts(r, scale)
	if want < scale {
		out = fromParts(r.Quo(r, pow10(scale-want)), want) // the digits that go are zeros
	}
	return out
}

func trailingZeros(n *big.Int) int {
	text := n.String()
	return len(text) - len(strings.TrimRight(text, "0"))
}

func divide(a, b *Decimal) *Decimal {
	x, sa := parts(a)
	y, sb := parts(b)
	least := max(sa, sb, 0)
	scale := least + 16
	if shift := scale - sa + sb; shift >= 0 {
		x.Mul(x, pow10(shift))
	} else {
		y.Mul(y, pow10(-shift))
	}
	q := roundQuotient(x, y)
	ten, rem := big.NewInt(10), new(big.Int)
	for scale > least {
		next, r := new(big.Int).QuoRem(q, ten, rem)
		if r.Sign() != 0 {
			break
		}
		q = next
		scale--
	}
	return fromParts(q, scale)
}

// roundQuotient returns x / y, half even.
func roundQuotient(x, y *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	switch c := r.Cmp(new(big.Int).Abs(y)); {
	case c > 0, c == 0 && q.Bit(0) == 1:
		step := int64(1)
		if x.Sign()*y.Sign() < 0 {
			step = -1
		}
		q.Add(q, big.NewInt(step))
	}
	return q
}

// decPow raises a decimal to a whole power from 0 to 999, exactly.
func decPow(s *Scope, a *Decimal, n int64) (*Decimal, error) {
	if n < 0 || n > 999 {
		return nil, failf("a decimal can be raised to a whole power from 0 to 999 only, not to %d", n)
	}
	if err := checkDec(a); err != nil {
		return nil, err
	}
	if a.NumDigits()*n > 2*MaxDecimalDigits {
		return nil, errDigits
	}
	if err := s.grow(32 + int(a.NumDigits()*n)); err != nil {
		return nil, err
	}
	c, scale := parts(a)
	d := fromParts(c.Exp(c, big.NewInt(n), nil), scale*int(n))
	return d, checkDec(d)
}

// truncInt cuts a number to a whole one; beyond 64 bits it is an error (D26).
func truncInt(v any) (int64, error) {
	switch x := v.(type) {
	case int64:
		return x, nil
	case float32:
		return truncFloat(float64(x))
	case float64:
		return truncFloat(x)
	case *Decimal:
		if err := checkDec(x); err != nil {
			return 0, err
		}
		c, scale := parts(x)
		if scale > 0 {
			c.Quo(c, pow10(scale))
		} else {
			c.Mul(c, pow10(-scale))
		}
		if !c.IsInt64() {
			return 0, failf("%s does not fit into 64 bits", show(v))
		}
		return c.Int64(), nil
	}
	return 0, failf("%s is not a number", show(v))
}

func truncFloat(f float64) (int64, error) {
	if math.IsNaN(f) { // as Java's cast
		return 0, nil
	}
	if f >= 1<<63 || f < -(1<<63) {
		return 0, failf("%s does not fit into 64 bits", javaFloat(f, 64))
	}
	return int64(f), nil
}
