package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

// addClientFlags gives all commands the flags of those that speak to a node.
func addClientFlags(root *cobra.Command) {
	p := root.PersistentFlags()
	p.String("server", env("WEFTBOX_SERVER", "http://127.0.0.1:8420"), "URL of the node that client commands speak to; also WEFTBOX_SERVER")
	p.StringP("output", "o", "", `"table" or "json"; by default a table on a terminal and JSON lines elsewhere`)
}

// client speaks to a node.
type client struct {
	server string
	http   *http.Client
}

func newClient(c *cobra.Command) (*client, error) {
	server, err := c.Flags().GetString("server")
	if err != nil {
		return nil, err
	}
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fail(exitUsage, c.CommandPath()+" --server http://127.0.0.1:8420", "--server %s is no URL of http or https", server)
	}
	return &client{server: strings.TrimRight(server, "/"), http: &http.Client{Timeout: 5 * time.Minute}}, nil
}

// answer is what a node said: a body, unless it is a problem.
type answer struct {
	status  int
	body    []byte
	problem *bushttp.Problem
}

// call sends one request. Only a node that could not be asked is an error; problems are answers.
func (c *client) call(ctx context.Context, method, path string, body []byte) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.server+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fail(exitUsage, "", "%v", err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "weftbox-cli")
	switch {
	case strings.HasPrefix(path, "/v1/definitions"):
		r.Header.Set("Content-Type", "application/yaml")
	case body != nil:
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return answer{}, c.unreachable(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, c.unreachable(err)
	}
	a := answer{status: response.StatusCode, body: data}
	if a.status >= 300 {
		a.problem = &bushttp.Problem{}
		if json.Unmarshal(data, a.problem) != nil || a.problem.Title == "" {
			a.problem = &bushttp.Problem{Title: "The server answered " + response.Status + ", which a weftbox node does not say; is " + c.server + " one?"}
		}
		a.problem.Status = a.status
	}
	return a, nil
}

func (c *client) unreachable(err error) error {
	var u *url.Error
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &u) && u.Timeout():
		return fail(exitTimeout, "", "%s did not answer in time", c.server)
	case errors.As(err, &u):
		err = u.Err
	}
	return fail(exitUnreachable, "weftbox serve", "no node answers at %s (%v): start one, or name another with --server or WEFTBOX_SERVER", c.server, err)
}

// get asks and turns a problem into an error; next is what to type then.
func (c *client) get(ctx context.Context, path, next string) ([]byte, error) {
	return c.must(next)(c.call(ctx, http.MethodGet, path, nil))
}

// post is get for POST.
func (c *client) post(ctx context.Context, path string, body []byte, next string) ([]byte, error) {
	return c.must(next)(c.call(ctx, http.MethodPost, path, body))
}

func (c *client) must(next string) func(answer, error) ([]byte, error) {
	return func(a answer, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		if a.problem != nil {
			return nil, problemError(a.problem, next)
		}
		return a.body, nil
	}
}

// problemError makes an error of a problem, with the exit code of its status.
func problemError(p *bushttp.Problem, next string) error {
	switch p.Code {
	case "activity_not_found":
		next = "weftbox activities list"
	case "thread_not_found":
		parts := strings.Split(p.Instance, "/") // /v1/activities/{activity}/threads/{domain}…
		if len(parts) > 5 && !strings.HasPrefix(p.Title, "There is no such run") {
			if name, err := url.PathUnescape(parts[3]); err == nil {
				next = "weftbox threads list " + typedOut(name)
			}
		}
	case "service_not_found":
		next = "weftbox services list"
	case "strategy_not_found":
		next = "weftbox strategies list"
	case "definition_not_found":
		next = "weftbox definitions list"
	case "wall_clock":
		next = "weftbox serve --clock manual"
	}
	return &failure{code: exitOf(p.Status), text: problemText(p, ""), next: next}
}

// typedOut writes an argument as a shell takes it.
func typedOut(arg string) string {
	if arg != "" && !strings.ContainsFunc(arg, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.:/@", r)
	}) {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

func exitOf(status int) int {
	switch status {
	case http.StatusBadRequest:
		return exitUsage
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitNotAllowed
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return exitConflict
	case http.StatusGatewayTimeout:
		return exitTimeout
	}
	return exitFailed
}

// problemText renders a problem: its title and detail, and a line for each of its errors. file is put before lines and columns.
func problemText(p *bushttp.Problem, file string) string {
	var b strings.Builder
	b.WriteString(p.Title)
	if p.Detail != "" && len(p.Errors) == 0 {
		b.WriteString(": " + p.Detail)
	}
	for _, e := range p.Errors {
		b.WriteString("\n" + problemLine(e, file))
	}
	return b.String()
}

// problemLine is one problem as compilers print them: file:line:column: error CODE: message. Only of a definition the lines are those of the
// file; elsewhere they count within the field that the path names, and without a column within what was posted, of which the message tells.
func problemLine(e bushttp.ProblemError, file string) string {
	where := file
	if e.Path != "" && !strings.HasPrefix(e.Path, "/activity") {
		where += " " + e.Path
	}
	if e.Line > 0 && e.Column > 0 {
		where += fmt.Sprintf(":%d:%d", e.Line, e.Column)
	}
	line := strings.TrimLeft(where, " :") + ": " + strings.TrimSpace(e.Severity+" "+e.Code)
	line = strings.TrimSuffix(strings.TrimPrefix(line, ": "), ": ") + ": " + e.Message
	if e.Hint != "" {
		line += "; " + e.Hint
	}
	return "  " + strings.TrimPrefix(line, ": ")
}

// threadPath returns the path of a thread, or of all of an activity's.
func threadPath(activity string, domain ...string) string {
	path := "/v1/activities/" + url.PathEscape(activity) + "/threads"
	for _, d := range domain {
		path += "/" + url.PathEscape(d)
	}
	return path
}

// input reads a file, or stdin for "-".
func input(c *cobra.Command, path string) ([]byte, error) {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(c.InOrStdin())
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fail(exitUsage, "", "%v", err)
	}
	return data, nil
}
