package api

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/weftbox/weftbox/definitions"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

// items renders the problems of one severity, or of all.
func items(problems []definitions.Problem, only definitions.Severity) []bushttp.ProblemError {
	out := []bushttp.ProblemError{}
	for _, p := range problems {
		if only != "" && p.Severity != only {
			continue
		}
		out = append(out, bushttp.ProblemError{Code: p.Code, Severity: string(p.Severity), Path: p.Path, Line: p.Line, Column: p.Column,
			EndColumn: p.EndColumn, Message: p.Message, Hint: p.Hint, MessageZh: p.MessageZh, HintZh: p.HintZh})
	}
	return out
}

// checked says that something posted has errors, or returns nil. kind is "definition", "strategy", "service" or "activity".
func checked(kind string, problems []definitions.Problem) error {
	n := 0
	var first definitions.Problem
	for _, p := range problems {
		if p.Severity == definitions.SeverityError {
			if n == 0 {
				first = p
			}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	title := fmt.Sprintf("The %s has %d errors", kind, n)
	if n == 1 {
		title = "The " + kind + " has an error"
	}
	detail := first.Message
	if first.Line > 0 {
		detail = fmt.Sprintf("%d:%d: %s", first.Line, first.Column, detail)
	}
	if first.Hint != "" {
		detail += ": " + first.Hint
	}
	return &bushttp.Problem{Status: http.StatusUnprocessableEntity, Code: kind + "_invalid", Title: title, Detail: detail, Errors: items(problems, "")}
}

// difference is a field in which what is stored and what was posted differ.
type difference struct{ field, stored, posted string }

// conflict says that other content has the name already. Each difference becomes one of the problem's errors.
func conflict(kind, name, hint string, all ...difference) error {
	p := &bushttp.Problem{Status: http.StatusConflict, Code: "conflict", Title: "Another " + kind + " has this name",
		Detail: fmt.Sprintf("%s %s is there with other content, and nothing was changed: %s", kind, quote(name), hint)}
	for _, d := range all {
		if d.stored != d.posted {
			p.Errors = append(p.Errors, bushttp.ProblemError{Code: "differs", Severity: "error", Path: "/" + d.field,
				Message: fmt.Sprintf("stored: %s, posted: %s", d.stored, d.posted)})
		}
	}
	return p
}

func notFound(kind, name, hint string) error {
	p := &bushttp.Problem{Status: http.StatusNotFound, Code: strings.ReplaceAll(kind, " ", "_") + "_not_found", Title: "There is no such " + kind, Detail: fmt.Sprintf("there is no %s %s", kind, quote(name))}
	if hint != "" {
		p.Detail += ": " + hint
	}
	return p
}

// noVersion says that a definition has no such version.
func noVersion(name, version, hint string) error {
	p := &bushttp.Problem{Status: http.StatusNotFound, Code: "version_not_found", Title: "There is no such version", Detail: "definition " + quote(name) + " has no version " + quote(version)}
	if hint != "" {
		p.Detail += ": " + hint
	}
	return p
}

// created says with which status a put is answered.
func created(outcome metadata.Outcome, location string, body any) *reply {
	if outcome == metadata.Created {
		return &reply{status: http.StatusCreated, location: location, body: body}
	}
	return ok(body)
}
