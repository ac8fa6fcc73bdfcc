package main

import (
	"fmt"
	"strings"
	"unicode"
)

// sourceLines cuts a text into lines the way YAML counts them.
func sourceLines(text string) []string {
	text = strings.TrimPrefix(text, "\ufeff")
	return strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
}

// text prints the problems as compilers do: each with the line it stands in and what is meant underlined.
func (l *linter) text(out output, r *findings, bad bool) error {
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "%s:%d:%d: %s %s: %s", p.File, p.Line, p.Column, p.Severity, p.Code, p.Message)
		hinted := inline(p.Hint)
		if hinted {
			b.WriteString("; " + p.Hint)
		}
		b.WriteByte('\n')
		if lines := r.sources[p.File]; p.Line >= 1 && p.Line <= len(lines) {
			b.WriteString(excerpt(lines[p.Line-1], p.Line, p.Column, p.EndColumn))
		}
		if p.Hint != "" && !hinted {
			b.WriteString("   hint: " + p.Hint + "\n")
		}
	}
	b.WriteString(summary(r, bad))
	if r.unknown {
		b.WriteString("no strategies or services are known here: name them with --strategy and --service, write a weftbox.yaml beside the files, or ask a node with --server\n")
	}
	return out.line("%s", strings.TrimSuffix(b.String(), "\n"))
}

// inline reports whether a hint is short enough to stand behind its message.
func inline(hint string) bool {
	return strings.HasPrefix(hint, "did you mean ") || strings.HasPrefix(hint, "是不是 ")
}

func summary(r *findings, bad bool) string {
	if len(r.Problems) == 0 {
		return fmt.Sprintf("no problems in %s\n", counted(r.files, "file", ""))
	}
	code := exitOK
	if bad {
		code = exitFailed
	}
	if len(r.failed) > 0 {
		code = r.failed[0].code
	}
	return fmt.Sprintf("%s (%s) in %s · exit %d · explain with: weftbox explain %s\n",
		counted(len(r.Problems), "problem", ""), counted(r.errors, "error", ""), counted(r.files, "file", ""), code, r.Problems[0].Code)
}

// counted writes a number with its noun: "1 value quoted", "3 values quoted".
func counted(n int, noun, rest string) string {
	if n != 1 {
		noun += "s"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", n, noun, rest))
}

// excerptColumns is how many columns of a line an excerpt shows.
const excerptColumns = 120

// excerpt shows a line of the source and underlines the runes from column to end, which count from 1. Of a long line it shows the part
// around them.
func excerpt(source string, n, column, end int) string {
	runes := []rune(source)
	for i, r := range runes {
		if unicode.IsControl(r) {
			runes[i] = ' '
		}
	}
	from, to := min(column-1, len(runes)), min(end-1, len(runes))
	first, last := 0, len(runes)
	if columns(string(runes)) > excerptColumns {
		first = max(0, from-excerptColumns/4)
		last = min(len(runes), first+excerptColumns/2)
		to = min(to, last)
	}
	before, after := "", ""
	if first > 0 {
		before = "…"
	}
	if last < len(runes) {
		after = "…"
	}
	shown := before + string(runes[first:last]) + after
	carets := max(1, columns(string(runes[from:max(from, to)])))
	return fmt.Sprintf("%5d | %s\n      | %s%s\n", n, strings.TrimRight(shown, " "), strings.Repeat(" ", columns(before+string(runes[first:from]))), strings.Repeat("^", carets))
}
