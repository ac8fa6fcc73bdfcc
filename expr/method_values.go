package expr

import "math"

var listMethods = []spec{
	{sig: "list.size() int", doc: "The number of items.", ex: `{1, 2}.size()`, flag: isMethod, call: listMethod(func(_ *Scope, l []any, _ []any) (any, error) { return int64(len(l)), nil })},
	{sig: "list.isEmpty() bool", doc: "Whether there is no item.", ex: `{}.isEmpty()`, flag: isMethod, call: listMethod(func(_ *Scope, l []any, _ []any) (any, error) { return len(l) == 0, nil })},
	{sig: "list.get(index: int) any?", doc: "The item at the index.", ex: `{1, 2}.get(0)`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return index(a[0], a[1]) }},
	{sig: "list.contains(element: any) bool", doc: "Whether an item equals the element.", ex: `{1, 2}.contains(2)`, flag: isMethod, call: listMethod(func(s *Scope, l []any, a []any) (any, error) {
		i, err := indexOf(s, l, a[0])
		return i >= 0, err
	})},
	{sig: "list.containsAll(elements: list) bool", doc: "Whether every element equals an item.", ex: `{1, 2}.containsAll({2})`, flag: isMethod, call: listMethod(containsAll)},
	{sig: "list.indexOf(element: any) int", doc: "Where the first equal item stands, -1 when there is none.", ex: `{1, 2}.indexOf(2)`, flag: isMethod, call: listMethod(func(s *Scope, l []any, a []any) (any, error) {
		i, err := indexOf(s, l, a[0])
		return int64(i), err
	})},
	{sig: "list.lastIndexOf(element: any) int", doc: "Where the last equal item stands, -1 when there is none.", ex: `{1, 2, 1}.lastIndexOf(1)`, flag: isMethod, call: listMethod(lastIndexOf)},
	{sig: "list.subList(begin: int, end: int) list", doc: "The items from begin up to, not including, end.", ex: `{1, 2, 3}.subList(0, 2)`, flag: isMethod, call: listMethod(subList)},
	{sig: "list.equals(other: any) bool", doc: "Whether the other list has equal items.", ex: `{1}.equals({1})`, flag: isMethod, call: equalsMethod},
	{sig: "list.toString() text", doc: "The text of the list.", ex: `{1, 2}.toString()`, flag: isMethod, call: textOf},
}

func textOf(s *Scope, a []any) (any, error) { return textArg(s, a[0]) }

func listMethod(f func(s *Scope, l []any, a []any) (any, error)) callFunc {
	return func(s *Scope, a []any) (any, error) { return f(s, a[0].([]any), a[1:]) }
}

func containsAll(s *Scope, l []any, a []any) (any, error) {
	other, err := listArg(a[0])
	if err != nil {
		return nil, err
	}
	for _, e := range other {
		if i, err := indexOf(s, l, e); i < 0 || err != nil {
			return false, err
		}
	}
	return true, nil
}

func lastIndexOf(s *Scope, l []any, a []any) (any, error) {
	if err := s.tick(len(l)); err != nil {
		return nil, err
	}
	for i := len(l) - 1; i >= 0; i-- {
		if eq, err := equalDeep(s, l[i], a[0], 0); eq || err != nil {
			return int64(i), err
		}
	}
	return int64(-1), nil
}

func subList(_ *Scope, l []any, a []any) (any, error) {
	begin, err := intArg(a[0])
	if err != nil {
		return nil, err
	}
	end, err := intArg(a[1])
	if err != nil {
		return nil, err
	}
	if begin < 0 || begin > end || end > int64(len(l)) {
		return nil, failf("the list has %s, there is no part from %d to %d", plural(len(l), "item"), begin, end)
	}
	return l[begin:end:end], nil
}

