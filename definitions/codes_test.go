package definitions

import (
	"regexp"
	"testing"
)

// TestCodesHaveAnExample holds that each code of this package has one; that it shows what it should is tested where "weftbox explain" tells it.
func TestCodesHaveAnExample(t *testing.T) {
	for _, c := range ownCodes {
		if shown := examples[c.code]; shown.example == "" || shown.better == "" {
			t.Errorf("%s: expected an example and a better one, got %q and %q: write them into examples", c.code, shown.example, shown.better)
		}
	}
}

func TestCodesAreExplainedInChinese(t *testing.T) {
	han := regexp.MustCompile(`\p{Han}`)
	known := map[string]bool{}
	for _, c := range Codes() {
		known[c.Code] = true
		if !han.MatchString(c.TextZh) || (c.Fix == "") != (c.FixZh == "") {
			t.Errorf("%s: expected Chinese beside %q and %q, got %q and %q: write it into chineseCodes", c.Code, c.Text, c.Fix, c.TextZh, c.FixZh)
		}
	}
	for code := range chineseCodes {
		if !known[code] {
			t.Errorf("there is Chinese for %s, which is no code", code)
		}
	}
	for code := range examples {
		if !known[code] {
			t.Errorf("there is an example for %s, which is no code", code)
		}
	}
}
