package messagebus

import (
	"fmt"
	"slices"

	"github.com/weftbox/weftbox/activity"
)

// DecodeError says which element of a body could not be decoded, and why.
type DecodeError struct {
	Index    int  // element of the array that was being read; 0 when Single
	Single   bool // the body was one object, not an array
	Message  string
	Offset   int  // byte of the body where reading stopped
	Line     int  // line of that byte, from 1
	TooLarge bool // a limit was passed (bytes, elements, memory) rather than a rule of the form
}

func (e *DecodeError) Error() string { return e.Message }

// Limits of one body. Zero fields mean the defaults.
type Limits struct {
	MaxMessages     int // 10,000 elements
	MaxMessageBytes int // 256 KiB each
	MaxDepth        int // 64 levels
	MaxKeys         int // 10,000 keys in one object
	MaxHeapBytes    int // 64 MiB: estimated memory of the whole decoded body (small values take far more room than their text)
	PartBytes       int // MaxHeapBytes: what one call of DecodeLines returns takes at most, text included, but for a message that is larger
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.MaxMessages, 10_000}, {&l.MaxMessageBytes, 256 << 10}, {&l.MaxDepth, 64}, {&l.MaxKeys, 10_000}, {&l.MaxHeapBytes, 64 << 20}} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if l.PartBytes <= 0 {
		l.PartBytes = l.MaxHeapBytes
	}
	return l
}

// Body is a decoded body: element i is Items[i], came as Raws[i] and takes about HeapBytes[i] of memory beside its raw bytes.
type Body struct {
	Items     []Incoming
	Raws      [][]byte // parts of the body, not copies
	HeapBytes []int
	Single    bool // the body was one object, not an array
}

// DecodeJSON decodes a body: one message object or an array of them (playwell.md section 6). nowMs is the time of events that carry none.
// raws are the elements' bytes. single tells whether the body was one object. The error is a *DecodeError.
// Integers become int64, fractions and integers beyond 64 bit decimals; invalid UTF-8, duplicate keys and trailing text are errors.
func DecodeJSON(body []byte, nowMs int64, l Limits) (items []Incoming, raws [][]byte, single bool, err error) {
	b, err := Decode(body, nowMs, l)
	return b.Items, b.Raws, b.Single, err
}

// Decode is DecodeJSON for callers that keep account of memory. With an error the Body is empty but for Single.
func Decode(body []byte, nowMs int64, l Limits) (Body, error) {
	var b Body
	if err := b.Decode(body, nowMs, l); err != nil {
		return Body{Single: b.Single}, err
	}
	return b, nil
}

// Decode is the function Decode into the memory of b. What b held before is forgotten.
func (b *Body) Decode(body []byte, nowMs int64, l Limits) error {
	b.Reset()
	r := readers.Get().(*reader)
	defer r.release()
	if err := r.body(b, body, nowMs, l.withDefaults()); err != nil {
		b.Reset()
		b.Single = err.Single
		return err
	}
	return nil
}

// Reset forgets the messages, and keeps the memory of the lists for others. The messages themselves are their users' own.
func (b *Body) Reset() {
	b.cut(0)
	b.Single = false
}

// body reads one object or an array of objects and nothing after it.
func (r *reader) body(b *Body, body []byte, nowMs int64, l Limits) *DecodeError {
	r.data, r.maxDepth, r.maxKeys, r.maxHeap, r.whole = body, l.MaxDepth, l.MaxKeys, l.MaxHeapBytes, len(body)
	switch c := r.space(); {
	case c == '{':
		if cap(b.Items) == 0 {
			one := new(struct {
				items [1]Incoming
				raws  [1][]byte
				heap  [1]int
			})
			b.Items, b.Raws, b.HeapBytes = one.items[:0], one.raws[:0], one.heap[:0]
		}
		b.Single = true
		if err := r.element(b, body, nowMs, l); err != nil {
			return err.at(body, 0, true)
		}
	case c == '[':
		r.pos++
		if err := r.elements(b, body, nowMs, l); err != nil {
			return err.at(body, len(b.Items), false)
		}
	case r.pos == len(body):
		return r.fail("the body is empty: post one message object or an array of them").at(body, 0, true)
	default:
		return r.unexpected("a message object or an array of them").at(body, 0, true)
	}
	if r.space(); r.pos < len(body) {
		last := max(len(b.Items)-1, 0)
		return r.fail("there is text after the end of the message: post several messages as an array").at(body, last, b.Single)
	}
	return nil
}

