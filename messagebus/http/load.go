package http

import (
	"sync"

	"github.com/weftbox/weftbox/messagebus"
)

// load is the memory of one post: its body, what was decoded from it, its records on their way to the engine, and its answer. The engine holds
// parts of it until it has answered every record: only then, or when it got none, is it freed to be used for another post. One that is
// never freed is the garbage collector's.
type load struct {
	body    []byte
	m       messagebus.Body
	records []messagebus.Record
	out     []byte
}

// What is kept of a load for the next one.
const (
	maxKeptBytes    = 64 << 10
	maxKeptMessages = 1024
)

var loads = sync.Pool{New: func() any { return new(load) }}

func newLoad() *load { return loads.Get().(*load) }

// fits reports whether the kept memory can begin a body of size bytes: one that is much larger would count against the bounds for little.
func (l *load) fits(size int) bool { return cap(l.body) >= size && cap(l.body) <= 2*size }

// room returns body with a capacity of size bytes; an empty one begins in the kept memory if that has the size.
func (l *load) room(body []byte, size int) []byte {
	if body == nil && cap(l.body) == size {
		return l.body[:0]
	}
	grown := make([]byte, len(body), size)
	copy(grown, body)
	return grown
}

// free gives the memory to other posts. It holds on to no message.
func (l *load) free() {
	l.m.Reset()
	clear(l.records)
	l.records = l.records[:0]
	if cap(l.m.Items) > maxKeptMessages || cap(l.records) > maxKeptMessages {
		l.m, l.records = messagebus.Body{}, nil
	}
	if cap(l.body) > maxKeptBytes {
		l.body = nil
	}
	if cap(l.out) > maxKeptBytes {
		l.out = nil
	}
	loads.Put(l)
}
