package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

func newExprCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "expr",
		Short: "Try out expressions, and look up their functions",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newExprEvalCommand(), newExprFunctionsCommand())
	return c
}

func newExprEvalCommand() *cobra.Command {
	var batch bool
	given := map[string]*string{}
	c := &cobra.Command{
		Use:   "eval [EXPR]",
		Short: "Evaluate an expression or template",
		Long: `Evaluate an expression or a template and print its value and type. Without EXPR, or with "-", the source is read from stdin.

What is given decides what the expression may see: --event alone what a strategy sees, with --config what a trigger sees, with --vars
what the arguments of an action see, with --result what ctrl sees. Dates are in UTC. In JSON fractions are decimals, exact; another
type is written {"$type":"double","value":"2.5"} with int, long, float, double or decimal. An event is {"type":…,"attr":{…}} or an
object of attributes; a result is {"status":"ok","data":{…},"error_code":…,"message":…} or an object of data.

With --batch each line of stdin is {"expr":…,"context":{"event":…,"vars":…,"config":…,"result":…,"activity":…,"definition":…,"thread":…}},
of which "context" and everything in it may be missing, and is answered by one line, in order, so
that line N of the output belongs to line N of the input, a blank one too ("the line is blank"):
{"value":…,"type":"int|float|decimal|string|bool|null|list|map|date|control","text":…} or {"error":…,"column":…} with the column counted
in characters from 1. Exit code: 0, or 7 when a line that is not blank was no such object.`,
		Example: "  weftbox expr eval '1 + 2 * 3'\n  weftbox expr eval 'eventAttr(\"price\") * 2' --event '{\"price\": 19.90}'\n  echo '{\"expr\": \"1 + 1\"}' | weftbox expr eval --batch",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if batch {
				if len(args) > 0 {
					return fail(exitUsage, c.CommandPath()+" --help", "--batch reads expressions from stdin; leave out EXPR")
				}
				return evalBatch(c.InOrStdin(), c.OutOrStdout())
			}
			return evalOne(c, args, given)
		},
	}
	for _, part := range contextParts {
		given[part.name] = c.Flags().String(part.name, "", part.usage)
	}
	c.Flags().BoolVar(&batch, "batch", false, "answer each line of stdin by one line")
	return c
}

// evalOne evaluates the one expression of the command line.
func evalOne(c *cobra.Command, args []string, given map[string]*string) error {
	source := ""
	if len(args) == 1 && args[0] != "-" {
		source = args[0]
	} else {
		data, err := io.ReadAll(io.LimitReader(c.InOrStdin(), maxLineBytes))
		if err != nil {
			return fail(exitUsage, "", "stdin: %v", err)
		}
		source = strings.TrimRight(string(data), "\r\n")
	}
	parts := map[string]json.RawMessage{}
	for name, text := range given {
		if c.Flags().Changed(name) {
			parts[name] = json.RawMessage(*text)
		}
	}
	w := newWorld()
	ctx, err := w.set(parts)
	if err != nil {
		return fail(exitUsage, c.CommandPath()+" --help", "%v", err)
	}
	out := newOutput(c)
	answer := w.eval(source, ctx)
	switch {
	case answer.Error != "":
		return fail(exitFailed, "", "column %d: %s\n%s", answer.Column, answer.Error, underline(source, answer.Column))
	case out.json:
		return out.value(answer)
	}
	return out.line("%s  (%s)", answer.Text, answer.Type)
}

// underline shows the line of a column and marks the place.
func underline(source string, column int) string {
	at := 1
	for line := range strings.SplitSeq(source, "\n") {
		n := utf8.RuneCountInString(line)
		if column <= at+n {
			before := string([]rune(line)[:column-at])
			return "  " + strings.ReplaceAll(cell(line, 200), "\t", " ") + "\n  " + strings.Repeat(" ", columns(before)) + "^"
		}
		at += n + 1
	}
	return ""
}

// evaluated is what evaluating one expression gave.
type evaluated struct {
	Value  json.RawMessage `json:"value"`
	Type   string          `json:"type"`
	Text   string          `json:"text"`
	Error  string          `json:"-"`
	Column int             `json:"-"`
}

// MarshalJSON writes {"value":…,"type":…,"text":…} or {"error":…,"column":…}.
func (a evaluated) MarshalJSON() ([]byte, error) {
	if a.Error != "" {
		dst := messagebus.EncodeValue([]byte(`{"error":`), a.Error)
		return fmt.Appendf(dst, `,"column":%d}`, a.Column), nil
	}
	dst := append([]byte(`{"value":`), a.Value...)
	dst = messagebus.EncodeValue(append(dst, `,"type":`...), a.Type)
	dst = messagebus.EncodeValue(append(dst, `,"text":`...), a.Text)
	return append(dst, '}'), nil
}

// eval compiles and evaluates a source. It never panics.
func (w *world) eval(source string, ctx expr.Context) (out evaluated) {
	defer func() {
		if r := recover(); r != nil {
			*w = *newWorld() // what the machine held is not trusted any more
			out = evaluated{Error: fmt.Sprintf("internal error: %v; please report it", r), Column: 1}
		}
	}()
	p, problems := expr.Compile(source, ctx)
	if p == nil {
		for _, q := range problems {
			if !q.Warning {
				return evaluated{Error: explained(q), Column: q.Start + 1}
			}
		}
	}
	v, err := p.Eval(&w.scope)
	if err != nil {
		at := 0
		if e, ok := err.(*expr.Error); ok {
			at = e.Start
		}
		return evaluated{Error: err.Error(), Column: at + 1}
	}
	return evaluated{Value: messagebus.EncodeValue(nil, v), Type: expr.TypeName(v), Text: expr.Text(v)}
}

func explained(p expr.Problem) string {
	if p.Hint == "" {
		return p.Message
	}
	return p.Message + "; " + p.Hint
}
