package expr

import "testing"

// TestFamilies holds what follows from the sources of the original and from Java, beside the recorded lines.
func TestFamilies(t *testing.T) {
	for src, want := range map[string]string{
		// arguments that are converted
		`hours(" 1 0 ")`: "36000000", `hours("+2")`: "7200000", `hours("0x10")`: "57600000", `hours("-0xA")`: "-36000000", `seconds("#F")`: "15000", `seconds("٣")`: "3000",
		`math.sqrt("16")`: "4.0", `math.floor("-1.5")`: "-2.0", `math.pow("2", "1e1")`: "1024.0",
		`call({"a", {1, 2}})`: "CALL a,1,2", `failBecause({1, 2})`: "FAIL because 1,2", `{1, 2} matches "1,2"`: "true", `regex.match("^1,2$", {1, 2})`: "true",
		`split({1, 2}, ",")`: "[1, 2]", `split(null, ",")`: "[]", `split("a\u3000b", null).size()`: "1", `split("a　b c", null)`: "[a, b, c]", `split("a.b|c", ".|")`: "[a, b, c]",
		// decimals
		`toDecimal("1") % toDecimal("2.5")`: "1", `toDecimal("6") % toDecimal("2.5")`: "1.0", `toDecimal("7.05") % toDecimal("0.1")`: "0.05", `toDecimal("1000") % toDecimal("0.1")`: "0",
		`toDecimal("-7.5") % 2`: "-1.5", `2 ^ toDecimal("2.5")`: "5", `toDecimal("1.10") ^ 2`: "1.2100", `toDecimal("123", -1, "UP")`: "1.3E+2", `toDecimal("1.50").stripTrailingZeros()`: "1.5",
		`toDecimal("100").stripTrailingZeros()`: "1E+2", `toDecimal("1E+3").toPlainString()`: "1000", `toDecimal("1.50").scale()`: "2", `toDecimal(".5")`: "0.5", `toDecimal("5.")`: "5",
		// sums
		`list.sumDouble({0.1, 0.2, 0.3})`: "0.6", `list.sumDouble({0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1})`: "1.0", `list.avg({0.1, 0.2, 0.3})`: "0.19999999999999998",
		`list.sumInt({"1.9", 2.9, "3"})`: "6", `list.sumDouble({"1.5", -1})`: "0.5", `list.sumDouble({1 / 0.0, 1})`: "Infinity",
		// math
		`math.toRadians(180)`: "3.141592653589793", `math.toDegrees(math.PI)`: "180.0", `math.addExact(1, 2)`: "3", `math.round(0.0 / 0)`: "0", `toInt(0.0 / 0)`: "0", `math.copySign(2, -1)`: "-2.0",
		`math.ulp(1.0)`: "2.220446049250313E-16", `math.getExponent(8)`: "3", `math.scalb(3, 2)`: "12.0", `math.signum(-2.5)`: "-1.0", `math.cbrt(27)`: "3.0",
		// texts
		`"a".compareTo("c")`: "-2", `"abc".compareTo("ab")`: "1", `"".compareTo("abc")`: "-3", `"A".compareTo("a")`: "-32", `"a".compareToIgnoreCase("C")`: "-2", `"中".compareTo("文")`: "-5978",
		`"straße".toUpperCase()`: "STRASSE", `"ΑΣ".toLowerCase()`: "ας", `"abcb".indexOf("b", 2)`: "3", `"abc".indexOf("b", -5)`: "1", `"abc".indexOf("b", 9)`: "-1", `"abc".indexOf("", 9)`: "3",
		`"abc".indexOf(98)`: "1", `"abcb".lastIndexOf("b", 2)`: "1", `"abc".lastIndexOf("c", -1)`: "-1", `"abc".startsWith("b", 1)`: "true", `"abc".startsWith("b", -1)`: "false",
		`"a,b,,".split(",")`: "[a, b]", `"a,b,,".split(",", -1)`: "[a, b, , ]", `"a,b,c".split(",", 2)`: "[a, b,c]", `"a,b".split(",", 1)`: "[a,b]", `"abc".split("")`: "[a, b, c]", `"".split(",")`: "[]",
		`"abc".hashCode()`: "96354", `"abc".toCharArray()`: "[a, b, c]", `" a ".strip()`: "a", `"　".isBlank()`: "true", `"中文".codePointAt(0)`: "20013",
		`true.compareTo(false)`: "1", `5.compareTo(7)`: "-1", `300.byteValue()`: "44", `2.9.intValue()`: "2", `(0.0 / 0).isNaN()`: "true",
		// formats
		`str("%s %<s %s", "a", "b")`: "a a b", `str("%1$s %s %s", "a", "b")`: "a a b", `str("%.10f", 0.1f)`: "0.1000000015", `str("%.20f", 0.1)`: "0.10000000000000000000", `str("%,d", -1234567)`: "-1,234,567",
		`str("%(,.2f", -1234.5)`: "(1,234.50)", `str("%08.2f", -3.14159)`: "-0003.14", `str("%+d % d", 5, 5)`: "+5  5", `str("%x %X", -1, 255)`: "ffffffff FF", `str("%#x %#o", 255, 8)`: "0xff 010",
		`str("%.1f", -0.04)`: "-0.0", `str("%5.1f|%-8s|%8s", 3.14159, "ab", "中文")`: "  3.1|ab      |      中文", `str("%+f", 1 / 0.0)`: "+Infinity", `str("%g %g", 123456.789, 0.00001)`: "123457 1.00000e-05",
		`str("%b %b %B", null, 0, true)`: "false true TRUE", `str("%c%c", 20013, 97)`: "中a", `str("%5%|", 1)`: "    %|", `str("%n", 1)`: "\n", `str("%.3s|", null)`: "nul|",
		`str(null)`: "", `map(null, 1)`: "{null=1}", `map.put(map("a", 1), null, 2)`: "{a=1, null=2}", `map.removeByKey(map(null, 1), null)`: "{}", `map(null, 1)[null]`: "1", `counter.incr(map(), null)`: "{null=1}",
		`retry(2, "b")`: "RETRY 2 b", `retry(1, null)`: "RETRY 1 null", `retry(3, retry(2, call("x")))`: "RETRY 3 RETRY 2 CALL x",
		// controls are texts
		`call("a") > "B"`: "true", `fail() * 2`: "FAILFAIL", `call("x")[0]`: "C", `call("x") == "CALL x"`: "true", `call("x").length()`: "6", `list.sort({finish(), fail()})`: "[FAIL, FINISH]",
		`repair("a b")`: "repairing a b", `retry(2, repair("x"))`: "RETRY 2 repairing x",
		`strVar("nope", null) == null`: "true", `strVar("nope")`: "", `list.addOrder({1, 3}, 2)`: "[1, 2, 3]",
	} {
		p, probs := Compile(src, ContextAction)
		if p == nil {
			t.Errorf("%s: expected %s, got the problem %s", src, want, probs[0].Message)
			continue
		}
		s, _ := vectorScope("action")
		if v, err := p.Eval(s); err != nil || Text(v) != want {
			t.Errorf("%s: expected %s, got %s, %v", src, want, Text(v), err)
		}
	}
	for _, src := range []string{
		`str("%.2d", 1)`, `str("%#s", "a")`, `str("%+s", "a")`, `str("%-05d", 1)`, `str("%+ d", 1)`, `str("%--5d", 1)`, `str("%-d", 1)`, `str("%,x", 1)`, `str("%,e", 1.0)`, `str("%.1c", 65)`, `str("%5n", 1)`,
		`str("%<s", 1)`, `str("%tY", 1)`, `str("%h", "a")`, `str("%d", "5")`, `str("%x", 1.5)`, `hours("1.9")`, `hours("")`, `hours("1-")`, `hours(true)`, `call({a: 1})`, `math.sqrt("x")`, `math.sqrt(true)`,
		`math.addExact(9223372036854775807, 1)`, `math.toIntExact(2147483648)`, `5.scale()`, `toDecimal("")`, `toDecimal("1 ")`, `list.sumInt({null})`, `list.sumInt({"x"})`, `"a" < 1`, `regex.group("(a)|(b)", "b", 1)`, `list.groupCount({null})`, `str(null, 1)`,
	} {
		if p, _ := Compile(src, ContextAction); p != nil {
			s, _ := vectorScope("action")
			if v, err := p.Eval(s); err == nil {
				t.Errorf("%s: expected an error, got %s", src, Text(v))
			}
		}
	}
}