var mapMethods = append([]spec{
	{sig: "map.size() int", doc: "The number of keys.", ex: `{a: 1}.size()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return int64(mapLen(a[0])), nil }},
	{sig: "map.isEmpty() bool", doc: "Whether there is no key.", ex: `{:}.isEmpty()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return mapLen(a[0]) == 0, nil }},
	{sig: "map.get(key: any) any? | map.get(key: any, default: any) any?", doc: "The value of the key; the default, or null, when it is missing or null.", ex: `{a: 1}.get("a")`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		v, _ := mapGet(a[0], a[1])
		if v == nil && len(a) == 3 {
			return a[2], nil
		}
		return v, nil
	}},
	{sig: "map.getOrDefault(key: any, default: any) any?", doc: "The value of the key; the default when the key is missing.", ex: `{a: 1}.getOrDefault("z", 0)`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		if v, ok := mapGet(a[0], a[1]); ok {
			return v, nil
		}
		return a[2], nil
	}},
	{sig: "map.containsKey(key: any) bool", doc: "Whether there is such a key.", ex: `{a: 1}.containsKey("a")`, flag: isMethod, call: hasKey},
	{sig: "map.contains(key: any) bool", doc: "The same as containsKey.", ex: `{a: 1}.contains("a")`, flag: isMethod, call: hasKey},
	{sig: "map.containsValue(value: any) bool", doc: "Whether a key has this value.", ex: `{a: 1}.containsValue(1)`, flag: isMethod, call: hasValue},
	{sig: "map.keySet() list", doc: "The keys, in the order of their texts.", ex: `{a: 1}.keySet()`, flag: isMethod, call: columns(func(e entry) any { return e.key })},
	{sig: "map.values() list", doc: "The values, in the order of their keys' texts.", ex: `{a: 1}.values()`, flag: isMethod, call: columns(func(e entry) any { return e.value })},
	{sig: "map.entrySet() list", doc: "The entries, each as a map of key and value.", ex: `{a: 1}.entrySet()[0].key`, flag: isMethod, call: func(s *Scope, a []any) (any, error) { return entryList(s, a[0]) }},
	{sig: "map.toMap() map", doc: "The map itself.", ex: `{a: 1}.toMap()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return a[0], nil }},
	{sig: "map.equals(other: any) bool", doc: "Whether the other map has equal entries.", ex: `{a: 1}.equals({a: 1})`, flag: isMethod, call: equalsMethod},
	{sig: "map.toString() text", doc: "The text of the map.", ex: `{a: 1}.toString()`, flag: isMethod, call: textOf},
}, mapGetters()...)

func hasKey(_ *Scope, a []any) (any, error) {
	_, ok := mapGet(a[0], a[1])
	return ok, nil
}

func hasValue(s *Scope, a []any) (any, error) {
	if err := s.tick(mapLen(a[0])); err != nil {
		return nil, err
	}
	for _, e := range sortedEntries(a[0]) {
		if eq, err := equalDeep(s, e.value, a[1], 0); eq || err != nil {
			return eq, err
		}
	}
	return false, nil
}

func columns(pick func(e entry) any) callFunc {
	return func(s *Scope, a []any) (any, error) {
		out, err := s.newList(mapLen(a[0]))
		if err != nil {
			return nil, err
		}
		for _, e := range sortedEntries(a[0]) {
			out = append(out, pick(e))
		}
		return out, nil
	}
}

// exampleOf is a value for the example of a getter.
var exampleOf = map[string]string{
	"int": "1", "long": "1", "bool": "true", "double": "1.5", "decimal": "1.5", "str": "1", "intList": "{1}", "longList": "{1}", "boolList": "{true}",
	"doubleList": "{1.5}", "decimalList": "{1.5}", "strList": "{1}", "list": "{1}", "map": "{b: 1}", "mapList": "{{b: 1}}",
}

// mapGetters makes getInt, getString, getIntList and so on; unlike intVar they need the key or a default.
func mapGetters() []spec {
	var out []spec
	for _, acc := range allAccessors() {
		name := "map." + getterName(acc.prefix)
		call := func(_ *Scope, a []any) (any, error) {
			v, _ := mapGet(a[0], a[1])
			return v, nil
		}
		sp := accessorSpec(name, acc, "The value of the key as "+acc.what+"; when it is missing or null the default, or an error.", "键的值作为"+acc.zh+"；没有或为 null 时给出默认值，否则报错。", 0, func(s *Scope, a []any) (any, error) {
			v, err := call(s, a)
			if err == nil && v == nil && len(a) == 2 && acc.result != "list" && acc.result != "map" {
				return nil, failf("the map has no value %s", show(a[1]))
			}
			if err != nil {
				return nil, err
			}
			return acc.get(s, Text(a[1]), v, a[2:])
		})
		sp.flag = isMethod
		sp.ex = `{a: ` + exampleOf[acc.prefix] + `}.` + getterName(acc.prefix) + `("a")`
		out = append(out, sp)
	}
	return out
}

var otherMethods = []spec{
	{sig: "number.intValue() int", doc: "The whole number, its fraction cut.", ex: `2.5.intValue()`, flag: isMethod, call: wholeMethod},
	{sig: "number.longValue() int", doc: "The same as intValue.", ex: `2.5.longValue()`, flag: isMethod, call: wholeMethod},
	{sig: "number.doubleValue() number", doc: "The number as a float.", ex: `5.doubleValue()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return toFloat(a[0]), nil }},
	{sig: "number.floatValue() number", doc: "The number as a float of 32 bits.", ex: `5.floatValue()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return float32(toFloat(a[0])), nil }},
	{sig: "number.equals(other: any) bool", doc: "Whether the other value is an equal number.", ex: `5.equals(5.0)`, flag: isMethod, call: equalsMethod},
	{sig: "number.compareTo(other: number) int", doc: "-1, 0 or 1: the order of both numbers.", ex: `5.compareTo(6)`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		if _, err := numArg(a[1]); err != nil {
			return nil, err
		}
		c, _ := compareNumbers(a[0], a[1])
		return int64(c), nil
	}},
	{sig: "number.toString() text", doc: "The text of the number.", ex: `5.toString()`, flag: isMethod, call: textOf},
	{sig: "bool.toString() text", doc: "true or false.", ex: `true.toString()`, flag: isMethod, call: textOf},
	{sig: "bool.equals(other: any) bool", doc: "Whether the other value is the same Boolean.", ex: `true.equals(true)`, flag: isMethod, call: equalsMethod},
}

// moreNumberMethods are those of Java's numbers and Booleans that are rarer; some are BigDecimal's alone.
var moreNumberMethods = []spec{
	{sig: "number.shortValue() int", doc: "The last 16 bits of the whole number.", zh: "整数的低 16 位。", ex: `70000.shortValue()`, flag: isMethod, call: wrapped(func(n int64) int64 { return int64(int16(n)) })},
	{sig: "number.byteValue() int", doc: "The last 8 bits of the whole number.", zh: "整数的低 8 位。", ex: `300.byteValue()`, flag: isMethod, call: wrapped(func(n int64) int64 { return int64(int8(n)) })},
	{sig: "number.isNaN() bool", doc: "Whether the number is no number, as 0.0 / 0 is.", zh: "是否为 NaN。", ex: `(0.0 / 0).isNaN()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return math.IsNaN(toFloat(a[0])), nil }},
	{sig: "number.isInfinite() bool", doc: "Whether the number is infinite, as 1 / 0.0 is.", zh: "是否为无穷大。", ex: `(1 / 0.0).isInfinite()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return math.IsInf(toFloat(a[0]), 0), nil }},
	{sig: "number.abs() number", doc: "The number without its sign.", zh: "绝对值。", ex: `toDecimal("-1.5").abs()`, flag: isMethod, call: mathAbs},
	{sig: "number.negate() number", doc: "The number with the other sign.", zh: "相反数。", ex: `toDecimal("1.5").negate()`, flag: isMethod, call: func(s *Scope, a []any) (any, error) { return negate(s, a[0]) }},
	{sig: "number.signum() int", doc: "-1, 0 or 1: the sign of the number.", zh: "-1、0 或 1：数的符号。", ex: `toDecimal("-1.5").signum()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		c, _ := compareNumbers(a[0], int64(0))
		return int64(c), nil
	}},
	{sig: "number.scale() int", doc: "How many digits a decimal has behind the point.", zh: "十进制数的小数位数。", ex: `toDecimal("1.50").scale()`, flag: isMethod, call: decimalMethod(func(d *Decimal) (any, error) { return -int64(d.Exponent), nil })},
	{sig: "number.precision() int", doc: "How many digits a decimal has.", zh: "十进制数的位数。", ex: `toDecimal("1.50").precision()`, flag: isMethod, call: decimalMethod(func(d *Decimal) (any, error) { return d.NumDigits(), nil })},
	{sig: "number.stripTrailingZeros() number", doc: "A decimal without zeros at its end.", zh: "去掉末尾零的十进制数。", ex: `toDecimal("1.50").stripTrailingZeros()`, flag: isMethod, call: decimalMethod(func(d *Decimal) (any, error) {
		out := new(Decimal)
		out.Reduce(d)
		return out, nil
	})},
	{sig: "number.toPlainString() text", doc: "The digits of a decimal without an exponent.", zh: "不带指数的十进制文本。", ex: `toDecimal("1E+3").toPlainString()`, flag: isMethod, call: decimalMethod(func(d *Decimal) (any, error) { return d.Text('f'), nil })},
	{sig: "number.setScale(scale: int, rounding: text) number", doc: "A decimal with so many digits behind the point; the rounding is one of toDecimal's.", zh: "保留若干位小数的十进制数；舍入方式同 toDecimal。", ex: `toDecimal("1.255").setScale(2, "HALF_UP")`, flag: isMethod, call: func(s *Scope, a []any) (any, error) {
		if _, is := a[0].(*Decimal); !is {
			return nil, failf("%s is no decimal", show(a[0]))
		}
		return toDecimal(s, a)
	}},
	{sig: "bool.booleanValue() bool", doc: "The Boolean itself.", zh: "布尔值本身。", ex: `true.booleanValue()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return a[0], nil }},
	{sig: "bool.compareTo(other: bool) int", doc: "-1, 0 or 1: false is below true.", zh: "-1、0 或 1：false 小于 true。", ex: `true.compareTo(false)`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) {
		other, err := boolArg(a[1])
		return int64(compare(boolInt(a[0].(bool)), boolInt(other))), err
	}},
	{sig: "list.toArray() list", doc: "The list itself.", zh: "列表本身。", ex: `{1, 2}.toArray()`, flag: isMethod, call: func(_ *Scope, a []any) (any, error) { return a[0], nil }},
}

func wrapped(cut func(n int64) int64) callFunc {
	return func(_ *Scope, a []any) (any, error) {
		n, err := truncInt(a[0])
		return cut(n), err
	}
}

// decimalMethod is for methods of decimals alone.
func decimalMethod(f func(d *Decimal) (any, error)) callFunc {
	return func(s *Scope, a []any) (any, error) {
		d, is := a[0].(*Decimal)
		if !is {
			return nil, failf("%s is no decimal", show(a[0]))
		}
		if err := checkDec(d); err != nil {
			return nil, err
		}
		if err := s.grow(MaxDecimalDigits); err != nil {
			return nil, err
		}
		return f(d)
	}
}

func wholeMethod(_ *Scope, a []any) (any, error) {
	n, err := truncInt(a[0])
	return n, err
}
