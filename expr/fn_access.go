package expr

import "strings"

// accessor is a kind of typed getter: intVar, strListEventAttr, .getInt and so on.
type accessor struct {
	prefix, result, what string
	zh                   string // what, in Chinese
	zero                 any
	convert              func(s *Scope, v any) (any, error)
}

var scalarAccessors = []accessor{
	{"int", "int", "a whole number", "整数", int64(0), func(_ *Scope, v any) (any, error) { return wholeOf(v) }},
	{"long", "int", "a whole number", "整数", int64(0), func(_ *Scope, v any) (any, error) { return wholeOf(v) }},
	{"bool", "bool", "a Boolean", "布尔值", false, func(_ *Scope, v any) (any, error) { return boolOf(v) }},
	{"double", "number", "a float", "浮点数", 0.0, func(_ *Scope, v any) (any, error) { return doubleOf(v) }},
	{"decimal", "number", "a decimal", "十进制数", new(Decimal), func(_ *Scope, v any) (any, error) { return box(decimalOf(v)) }},
	{"str", "text", "text", "文本", "", func(s *Scope, v any) (any, error) { return textArg(s, v) }},
}

var otherAccessors = []accessor{
	{"list", "list", "a list", "列表", []any{}, func(_ *Scope, v any) (any, error) { return needList(v) }},
	{"map", "map", "a map", "映射", map[string]any{}, func(_ *Scope, v any) (any, error) { return needMap(v) }},
	{"mapList", "list", "a list of maps", "映射的列表", []any{}, func(s *Scope, v any) (any, error) {
		return convertList(s, v, func(_ *Scope, e any) (any, error) { return needMap(e) })
	}},
}

func needList(v any) (any, error) {
	if l, ok := v.([]any); ok {
		return l, nil
	}
	return nil, failf("a list is needed, not %s", show(v))
}

func needMap(v any) (any, error) {
	if isMap(v) {
		return v, nil
	}
	return nil, failf("a map is needed, not %s", show(v))
}

