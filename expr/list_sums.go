package expr

import "math"

func sumFloats(s *Scope, v any) (any, error) {
	l, err := listArg(v)
	if err == nil {
		err = s.tick(len(l))
	}
	if err != nil {
		return nil, err
	}
	// Compensated, as Java's streams do: what the sum rounds away is carried along.
	sum, lost, simple := 0.0, 0.0, 0.0
	for _, e := range l {
		v, err := doubleOf(e)
		if err != nil {
			return nil, err
		}
		f := v.(float64)
		simple += f
		part := f - lost
		next := sum + part
		lost = (next - sum) - part
		sum = next
	}
	if total := sum - lost; !math.IsNaN(total) || !math.IsInf(simple, 0) {
		return total, nil
	}
	return simple, nil
}

func listAvg(s *Scope, a []any) (any, error) {
	l, err := filled(a[0])
	if err != nil {
		return nil, err
	}
	sum, err := sumFloats(s, l)
	if err != nil {
		return nil, err
	}
	return sum.(float64) / float64(len(l)), nil
}

func listSumInt(s *Scope, a []any) (any, error) {
	l, err := listArg(a[0])
	if err == nil {
		err = s.tick(len(l))
	}
	var sum any = int64(0)
	for _, e := range l {
		var n any
		if err == nil {
			n, err = summand(e)
		}
		if err == nil {
			sum, err = intArith('+', sum.(int64), n.(int64))
		}
		if err != nil {
			break
		}
	}
	return sum, err
}

// summand is an item of sumInt as a whole number: its fraction is cut, that of a text too.
func summand(v any) (any, error) {
	if _, is := v.(string); is {
		d, err := decimalOf(v)
		if err != nil {
			return nil, err
		}
		n, err := truncInt(d)
		return n, err
	}
	return wholeOf(v)
}

func listSumDecimal(s *Scope, a []any) (any, error) {
	l, err := listArg(a[0])
	if err == nil {
		err = s.tick(len(l))
	}
	if err != nil {
		return nil, err
	}
	sum := new(Decimal)
	for _, e := range l {
		d, err := decimalOf(e)
		if err == nil {
			sum, err = decArith(s, '+', sum, d)
		}
		if err != nil {
			return nil, err
		}
	}
	return sum, nil
}

func listJoin(s *Scope, a []any) (any, error) {
	l, err := listArg(a[0])
	if err == nil {
		err = s.tick(len(l))
	}
	if err != nil {
		return nil, err
	}
	delimiter, err := stringParam(s, a[1])
	if err != nil {
		return nil, err
	}
	out := s.newText()
	for i, e := range l {
		if i > 0 {
			out.str(delimiter)
		}
		out.value(e, 0)
		if out.over {
			break
		}
	}
	return out.done(s)
}
