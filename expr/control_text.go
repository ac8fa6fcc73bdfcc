package expr

import (
	"fmt"
	"strconv"
	"strings"
)

// String returns the text form of the original: "CALL name", "FINISH", "FAIL", "FAIL because r", "RETRY n", "RETRY n CALL x",
// "repairing problem". ControlNone is "".
func (c Control) String() string {
	switch c.Kind {
	case ControlCall:
		return "CALL " + c.Target
	case ControlFinish:
		return "FINISH"
	case ControlFail:
		if c.Reason == "" {
			return "FAIL"
		}
		return "FAIL because " + c.Reason
	case ControlRepair:
		return "repairing " + c.Reason
	case ControlRetry:
		s := "RETRY " + strconv.FormatInt(c.Times, 10)
		if c.DelayMs > 0 {
			s += " AFTER " + strconv.FormatInt(c.DelayMs, 10)
		}
		if c.Then != nil {
			s += " " + c.Then.String()
		}
		return s
	}
	return ""
}

// ParseControl reads the text form of a Control, as a remote service may send it in data.$ctrl. The error says what is wrong.
func ParseControl(text string) (Control, error) {
	c, err := parseControl(strings.TrimSpace(text), 1)
	if err != nil {
		return Control{}, fmt.Errorf("%s is no control: %w", quoteShort(text), err)
	}
	return c, nil
}

func parseControl(text string, depth int) (Control, error) {
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "CALL":
		if rest == "" {
			return Control{}, failf("CALL needs the name of an action")
		}
		return Control{Kind: ControlCall, Target: rest}, nil
	case "FINISH":
		if rest != "" {
			return Control{}, failf("nothing may follow FINISH")
		}
		return Control{Kind: ControlFinish}, nil
	case "FAIL":
		if rest == "" {
			return Control{Kind: ControlFail}, nil
		}
		reason, ok := strings.CutPrefix(rest, "because")
		if !ok || reason != "" && reason[0] != ' ' {
			return Control{}, failf("only because and a reason may follow FAIL")
		}
		return Control{Kind: ControlFail, Reason: strings.TrimSpace(reason)}, nil
	case "RETRY":
		return parseRetry(rest, depth)
	case "repairing":
		if rest == "" {
			return Control{}, failf("repairing needs a problem")
		}
		return Control{Kind: ControlRepair, Reason: rest}, nil
	}
	return Control{}, failf("it must begin with CALL, FINISH, FAIL, RETRY or repairing")
}

// maxRetryDepth is how deeply RETRY may be nested in RETRY.
const maxRetryDepth = 10

// depth counts the RETRYs of a Control.
func (c *Control) depth() int {
	n := 0
	for ; c != nil && c.Kind == ControlRetry; c = c.Then {
		n++
	}
	return n
}

func parseRetry(rest string, depth int) (Control, error) {
	count, then, more := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		return Control{}, failf("RETRY needs a whole number of times")
	}
	c := Control{Kind: ControlRetry, Times: n}
	if delay, is := strings.CutPrefix(strings.TrimSpace(then), "AFTER "); more && is {
		count, then, more = strings.Cut(strings.TrimSpace(delay), " ")
		if c.DelayMs, err = strconv.ParseInt(count, 10, 64); err != nil || c.DelayMs < 0 {
			return Control{}, failf("AFTER needs a whole number of milliseconds")
		}
	}
	if !more {
		return c, nil
	}
	if depth >= maxRetryDepth {
		return Control{}, failf("RETRY is nested more than %d deep", maxRetryDepth)
	}
	next, err := parseControl(strings.TrimSpace(then), depth+1)
	if err != nil {
		return Control{}, err
	}
	c.Then = &next
	return c, nil
}
