package expr

import (
	"reflect"

	"github.com/expr-lang/expr/builtin"
)

var (
	returnsBool = reflect.TypeOf((func(...any) bool)(nil))
	returnsList = reflect.TypeOf((func(...any) []any)(nil))
	returnsAny  = reflect.TypeOf((func(...any) any)(nil))
)

func goType(result string) []reflect.Type {
	switch result {
	case "bool":
		return []reflect.Type{returnsBool}
	case "items":
		return []reflect.Type{returnsList}
	}
	return []reflect.Type{returnsAny}
}

// compiledFunction wraps an entry for the machine: the Scope is the hidden first argument, and a call is a tick.
func compiledFunction(key string, f *Function) *builtin.Function {
	result := f.Signatures[0].Result
	for _, sig := range f.Signatures {
		if sig.Result != result {
			result = "any"
		}
	}
	call := f.call
	return &builtin.Function{Name: key, Types: goType(result), Func: func(params ...any) (any, error) {
		s := params[0].(*Scope)
		if s.ticks--; s.ticks < 0 {
			s.ticks = 0
			return nil, errTicks
		}
		v, err := call(s, params[1:])
		if err != nil {
			return nil, named(key, err)
		}
		return v, nil
	}}
}

// named puts the name of the function in front of an error of its own.
func named(key string, err error) error {
	e, ok := err.(*evalError)
	if !ok || e.limit {
		return err
	}
	return &evalError{words: say("%s: %s", key, e.words)}
}

func compiledOperator(op *operator) *builtin.Function {
	call := op.call
	return &builtin.Function{Name: "$" + op.name, Types: goType(op.typ), Func: func(params ...any) (any, error) {
		s := params[0].(*Scope)
		if s.ticks--; s.ticks < 0 {
			s.ticks = 0
			return nil, errTicks
		}
		return call(s, params[1:])
	}}
}

// compiledMethod dispatches a method by the type of its receiver.
func compiledMethod(name string) *builtin.Function {
	overloads := methods[name]
	result := overloads[0].Signatures[0].Result
	for _, m := range overloads {
		for _, sig := range m.Signatures {
			if sig.Result != result {
				result = "any"
			}
		}
	}
	return &builtin.Function{Name: "." + name, Types: goType(result), Func: func(params ...any) (any, error) {
		s := params[0].(*Scope)
		if s.ticks--; s.ticks < 0 {
			s.ticks = 0
			return nil, errTicks
		}
		v, err := callMethod(s, name, overloads, params[1:])
		if err != nil {
			return nil, named(name+"()", err)
		}
		return v, nil
	}}
}

func callMethod(s *Scope, name string, overloads []*Function, a []any) (any, error) {
	if a[0] == nil {
		return nil, failf("called on null; write ?.%s(..) where the value may be missing", name)
	}
	var m *Function
	typ := receiverType(a[0])
	for _, o := range overloads {
		if o.Namespace == typ {
			m = o
		}
	}
	if m == nil {
		return nil, failf("%s has no such method", show(a[0]))
	}
	if m.signature(len(a)-1) == nil {
		return nil, failf("on %s it takes %s", show(a[0]), m.counts())
	}
	return m.call(s, a)
}

// receiverType is the namespace of the methods of a value.
func receiverType(v any) string {
	switch v.(type) {
	case string, Control:
		return "string"
	case bool:
		return "bool"
	case []any:
		return "list"
	case map[string]any, map[any]any:
		return "map"
	case Date:
		return v.(Date).Kind.String()
	}
	if numberKind(v) != notNumber {
		return "number"
	}
	return "unknown"
}