func convertList(s *Scope, v any, convert func(s *Scope, v any) (any, error)) (any, error) {
	l, ok := v.([]any)
	if !ok {
		return nil, failf("a list is needed, not %s", show(v))
	}
	out, err := s.newList(len(l))
	if err != nil {
		return nil, err
	}
	for _, e := range l {
		c, err := convert(s, e)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// lists makes the accessor of a list of such values.
func (a accessor) lists() accessor {
	return accessor{a.prefix + "List", "list", "a list of which every item becomes " + a.what, "每个元素都转为" + a.zh + "的列表", []any{}, func(s *Scope, v any) (any, error) {
		return convertList(s, v, a.convert)
	}}
}

// get reads a value that is found with found; a missing one and null give the default, converted too, or the zero value.
func (a accessor) get(s *Scope, name string, v any, args []any) (any, error) {
	if v == nil {
		if len(args) == 1 && args[0] == nil && a.prefix == "str" {
			return nil, nil // as the original: this default is null
		}
		if len(args) == 0 || args[0] == nil {
			return a.zero, nil
		}
		v = args[0]
	}
	out, err := a.convert(s, v)
	if err != nil && !isLimit(err) {
		return nil, failf("%s: %s", quoteShort(name), wordsOf(err))
	}
	return out, err
}

func allAccessors() []accessor {
	out := append([]accessor(nil), scalarAccessors...)
	for _, a := range scalarAccessors {
		out = append(out, a.lists())
	}
	return append(out, otherAccessors...)
}

// source is a set of named values that typed getters read.
type source struct {
	suffix, object, of string
	zh                 string // of, in Chinese
	ctx                contextSet
	look               func(s *Scope, name string) (any, error)
}

var sources = []source{
	{"EventAttr", "event", "the attribute of the event", "事件的属性", inEvent, func(s *Scope, name string) (any, error) { return s.event().Attrs[name], nil }},
	{"Config", "config", "the config value", "配置项", inConfig, func(s *Scope, name string) (any, error) { return s.Config[name], nil }},
	{"Var", "", "the variable", "变量", inThread, func(s *Scope, name string) (any, error) {
		v, _ := s.Vars.Get(name)
		return v, nil
	}},
	{"ResultVar", "result", "the value of the result", "结果的值", inResult, func(s *Scope, name string) (any, error) {
		r, err := s.result()
		if err != nil {
			return nil, err
		}
		return r.Data[name], nil
	}},
}

// accessorFunctions makes intVar, strListConfig, event.getInt and all the others of the table above.
func accessorFunctions() []spec {
	var out []spec
	for _, src := range sources {
		for _, acc := range allAccessors() {
			call := func(s *Scope, a []any) (any, error) {
				name, ok := a[0].(string)
				if !ok {
					name = Text(a[0])
				}
				v, err := src.look(s, name)
				if err != nil {
					return nil, err
				}
				return acc.get(s, name, v, a[1:])
			}
			name := acc.prefix + src.suffix
			doc := "As " + acc.what + " " + src.of + "; when it is missing or null the default, else " + show(acc.zero).english() + "."
			zh := "把" + src.zh + "作为" + acc.zh + "；没有或为 null 时给出默认值，否则" + show(acc.zero).chinese() + "。"
			out = append(out, accessorSpec(name, acc, doc, zh, src.ctx, call))
			if src.object != "" {
				out = append(out, accessorSpec(src.object+"."+getterName(acc.prefix), acc, "The same as "+name+".", "", src.ctx, call))
			}
		}
		if src.object == "" {
			continue
		}
		plain := func(s *Scope, a []any) (any, error) {
			v, err := src.look(s, Text(a[0]))
			if v == nil && len(a) == 2 {
				v = a[1]
			}
			return v, err
		}
		out = append(out,
			spec{sig: strings.ReplaceAll("X.get(name: text) any? | X.get(name: text, default: any) any?", "X", src.object), doc: "As it is " + src.of + "; the default, or null, when it is missing or null.", ex: src.object + `.get("vip")`, ctx: src.ctx, call: plain},
			spec{sig: src.object + ".contains(name: text) bool", doc: "Whether there is a value of this name, be it null.", ex: src.object + `.contains("none")`, ctx: src.ctx, call: contains(src.object)})
	}
	return out
}

func contains(object string) callFunc {
	return func(s *Scope, a []any) (any, error) {
		values := s.event().Attrs
		switch object {
		case "config":
			values = s.Config
		case "result":
			r, err := s.result()
			if err != nil {
				return nil, err
			}
			values = r.Data
		}
		_, ok := values[Text(a[0])]
		return ok, nil
	}
}

func accessorSpec(name string, acc accessor, doc, zh string, ctx contextSet, call callFunc) spec {
	sig := name + "(name: text) " + acc.result + " | " + name + "(name: text, default: any) " + acc.result
	return spec{sig: sig, doc: doc, zh: zh, ex: name + `("` + sampleNames[acc.prefix] + `")`, ctx: ctx, call: call}
}

// sampleNames are values of SampleScope that the getters of the examples read.
var sampleNames = map[string]string{
	"int": "id", "long": "id", "bool": "vip", "double": "price", "decimal": "price", "str": "count", "intList": "counts", "longList": "counts", "boolList": "flags",
	"doubleList": "prices", "decimalList": "prices", "strList": "counts", "list": "tags", "map": "address", "mapList": "items",
}

// getterName is the Java name of a getter: int gives getInt, str gives getString, strList gives getStringList.
func getterName(prefix string) string {
	prefix = strings.Replace(strings.Replace(prefix, "str", "string", 1), "bool", "boolean", 1)
	if prefix == "map" {
		return "getSubArguments"
	}
	if prefix == "mapList" {
		return "getSubArgumentsList"
	}
	return "get" + strings.ToUpper(prefix[:1]) + prefix[1:]
}
