package messagebus

import (
	"bytes"
	"fmt"
)

// Place is how far a body of lines was read. The zero Place is its beginning.
type Place struct {
	Messages int // read before it
	Lines    int // ended before it
	Bytes    int // of the body before it
}

// DecodeLines decodes NDJSON: one message object on each line; lines of white space only are passed over. It reads whole lines of data, which
// begins at *at of its body, until l.MaxMessages are read or the next one would take more than l.PartBytes together with them, and returns how
// many bytes of data these took; *at moves behind them. last says that the body ends with data, so that the rest of it is a whole line.
//
// The error is a *DecodeError whose Index, Line and Offset count from the beginning of the body; nothing is returned with it and *at stays.
func DecodeLines(data []byte, at *Place, last bool, nowMs int64, l Limits) (b Body, n int, err error) {
	if n, err = b.DecodeLines(data, at, last, nowMs, l); err != nil {
		return Body{}, 0, err
	}
	return b, n, nil
}

// DecodeLines is the function DecodeLines into the memory of b. What b held before is forgotten.
func (b *Body) DecodeLines(data []byte, at *Place, last bool, nowMs int64, l Limits) (n int, err error) {
	b.Reset()
	r := readers.Get().(*reader)
	defer r.release()
	l = l.withDefaults()
	r.maxDepth, r.maxKeys, r.maxHeap = l.MaxDepth, l.MaxKeys, l.MaxHeapBytes
	r.base, r.whole = at.Bytes, len(data)
	place := *at
	for n < len(data) && len(b.Items) < l.MaxMessages {
		end := bytes.IndexByte(data[n:], '\n')
		next := n + end + 1
		if end < 0 {
			if !last && len(data)-n <= l.MaxMessageBytes {
				break // the rest of the line is still to come
			}
			next = len(data)
		}
		before := len(b.Items)
		err := r.line(b, data[:next], n, nowMs, l)
		if tooMuch := r.heap > r.maxHeap || r.heap+next > l.PartBytes; tooMuch && before > 0 && (err == nil || err.tooLarge) {
			b.cut(before) // it is read again, for itself
			break
		}
		if err != nil {
			b.Reset()
			return 0, err.onLine(place, n)
		}
		if end >= 0 {
			place.Lines++
		}
		place.Messages = at.Messages + len(b.Items)
		place.Bytes += next - n
		n = next
	}
	*at = place
	return n, nil
}

// cut forgets the messages from the nth on.
func (b *Body) cut(n int) {
	clear(b.Items[n:])
	clear(b.Raws[n:])
	b.Items, b.Raws, b.HeapBytes = b.Items[:n], b.Raws[:n], b.HeapBytes[:n]
}

// line reads the message on the line that data ends with; it begins at start.
func (r *reader) line(b *Body, data []byte, start int, nowMs int64, l Limits) *syntaxError {
	r.data, r.pos, r.depth = data, start, 0
	switch c := r.space(); {
	case r.pos == len(data):
		return nil
	case c == '[':
		return r.fail("expected a message object, found an array: NDJSON has one message object on each line; post an array as application/json")
	case c != '{':
		return r.unexpected("a message object on each line")
	}
	if err := r.element(b, data, nowMs, l); err != nil {
		if err.offset >= len(data) && !err.tooLarge {
			err.message += " before the line ends: NDJSON has each message on one line"
		}
		return err
	}
	if r.space(); r.pos < len(data) {
		return r.fail("there is text after the end of the message: NDJSON has one message object on each line")
	}
	return nil
}

// onLine makes the reader's error, of a line that begins at a place of the body and at start of what was read.
func (e *syntaxError) onLine(at Place, start int) *DecodeError {
	line, offset := at.Lines+1, at.Bytes+e.offset-start
	where := fmt.Sprintf("line %d (message %d, byte %d)", line, at.Messages, offset)
	return &DecodeError{Index: at.Messages, Message: where + ": " + e.message, Offset: offset, Line: line, TooLarge: e.tooLarge}
}
