package definitions

import (
	"regexp"
	"strings"
)

var (
	octal11       = regexp.MustCompile(`^[-+]?0[0-7_]+$`)
	sexagesimal11 = regexp.MustCompile(`^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
	words11       = regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$`)
)

// surprise warns of a plain value, or key, that readers of YAML 1.1 take for something else. data says that the value is data rather than
// an expression: there the words of YAML 1.1 for Booleans stay texts.
func (c *checker) surprise(n *node, path string, data bool) {
	if n == nil || n.kind != kindScalar || n.style != stylePlain || len(n.value) > 40 {
		return
	}
	quoted := say("write true or false, or %s for the text", "'"+n.value+"'")
	switch {
	case data && words11.MatchString(n.value):
		c.warn("WB2003", n, path, say("%s is the text %s here; YAML 1.1 reads a boolean", n.value, quote(n.value)), quoted)
	case octal11.MatchString(n.value) && strings.ContainsAny(n.value, "1234567"):
		c.warn("WB2003", n, path, say("%s begins with 0: YAML reads an octal number, people a decimal one", n.value), say("delete the 0, or quote the value"))
	case data && sexagesimal11.MatchString(n.value):
		c.warn("WB2003", n, path, say("%s is the text %s here; YAML 1.1 reads a number to the base of 60", n.value, quote(n.value)), say("quote it"))
	case data && n.tag == tagDate:
		c.warn("WB2003", n, path, say("%s is the text %s here; YAML 1.1 reads a date", n.value, quote(n.value)), say("quote it"))
	}
}