// elements reads the rest of an array after its bracket.
func (r *reader) elements(b *Body, body []byte, nowMs int64, l Limits) *syntaxError {
	if r.space() == ']' {
		r.pos++
		return nil
	}
	for {
		if len(b.Items) == l.MaxMessages {
			return r.tooLarge(fmt.Sprintf("more than %d messages in one array: post it in parts", l.MaxMessages))
		}
		if r.space() != '{' {
			return r.unexpected("a message object")
		}
		if err := r.element(b, body, nowMs, l); err != nil {
			return err
		}
		switch r.space() {
		case ',':
			r.pos++
		case ']':
			r.pos++
			return nil
		default:
			return r.unexpected("a comma or the end of the array")
		}
	}
}

// element reads one message. It sees no more of the body than a message may have, so that a huge one costs no more than that.
func (r *reader) element(b *Body, body []byte, nowMs int64, l Limits) *syntaxError {
	start, heap := r.pos, r.heap
	if len(body)-start > l.MaxMessageBytes {
		r.data = body[:start+l.MaxMessageBytes]
	}
	in, err := r.message(nowMs)
	if err != nil {
		if err.offset >= len(r.data) && len(r.data) < len(body) {
			r.pos = start
			return r.tooLarge(fmt.Sprintf("the message is larger than %d bytes", l.MaxMessageBytes))
		}
		return err
	}
	r.data = body
	if len(b.Items) == 1 {
		r.expect(b, r.whole-start, r.pos-start, l.MaxMessages)
	}
	b.Items = append(b.Items, in)
	b.Raws = append(b.Raws, body[start:r.pos:r.pos])
	b.HeapBytes = append(b.HeapBytes, r.heap-heap)
	return nil
}

// maxExpected bounds the messages that room is made for before they are read: what comes may be one large one.
const maxExpected = 1024

// expect makes room in b for the rest of a body of messages, of which the second took size bytes of rest.
func (r *reader) expect(b *Body, rest, size, most int) {
	n := min(rest/(size+1)+rest/(8*size), maxExpected, most)
	r.more = n
	if n > cap(b.Items) {
		b.Items, b.Raws, b.HeapBytes = slices.Grow(b.Items, n), slices.Grow(b.Raws, n), slices.Grow(b.HeapBytes, n)
	}
}

// DecodeValue decodes one JSON value into a value of package expr. The default limits of depth and keys hold; the error is a *DecodeError.
func DecodeValue(data []byte) (any, error) {
	r := readers.Get().(*reader)
	defer r.release()
	l := Limits{}.withDefaults()
	r.data, r.maxDepth, r.maxKeys, r.maxHeap = data, l.MaxDepth, l.MaxKeys, l.MaxHeapBytes
	v, err := r.value()
	if err == nil {
		if r.space(); r.pos < len(data) {
			err = r.fail("there is text after the end of the value")
		}
	}
	if err != nil {
		return nil, err.at(data, 0, true)
	}
	return v, nil
}

// Request is a service request about to be encoded.
type Request struct {
	RequestID    string
	Sender       string // this engine
	Service      string // receiver
	Activity     uint32
	Domain       string
	Action       string
	Args         any
	IgnoreResult bool
	TimeMs       int64
}

// EncodeRequest returns the request's wire form: {"type":"req","sender":…,"receiver":…,"attr":{"request_id":…,"activity":…,"domain":…,
// "action":…,"args":…,"ignore_result":…},"time":ms}. The same request gives the same bytes (map keys are sorted).
func EncodeRequest(r *Request) []byte { return appendRequest(make([]byte, 0, 256), r) }

// EncodeEvent returns an event's wire form, for dead letters and tests.
func EncodeEvent(e *activity.Event) []byte { return appendEvent(make([]byte, 0, 256), e) }

// EncodeReply returns an answer's wire form, for services and tests: {"type":"res","attr":{…},"time":…}. What is empty is left out.
func EncodeReply(r *Reply) []byte { return appendReply(make([]byte, 0, 256), r) }

// EncodeValue appends a value of package expr as JSON: decimals as numbers, integers beyond 2^53 as numbers too, NaN and infinities as null.
// Map keys are sorted, so that the same value gives the same bytes.
func EncodeValue(dst []byte, v any) []byte { return appendValue(dst, v) }

// EncodeText is EncodeValue of a string.
func EncodeText(dst []byte, s string) []byte { return appendText(dst, s) }
