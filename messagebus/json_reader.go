package messagebus

import (
	"bytes"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/weftbox/weftbox/activity"
)

// reader reads one JSON text strictly (RFC 8259): no invalid UTF-8, no lone surrogate, no key twice in one object. It makes the values
// of package expr directly, which is why it is used in place of encoding/json: see BenchmarkDecodeEvent200 and its peer.
type reader struct {
	data []byte // what may be read: the body, or the part of it that one message may have
	pos  int
	base int // where data stands in its body, for errors

	depth, maxDepth int
	maxKeys         int
	heap, maxHeap   int // estimated bytes of the values made

	whole  int              // bytes of all messages that are read, data being some of them
	more   int              // messages of the body that are expected to come
	events []activity.Event // room for some of them

	text   []byte      // scratch of strings with escapes
	stack  []any       // scratch of lists being read
	names  [256]string // keys and names met lately, so that a batch holds each once
	values [256]any    // short texts met lately
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// What values take, about: used to bound the memory that a small hostile text can ask for.
const (
	heapMessage = 256 // event, its record
	heapMap     = 48  // an empty map
	heapGroup   = 272 // first eight entries
	heapEntry   = 72  // each further entry
	heapList    = 40
	heapSlot    = 40 // element of a list, in the list and in the scratch it is gathered in
	heapText    = 32
	heapNumber  = 8
	heapDecimal = 64
)

const (
	maxNameBytes  = 64  // longest name kept in names
	maxValueBytes = 24  // longest text kept in values
	maxScratch    = 256 // largest stack, in values, and KiB of text that go back to the pool
)

// release gives the reader back without anything of the body in it but names.
func (r *reader) release() {
	clear(r.stack[:cap(r.stack)])
	r.stack = r.stack[:0]
	if cap(r.stack) > maxScratch {
		r.stack = nil
	}
	if cap(r.text) > maxScratch<<10 {
		r.text = nil
	}
	r.data, r.pos, r.base, r.depth, r.heap, r.more, r.events = nil, 0, 0, 0, 0, 0, nil
	readers.Put(r)
}

// syntaxError is an error at a byte of the text, not yet told which element that is.
type syntaxError struct {
	offset   int
	message  string
	tooLarge bool
}

// at makes the reader's error: which element, which byte and, in a text of several lines, which line.
func (e *syntaxError) at(body []byte, index int, single bool) *DecodeError {
	offset := min(e.offset, len(body))
	line := 1 + bytes.Count(body[:offset], []byte{'\n'})
	where := fmt.Sprintf("byte %d", offset)
	if bytes.IndexByte(body, '\n') >= 0 {
		where += fmt.Sprintf(", line %d", line)
	}
	if !single {
		where = fmt.Sprintf("message %d (%s)", index, where)
	}
	return &DecodeError{Index: index, Single: single, Message: where + ": " + e.message, Offset: offset, Line: line, TooLarge: e.tooLarge}
}

func (r *reader) fail(message string) *syntaxError { return r.failAt(r.pos, message) }

func (r *reader) failAt(offset int, message string) *syntaxError {
	return &syntaxError{offset: offset, message: message}
}

func (r *reader) tooLarge(message string) *syntaxError {
	return &syntaxError{offset: r.pos, message: message, tooLarge: true}
}

// unexpected says what stands at the present byte instead of what was wanted.
func (r *reader) unexpected(wanted string) *syntaxError {
	if r.pos >= len(r.data) {
		return r.failAt(len(r.data), "the JSON text ends too early, expected "+wanted)
	}
	c, size := utf8.DecodeRune(r.data[r.pos:])
	if c == utf8.RuneError && size <= 1 {
		return r.fail(fmt.Sprintf("invalid UTF-8 (byte 0x%02x): JSON texts are UTF-8", r.data[r.pos]))
	}
	return r.fail(fmt.Sprintf("expected %s, found %q", wanted, c))
}

// space skips white space and returns the next byte without taking it; 0 at the end.
func (r *reader) space() byte {
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		if c > ' ' || (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
			return c
		}
		r.pos++
	}
	return 0
}

// value reads any value.
func (r *reader) value() (any, *syntaxError) {
	switch c := r.space(); c {
	case '"':
		b, err := r.string()
		if err != nil {
			return nil, err
		}
		r.heap += heapText + len(b)
		return r.known(b), nil
	case '{':
		return r.object()
	case '[':
		return r.list()
	case 't':
		return true, r.literal("true")
	case 'f':
		return false, r.literal("false")
	case 'n':
		return nil, r.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return r.number()
	}
	return nil, r.unexpected("a value")
}

