package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLineBytes bounds one line of a batch; of a longer one only the end is looked for.
const maxLineBytes = 64 << 20

// batchLine is one line of expr eval --batch.
type batchLine struct {
	Expr    *string                    `json:"expr"`
	Context map[string]json.RawMessage `json:"context"`
}

// evalBatch answers each line by one line, at once and in order, so that line N of the output belongs to line N of the input. A line that is no
// request, be it blank, has an error for an answer.
func evalBatch(in io.Reader, out io.Writer) error {
	r := bufio.NewReaderSize(in, 64<<10)
	w := newWorld()
	malformed := 0
	for {
		line, tooLong, err := readLine(r, maxLineBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return fail(exitUsage, "", "stdin: %v", err)
		}
		line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
		if err == nil || len(line) > 0 || tooLong { // behind the last line's end there is none
			a, ok := w.answerLine(line, tooLong)
			if !ok {
				malformed++
			}
			text, failed := a.MarshalJSON()
			if failed == nil {
				_, failed = out.Write(append(text, '\n'))
			}
			if failed != nil {
				return failed
			}
		}
		if err != nil {
			break
		}
	}
	if malformed > 0 {
		return fail(exitPartly, "", "%d of the lines were no {\"expr\":…,\"context\":{…}}", malformed)
	}
	return nil
}

// readLine returns the next line without its end; tooLong tells that it had more than most bytes, and is dropped.
func readLine(r *bufio.Reader, most int) (line []byte, tooLong bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > most {
			line, tooLong = nil, true
		}
		if !tooLong {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}

// shapeOf says what is wrong with a line in words of the format, not of the program.
func shapeOf(err error) string {
	var typed *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &typed):
		return err.Error()
	case typed.Field == "":
		return `it must be a map {"expr":…,"context":{…}}, this is ` + typed.Value
	case typed.Field == "expr":
		return fmt.Sprintf("%q must be a text, this is %s", typed.Field, typed.Value)
	}
	return fmt.Sprintf("%q must be a map, this is %s", typed.Field, typed.Value)
}

// answerLine evaluates one line; ok is false when it is no request.
func (w *world) answerLine(line []byte, tooLong bool) (a evaluated, ok bool) {
	if len(line) == 0 && !tooLong {
		return evaluated{Error: "the line is blank", Column: 1}, true // no slip, but line N of the output is to belong to line N
	}
	if tooLong {
		return evaluated{Error: fmt.Sprintf("the line has more than %d bytes", maxLineBytes), Column: 1}, false
	}
	var request batchLine
	if err := json.Unmarshal(line, &request); err != nil {
		return evaluated{Error: "the line is no request: " + shapeOf(err), Column: 1}, false
	}
	if request.Expr == nil {
		return evaluated{Error: `the line has no text "expr"`, Column: 1}, false
	}
	ctx, err := w.set(request.Context)
	if err != nil {
		return evaluated{Error: "the context: " + err.Error(), Column: 1}, false
	}
	return w.eval(*request.Expr, ctx), true
}
