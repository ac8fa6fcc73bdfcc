package expr

import (
	"math"

	"github.com/cockroachdb/apd/v3"
)

var mathFunctions = append([]spec{
	{sig: "math.PI: number", doc: "The ratio of a circle's circumference to its diameter.", ex: "math.PI", flag: pure, call: func(*Scope, []any) (any, error) { return math.Pi, nil }},
	{sig: "math.E: number", doc: "The base of the natural logarithm.", ex: "math.E", flag: pure, call: func(*Scope, []any) (any, error) { return math.E, nil }},
	{sig: "math.abs(x: number) number", doc: "The number without its sign.", ex: "math.abs(-1)", flag: pure, call: mathAbs},
	{sig: "math.max(a: number, b: number) number", doc: "The larger number, in the wider of both types.", ex: "math.max(1, 2.5)", flag: pure, call: mathExtreme(1)},
	{sig: "math.min(a: number, b: number) number", doc: "The smaller number, in the wider of both types.", ex: "math.min(1, 2.5)", flag: pure, call: mathExtreme(-1)},
	{sig: "math.round(x: number) int", doc: "The nearest whole number, halves upward.", ex: "math.round(2.5)", flag: pure, call: mathRound},
	{sig: "math.floorMod(x: int, y: int) int", doc: "The remainder that has the sign of y.", ex: "math.floorMod(-7, 3)", flag: pure, call: floorOp(true)},
	{sig: "math.floorDiv(x: int, y: int) int", doc: "The quotient rounded down.", ex: "math.floorDiv(-7, 2)", flag: pure, call: floorOp(false)},
	{sig: "math.random() number", doc: "The same as random().", ex: "math.random()", call: func(s *Scope, _ []any) (any, error) { return s.drawFloat(), nil }},
	{sig: "math.signum(x: number) number", doc: "-1.0, 0.0 or 1.0.", ex: "math.signum(-3)", flag: pure, call: func(_ *Scope, a []any) (any, error) {
		f, err := realArg(a[0])
		if err != nil || math.IsNaN(f) {
			return f, err
		}
		return float64(compare(f, 0)), nil
	}},
}, append(floatFunctions1(), append(floatFunctions2(), exactFunctions()...)...)...)

func floatFunctions1() []spec {
	table := []struct {
		name, doc string
		f         func(float64) float64
	}{
		{"floor", "The number rounded down, as a float.", math.Floor}, {"ceil", "The number rounded up, as a float.", math.Ceil},
		{"rint", "The nearest whole float, halves to even.", math.RoundToEven}, {"sqrt", "The square root.", math.Sqrt}, {"cbrt", "The cube root.", math.Cbrt},
		{"exp", "e to the power of the number.", math.Exp}, {"expm1", "exp(x) - 1, precise near 0.", math.Expm1}, {"log", "The natural logarithm.", math.Log},
		{"log10", "The logarithm to base 10.", math.Log10}, {"log1p", "log(1 + x), precise near 0.", math.Log1p}, {"sin", "The sine of an angle in radians.", math.Sin},
		{"cos", "The cosine of an angle in radians.", math.Cos}, {"tan", "The tangent of an angle in radians.", math.Tan}, {"asin", "The arc sine.", math.Asin},
		{"acos", "The arc cosine.", math.Acos}, {"atan", "The arc tangent.", math.Atan}, {"sinh", "The hyperbolic sine.", math.Sinh},
		{"cosh", "The hyperbolic cosine.", math.Cosh}, {"tanh", "The hyperbolic tangent.", math.Tanh},
		{"ulp", "The distance to the next larger float.", func(x float64) float64 { return math.Nextafter(math.Abs(x), math.Inf(1)) - math.Abs(x) }},
		{"nextUp", "The next larger float.", func(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }},
		{"nextDown", "The next smaller float.", func(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }},
		{"toRadians", "Degrees as radians.", func(x float64) float64 { return x * 0.017453292519943295 }},
		{"toDegrees", "Radians as degrees.", func(x float64) float64 { return x * 57.29577951308232 }},
	}
	var out []spec
	for _, t := range table {
		out = append(out, spec{sig: "math." + t.name + "(x: real) number", doc: t.doc, ex: "math." + t.name + "(1)", flag: pure, call: func(_ *Scope, a []any) (any, error) {
			x, err := realArg(a[0])
			if err != nil {
				return nil, err
			}
			return t.f(x), nil
		}})
	}
	return out
}