func (r *reader) literal(word string) *syntaxError {
	rest := r.data[r.pos:]
	if len(rest) >= len(word) && string(rest[:len(word)]) == word {
		r.pos += len(word)
		return nil
	}
	if bytes.HasPrefix([]byte(word), rest) {
		r.pos = len(r.data)
	}
	return r.unexpected(word)
}

// enter goes one level deeper and takes the bracket.
func (r *reader) enter() *syntaxError {
	if r.depth == r.maxDepth {
		return r.fail(fmt.Sprintf("more than %d levels of nesting", r.maxDepth))
	}
	if r.heap > r.maxHeap {
		return r.tooLarge("the messages would take too much memory: post them in parts")
	}
	r.depth++
	r.pos++
	return nil
}

// object reads a map; it is the map of package expr.
func (r *reader) object() (any, *syntaxError) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	r.heap += heapMap
	m := map[string]any{}
	for {
		key, start, err := r.key(len(m))
		if err != nil {
			return nil, err
		}
		if start < 0 {
			r.depth--
			return m, nil
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		before := len(m)
		m[key] = v
		if len(m) == before {
			return nil, r.twice(start, key)
		}
		switch {
		case before == 0:
			r.heap += heapGroup
		case before >= 8:
			r.heap += heapEntry
		}
	}
}

func (r *reader) twice(start int, key string) *syntaxError {
	return r.failAt(start, fmt.Sprintf("the key %s is there twice in one object", quoted(key)))
}

// key reads what comes before the value number n of an object: comma, key and colon. start is where the key stands, -1 at the end of the object.
func (r *reader) key(n int) (key string, start int, err *syntaxError) {
	c := r.space()
	switch {
	case c == '}':
		r.pos++
		return "", -1, nil
	case n == 0:
	case c != ',':
		return "", 0, r.unexpected("a comma or the end of the object")
	default:
		r.pos++
		c = r.space()
	}
	if c != '"' {
		return "", 0, r.unexpected("a key in double quotes")
	}
	if n == r.maxKeys {
		return "", 0, r.fail(fmt.Sprintf("more than %d keys in one object", r.maxKeys))
	}
	if r.heap > r.maxHeap {
		return "", 0, r.tooLarge("the messages would take too much memory: post them in parts")
	}
	start = r.pos
	b, err := r.string()
	if err != nil {
		return "", 0, err
	}
	key = r.name(b)
	if r.space() != ':' {
		return "", 0, r.unexpected("a colon after the key")
	}
	r.pos++
	return key, start, nil
}

// list reads a list; elements are gathered in the scratch stack, so that the list is made once and at its size.
func (r *reader) list() (any, *syntaxError) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	r.heap += heapList
	base := len(r.stack)
	for c := r.space(); c != ']'; {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		r.stack = append(r.stack, v)
		r.heap += heapSlot
		if r.heap > r.maxHeap {
			return nil, r.tooLarge("the messages would take too much memory: post them in parts")
		}
		if c = r.space(); c == ',' {
			r.pos++
			if r.space() == ']' {
				return nil, r.unexpected("a value")
			}
			continue
		}
		if c != ']' {
			return nil, r.unexpected("a comma or the end of the list")
		}
	}
	r.pos++
	r.depth--
	out := make([]any, len(r.stack)-base)
	copy(out, r.stack[base:])
	r.stack = r.stack[:base]
	return out, nil
}

// name returns b as a string, the one made before if it is known.
func (r *reader) name(b []byte) string {
	n := len(b)
	if n == 0 {
		return ""
	}
	if n > maxNameBytes {
		r.heap += n
		return string(b)
	}
	slot := &r.names[place(b)]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// known returns b as a value, the one made before if it is a short text met lately: kinds, channels and countries repeat.
func (r *reader) known(b []byte) any {
	if n := len(b); n == 0 || n > maxValueBytes {
		return string(b)
	}
	slot := &r.values[place(b)]
	if s, ok := (*slot).(string); !ok || s != string(b) {
		*slot = string(b)
	}
	return *slot
}

// place is a cheap hash: a clash costs one more string, nothing else.
func place(b []byte) byte {
	n := len(b)
	return byte(n*31) ^ b[0]*7 ^ b[n/2]*13 ^ b[n-1]
}
