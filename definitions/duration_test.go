package definitions

import (
	"strings"
	"testing"

	"github.com/weftbox/weftbox/expr"
)

func TestParseDurationMs(t *testing.T) {
	for text, want := range map[string]int64{
		"48h": 172_800_000, "2d": 172_800_000, "90s": 90_000, "500ms": 500, "15m": 900_000, "1h30m": 5_400_000, "0s": 0,
		" 1d2h3m4s5ms ": 93_784_005, "106751991167d": 106751991167 * 86_400_000,
	} {
		if got, err := ParseDurationMs(text); err != nil || got != want {
			t.Errorf("ParseDurationMs(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
	for text, say := range map[string]string{
		"": "expected", "90": "write 90ms", "1.5": "no unit", "1.5h": "whole numbers", "h": "whole numbers", "-5s": "whole numbers", "5 s": "whole numbers",
		"5S": "whole numbers", "1w": "whole numbers", "30m1h": "out of order", "1h1h": "out of order", "106751991168d": "too long",
		"99999999999999999999s": "too long", "1h30": "whole numbers", "１h": "whole numbers",
	} {
		if got, err := ParseDurationMs(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("ParseDurationMs(%q) = %d, %v, want an error with %q", text, got, err, say)
		}
	}
}

func TestSuggestions(t *testing.T) {
	words := []string{"receive", "case", "coupon", "首页", "a"}
	for word, want := range map[string]string{
		"recieve": "receive", "cas": "case", "COUPON": "coupon", "首頁": "首页", "b": "", "zzz": "", "": "", strings.Repeat("x", 1000): "",
	} {
		var s expr.Suggester
		if got := s.Near(word, words); got != want {
			t.Errorf("near(%q) = %q, want %q", word, got, want)
		}
	}
	s := expr.Suggester{Max: maxSuggestWork, Work: maxSuggestWork}
	if got := s.Near("recieve", words); got != "" || s.Work != maxSuggestWork+1 {
		t.Errorf("beyond its budget a suggestion gave %q after %d comparisons, want none after one", got, s.Work)
	}
}

func TestSettled(t *testing.T) {
	for source, want := range map[string]bool{
		`call("a")`: true, ` ( call( 'a''b' ) ) `: true, `finish()`: true, `failBecause(var("x"))`: true, `retry(3)`: true, `retry(3, call("a"))`: true,
		`var("x") == "?" ? call("a") : finish()`: true, `a ? b ? call("a") : fail() : finish()`: true, `l.?[#this > 1] == x ? fail() : finish()`: false,
		`call(var("x"))`: false, `call("a" + "b")`: false, `var("next")`: false, `x ? var("y") : finish()`: false, `x ?: finish()`: false,
		`retry(3, var("x"))`: false, `finish() + ""`: false, `"CALL a"`: false, "${call('a')}": false, ``: false, `(`: false, `x ? y`: false,
	} {
		if got := settled(source, 0); got != want {
			t.Errorf("settled(%s) = %v, want %v", source, got, want)
		}
	}
}