func floatFunctions2() []spec {
	table := []struct {
		name, doc string
		f         func(x, y float64) float64
	}{
		{"pow", "x to the power of y.", math.Pow}, {"hypot", "The length of the hypotenuse.", math.Hypot},
		{"atan2", "The angle of the point (y, x).", math.Atan2}, {"IEEEremainder", "The remainder to the nearest multiple.", math.Remainder}, {"copySign", "x with the sign of y.", math.Copysign},
		{"nextAfter", "The float next to x in the direction of y.", math.Nextafter},
	}
	var out []spec
	for _, t := range table {
		out = append(out, spec{sig: "math." + t.name + "(x: real, y: real) number", doc: t.doc, ex: "math." + t.name + "(2, 3)", flag: pure, call: func(_ *Scope, a []any) (any, error) {
			x, err := realArg(a[0])
			if err != nil {
				return nil, err
			}
			y, err := realArg(a[1])
			if err != nil {
				return nil, err
			}
			return t.f(x, y), nil
		}})
	}
	return out
}

func mathAbs(s *Scope, a []any) (any, error) {
	v, err := numArg(a[0])
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case float64:
		return math.Abs(x), nil
	case float32:
		return float32(math.Abs(float64(x))), nil
	case *Decimal:
		d := new(Decimal)
		d.Abs(x)
		return d, s.grow(32 + int(d.NumDigits()))
	}
	if v.(int64) < 0 {
		return negate(s, v)
	}
	return v, nil
}

func mathExtreme(sign int) callFunc {
	return func(_ *Scope, a []any) (any, error) {
		for _, v := range a {
			if _, err := numArg(v); err != nil {
				return nil, err
			}
		}
		c, ok := compareNumbers(a[0], a[1])
		if !ok {
			return math.NaN(), nil
		}
		v := a[0]
		if c*sign < 0 {
			v = a[1]
		}
		return widen(v, max(numberKind(a[0]), numberKind(a[1])))
	}
}

// widen gives a number the type of a wider kind.
func widen(v any, kind int) (any, error) {
	if numberKind(v) == kind {
		return v, nil
	}
	switch kind {
	case isFloat32:
		return float32(toFloat(v)), nil
	case isFloat64:
		return toFloat(v), nil
	case isDecimal:
		return box(toDec(v))
	}
	return v, nil
}

func mathRound(_ *Scope, a []any) (any, error) {
	switch x := a[0].(type) {
	case int64:
		return x, nil
	case *Decimal:
		if err := checkDec(x); err != nil {
			return nil, err
		}
		mode := apd.Rounder(apd.RoundHalfUp)
		if x.Negative {
			mode = apd.RoundHalfDown
		}
		d, err := rescale(x, 0, mode)
		if err != nil {
			return nil, err
		}
		n, err := truncInt(d)
		return n, err
	}
	f, err := realArg(a[0])
	if err != nil {
		return nil, err
	}
	if f != math.Trunc(f) {
		whole := math.Floor(f)
		if f-whole >= 0.5 {
			whole++
		}
		f = whole
	}
	n, err := truncFloat(f)
	return n, err
}

func floorOp(mod bool) callFunc {
	return func(_ *Scope, a []any) (any, error) {
		x, err := intArg(a[0])
		if err != nil {
			return nil, err
		}
		y, err := intArg(a[1])
		if err != nil {
			return nil, err
		}
		r, err := intArith('%', x, y)
		if err != nil {
			return nil, err
		}
		q, err := intArith('/', x, y)
		adjust := r.(int64) != 0 && (r.(int64) < 0) != (y < 0)
		switch {
		case mod && adjust:
			return r.(int64) + y, nil
		case mod:
			return r, nil
		case err != nil:
			return nil, err
		case adjust:
			return q.(int64) - 1, nil
		}
		return q, nil
	}
}
