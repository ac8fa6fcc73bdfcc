package expr

import "github.com/cockroachdb/apd/v3"

// A value of the language is one of these Go types and no other:
//
//	nil, bool, string
//	int64            int (stands for the original's Integer and Long)
//	float64, float32 float (Double, Float)
//	*apd.Decimal     decimal (JSON fractions); never changed after it was made
//	[]any            list; never changed after it was made
//	map[string]any   map; never changed after it was made
//	map[any]any      map with at least one key that is no string (int64, bool, float64 keys, nil)
//	Date             a date-time, a date or a time of day
//	Control          what call(), finish(), ... answer
//
// Values are shared freely between threads, steps and stores: nobody writes into a list, map or decimal it did not make.

// Decimal is the language's exact decimal number.
type Decimal = apd.Decimal

// Var is one named variable.
type Var struct {
	Name  string
	Value any
}

// Vars are the variables of a thread, in the order in which they were first set. The zero value is empty and ready for use.
// A Vars is small (tens of entries), so look-ups walk it.
type Vars []Var

// Get returns the value of name and whether it is set (a variable may be set to nil).
func (v Vars) Get(name string) (any, bool) {
	for i := range v {
		if v[i].Name == name {
			return v[i].Value, true
		}
	}
	return nil, false
}

// With returns Vars in which name has value; v itself is not changed, so that a step can be thrown away.
func (v Vars) With(name string, value any) Vars {
	out := make(Vars, len(v), len(v)+1)
	copy(out, v)
	for i := range out {
		if out[i].Name == name {
			out[i].Value = value
			return out
		}
	}
	return append(out, Var{name, value})
}

// Without returns Vars without name; v itself is not changed.
func (v Vars) Without(name string) Vars {
	for i := range v {
		if v[i].Name == name {
			out := make(Vars, 0, len(v)-1)
			out = append(out, v[:i]...)
			return append(out, v[i+1:]...)
		}
	}
	return v
}
