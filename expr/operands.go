package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// The classes of static types that operators tell apart; "" is unknown, or may be null.
func typeClass(typ string) string {
	switch typ {
	case "text", "string", "control":
		return "text"
	case "int", "number", "real":
		return "number"
	case "bool", "list", "map", "dateTime", "localDate", "localTime":
		return typ
	}
	return ""
}

// orderable tells which classes < and its like can order.
func orderable(class string) bool { return class != "list" && class != "map" }

// operands checks what is known of the types on both sides of an operator; false means that a problem was noted.
func (l *lowerer) operands(n *node, left, right lowered) bool {
	if left.known && right.known || left.bad || right.bad {
		return true // computed, or told already
	}
	a, b := typeClass(left.typ), typeClass(right.typ)
	switch n.text {
	case "<", "<=", ">", ">=":
		if a != "" && b != "" && (a != b || !orderable(a)) {
			return l.mismatch(n, say("cannot compare %s with %s", className(a), className(b)))
		}
	case "==", "!=":
		if a != "" && b != "" && a != b && l.loops == 0 {
			*l.probs = append(*l.probs, warning(n.start, n.end, codeNeverEqual, say("%s never equals %s", className(a), className(b)), neverEqualHint(a, b)))
		}
	case "+":
		if a != "" && b != "" && a != "text" && b != "text" && (a != "number" || b != "number") {
			return l.mismatch(n, say("%s is not possible between %s and %s", "+", className(a), className(b)))
		}
	case "-", "*", "/", "%", "^":
		ok := (a == "number" || a == "" || a == "text" && n.text == "*") && (b == "number" || b == "")
		if !ok {
			return l.mismatch(n, say("%s is not possible between %s and %s", n.text, knownOr(a), knownOr(b)))
		}
	}
	return true
}

// mismatch notes operands that can never be right: an error where they are always met, else a warning.
func (l *lowerer) mismatch(n *node, message words) bool {
	if l.maybe > 0 {
		*l.probs = append(*l.probs, warning(n.start, n.end, codeSometimesFails, say("this always fails when it is reached: %s", message), words{}))
		return true
	}
	l.problem(n.start, n.end, codeType, message, mismatchHint(n.text))
	return false
}

func mismatchHint(sign string) words {
	if strings.ContainsAny(sign, "<>") {
		return say("make both sides alike, with toInt(..), toDouble(..) or toStr(..)")
	}
	return say("make both sides numbers, with toInt(..), toDouble(..) or toDecimal(..)")
}

func neverEqualHint(a, b string) words {
	switch {
	case a == "text" && b == "number" || a == "number" && b == "text":
		return say("make both sides alike, with toInt(..), toDouble(..) or toStr(..)")
	}
	return words{}
}

func className(class string) words { return typeNames[class] }

func knownOr(class string) words {
	if class == "" {
		return say("a value")
	}
	return className(class)
}

// resultType is what is known of the type that + - * / % ^ give.
func resultType(sign, left, right string) string {
	a, b := typeClass(left), typeClass(right)
	switch {
	case sign == "+" && (a == "text" || b == "text"), sign == "*" && a == "text":
		return "text"
	case a == "number" && b == "number":
		if left == "int" && right == "int" {
			return "int"
		}
		return "number"
	case strings.Contains("-/%^", sign):
		return "number" // anything else is an error
	}
	return "any"
}

// unary lowers - and + before a value.
func (l *lowerer) unary(n *node) lowered {
	x := l.lower(n.kids[0])
	if class := typeClass(x.typ); !x.known && !x.bad && class != "" && class != "number" {
		if !l.mismatch(n, say("%s is not possible before %s", n.text, className(class))) {
			return lowered{n: &ast.NilNode{}, typ: "any", bad: true}
		}
	}
	out := l.op(n, map[string]string{"-": "neg", "+": "plus"}[n.text], x)
	if !out.known {
		out.typ = "number"
		if x.typ == "int" {
			out.typ = "int"
		}
	}
	return out
}
