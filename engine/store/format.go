package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// A row's value is the format number 1, then fields: tag (uvarint), length (uvarint), bytes. A field at its zero value is left out.
// New data gets a new tag and leaves the format number alone; a field's own layout never changes. Readers keep or skip unknown tags.
const rowFormat = 1

// maxRowBytes bounds a value, when it is written and when it is read.
const maxRowBytes = 32 << 20

// ErrCorrupt is wrapped by the errors of rows that cannot be read; their text names the key.
var ErrCorrupt = errors.New("the stored row is corrupt")

var errShort = errors.New("it ends in the middle of a field")

// corrupt names the key of a row that cannot be read.
func corrupt(key []byte, err error) error {
	return fmt.Errorf("store: %s: %w: %w", describeKey(key), ErrCorrupt, err)
}

func appendTag(dst []byte, tag uint64, n int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, tag), uint64(n))
}

func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

func zigzag(v int64) uint64   { return uint64(v)<<1 ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

func appendUintField(dst []byte, tag, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return binary.AppendUvarint(appendTag(dst, tag, uvarintLen(v)), v)
}

func appendIntField(dst []byte, tag uint64, v int64) []byte {
	return appendUintField(dst, tag, zigzag(v))
}

func appendTextField(dst []byte, tag uint64, s string) []byte {
	if s == "" {
		return dst
	}
	return append(appendTag(dst, tag, len(s)), s...)
}

func appendBytesField(dst []byte, tag uint64, b []byte) []byte {
	if len(b) == 0 {
		return dst
	}
	return append(appendTag(dst, tag, len(b)), b...)
}

// openField begins a field whose length is not known yet; closeField(dst, at) ends it.
func openField(dst []byte, tag uint64) (out []byte, at int) {
	dst = binary.AppendUvarint(dst, tag)
	return append(dst, 0), len(dst)
}

func closeField(dst []byte, at int) []byte {
	n := len(dst) - at - 1
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	more := uvarintLen(uint64(n)) - 1
	dst = append(dst, make([]byte, more)...)
	copy(dst[at+1+more:], dst[at+1:at+1+n])
	binary.PutUvarint(dst[at:], uint64(n))
	return dst
}

// reader takes a value apart. It reads from a string, so that every text in a row shares one allocation.
// The first error stays; after it every read answers zero.
type reader struct {
	rest string
	err  error

	tag   uint64
	body  string
	field string // the field with its tag and length
}

// readRow begins a row's value: its format number is checked.
func readRow(value string) reader {
	switch {
	case len(value) > maxRowBytes:
		return reader{err: fmt.Errorf("it has %d bytes, more than the limit of %d", len(value), maxRowBytes)}
	case value == "":
		return reader{err: errors.New("it is empty")}
	case value[0] != rowFormat:
		return reader{err: fmt.Errorf("it has format %d, this program reads format %d", value[0], rowFormat)}
	}
	return reader{rest: value[1:]}
}

// next goes to the next field. It answers false at the end and on an error.
func (r *reader) next() bool {
	if r.err != nil || r.rest == "" {
		return false
	}
	all := r.rest
	r.tag = r.uvarint()
	r.body = r.take(r.uvarint())
	r.field = all[:len(all)-len(r.rest)]
	return r.err == nil
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = ""
}

func (r *reader) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(r.rest) && i < 10; i++ {
		b := r.rest[i]
		if b < 0x80 {
			if i == 9 && b > 1 {
				break
			}
			r.rest = r.rest[i+1:]
			return v | uint64(b)<<(7*i)
		}
		v |= uint64(b&0x7F) << (7 * i)
	}
	r.fail(errShort)
	return 0
}

func (r *reader) varint() int64 { return unzigzag(r.uvarint()) }

func (r *reader) byte() byte {
	if r.rest == "" {
		r.fail(errShort)
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.fail(errShort)
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// end ends the reading of a whole body.
func (r *reader) end() error {
	if r.err == nil && r.rest != "" {
		r.err = fmt.Errorf("%d bytes too many in a field", len(r.rest))
	}
	return r.err
}

// inField runs read on the body of the present field, which it must read to its end.
func (r *reader) inField(read func(*reader)) {
	in := reader{rest: r.body}
	read(&in)
	if err := in.end(); err != nil {
		r.fail(fmt.Errorf("field %d: %w", r.tag, err))
	}
}

func (r *reader) uint() uint64 {
	in := reader{rest: r.body}
	v := in.uvarint()
	if in.end() != nil {
		r.fail(fmt.Errorf("field %d: %w", r.tag, in.err))
	}
	return v
}

func (r *reader) int() int64 { return unzigzag(r.uint()) }

// small reads a number that must not be above limit.
func (r *reader) small(limit uint64) uint64 {
	v := r.uint()
	if v > limit {
		r.fail(fmt.Errorf("field %d: %d is above %d", r.tag, v, limit))
		return 0
	}
	return v
}
