package expr

import "math"

// exactFunctions are Java's whole-number functions that fail where the result does not fit.
func exactFunctions() []spec {
	two := func(name, doc, zh string, op byte) spec {
		return spec{sig: "math." + name + "(x: int, y: int) int", doc: doc, zh: zh, ex: "math." + name + "(7, 3)", flag: pure, call: func(_ *Scope, a []any) (any, error) {
			x, err := intArg(a[0])
			if err != nil {
				return nil, err
			}
			y, err := intArg(a[1])
			if err != nil {
				return nil, err
			}
			return intArith(op, x, y)
		}}
	}
	one := func(name, doc, zh string, f func(x int64) (any, error)) spec {
		return spec{sig: "math." + name + "(x: int) int", doc: doc, zh: zh, ex: "math." + name + "(7)", flag: pure, call: func(_ *Scope, a []any) (any, error) {
			x, err := intArg(a[0])
			if err != nil {
				return nil, err
			}
			return f(x)
		}}
	}
	return []spec{
		two("addExact", "x + y.", "x + y。", '+'), two("subtractExact", "x - y.", "x - y。", '-'), two("multiplyExact", "x * y.", "x * y。", '*'),
		one("incrementExact", "x + 1.", "x + 1。", func(x int64) (any, error) { return intArith('+', x, 1) }),
		one("decrementExact", "x - 1.", "x - 1。", func(x int64) (any, error) { return intArith('-', x, 1) }),
		one("negateExact", "-x.", "-x。", func(x int64) (any, error) { return intArith('-', 0, x) }),
		one("toIntExact", "x; an error when it does not fit into 32 bits.", "x；超出 32 位时报错。", func(x int64) (any, error) {
			if x != int64(int32(x)) {
				return nil, failf("%d does not fit into 32 bits", x)
			}
			return x, nil
		}),
		{sig: "math.getExponent(x: real) int", doc: "The exponent of the float to base 2.", zh: "浮点数以 2 为底的指数。", ex: "math.getExponent(8)", flag: pure, call: func(_ *Scope, a []any) (any, error) {
			x, err := realArg(a[0])
			switch {
			case err != nil:
				return nil, err
			case math.IsNaN(x) || math.IsInf(x, 0):
				return int64(1024), nil
			case x == 0 || math.Abs(x) < 0x1p-1022:
				return int64(-1023), nil
			}
			return int64(math.Ilogb(x)), nil
		}},
		{sig: "math.scalb(x: real, n: int) number", doc: "x times 2 to the power of n.", zh: "x 乘以 2 的 n 次方。", ex: "math.scalb(3, 2)", flag: pure, call: func(_ *Scope, a []any) (any, error) {
			x, err := realArg(a[0])
			if err != nil {
				return nil, err
			}
			n, err := intArg(a[1])
			if err != nil {
				return nil, err
			}
			return math.Ldexp(x, int(max(-5000, min(n, 5000)))), nil
		}},
	}
}
