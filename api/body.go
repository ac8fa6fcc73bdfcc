package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

// body reads the whole body, at most MaxBodyBytes.
func (c *call) body() ([]byte, error) {
	limit := c.s.o.MaxBodyBytes
	tooLarge := &bushttp.Problem{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Title: "The body is too large",
		Detail: fmt.Sprintf("at most %d bytes are read here", limit)}
	if c.r.ContentLength > limit {
		c.w.Header().Set("Connection", "close") // the rest is not worth reading
		return nil, tooLarge
	}
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, &bushttp.Problem{Status: http.StatusBadRequest, Code: "body_cut_short", Title: "The body did not come whole",
			Detail: "it ended too early (" + err.Error() + "), and nothing was changed: send the request again", Retryable: true}
	}
	return data, nil
}

func badBody(detail string, more ...bushttp.ProblemError) *bushttp.Problem {
	return &bushttp.Problem{Status: http.StatusBadRequest, Code: "invalid_body", Title: "The body is not as it must be", Detail: detail, Errors: more}
}

// object is a posted JSON object while it is taken apart: each key is asked for once, what is left over is an error.
type object struct {
	values map[string]any
	known  []string
	errors []bushttp.ProblemError
}

// object reads the body as one JSON object. An empty body counts as {} where that is allowed.
func (c *call) object(mayBeEmpty bool) (*object, error) {
	data, err := c.body()
	if err != nil {
		return nil, err
	}
	if mayBeEmpty && strings.TrimSpace(string(data)) == "" {
		return &object{}, nil
	}
	v, err := messagebus.DecodeValue(data)
	if err != nil {
		item := bushttp.ProblemError{Message: err.Error()}
		var d *messagebus.DecodeError
		if errors.As(err, &d) {
			item.Line, item.Offset = d.Line, &d.Offset
		}
		return nil, badBody("it is not JSON: "+err.Error(), item)
	}
	values, isObject := v.(map[string]any)
	if !isObject {
		return nil, badBody("one JSON object is expected, {\"key\": value, …}; this is " + kindOf(v))
	}
	return &object{values: values}, nil
}

// kindOf names what a JSON value is.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "true or false"
	}
	return "a number"
}

func (o *object) fail(code, key, message, hint string) {
	o.errors = append(o.errors, bushttp.ProblemError{Code: code, Severity: "error", Path: "/" + key, Message: message, Hint: hint})
}

// text takes a key whose value must be a text.
func (o *object) text(key string, required bool) string {
	o.known = append(o.known, key)
	v, there := o.values[key]
	switch t := v.(type) {
	case string:
		return t
	case nil:
		if required {
			o.fail("missing_key", key, quote(key)+" is missing", "")
		}
	default:
		if there {
			o.fail("wrong_type", key, quote(key)+" must be a text", "")
		}
	}
	return ""
}

// named returns the name in the path; a "name" in the body must be the same.
func (o *object) named(path string) string {
	if _, given := o.values["name"]; !given {
		o.known = append(o.known, "name")
		return path
	}
	if name := o.text("name", false); name != path {
		o.fail("wrong_name", "name", "the body names "+quote(name)+", the path "+quote(path), "leave the name out of the body")
	}
	return path
}

// fields takes a key whose value must be an object.
func (o *object) fields(key string) map[string]any {
	o.known = append(o.known, key)
	switch v := o.values[key].(type) {
	case nil:
	case map[string]any:
		return v
	default:
		o.fail("wrong_type", key, quote(key)+" must be an object", "")
	}
	return nil
}

// done says what is wrong with the object, all at once.
func (o *object) done() error {
	var rest []string
	for k := range o.values {
		if !slices.Contains(o.known, k) {
			rest = append(rest, k)
		}
	}
	sort.Strings(rest)
	for i, k := range rest {
		if i == 20 {
			o.fail("unknown_key", "", fmt.Sprintf("and %d more", len(rest)-i), "")
			break
		}
		o.fail("unknown_key", cut(k), "there is no key "+quote(k)+" here", suggestion(k, o.known))
	}
	if len(o.errors) == 0 {
		return nil
	}
	first := o.errors[0]
	detail := first.Message
	if first.Hint != "" {
		detail += ": " + first.Hint
	}
	if n := len(o.errors) - 1; n > 0 {
		detail += fmt.Sprintf(" (and %d more)", n)
	}
	return badBody(detail, o.errors...)
}

// checkQuery refuses parameters that the operation does not know: a slip must not silently change what is asked.
func (c *call) checkQuery(o *operation) error {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return badQuery("it cannot be read: " + err.Error())
	}
	for key := range values {
		if slices.Contains(o.query, key) {
			continue
		}
		detail := "there is no query parameter " + quote(key) + " here"
		if hint := suggestion(key, o.query); hint != "" {
			detail += ": " + hint
		}
		return badQuery(detail)
	}
	return nil
}

func badQuery(detail string) *bushttp.Problem {
	return &bushttp.Problem{Status: http.StatusBadRequest, Code: "invalid_query", Title: "The query is not as it must be", Detail: detail}
}

// flag reads a true-or-false query parameter; its bare name says true.
func (c *call) flag(name string) (bool, error) {
	if !c.r.URL.Query().Has(name) {
		return false, nil
	}
	switch v := c.query(name); v {
	case "", "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	default:
		return false, badQuery(name + " must be true or false, not " + quote(v))
	}
}

// limit reads ?limit=: how many items a list may have.
func (c *call) limit() (int, error) {
	const usual, most = 100, 1000
	text := c.query("limit")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, badQuery(fmt.Sprintf("limit must be a number from 1 to %d, not %s", most, quote(text)))
	}
	return n, nil
}

// suggestion returns `did you mean "x"?` when one of the candidates is near.
func suggestion(word string, candidates []string) string {
	if near := expr.Nearest(word, candidates); near != "" {
		return "did you mean " + quote(near) + "?"
	}
	if len(candidates) > 0 && len(candidates) <= 8 {
		return "known: " + strings.Join(candidates, ", ")
	}
	return ""
}

func cut(s string) string {
	if s = strings.ToValidUTF8(s, "\uFFFD"); utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:60]) + "…"
	}
	return s
}

// quote prints a text of strangers in an error: short and on one line.
func quote(s string) string { return strconv.Quote(cut(s)) }
